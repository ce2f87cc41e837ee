/*
 * Fields of processes: what the message says, what state remembers, and who is whose ancestor.
 */
#include "field_world.h"

#include <stdio.h>
#include <stdlib.h>

static struct world world;

static int set_up(void **state)
{
	(void)state;
	world_open(&world, false);
	return 0;
}

static int set_up_with_env(void **state)
{
	(void)state;
	world_open(&world, true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static const struct scd_str init_argv[] = { SCD_STR_INIT("/sbin/init"), SCD_STR_INIT("--boot") };
static const struct scd_str shell_argv[] = { SCD_STR_INIT("bash") };
static const struct scd_str worker_argv[] = { SCD_STR_INIT("./w"), SCD_STR_INIT("-o"), SCD_STR_INIT(""),
	                                      SCD_STR_INIT("a b") };

/* 1 init, its child 5 bash, its child 7 worker, each a second younger than the one before. */
static void make_family(void)
{
	struct scd_event init = exec_event(1, "/usr/sbin/init", init_argv, 2);
	init.context.thread_group_start_time_ns = NOW_NS - 4 * NS;
	struct scd_event fork_shell = clone_event(1, 5, NOW_NS - 3 * NS),
	                 shell = exec_event(5, "/bin/bash", shell_argv, 1);
	struct scd_event fork_worker = clone_event(5, 7, NOW_NS - 2 * NS);
	struct scd_event worker = exec_event(7, "/tmp/worker", worker_argv, 4);
	worker.context.cwd = SCD_STR("/tmp");
	world_apply(&world, &init);
	world_apply(&world, &fork_shell);
	world_apply(&world, &shell);
	world_apply(&world, &fork_worker);
	world_apply(&world, &worker);
}

static const struct expected_field worker_rows[] = {
	{ "proc.exe", "./w" },
	{ "proc.exepath", "/tmp/worker" },
	{ "proc.args", "-o  a b" },
	{ "proc.args[0]", "-o" },
	{ "proc.args[1]", "" },
	{ "proc.args[2]", "a b" },
	{ "proc.args[3]", "" },
	{ "proc.args[18446744073709551615]", "" },
	{ "proc.cmdline", "worker -o  a b" },
	{ "proc.exeline", "./w -o  a b" },
	{ "proc.cmdnargs", "3" },
	{ "proc.cmdlenargs", "5" },
	{ "proc.cwd", "/tmp/" },
	{ "proc.env", NULL },
	{ "proc.env[HOME]", NULL },
	{ "proc.pid", "7" },
	{ "proc.vpid", "7" },
	{ "proc.ppid", "5" },
	{ "proc.pvpid", "5" },
	{ "proc.pid.ts", "1699999998123456789" },
	{ "proc.duration", "2000000000" },
	{ "proc.ppid.ts", "1699999997123456789" },
	{ "proc.ppid.duration", "3000000000" },
	{ "proc.nthreads", "1" },
	{ "proc.nchilds", "0" },
	{ "proc.is_exe_upper_layer", "false" },
	{ "proc.is_exe_lower_layer", "false" },
	{ "proc.is_exe_from_memfd", "false" },
	{ "proc.exe_ino", NULL },
	{ "proc.exe_ino.ctime", NULL },
	{ "proc.exe_ino.ctime_duration_proc_start", NULL },
	{ "proc.pname", "bash" },
	{ "proc.pexe", "bash" },
	{ "proc.pexepath", "/bin/bash" },
	{ "proc.pcmdline", "bash" },
	{ "proc.aname", "(bash,init)" },
	{ "proc.aname[0]", "worker" },
	{ "proc.aname[1]", "bash" },
	{ "proc.aname[2]", "init" },
	{ "proc.aname[3]", NULL },
	{ "proc.aname[4294967297]", NULL },
	{ "proc.aexe", "(bash,/sbin/init)" },
	{ "proc.aexe[2]", "/sbin/init" },
	{ "proc.aexepath", "(/bin/bash,/usr/sbin/init)" },
	{ "proc.aexepath[1]", "/bin/bash" },
	{ "proc.acmdline", "(bash,init --boot)" },
	{ "proc.acmdline[2]", "init --boot" },
	{ "proc.apid", "(5,1)" },
	{ "proc.apid[0]", "7" },
	{ "proc.apid[1]", "5" },
	{ "proc.apid[2]", "1" },
	{ "proc.apid[3]", NULL },
	{ "proc.aargs", "--boot" },
	{ "proc.aargs[0]", "-o  a b" },
	{ "proc.aargs[1]", "" },
	{ "proc.aargs[2]", "--boot" },
	{ "proc.aenv", NULL },
	{ "proc.aenv[HOME]", NULL },
	{ "proc.loginshellid", "5" },
	{ "proc.sid", NULL },
	{ "proc.sname", NULL },
	{ "proc.tty", NULL },
	{ "thread.tid", "7" },
	{ "thread.vtid", "7" },
	{ "thread.ismain", "true" },
};

static void test_exec__has_the_new_image(void **state)
{
	(void)state;
	make_family();
	WORLD_CHECK(&world, "the exec", worker_rows);
	assert_string_equal(world_get(&world, "proc.name"), "worker");
}

static void test_later_event__has_what_state_remembers(void **state)
{
	(void)state;
	make_family();
	struct scd_event event = plain_event();
	world_apply(&world, &event);
	WORLD_CHECK(&world, "another event of the same process", worker_rows);
	assert_string_equal(world_get(&world, "proc.name"), "worker");
}

static void test_name__is_the_contexts(void **state)
{
	(void)state;
	make_family();
	struct scd_event event = plain_event();
	event.context.process_name = SCD_STR("renamed");
	world_apply(&world, &event);
	static const struct expected_field rows[] = { { "proc.name", "renamed" },
		                                      { "proc.aname[0]", "renamed" },
		                                      { "proc.cmdline", "renamed -o  a b" } };
	WORLD_CHECK(&world, "after prctl", rows);
	event.context.process_name = (struct scd_str){ NULL, 0 };
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "proc.name"), "renamed");
}

static void test_name__is_cut_at_fifteen_bytes(void **state)
{
	(void)state;
	static const struct scd_str argv[] = { SCD_STR_INIT("x") };
	struct scd_event event = exec_event(3, "/opt/a-very-long-file-name", argv, 1);
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "proc.name"), "a-very-long-fil");
	assert_string_equal(world_get(&world, "proc.cmdline"), "a-very-long-fil");
	assert_string_equal(world_get(&world, "proc.args"), "");
	assert_string_equal(world_get(&world, "proc.exeline"), "x");
}

static void test_unknown_process__is_absent_and_not_empty(void **state)
{
	(void)state;
	struct scd_event event = plain_event();
	static const struct expected_field rows[] = {
		{ "proc.name", "worker" }, { "proc.exe", NULL },      { "proc.exepath", NULL },
		{ "proc.args", NULL },     { "proc.args[0]", NULL },  { "proc.cmdline", NULL },
		{ "proc.exeline", NULL },  { "proc.cmdnargs", NULL }, { "proc.cmdlenargs", NULL },
		{ "proc.cwd", NULL },      { "proc.ppid", NULL },     { "proc.pname", NULL },
		{ "proc.pcmdline", NULL }, { "proc.aname", NULL },    { "proc.aname[1]", NULL },
		{ "proc.apid", NULL },     { "proc.aargs", NULL },    { "proc.loginshellid", NULL },
		{ "proc.pid.ts", NULL },   { "proc.duration", NULL }, { "proc.is_exe_upper_layer", NULL },
		{ "proc.exe_ino", NULL },  { "proc.pid", "7" },       { "proc.apid[0]", "7" },
	};
	world_apply(&world, &event);
	WORLD_CHECK(&world, "first seen in the middle of its life", rows);
}

static void test_event_of_nobody__is_absent_everywhere(void **state)
{
	(void)state;
	struct scd_event event = { .point = SCD_POINT_SYSCALL_CLOSE, .kind = 3, .has_exit = true, .fd = 4 };
	world_apply(&world, &event);
	assert_null(world.view.process);
	for (size_t i = 0; i < scd_field_count(); i++) {
		const struct scd_field *field = scd_field_at(i);
		struct scd_field_arg arg = { 0 };
		struct scd_value value;
		bool of_process = scd_str_starts_with(field->name, SCD_STR("proc.")) ||
		                  scd_str_starts_with(field->name, SCD_STR("thread.")) ||
		                  scd_str_starts_with(field->name, SCD_STR("container."));
		if (of_process && field->get && field->get(&world.view, &arg, &value))
			fail_msg("%s has a value", field->name.data);
	}
}

static void test_parent__is_the_contexts_or_the_creator(void **state)
{
	(void)state;
	make_family();
	struct scd_event event = plain_event();
	event.context.has |= SCD_HAS_PARENT;
	event.context.parent_thread_group_id = 1;
	world_apply(&world, &event);
	static const struct expected_field rows[] = { { "proc.ppid", "1" },
		                                      { "proc.apid[1]", "1" },
		                                      { "proc.pname", "bash" } };
	WORLD_CHECK(&world, "reparented", rows);
}

static void test_lineage__goes_through_those_that_ended(void **state)
{
	(void)state;
	make_family();
	struct scd_event exit = {
		.point = SCD_POINT_SENTRY_TASK_EXIT, .kind = SCD_KIND_PROCEXIT, .context = context_of(5, ""), .fd = -1
	};
	struct scd_process_ref ref;
	assert_int_equal(scd_sandbox_apply(world.sandbox, &exit, &ref), 0);
	scd_sandbox_retire(world.sandbox, &exit, ref);
	struct scd_event event = plain_event();
	world_apply(&world, &event);
	static const struct expected_field rows[] = { { "proc.pname", "bash" }, { "proc.aname", "(bash,init)" } };
	WORLD_CHECK(&world, "the parent has ended", rows);
}

static void test_lineage__has_a_depth(void **state)
{
	(void)state;
	for (int32_t tgid = 1; tgid < 50; tgid++) {
		struct scd_event event = clone_event(tgid, tgid + 1, NOW_NS);
		event.context.process_name = SCD_STR("chain");
		world_apply(&world, &event);
	}
	struct scd_event event = plain_event();
	event.context.thread_id = event.context.thread_group_id = 50;
	world_apply(&world, &event);
	struct scd_value value;
	struct scd_field_use use = field_use("proc.apid");
	assert_true(use.field->get(&world.view, &use.arg, &value));
	assert_int_equal(value.list.count, SCD_LIMIT_LINEAGE_DEPTH);
	assert_int_equal(value.list.items[0].i64, 49);
	assert_string_equal(world_get(&world, "proc.apid[32]"), "18");
	assert_null(world_get(&world, "proc.apid[33]"));
}

static void test_threads__are_told_apart(void **state)
{
	(void)state;
	make_family();
	struct scd_event thread = clone_event(7, 9, NOW_NS);
	thread.u.clone_info.created_thread_group_id = 7;
	thread.u.clone_info.flags = 0x10000;
	world_apply(&world, &thread);
	struct scd_event event = plain_event();
	event.context.thread_id = 9;
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "proc.pid", "7" },          { "thread.tid", "9" },    { "thread.vtid", "9" },
		{ "thread.ismain", "false" }, { "proc.nthreads", "2" }, { "proc.nchilds", "1" },
	};
	WORLD_CHECK(&world, "a second thread", rows);
}

static void test_exec__keeps_what_state_has_to_cut(void **state)
{
	(void)state;
	size_t bytes = SCD_LIMIT_PROCESS_ARGS_BYTES;
	char *padding = malloc(bytes);
	assert_non_null(padding);
	memset(padding, 'x', bytes);
	struct scd_str argv[] = { SCD_STR("w"), { padding, bytes }, SCD_STR("marker"), { padding, bytes } };
	struct scd_event event = exec_event(7, "/w", argv, 4);
	world_apply(&world, &event);
	assert_non_null(strstr(world_get(&world, "proc.cmdline"), " marker "));
	assert_string_equal(world_get(&world, "proc.args[1]"), "marker");
	char length[32];
	snprintf(length, sizeof(length), "%zu", 2 * bytes + 6);
	assert_string_equal(world_get(&world, "proc.cmdlenargs"), length);
	struct scd_event later = plain_event();
	world_apply(&world, &later);
	assert_null(strstr(world_get(&world, "proc.cmdline"), "marker"));
	assert_string_equal(world_get(&world, "proc.cmdnargs"), "3");
	free(padding);
}

static void test_image__tells_of_its_file(void **state)
{
	(void)state;
	make_family();
	struct scd_event event = exec_event(7, "/tmp/dropped", worker_argv, 4);
	event.context.thread_group_start_time_ns = NOW_NS - 2 * NS;
	event.u.exec.binary_overlayfs_upper = true;
	event.u.exec.binary_in_memfd = true;
	event.u.exec.binary_ino = 4711;
	event.u.exec.binary_ctime = (struct scd_timespec){ 1699999990, 5 };
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "proc.is_exe_upper_layer", "true" },
		{ "proc.is_exe_lower_layer", "false" },
		{ "proc.is_exe_from_memfd", "true" },
		{ "proc.exe_ino", "4711" },
		{ "proc.exe_ino.ctime", "1699999990000000005" },
		{ "proc.exe_ino.ctime_duration_proc_start", "8123456784" },
		{ "proc.exe_ino.ctime_duration_pidns_start", NULL },
		{ "proc.exe_ino.mtime", NULL },
	};
	WORLD_CHECK(&world, "an exec with details", rows);
}

static void test_image__changed_in_the_container_has_an_age(void **state)
{
	(void)state;
	struct scd_event start = {
		.point = SCD_POINT_CONTAINER_START, .kind = SCD_KIND_EXECVE, .context = context_of(1, "sh"), .fd = -1
	};
	start.context.time_ns = start.context.thread_group_start_time_ns = 1699999000 * NS;
	start.u.start.id = start.context.container_id;
	start.u.start.args = (struct scd_strings){ shell_argv, 1 };
	start.u.start.cwd = SCD_STR("/srv/");
	start.u.start.terminal = true;
	world_apply(&world, &start);
	static const struct expected_field start_rows[] = {
		{ "proc.name", "sh" },    { "proc.exe", "bash" }, { "proc.exepath", NULL },
		{ "proc.cwd", "/srv/" },  { "proc.tty", "1" },    { "proc.is_exe_upper_layer", NULL },
		{ "proc.cmdline", "sh" },
	};
	WORLD_CHECK(&world, "the start of the container", start_rows);
	struct scd_event event = exec_event(7, "/tmp/dropped", worker_argv, 4);
	event.u.exec.binary_ctime = (struct scd_timespec){ 1699999990, 5 };
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "proc.exe_ino.ctime_duration_pidns_start", "990000000005" },
		{ "proc.exe_ino.ctime_duration_proc_start", NULL },
		{ "proc.pidns_init_start_ts", "1699999000000000000" },
	};
	WORLD_CHECK(&world, "a file of the container's own time", rows);
}

static void test_hidden_exec__leaves_nothing_of_the_old_image(void **state)
{
	(void)state;
	make_family();
	struct scd_event enter = { .point = SCD_POINT_SYSCALL_EXECVE,
		                   .kind = SCD_KIND_NONE,
		                   .sysno = SCD_KIND_EXECVE,
		                   .context = context_of(7, "worker"),
		                   .fd = -1 };
	world_apply(&world, &enter);
	struct scd_event event = plain_event();
	event.context.process_name = SCD_STR("other");
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "proc.name", "other" }, { "proc.exepath", NULL }, { "proc.cmdline", NULL }, { "proc.exe", NULL }
	};
	WORLD_CHECK(&world, "after an exec that was not seen", rows);
}

static void test_cwd__is_the_newest_and_ends_with_a_slash(void **state)
{
	(void)state;
	static const struct {
		const char *told, *cwd;
	} rows[] = {
		{ "/", "/" }, { "/srv", "/srv/" }, { "/srv/", "/srv/" }, { "", "/srv/" }, { "relative", "relative/" }
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = plain_event();
		event.context.cwd = scd_str_from(rows[i].told);
		world_apply(&world, &event);
		assert_string_equal(world_get(&world, "proc.cwd"), rows[i].cwd);
	}
}

static void test_tty__is_told_by_the_standard_descriptors_of_an_exec(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out, *tty;
	} rows[] = {
		{ "/dev/pts/0", "/dev/null", "1" }, { "pipe:[1]", "/dev/pts/12", "1" }, { "/dev/tty", "", "1" },
		{ "/dev/console", "", "1" },        { "/dev/null", "pipe:[2]", "0" },   { "/dev/ptsx", "", "0" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = exec_event(3, "/bin/sh", shell_argv, 1);
		event.u.exec.stdin_info = (struct scd_fd_info){ .present = true, .path = scd_str_from(rows[i].in) };
		event.u.exec.stdout_info = (struct scd_fd_info){ .present = true, .path = scd_str_from(rows[i].out) };
		world_apply(&world, &event);
		assert_string_equal(world_get(&world, "proc.tty"), rows[i].tty);
	}
}

/* Environments, where they are kept. */

static void test_env__of_the_process_and_its_ancestors(void **state)
{
	(void)state;
	static const struct scd_str outer[] = { SCD_STR_INIT("HOME=/root"), SCD_STR_INIT("POOL= pool.example ") };
	static const struct scd_str inner[] = { SCD_STR_INIT("HOME=/home/u"), SCD_STR_INIT("EMPTY="),
		                                SCD_STR_INIT("POOLS=no") };
	struct scd_event shell = exec_event(5, "/bin/bash", shell_argv, 1), fork = clone_event(5, 7, NOW_NS);
	struct scd_event worker = exec_event(7, "/tmp/worker", worker_argv, 4);
	shell.u.exec.env = (struct scd_strings){ outer, 2 };
	worker.u.exec.env = (struct scd_strings){ inner, 3 };
	world_apply(&world, &shell);
	world_apply(&world, &fork);
	world_apply(&world, &worker);
	struct scd_event event = plain_event();
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "proc.env", "HOME=/home/u EMPTY= POOLS=no" },
		{ "proc.env[HOME]", "/home/u" },
		{ "proc.env[EMPTY]", "" },
		{ "proc.env[POOL]", "" },
		{ "proc.env[H]", "" },
		{ "proc.aenv", "(HOME=/root POOL= pool.example )" },
		{ "proc.aenv[0]", "HOME=/home/u EMPTY= POOLS=no" },
		{ "proc.aenv[1]", "HOME=/root POOL= pool.example " },
		{ "proc.aenv[2]", NULL },
		{ "proc.aenv[POOL]", "pool.example" },
		{ "proc.aenv[NONE]", "" },
	};
	WORLD_CHECK(&world, "a session that keeps environments", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_exec__has_the_new_image),
		TEST(test_later_event__has_what_state_remembers),
		TEST(test_name__is_the_contexts),
		TEST(test_name__is_cut_at_fifteen_bytes),
		TEST(test_unknown_process__is_absent_and_not_empty),
		TEST(test_event_of_nobody__is_absent_everywhere),
		TEST(test_parent__is_the_contexts_or_the_creator),
		TEST(test_lineage__goes_through_those_that_ended),
		TEST(test_lineage__has_a_depth),
		TEST(test_threads__are_told_apart),
		TEST(test_exec__keeps_what_state_has_to_cut),
		TEST(test_image__tells_of_its_file),
		TEST(test_image__changed_in_the_container_has_an_age),
		TEST(test_hidden_exec__leaves_nothing_of_the_old_image),
		TEST(test_cwd__is_the_newest_and_ends_with_a_slash),
		TEST(test_tty__is_told_by_the_standard_descriptors_of_an_exec),
		cmocka_unit_test_setup_teardown(test_env__of_the_process_and_its_ancestors, set_up_with_env, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
