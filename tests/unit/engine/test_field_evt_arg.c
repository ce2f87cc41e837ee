/*
 * Parameters of events: evt.arg, evt.rawarg, evt.args.
 */
#include "field_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "engine/evt_params.h"

#define FALCO_PARAMS SCD_SOURCE_DIR "/../shared/falco/event_params.tsv"

static struct world world;

/* State knows process 7 by its name. */
static int set_up(void **state)
{
	(void)state;
	struct scd_event event = plain_event();
	world_open(&world, true);
	world_apply(&world, &event);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static void test_openat__parameters(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_OPEN, "openat", 3, 0);
	event.fd = -100;
	event.context.cwd = SCD_STR("/srv");
	event.u.open.pathname = SCD_STR("../etc/passwd");
	event.u.open.flags = 02000000 | 0101;
	event.u.open.mode = 0644;
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "evt.arg.fd", "<f>/etc/passwd" },
		{ "evt.arg[0]", "<f>/etc/passwd" },
		{ "evt.arg.dirfd", "AT_FDCWD" },
		{ "evt.arg.name", "/etc/passwd" },
		{ "evt.arg.flags", "O_CREAT|O_WRONLY|O_CLOEXEC" },
		{ "evt.arg.mode", "0644" },
		{ "evt.arg.dev", "<NA>" },
		{ "evt.arg[6]", "<NA>" },
		{ "evt.arg[7]", NULL },
		{ "evt.arg.res", NULL },
		{ "evt.rawarg.fd", "3" },
		{ "evt.rawarg.dirfd", "-100" },
		{ "evt.rawarg.name", "../etc/passwd" },
		{ "evt.rawarg.flags", "4102" },
		{ "evt.rawarg.mode", "420" },
		{ "evt.rawarg.ino", NULL },
		{ "evt.rawarg.dev", NULL },
		{ "evt.args", "fd=3(<f>/etc/passwd) dirfd=-100(AT_FDCWD) name=../etc/passwd(/etc/passwd) "
		              "flags=4102(O_CREAT|O_WRONLY|O_CLOEXEC) mode=0644 dev=<NA> ino=<NA>" },
	};
	WORLD_CHECK(&world, "openat", rows);
	assert_string_equal(world_get(&world, "evt.info"), world_get(&world, "evt.args"));
}

static void test_open__that_failed(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_OPEN, "openat", 0, 2);
	event.fd = 6;
	event.fd_path = SCD_STR("/data");
	event.u.open.pathname = SCD_STR("x");
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "evt.arg.fd", "ENOENT" },    { "evt.rawarg.fd", "-2" },       { "evt.arg.dirfd", "<d>/data" },
		{ "evt.arg.name", "/data/x" }, { "evt.arg.flags", "O_RDONLY" }, { "evt.arg.mode", "0" },
	};
	WORLD_CHECK(&world, "ENOENT", rows);
}

static const struct expected_field exec_rows[] = {
	{ "evt.arg.res", "0" },
	{ "evt.arg.exe", "./w" },
	{ "evt.arg.args", "-o.pool.." },
	{ "evt.arg.tid", "worker" },
	{ "evt.arg.pid", "worker" },
	{ "evt.arg.ptid", "bash" },
	{ "evt.arg.cwd", "/tmp/" },
	{ "evt.arg.fdlimit", "<NA>" },
	{ "evt.arg.comm", "worker" },
	{ "evt.arg.cgroups", "NULL" },
	{ "evt.arg.env", "A=1." },
	{ "evt.arg.tty", "<NA>" },
	{ "evt.arg.loginuid", "<NONE>" },
	{ "evt.arg.flags", "EXE_UPPER_LAYER" },
	{ "evt.arg.cap_effective", "<NA>" },
	{ "evt.arg.exe_ino", "12" },
	{ "evt.arg.exe_ino_ctime", "2023-11-14 22:13:20.000000007 +0000" },
	{ "evt.arg.uid", "root" },
	{ "evt.arg.gid", "<NA>" },
	{ "evt.arg.trusted_exepath", "/tmp/worker" },
	{ "evt.arg.filename", "./worker" },
	{ "evt.arg[30]", "./worker" },
	{ "evt.arg[31]", NULL },
	{ "evt.rawarg.tid", "7" },
	{ "evt.rawarg.flags", "2" },
	{ "evt.rawarg.uid", "0" },
	{ "evt.rawarg.gid", "1000" },
	{ "evt.rawarg.loginuid", "4294967295" },
	{ "evt.rawarg.exe_ino_ctime", "1700000000000000007" },
	{ "evt.rawarg.exe_ino_mtime", NULL },
	{ "evt.rawarg.cap_effective", NULL },
	{ "evt.rawarg.pgid", NULL },
	{ "evt.rawarg.trusted_exepath", "/tmp/worker" },
	{ "evt.rawarg.args", "-o.pool.." },
};

static void test_execve__parameters(void **state)
{
	(void)state;
	static const struct scd_str argv[] = { SCD_STR_INIT("./w"), SCD_STR_INIT("-o"), SCD_STR_INIT("pool\1") };
	static const struct scd_str env[] = { SCD_STR_INIT("A=1") };
	struct scd_event parent = exec_event(5, "/bin/bash", argv, 1), fork = clone_event(5, 7, NOW_NS);
	struct scd_event event = exec_event(7, "/tmp/worker", argv, 3);
	event.context.has |= SCD_HAS_CREDENTIALS;
	event.context.credentials = (struct scd_credentials){ .effective_gid = 1000 };
	event.context.cwd = SCD_STR("/tmp");
	event.u.exec.env = (struct scd_strings){ env, 1 };
	event.u.exec.execfn = SCD_STR("./worker");
	event.u.exec.binary_overlayfs_upper = true;
	event.u.exec.binary_ino = 12;
	event.u.exec.binary_ctime = (struct scd_timespec){ 1700000000, 7 };
	world_apply(&world, &parent);
	world_apply(&world, &fork);
	world_apply(&world, &event);
	WORLD_CHECK(&world, "execve", exec_rows);
	event.u.exec.execfn = (struct scd_str){ NULL, 0 };
	world_apply(&world, &event);
	static const struct expected_field empty[] = { { "evt.arg.filename", "<NA>" },
		                                       { "evt.rawarg.filename", "<NA>" } };
	WORLD_CHECK(&world, "a message without execfn", empty);
}

static void test_execve__that_failed(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_EXECVE, "execveat", 0, 2);
	event.u.execve.pathname = SCD_STR("/nope");
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "evt.arg.res", "ENOENT" }, { "evt.arg.exe", "<NA>" }, { "evt.arg.args", "NULL" },
		{ "evt.arg.flags", "<NA>" }, { "evt.arg[29]", "<NA>" }, { "evt.arg[30]", NULL },
	};
	WORLD_CHECK(&world, "execveat", rows);
	event.kind = SCD_KIND_EXECVE;
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "evt.arg.filename"), "/nope");
}

static void test_clone__parameters_of_both_messages(void **state)
{
	(void)state;
	struct scd_event event = clone_event(7, 9, NOW_NS);
	event.u.clone_info.flags = 0x10000000 | 0x4000;
	world_apply(&world, &event);
	static const struct expected_field created[] = {
		{ "evt.arg.res", "0" },
		{ "evt.arg.tid", "worker" },
		{ "evt.arg.pid", "worker" },
		{ "evt.arg.ptid", "worker" },
		{ "evt.arg.vtid", "worker" },
		{ "evt.rawarg.tid", "9" },
		{ "evt.rawarg.vpid", "9" },
		{ "evt.rawarg.ptid", "7" },
		{ "evt.arg.flags", "CLONE_NEWUSER|CLONE_VFORK" },
		{ "evt.rawarg.flags", "135266304" },
	};
	WORLD_CHECK(&world, "sentry/clone", created);
	event = call_event(SCD_POINT_SYSCALL_CLONE, "clone", 9, 0);
	event.u.clone.flags = 0x11;
	world_apply(&world, &event);
	static const struct expected_field creator[] = { { "evt.arg.res", "9" },
		                                         { "evt.arg.tid", "worker" },
		                                         { "evt.arg.flags", "0" },
		                                         { "evt.arg.comm", "worker" } };
	WORLD_CHECK(&world, "syscall/clone", creator);
	event = call_event(SCD_POINT_SYSCALL_FORK, "vfork", 9, 0);
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "evt.arg.flags"), "<NA>");
}

static void test_procexit__status(void **state)
{
	(void)state;
	static const struct {
		int32_t status;
		const char *ret, *sig, *core;
	} rows[] = { { 0, "0", "0", "0" },
		     { 3 << 8, "3", "0", "0" },
		     { 9, "0", "SIGKILL", "0" },
		     { 11 | 0x80, "0", "SIGSEGV", "1" } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = { .point = SCD_POINT_SENTRY_TASK_EXIT,
			                   .kind = SCD_KIND_PROCEXIT,
			                   .context = context_of(7, "worker"),
			                   .fd = -1 };
		event.u.task_exit.exit_status = rows[i].status;
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "evt.arg.ret", rows[i].ret },
			{ "evt.arg.sig", rows[i].sig },
			{ "evt.arg.core", rows[i].core },
			{ "evt.arg.reaper_tid", "<NA>" },
		};
		WORLD_CHECK(&world, rows[i].sig, expected);
	}
}

static void test_connect__addresses(void **state)
{
	(void)state;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(3333) };
	assert_int_equal(inet_pton(AF_INET, "198.51.100.7", &address.sin_addr), 1);
	struct scd_event event = call_event(SCD_POINT_SYSCALL_CONNECT, "connect", 0, 115);
	event.fd = 5;
	event.u.connect.address = (struct scd_str){ (const char *)&address, sizeof(address) };
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "evt.arg.res", "EINPROGRESS" },
		{ "evt.arg.tuple", "0.0.0.0:0->198.51.100.7:3333" },
		{ "evt.arg.fd", "<4>0.0.0.0:0->198.51.100.7:3333" },
		{ "evt.arg.addr", "198.51.100.7:3333" },
		{ "evt.args", "res=-115(EINPROGRESS) tuple=0.0.0.0:0->198.51.100.7:3333 "
		              "fd=5(<4>0.0.0.0:0->198.51.100.7:3333) addr=198.51.100.7:3333" },
	};
	WORLD_CHECK(&world, "connect", rows);
	event.u.connect.address = SCD_STR("\115\0\0\0");
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "evt.arg.addr"), "family 77");
	assert_string_equal(world_get(&world, "evt.arg.tuple"), "NULL");
	event.u.connect.address = SCD_STR("\2\0\0\0");
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "evt.arg.addr"), "INVALID SOCKADDR");
	event.u.connect.address = (struct scd_str){ NULL, 0 };
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "evt.arg.addr"), "<NA>");
}

/* One parameter each of many events. */

struct call_row {
	enum scd_point point;
	const char *kind;
	uint64_t args[6]; /* of a raw point */
	const char *field, *text;
};

static void test_raw_calls__have_the_parameters_that_are_numbers(void **state)
{
	(void)state;
	static const struct call_row rows[] = {
		{ SCD_POINT_SYSCALL_RAW,
		  "mprotect",
		  { 0x7f0000001000, 4096, 5 },
		  "evt.arg.prot",
		  "PROT_READ|PROT_EXEC" },
		{ SCD_POINT_SYSCALL_RAW, "mprotect", { 0x7f0000001000, 4096, 0 }, "evt.arg.prot", "PROT_NONE" },
		{ SCD_POINT_SYSCALL_RAW, "mprotect", { 0x7f0000001000, 4096, 5 }, "evt.arg.addr", "7F0000001000" },
		{ SCD_POINT_SYSCALL_RAW, "unshare", { 0x20000 }, "evt.arg.flags", "CLONE_NEWNS" },
		{ SCD_POINT_SYSCALL_RAW, "setns", { 4, 0x40000000 }, "evt.arg.nstype", "CLONE_NEWNET" },
		{ SCD_POINT_SYSCALL_RAW, "kill", { 7, 9 }, "evt.arg.sig", "SIGKILL" },
		{ SCD_POINT_SYSCALL_RAW, "kill", { 7, 9 }, "evt.arg.pid", "worker" },
		{ SCD_POINT_SYSCALL_RAW, "kill", { UINT64_MAX, 9 }, "evt.arg.pid", "-1" },
		{ SCD_POINT_SYSCALL_RAW, "ptrace", { 16, 7 }, "evt.arg.request", "PTRACE_ATTACH" },
		{ SCD_POINT_SYSCALL_RAW, "ptrace", { 16, 7 }, "evt.arg.pid", "worker" },
		{ SCD_POINT_SYSCALL_RAW, "ptrace", { 0 }, "evt.arg.request", "PTRACE_TRACEME" },
		{ SCD_POINT_SYSCALL_RAW, "ioctl", { 3, 0xc0384627 }, "evt.arg.request", "C0384627" },
		{ SCD_POINT_SYSCALL_RAW,
		  "chmod",
		  { 1, 04755 },
		  "evt.arg.mode",
		  "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID" },
		{ SCD_POINT_SYSCALL_RAW, "chmod", { 1, 04755 }, "evt.arg.filename", "<NA>" },
		{ SCD_POINT_SYSCALL_RAW, "fchmodat", { 0xffffff9c, 1, 0 }, "evt.arg.dirfd", "AT_FDCWD" },
		{ SCD_POINT_SYSCALL_RAW, "fchmodat", { 0xffffff9c, 1, 0 }, "evt.arg.mode", "0" },
		{ SCD_POINT_SYSCALL_RAW, "mkdir", { 1, 0755 }, "evt.arg.path", NULL },
		{ SCD_POINT_SYSCALL_RAW, "sched_yield", { 0 }, "evt.args", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = call_event(rows[i].point, rows[i].kind, 0, 0);
		memcpy(event.u.raw.args, rows[i].args, sizeof(rows[i].args));
		world_apply(&world, &event);
		const struct expected_field expected[] = { { rows[i].field, rows[i].text } };
		WORLD_CHECK(&world, rows[i].kind, expected);
	}
}

static void test_decoded_calls__parameters(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_SOCKET, "socket", 4, 0);
	event.u.socket.domain = AF_UNIX;
	event.u.socket.type = SOCK_DGRAM | SOCK_CLOEXEC;
	world_apply(&world, &event);
	static const struct expected_field socket_rows[] = { { "evt.arg.domain", "AF_LOCAL|AF_UNIX" },
		                                             { "evt.arg.type", "2" },
		                                             { "evt.rawarg.domain", "1" },
		                                             { "evt.arg.fd", "4" } };
	WORLD_CHECK(&world, "socket", socket_rows);
	event = call_event(SCD_POINT_SYSCALL_CHDIR, "chdir", 0, 0);
	event.context.cwd = SCD_STR("/srv");
	event.u.chdir.pathname = SCD_STR("../etc");
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "evt.args"), "res=0 path=../etc(/etc)");
	event = call_event(SCD_POINT_SYSCALL_PTRACE, "ptrace", 0, 0);
	event.u.ptrace.request = 4;
	event.u.ptrace.pid = 7;
	world_apply(&world, &event);
	static const struct expected_field ptrace_rows[] = {
		{ "evt.arg.request", "PTRACE_POKETEXT" },
		{ "evt.arg.pid", "worker" },
		{ "evt.arg.addr", "<NA>" },
		{ "evt.rawarg.request", "5" },
	};
	WORLD_CHECK(&world, "ptrace", ptrace_rows);
	event = call_event(SCD_POINT_SYSCALL_SETRESID, "setresuid", 0, 0);
	event.u.setresid.rid = UINT32_MAX;
	event.u.setresid.sid = 1000;
	world_apply(&world, &event);
	static const struct expected_field setresuid_rows[] = { { "evt.arg.ruid", "<NONE>" },
		                                                { "evt.arg.euid", "root" },
		                                                { "evt.arg.suid", "<NA>" },
		                                                { "evt.rawarg.suid", "1000" } };
	WORLD_CHECK(&world, "setresuid", setresuid_rows);
}

static void test_decoded_calls__with_descriptors(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_READ, "pread", 0, 9);
	event.fd = 77;
	event.u.io.count = 832;
	event.u.io.has_offset = true;
	event.u.io.offset = 64;
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "evt.args"), "res=-9(EBADF) data=NULL fd=77 size=832 pos=64");
	event = call_event(SCD_POINT_SYSCALL_MMAP, "mmap", 4096, 0);
	event.u.mmap.prot = 3;
	event.u.mmap.flags = 0x22;
	world_apply(&world, &event);
	static const struct expected_field mmap_rows[] = { { "evt.arg.prot", "PROT_READ|PROT_WRITE" },
		                                           { "evt.arg.flags", "MAP_PRIVATE|MAP_ANONYMOUS" },
		                                           { "evt.arg.fd", "EPERM" } };
	WORLD_CHECK(&world, "mmap", mmap_rows);
	event = call_event(SCD_POINT_SYSCALL_DUP, "dup", 4, 0);
	event.fd = 3;
	event.fd_path = SCD_STR("/x");
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "evt.args"), "res=4(<f>/x) oldfd=3(<f>/x)");
}

/* Against Falco's table. */

static bool is_known(const char *name)
{
	enum scd_type type;
	return scd__param_type(scd_str_from(name), &type);
}

/* `index:name:TYPE` of a column of parameters: the names, in order. */
static size_t names_of(char *column, const char *names[], size_t room)
{
	size_t count = 0;
	char *position = NULL;
	for (char *word = strtok_r(column, " \n", &position); word && count < room;
	     word = strtok_r(NULL, " \n", &position)) {
		char *name = strchr(word, ':') + 1;
		*strchr(name, ':') = '\0';
		names[count++] = name;
	}
	return count;
}

static void check_lists(const char *event, const char *const names[], size_t count)
{
	for (size_t i = 0; i < scd__param_list_count; i++) {
		const struct scd__param_list *list = &scd__param_lists[i];
		if (strcmp(list->event, event) != 0)
			continue;
		if (list->count > count)
			fail_msg("%s has %zu parameters, not %zu", event, count, list->count);
		for (size_t j = 0; j < list->count; j++)
			if (strcmp(list->params[j].name, names[j]) != 0)
				fail_msg("%s: parameter %zu is %s, not %s", event, j, names[j], list->params[j].name);
	}
}

static void test_lists__are_those_of_falco(void **state)
{
	(void)state;
	FILE *file = fopen(FALCO_PARAMS, "r");
	if (!file) {
		print_message("skipped: there is no %s\n", FALCO_PARAMS);
		skip();
	}
	char line[4096];
	size_t rows = 0;
	assert_non_null(fgets(line, sizeof(line), file));
	while (fgets(line, sizeof(line), file)) {
		const char *names[64];
		char *code = strchr(line, '\t'), *params = strchr(code + 1, '\t');
		*code = *params = '\0';
		size_t count = names_of(params + 1, names, 64);
		for (size_t i = 0; i < count; i++)
			if (!is_known(names[i]))
				fail_msg("%s: %s is not known", line, names[i]);
		check_lists(line, names, count);
		rows++;
	}
	fclose(file);
	assert_true(rows > 80);
}

static void test_lists__name_events_that_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < scd__param_list_count; i++) {
		const struct scd__param_list *list = &scd__param_lists[i];
		if (scd_kind_find(scd_str_from(list->event), 0) < 0)
			fail_msg("%s is no event", list->event);
		for (size_t j = 0; j < list->count; j++)
			if (!is_known(list->params[j].name))
				fail_msg("%s: %s is not in the table of names", list->event, list->params[j].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_openat__parameters),
		TEST(test_open__that_failed),
		TEST(test_execve__parameters),
		TEST(test_execve__that_failed),
		TEST(test_clone__parameters_of_both_messages),
		TEST(test_procexit__status),
		TEST(test_connect__addresses),
		TEST(test_raw_calls__have_the_parameters_that_are_numbers),
		TEST(test_decoded_calls__parameters),
		TEST(test_decoded_calls__with_descriptors),
		TEST(test_lists__are_those_of_falco),
		TEST(test_lists__name_events_that_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
