/*
 * Real runsc under the real daemon: every way in which a sandbox comes to us is verified and named, and has room for
 * bursts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/sandbox.h"

/* The host's file system, to be read only; it waits for `runsc exec` and `kill`. */
#define BUNDLE                                                                                                       \
	"{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/sleep\",\"60\"],\"cwd\":\"/\",\"user\":{\"uid\":0," \
	"\"gid\":0},\"env\":[\"PATH=/usr/bin:/bin\"]},\"root\":{\"path\":\"/\",\"readonly\":true},\"mounts\":[{"     \
	"\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}],\"linux\":{\"namespaces\":[{\"type\":"    \
	"\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\"}]}}\n"

static const char rules[] = "- rule: Open\n  desc: d\n  priority: WARNING\n  output: open of %fd.name\n"
                            "  condition: evt.type in (open, openat) and fd.name = /etc/hostname\n";

struct fixture {
	struct daemon daemon;
	char bundle[128], session[128], root[128];
};

static void require_runsc(void)
{
	const char *why = sandbox_unavailable();

	if (why) {
		print_message("skipped: %s\n", why);
		skip();
	}
}

static void set_up(struct fixture *fixture)
{
	struct tempdir *dir = &fixture->daemon.dir;
	FILE *file;

	require_runsc();
	daemon_start(&fixture->daemon, rules, "");
	snprintf(fixture->bundle, sizeof(fixture->bundle), "%s", tempdir_join(dir, "bundle"));
	snprintf(fixture->session, sizeof(fixture->session), "%s", tempdir_join(dir, "session.json"));
	snprintf(fixture->root, sizeof(fixture->root), "%s", tempdir_join(dir, "root"));
	assert_int_equal(mkdir(fixture->bundle, 0700), 0);
	file = fopen(tempdir_join(dir, "bundle/config.json"), "w");
	assert_non_null(file);
	assert_true(fputs(BUNDLE, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* runsc with these arguments, which has to succeed. */
static void runsc(struct fixture *fixture, const char *arguments)
{
	char command[1024];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	struct run run;

	/* Files instead of our pipes: a sandbox keeps its output open for as long as it lives. */
	snprintf(command, sizeof(command),
	         "runsc --root %s --network=none --platform=ptrace --ignore-cgroups %s </dev/null >%s/out "
	         "2>&1 "
	         "|| { cat %s/out; exit 1; }",
	         fixture->root, arguments, fixture->bundle, fixture->bundle);
	if (run_program(&run, &(struct run_options){ .argv = argv }) != 0)
		fail_msg("runsc %s: %s", arguments, run.out.data);
	run_done(&run);
}

/* The only sandbox that alerted, and how we know its name. */
static const json_t *only_alert(const struct fixture *fixture)
{
	const json_t *alert = daemon_alert(&fixture->daemon, "Open", "cat");

	if (!alert)
		fail_msg("no alert; log: %s", fixture->daemon.run.err.data);
	return json_object_get(alert, "seccheckd");
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "(none)";
}

static void expect_in_log(const struct fixture *fixture, const char *needle)
{
	if (!strstr(fixture->daemon.run.err.data, needle))
		fail_msg("'%s' is not in the log: %s", needle, fixture->daemon.run.err.data);
}

/* As the kernel tells whether we may: root in a container may not. */
static void expect_room(const struct fixture *fixture)
{
	if (strstr(fixture->daemon.run.err.data, "CAP_SYS_PTRACE"))
		print_message("not looked at: buffers, for want of CAP_SYS_PTRACE\n");
	else
		expect_in_log(fixture, "; send buffer of ");
}

static void test_do__is_verified(void **state)
{
	struct fixture fixture;
	struct run sandbox;
	const json_t *about;
	char line[256];

	(void)state;
	set_up(&fixture);
	sandbox_start(&sandbox, &fixture.daemon, "cat /etc/hostname");
	sandbox_finish(&sandbox);
	assert_int_equal(daemon_stop(&fixture.daemon), 0);
	about = only_alert(&fixture);
	assert_string_equal(text(about, "identity"), "verified");
	assert_non_null(strstr(text(about, "sandbox_id"), "runsc-"));
	assert_string_equal(text(about, "sandbox_id"), text(about, "container_id"));
	snprintf(line, sizeof(line), "info sandbox %s: connection 1 of pid ", text(about, "sandbox_id"));
	expect_in_log(&fixture, line);
	expect_in_log(&fixture, ", runsc do; ");
	expect_room(&fixture);
	daemon_done(&fixture.daemon);
}

static void test_create__is_verified(void **state)
{
	struct fixture fixture;
	const json_t *about;
	char create[512];

	(void)state;
	set_up(&fixture);
	snprintf(create, sizeof(create), "--pod-init-config %s create --bundle %s one", fixture.session,
	         fixture.bundle);
	runsc(&fixture, create);
	runsc(&fixture, "start one");
	runsc(&fixture, "exec one /bin/cat /etc/hostname");
	runsc(&fixture, "kill one KILL");
	runsc(&fixture, "delete --force one");
	assert_int_equal(daemon_stop(&fixture.daemon), 0);
	about = only_alert(&fixture);
	assert_string_equal(text(about, "identity"), "verified");
	assert_string_equal(text(about, "sandbox_id"), "one");
	expect_in_log(&fixture, "info sandbox one: connection 1 of pid ");
	expect_in_log(&fixture, ", runsc create; ");
	expect_room(&fixture);
	daemon_done(&fixture.daemon);
}

/* A sandbox that runs already, under its whole name and under the beginning of it. */
static void test_trace_create__is_verified_by_the_whole_id(void **state)
{
	struct fixture fixture;
	const json_t *about;
	char create[512];

	(void)state;
	set_up(&fixture);
	snprintf(create, sizeof(create), "create --bundle %s attached", fixture.bundle);
	runsc(&fixture, create);
	runsc(&fixture, "start attached");
	snprintf(create, sizeof(create), "trace create --config %s att", fixture.session);
	runsc(&fixture, create);
	snprintf(create, sizeof(create), "trace create --force --config %s attached", fixture.session);
	runsc(&fixture, create);
	runsc(&fixture, "exec attached /bin/cat /etc/hostname");
	runsc(&fixture, "kill attached KILL");
	runsc(&fixture, "delete --force attached");
	assert_int_equal(daemon_stop(&fixture.daemon), 0);
	about = only_alert(&fixture);
	assert_string_equal(text(about, "identity"), "verified");
	assert_string_equal(text(about, "sandbox_id"), "attached");
	expect_in_log(&fixture, "is not verified: there is no sandbox of exactly the id that it names, att;");
	expect_in_log(&fixture, "info sandbox attached: connection 2 of pid ");
	expect_in_log(&fixture, ", runsc trace; ");
	expect_room(&fixture);
	daemon_done(&fixture.daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_do__is_verified),
		cmocka_unit_test(test_create__is_verified),
		cmocka_unit_test(test_trace_create__is_verified_by_the_whole_id),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	return failed == 0 && sandbox_unavailable() ? 77 : failed;
}
