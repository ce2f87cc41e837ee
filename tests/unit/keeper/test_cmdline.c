/*
 * Arguments of runsc as containerd, Docker and people write them, and names of its state files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "keeper/cmdline.h"

/* Arguments with a blank for each NUL; the last one is ended, too. */
static struct scd_str arguments(const char *words, char room[1024])
{
	size_t len = strlen(words) + 1;

	assert_true(len <= 1024);
	memcpy(room, words, len);
	for (size_t i = 0; i < len; i++) {
		if (room[i] == ' ')
			room[i] = '\0';
	}
	return (struct scd_str){ room, len };
}

static void test_cmdline_parse__finds_the_command_and_the_root(void **state)
{
	static const struct {
		const char *name, *words;
		enum scd__naming naming;
		const char *subcommand, *root, *id;
	} rows[] = {
		{ "containerd",
		  "runsc --root=/run/containerd/runsc/k8s.io --log=/run/x/log.json --log-format=json "
		  "--pod-init-config=/etc/session.json --systemd-cgroup=true create --bundle /run/x --pid-file "
		  "/run/x/init.pid 0123456789abcdef",
		  SCD__NAMING_LOCK, "create", "/run/containerd/runsc/k8s.io", "" },
		{ "values as arguments",
		  "runsc --root /r --log /l --log-format json --network none create --bundle b ID", SCD__NAMING_LOCK,
		  "create", "/r", "" },
		{ "one dash", "runsc -root /r -debug -platform ptrace run ID", SCD__NAMING_LOCK, "run", "/r", "" },
		{ "one dash and a value with =", "runsc -root=/r run ID", SCD__NAMING_LOCK, "run", "/r", "" },
		{ "switches take no argument", "runsc --debug --strace --ignore-cgroups --rootless do true",
		  SCD__NAMING_LOCK, "do", "", "" },
		{ "a switch with a value", "runsc --debug=false do true", SCD__NAMING_LOCK, "do", "", "" },
		{ "a full path", "/usr/local/bin/runsc do true", SCD__NAMING_LOCK, "do", "", "" },
		{ "restore", "runsc restore --image-path /i ID", SCD__NAMING_LOCK, "restore", "", "" },
		{ "a value that looks like a command", "runsc --log create --root do run ID", SCD__NAMING_LOCK, "run",
		  "do", "" },
		{ "a value that looks like a flag", "runsc --log --root run ID", SCD__NAMING_LOCK, "run", "", "" },
		{ "an empty value", "runsc --root= run ID", SCD__NAMING_LOCK, "run", "", "" },
		{ "the last root counts", "runsc --root=/a --root /b run ID", SCD__NAMING_LOCK, "run", "/b", "" },
		{ "a root behind the command", "runsc run --root=/a ID", SCD__NAMING_LOCK, "run", "", "" },
		{ "= in the value", "runsc --root=/a=b run ID", SCD__NAMING_LOCK, "run", "/a=b", "" },
		{ "the end of flags", "runsc --root=/a -- run ID", SCD__NAMING_LOCK, "run", "/a", "" },
		{ "no flags behind their end", "runsc -- --root=/a run ID", SCD__NAMING_NONE, "--root=/a", "", "" },
		{ "a lone dash is no flag", "runsc - run ID", SCD__NAMING_NONE, "-", "", "" },
		{ "an unknown flag's value is no command", "runsc --later /x run ID", SCD__NAMING_NONE, "/x", "", "" },
		{ "a gofer", "runsc-gofer --root=/r --network=none gofer --bundle /b --spec-fd=3 --mounts-fd=4 create",
		  SCD__NAMING_NONE, "gofer", "/r", "" },
		{ "a sentry", "runsc-sandbox --root=/r boot --bundle=/b --io-fds=3 create", SCD__NAMING_NONE, "boot",
		  "/r", "" },
		{ "exec", "runsc exec ID create", SCD__NAMING_NONE, "exec", "", "" },
		{ "nothing but the program", "runsc", SCD__NAMING_NONE, "", "", "" },
		{ "flags without a command", "runsc --root /r", SCD__NAMING_NONE, "", "/r", "" },
		{ "a flag without its value", "runsc --root", SCD__NAMING_NONE, "", "", "" },
		{ "an empty command", "runsc  create", SCD__NAMING_NONE, "", "", "" },
		{ "trace create", "runsc --root /r trace create --config /c ID", SCD__NAMING_ARGUMENT, "trace", "/r",
		  "ID" },
		{ "trace create --force", "runsc trace create --force --config=/c a-b_c.d+e", SCD__NAMING_ARGUMENT,
		  "trace", "", "a-b_c.d+e" },
		{ "trace create with an end of flags", "runsc trace create --config /c -- ID", SCD__NAMING_ARGUMENT,
		  "trace", "", "ID" },
		{ "trace create without an id", "runsc trace create --config /c", SCD__NAMING_NONE, "trace", "", "" },
		{ "trace create with two ids", "runsc trace create --config /c A B", SCD__NAMING_NONE, "trace", "",
		  "" },
		{ "trace create with a path", "runsc trace create --config /c ../x", SCD__NAMING_NONE, "trace", "",
		  "" },
		{ "trace list", "runsc trace list ID", SCD__NAMING_NONE, "trace", "", "" },
		{ "trace alone", "runsc trace", SCD__NAMING_NONE, "trace", "", "" },
	};
	char room[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd__cmdline got;

		print_message("%s\n", rows[i].name);
		scd__cmdline_parse(arguments(rows[i].words, room), &got);
		assert_int_equal(got.naming, rows[i].naming);
		assert_true(scd_str_is(got.subcommand, rows[i].subcommand));
		assert_true(scd_str_is(got.root, rows[i].root));
		assert_true(scd_str_is(got.container_id, rows[i].id));
	}
}

/* What did not fit into the buffer is not an argument: an id that was cut is another id. */
static void test_cmdline_parse__does_not_take_an_argument_that_was_cut(void **state)
{
	char room[1024];
	struct scd_str all = arguments("runsc --root=/r trace create --config=/c sandbox", room);
	struct scd__cmdline got;

	(void)state;
	for (size_t len = 0; len < all.len; len++) {
		scd__cmdline_parse((struct scd_str){ all.data, len }, &got);
		assert_int_equal(got.naming, SCD__NAMING_NONE);
		assert_true(got.root.len == 0 || scd_str_is(got.root, "/r"));
	}
	scd__cmdline_parse(all, &got);
	assert_int_equal(got.naming, SCD__NAMING_ARGUMENT);
	scd__cmdline_parse((struct scd_str){ 0 }, &got);
	assert_int_equal(got.naming, SCD__NAMING_NONE);
}

static void test_lock_name_parse__takes_names_of_state_locks_only(void **state)
{
	static const struct {
		const char *name, *path, *root, *container_id, *sandbox_id;
	} rows[] = {
		{ "a sandbox", "/run/runsc/abc_sandbox:abc.lock", "/run/runsc", "abc", "abc" },
		{ "a container of a pod", "/run/runsc/con_sandbox:pod.lock", "/run/runsc", "con", "pod" },
		{ "what do makes", "/tmp/runsc-do355/runsc-609972_sandbox:runsc-609972.lock", "/tmp/runsc-do355",
		  "runsc-609972", "runsc-609972" },
		{ "every byte of an id", "/r/a_b+c-d.E9_sandbox:a_b+c-d.E9.lock", "/r", "a_b+c-d.E9", "a_b+c-d.E9" },
		{ "the middle in the id", "/r/a_sandbox_sandbox:b.lock", "/r", "a_sandbox", "b" },
		{ "an id that ends like the file", "/r/a_sandbox:b.lock.lock", "/r", "a", "b.lock" },
		{ "in the root directory", "/a_sandbox:b.lock", "/", "a", "b" },
		{ "the middle in the root", "/r_sandbox:x/a_sandbox:b.lock", "/r_sandbox:x", "a", "b" },
		{ "the state file", "/r/a_sandbox:b.state", NULL, NULL, NULL },
		{ "a lock that was removed", "/r/a_sandbox:b.lock (deleted)", NULL, NULL, NULL },
		{ "no container", "/r/_sandbox:b.lock", NULL, NULL, NULL },
		{ "no sandbox", "/r/a_sandbox:.lock", NULL, NULL, NULL },
		{ "no names", "/r/_sandbox:.lock", NULL, NULL, NULL },
		{ "no middle", "/r/ab.lock", NULL, NULL, NULL },
		{ "two middles", "/r/a_sandbox:b_sandbox:c.lock", NULL, NULL, NULL },
		{ "a blank in the id", "/r/a b_sandbox:b.lock", NULL, NULL, NULL },
		{ "a byte that is no ASCII", "/r/a\xc3\xa4_sandbox:b.lock", NULL, NULL, NULL },
		{ "two slashes", "/r//a_sandbox:b.lock", NULL, NULL, NULL },
		{ "two slashes at the start", "//a_sandbox:b.lock", NULL, NULL, NULL },
		{ "no path", "a_sandbox:b.lock", NULL, NULL, NULL },
		{ "a socket", "socket:[1234]", NULL, NULL, NULL },
		{ "nothing but the end", "/.lock", NULL, NULL, NULL },
		{ "nothing", "", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd__lock_name got;
		bool good = scd__lock_name_parse(scd_str_from(rows[i].path), &got);

		print_message("%s\n", rows[i].name);
		assert_int_equal(good, rows[i].root != NULL);
		if (!good)
			continue;
		assert_true(scd_str_is(got.root, rows[i].root));
		assert_true(scd_str_is(got.container_id, rows[i].container_id));
		assert_true(scd_str_is(got.sandbox_id, rows[i].sandbox_id));
	}
}

static void test_is_container_id__bounds_the_length(void **state)
{
	char id[256];

	(void)state;
	memset(id, 'x', sizeof(id));
	assert_true(scd__is_container_id((struct scd_str){ id, 1 }));
	assert_true(scd__is_container_id((struct scd_str){ id, 255 }));
	assert_false(scd__is_container_id((struct scd_str){ id, 256 }));
	assert_false(scd__is_container_id((struct scd_str){ id, 0 }));
	assert_false(scd__is_container_id((struct scd_str){ "a\0b", 3 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cmdline_parse__finds_the_command_and_the_root),
		cmocka_unit_test(test_cmdline_parse__does_not_take_an_argument_that_was_cut),
		cmocka_unit_test(test_lock_name_parse__takes_names_of_state_locks_only),
		cmocka_unit_test(test_is_container_id__bounds_the_length),
	};

	return cmocka_run_group_tests_name("keeper/cmdline", tests, NULL, NULL);
}
