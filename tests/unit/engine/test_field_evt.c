/*
 * Fields of the event itself, of its user and of its container.
 */
#include "field_world.h"

static struct world world;

static int set_up(void **state)
{
	(void)state;
	world_open(&world, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static void test_time__has_all_forms_in_utc(void **state)
{
	(void)state;
	struct scd_event first = plain_event();
	struct scd_event event = first;
	first.context.time_ns = NOW_NS - 61 * NS - 5;
	world_apply(&world, &first);
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "evt.time", "22:13:20.123456789" },
		{ "evt.time.s", "22:13:20" },
		{ "evt.time.iso8601", "2023-11-14T22:13:20.123456789+0000" },
		{ "evt.datetime", "2023-11-14 22:13:20.123456789" },
		{ "evt.datetime.s", "2023-11-14 22:13:20" },
		{ "evt.outputtime", "22:13:20.123456789" },
		{ "evt.rawtime", "1700000000123456789" },
		{ "evt.rawtime.s", "1700000000" },
		{ "evt.rawtime.ns", "123456789" },
		{ "evt.reltime", "61000000005" },
		{ "evt.reltime.s", "61" },
		{ "evt.reltime.ns", "5" },
		{ "evt.deltatime", NULL },
		{ "evt.latency", NULL },
	};
	WORLD_CHECK(&world, "an event a minute after the first", rows);
}

static void test_time__is_absent_before_any_was_told(void **state)
{
	(void)state;
	struct scd_event event = plain_event();
	event.context.time_ns = 0;
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "evt.time", NULL },       { "evt.time.s", NULL },    { "evt.time.iso8601", NULL },
		{ "evt.datetime", NULL },   { "evt.rawtime", NULL },   { "evt.rawtime.s", NULL },
		{ "evt.rawtime.ns", NULL }, { "evt.reltime", NULL },   { "evt.reltime.s", NULL },
		{ "evt.reltime.ns", NULL }, { "proc.duration", NULL }, { "container.duration", NULL },
		{ "evt.datetime.s", NULL },
	};
	WORLD_CHECK(&world, "an event without a time", rows);
}

static void test_event__says_what_it_is(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_OPEN, "openat", 3, 0);
	event.sequence = 42;
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "evt.num", "42" },
		{ "evt.type", "openat" },
		{ "syscall.type", "openat" },
		{ "evt.dir", "<" },
		{ "evt.category", "file" },
		{ "evt.source", "syscall" },
		{ "evt.hostname", "test-host" },
		{ "evt.is_async", "false" },
		{ "evt.asynctype", NULL },
		{ "evt.count", "1" },
		{ "evt.count.exit", "1" },
		{ "evt.type.is.openat", "1" },
		{ "evt.type.is.open", "0" },
		{ "evt.cpu", NULL },
	};
	WORLD_CHECK(&world, "openat", rows);
	struct scd_event exit = {
		.point = SCD_POINT_SENTRY_TASK_EXIT, .kind = SCD_KIND_PROCEXIT, .context = context_of(7, ""), .fd = -1
	};
	world_apply(&world, &exit);
	static const struct expected_field exit_rows[] = {
		{ "evt.type", "procexit" }, { "syscall.type", NULL },    { "evt.category", "process" },
		{ "evt.num", NULL },        { "evt.res", NULL },         { "evt.rawres", NULL },
		{ "evt.failed", NULL },     { "evt.count.error", NULL },
	};
	WORLD_CHECK(&world, "procexit", exit_rows);
	world.host.hostname = (struct scd_str){ NULL, 0 };
	assert_null(world_get(&world, "evt.hostname"));
}

static void test_result__is_a_name_a_number_and_a_flag(void **state)
{
	(void)state;
	static const struct {
		int64_t result, errorno;
		const char *res, *rawres, *failed;
	} rows[] = {
		{ 0, 0, "SUCCESS", "0", "false" },
		{ 7, 0, "SUCCESS", "7", "false" },
		{ 0, 2, "ENOENT", "-2", "true" },
		{ 0, 11, "EAGAIN", "-11", "true" },
		{ 0, 35, "EDEADLK", "-35", "true" },
		{ 0, 95, "EOPNOTSUPP", "-95", "true" },
		{ 0, 115, "EINPROGRESS", "-115", "true" },
		{ 0, 111, "ECONNREFUSED", "-111", "true" },
		{ 0, 512, "ERESTARTSYS", "-512", "true" },
		{ 0, 4000, "-4000", "-4000", "true" },
		{ 0, INT64_MAX, "-9223372036854775807", "-9223372036854775807", "true" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = call_event(SCD_POINT_SYSCALL_CONNECT, "connect", rows[i].result,
		                                    rows[i].errorno);
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "evt.res", rows[i].res },
			{ "evt.rawres", rows[i].rawres },
			{ "evt.failed", rows[i].failed },
			{ "evt.count.error", rows[i].errorno ? "1" : "0" },
		};
		WORLD_CHECK(&world, rows[i].res, expected);
	}
}

static void test_result__of_what_the_sentry_reports_is_success(void **state)
{
	(void)state;
	static const struct scd_str argv[] = { SCD_STR_INIT("sh") };
	struct scd_event exec = exec_event(7, "/bin/sh", argv, 1), clone = clone_event(7, 8, NOW_NS);
	static const struct expected_field rows[] = { { "evt.res", "SUCCESS" },
		                                      { "evt.rawres", "0" },
		                                      { "evt.failed", "false" } };
	world_apply(&world, &exec);
	WORLD_CHECK(&world, "sentry/execve", rows);
	world_apply(&world, &clone);
	WORLD_CHECK(&world, "sentry/clone", rows);
}

static void test_io__follows_from_the_kind(void **state)
{
	(void)state;
	static const struct {
		enum scd_point point;
		const char *kind, *reads, *writes, *dir, *waits, *buflen, *category;
	} rows[] = {
		{ SCD_POINT_SYSCALL_READ, "read", "true", "false", "read", "false", "5", NULL },
		{ SCD_POINT_SYSCALL_READ, "preadv", "true", "false", "read", "false", "5", NULL },
		{ SCD_POINT_SYSCALL_WRITE, "pwrite", "false", "true", "write", "false", "5", NULL },
		{ SCD_POINT_SYSCALL_RAW, "sendto", "false", "true", "write", "false", "5", NULL },
		{ SCD_POINT_SYSCALL_RAW, "recvmsg", "true", "false", "read", "false", "5", NULL },
		{ SCD_POINT_SYSCALL_RAW, "copy_file_range", "true", "true", "write", "false", NULL, "file" },
		{ SCD_POINT_SYSCALL_RAW, "poll", "false", "false", NULL, "true", NULL, "wait" },
		{ SCD_POINT_SYSCALL_RAW, "nanosleep", "false", "false", NULL, "true", NULL, "sleep" },
		{ SCD_POINT_SYSCALL_CLOSE, "close", "false", "false", NULL, "false", NULL, NULL },
		{ SCD_POINT_SYSCALL_RAW, "mprotect", "false", "false", NULL, "false", NULL, "memory" },
		{ SCD_POINT_SYSCALL_RAW, "sched_yield", "false", "false", NULL, "false", NULL, "other" },
		{ SCD_POINT_SYSCALL_SETID, "setuid", "false", "false", NULL, "false", NULL, "user" },
		{ SCD_POINT_SYSCALL_SOCKETPAIR, "socketpair", "false", "false", NULL, "false", NULL, "IPC" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = call_event(rows[i].point, rows[i].kind, 5, 0);
		bool is_io = rows[i].dir != NULL;
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "evt.is_io_read", rows[i].reads },       { "evt.is_io_write", rows[i].writes },
			{ "evt.is_io", is_io ? "true" : "false" }, { "evt.io_dir", rows[i].dir },
			{ "evt.is_wait", rows[i].waits },          { "evt.buflen", rows[i].buflen },
			{ "evt.category", rows[i].category },
		};
		WORLD_CHECK(&world, rows[i].kind, expected);
	}
}

static void test_buflen__is_of_transfers_that_worked(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_READ, "read", 832, 0);
	world_apply(&world, &event);
	static const struct expected_field read_rows[] = { { "evt.buflen", "832" },
		                                           { "evt.buflen.in", "832" },
		                                           { "evt.buflen.out", NULL } };
	WORLD_CHECK(&world, "read", read_rows);
	event = call_event(SCD_POINT_SYSCALL_WRITE, "writev", 0, 0);
	world_apply(&world, &event);
	static const struct expected_field write_rows[] = { { "evt.buflen", "0" },
		                                            { "evt.buflen.in", NULL },
		                                            { "evt.buflen.out", "0" } };
	WORLD_CHECK(&world, "writev of nothing", write_rows);
	event = call_event(SCD_POINT_SYSCALL_READ, "read", 0, 9);
	world_apply(&world, &event);
	assert_null(world_get(&world, "evt.buflen"));
}

static void test_open__says_how(void **state)
{
	(void)state;
	static const struct {
		const char *name, *kind;
		uint32_t flags, mode;
		const char *reads, *writes, *executable;
	} rows[] = {
		{ "read only", "openat", 02000000, 0, "true", "false", "false" },
		{ "write only", "openat", 1, 0, "false", "true", "false" },
		{ "both", "open", 2, 0, "true", "true", "false" },
		{ "mode 3", "open", 3, 0, "true", "false", "false" },
		{ "a new script", "openat", 0101, 0755, "false", "true", "true" },
		{ "a new file", "openat", 0101, 0644, "false", "true", "false" },
		{ "an old file with a mode", "openat", 1, 0755, "false", "true", "false" },
		{ "a temporary file", "openat", 020200002, 0700, "true", "true", "true" },
		{ "a folder", "openat", 0200000, 0700, "true", "false", "false" },
		{ "creat", "creat", 0, 0755, "false", "false", "true" },
		{ "creat of data", "creat", 0, 0644, "false", "false", "false" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = call_event(SCD_POINT_SYSCALL_OPEN, rows[i].kind, 3, 0);
		event.u.open.flags = rows[i].flags;
		event.u.open.mode = rows[i].mode;
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "evt.is_open_read", rows[i].reads },
			{ "evt.is_open_write", rows[i].writes },
			{ "evt.is_open_exec", rows[i].executable },
			{ "evt.is_open_create", NULL },
		};
		WORLD_CHECK(&world, rows[i].name, expected);
	}
}

static void test_open__is_false_elsewhere_and_absent_where_nothing_tells(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_READ, "read", 3, 0);
	world_apply(&world, &event);
	static const struct expected_field other[] = { { "evt.is_open_read", "false" },
		                                       { "evt.is_open_write", "false" },
		                                       { "evt.is_open_exec", "false" } };
	WORLD_CHECK(&world, "read", other);
	event = call_event(SCD_POINT_SYSCALL_RAW, "openat", 3, 0);
	world_apply(&world, &event);
	static const struct expected_field raw[] = { { "evt.is_open_read", NULL },
		                                     { "evt.is_open_write", NULL },
		                                     { "evt.is_open_exec", NULL } };
	WORLD_CHECK(&world, "raw openat", raw);
}

/* Users and groups. */

static void test_user__comes_from_the_context_and_then_from_state(void **state)
{
	(void)state;
	struct scd_event event = plain_event();
	static const struct expected_field unknown[] = {
		{ "user.uid", NULL },         { "user.name", NULL },    { "user.homedir", NULL },
		{ "group.gid", NULL },        { "group.name", NULL },   { "user.loginuid", "-1" },
		{ "user.loginname", "<NA>" }, { "user.shell", "<NA>" },
	};
	world_apply(&world, &event);
	WORLD_CHECK(&world, "nothing told", unknown);
	struct scd_event telling = event;
	telling.context.has |= SCD_HAS_CREDENTIALS;
	telling.context.credentials = (struct scd_credentials){
		.real_uid = 1, .effective_uid = 1000, .saved_uid = 2, .effective_gid = 100
	};
	static const struct expected_field user[] = {
		{ "user.uid", "1000" }, { "user.name", "<NA>" },  { "user.homedir", "<NA>" },
		{ "group.gid", "100" }, { "group.name", "<NA>" },
	};
	world_apply(&world, &telling);
	WORLD_CHECK(&world, "told by the context", user);
	world_apply(&world, &event);
	WORLD_CHECK(&world, "remembered", user);
}

static void test_user__zero_is_root(void **state)
{
	(void)state;
	struct scd_event event = plain_event();
	event.context.has |= SCD_HAS_CREDENTIALS;
	event.context.credentials = (struct scd_credentials){ .real_uid = 1000, .real_gid = 1000 };
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "user.uid", "0" },  { "user.name", "root" },  { "user.homedir", "/root" },
		{ "group.gid", "0" }, { "group.name", "root" },
	};
	WORLD_CHECK(&world, "setuid root", rows);
}

/* Containers. */

static struct scd_event start_event(int32_t tgid, const char *id, int64_t time_ns)
{
	struct scd_event event = {
		.point = SCD_POINT_CONTAINER_START, .kind = SCD_KIND_EXECVE, .context = context_of(tgid, "sh"), .fd = -1
	};
	event.context.container_id = (struct scd_str){ NULL, 0 };
	event.context.time_ns = time_ns;
	event.context.thread_group_start_time_ns = time_ns - 8000;
	event.u.start.id = scd_str_from(id);
	return event;
}

static void test_container__id_is_cut_at_twelve(void **state)
{
	(void)state;
	struct scd_event event = plain_event();
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "container.id", "0123456789ab" }, { "container.full_id", "0123456789abcdef0123" },
		{ "container.start_ts", NULL },     { "container.duration", NULL },
		{ "container.name", NULL },         { "k8s.pod.name", NULL },
	};
	WORLD_CHECK(&world, "without a start", rows);
	event.context.container_id = SCD_STR("short");
	world_apply(&world, &event);
	assert_string_equal(world_get(&world, "container.id"), "short");
}

static void test_container__start_gives_times_and_a_name_to_those_without(void **state)
{
	(void)state;
	struct scd_event start = start_event(1, "aaaaaaaaaaaaaaaaaaaa", NOW_NS - 5 * NS);
	struct scd_event event = plain_event();
	event.context.container_id = (struct scd_str){ NULL, 0 };
	world_apply(&world, &start);
	assert_string_equal(world_get(&world, "container.id"), "aaaaaaaaaaaa");
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "container.full_id", "aaaaaaaaaaaaaaaaaaaa" },
		{ "container.start_ts", "1699999995123456789" },
		{ "container.duration", "5000000000" },
		{ "proc.pidns_init_start_ts", "1699999995123448789" },
	};
	WORLD_CHECK(&world, "the only container", rows);
	struct scd_event second = start_event(9, "bbbbbbbbbbbbbbbbbbbb", NOW_NS);
	world_apply(&world, &second);
	world_apply(&world, &event);
	assert_null(world_get(&world, "container.id"));
	assert_null(world_get(&world, "container.start_ts"));
}

/* The event and the state may each name another: the nearer one counts, and it is one for all who ask. */
static void test_container__of_an_event_is_the_nearest_that_is_named(void **state)
{
	(void)state;
	static const struct scd_str none = { NULL, 0 };
	static const struct {
		const char *name, *started, *context, *process, *id;
	} rows[] = {
		{ "started", "started", "context", "process", "started" },
		{ "a start that names none", "", "context", "process", "context" },
		{ "context", NULL, "context", "process", "context" },
		{ "process", NULL, NULL, "process", "process" },
		{ "the only one", NULL, NULL, NULL, "only" },
	};
	struct scd_event only = { .point = SCD_POINT_CONTAINER_START, .kind = SCD_KIND_EXECVE, .fd = -1 };
	only.u.start.id = SCD_STR("only");
	world_apply(&world, &only);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = plain_event();
		struct scd_process process = { .container_id = rows[i].process ? scd_str_from(rows[i].process) : none };
		event.context.container_id = scd_str_from(rows[i].context);
		if (rows[i].started) {
			event = (struct scd_event){ .point = SCD_POINT_CONTAINER_START, .context = event.context };
			event.u.start.id = scd_str_from(rows[i].started);
		}
		world_look(&world, &event, (struct scd_process_ref){ 0 });
		world.view.process = &process;
		struct scd_str id = scd_view_container_id(&world.view);
		if (!scd_str_is(id, rows[i].id) || strcmp(world_get(&world, "container.full_id"), rows[i].id) != 0)
			fail_msg("%s: " SCD_STR_FMT, rows[i].name, SCD_STR_ARG(id));
	}
	struct scd_event start = { .point = SCD_POINT_CONTAINER_START, .kind = SCD_KIND_EXECVE, .fd = -1 };
	start.u.start.id = SCD_STR("second");
	world_apply(&world, &start);
	struct scd_event nobodys = { .point = SCD_POINT_SYSCALL_RAW, .fd = -1 };
	world_look(&world, &nobodys, (struct scd_process_ref){ 0 });
	assert_int_equal(scd_view_container_id(&world.view).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_time__has_all_forms_in_utc),
		TEST(test_time__is_absent_before_any_was_told),
		TEST(test_event__says_what_it_is),
		TEST(test_result__is_a_name_a_number_and_a_flag),
		TEST(test_result__of_what_the_sentry_reports_is_success),
		TEST(test_io__follows_from_the_kind),
		TEST(test_buflen__is_of_transfers_that_worked),
		TEST(test_open__says_how),
		TEST(test_open__is_false_elsewhere_and_absent_where_nothing_tells),
		TEST(test_user__comes_from_the_context_and_then_from_state),
		TEST(test_user__zero_is_root),
		TEST(test_container__id_is_cut_at_twelve),
		TEST(test_container__start_gives_times_and_a_name_to_those_without),
		TEST(test_container__of_an_event_is_the_nearest_that_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
