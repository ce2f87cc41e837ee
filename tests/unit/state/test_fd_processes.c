/*
 * What becomes of descriptors when processes are made, execute something and end.
 */
#include "fd_world.h"

static const struct scd_str pool_address = SCD_STR_INIT("\2\0\15\5\306\63\144\7\0\0\0\0\0\0\0\0");
#define POOL "198.51.100.7:3333"

static void test_fork__child_has_a_copy(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(open_call(4, "/b", 0));
	feed(clone_call(SHELL, 8, 0));
	feed(by(close_call(3), 8));
	feed(by(open_call(4, "/c", 0), 8));
	feed(open_call(5, "/d", 0));
	check("closed by the child", 8, 3, "-");
	check("parent's", SHELL, 3, "file /a");
	check("child's", 8, 4, "file /c");
	check("parent's", SHELL, 4, "file /b");
	check("opened later", 8, 5, "-");
	check("opened later", SHELL, 5, "file /d");
}

static void test_fork__both_lead_to_the_same_socket(void **state)
{
	(void)state;
	feed(socket_call(3, AF_INET, SOCK_STREAM));
	feed(clone_call(SHELL, 8, 0));
	feed(by(address_call(SCD_POINT_SYSCALL_CONNECT, 3, pool_address), 8));
	check("parent", SHELL, 3, "ipv4 client remote " POOL " (2,1,0) connected");
}

static void test_fork__of_a_parent_that_has_ended(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(clone_call(SHELL, 8, 0));
	feed(event_of(SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT, SHELL));
	check("child", 8, 3, "file /a");
	check("parent", SHELL, 3, "-");
}

/* A child that was met before its clone has closed and opened unseen. */
static void test_fork__told_late_gives_nothing_to_who_has_some(void **state)
{
	(void)state;
	feed(open_call(1, "/log", 0));
	feed(by(dup_call(5, 1, 0), 8));
	feed(clone_call(SHELL, 8, 0));
	check("overwritten by something unknown", 8, 1, "-");
	feed(by(event_of(SCD_POINT_SYSCALL_CHDIR, SHELL), 9));
	feed(clone_call(SHELL, 9, 0));
	check("it had touched none", 9, 1, "file /log");
}

static void test_shared_table__both_see_changes_until_exec(void **state)
{
	(void)state;
	feed(clone_call(SHELL, 8, CLONE_FILES_FLAG));
	feed(open_call(3, "/a", 0));
	check("opened by the other", 8, 3, "file /a");
	feed(by(close_call(3), 8));
	check("closed by the other", SHELL, 3, "-");
	feed(open_call(3, "/b", CLOEXEC));
	feed(exec_call(8));
	check("closed by the exec", 8, 3, "-");
	check("of one of the two", SHELL, 3, "file /b");
	feed(open_call(4, "/c", 0));
	check("apart now", 8, 4, "-");
}

static void test_shared_table__until_unshare(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(clone_call(SHELL, 8, CLONE_FILES_FLAG));
	feed(by(raw_call(272, 0, CLONE_FILES_FLAG, 0, 0), 8));
	feed(by(close_call(3), 8));
	check("unshared", SHELL, 3, "file /a");
	feed(clone_call(SHELL, 9, CLONE_FILES_FLAG));
	feed(by(raw_call(436, 0, 0, ~0u, 2), 9));
	check("close_range with it", SHELL, 3, "file /a");
	check("all closed", 9, 3, "-");
}

/* A thread with descriptors of its own: which of the two a message means is not followed. */
static void test_threads__with_tables_apart_are_not_followed(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(clone_call(SHELL, 8, CLONE_THREAD_FLAG | CLONE_FILES_FLAG));
	check("an ordinary thread", SHELL, 3, "file /a");
	feed(clone_call(SHELL, 9, CLONE_THREAD_FLAG));
	check("one without CLONE_FILES", SHELL, 3, "-");
	feed(open_call(3, "/b", 0));
	check("from then on", SHELL, 3, "-");
	feed(exec_call(SHELL));
	feed(open_call(3, "/c", 0));
	check("until the next exec", SHELL, 3, "file /c");
}

static void test_threads__unshare_by_one_of_them(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(clone_call(SHELL, 8, CLONE_THREAD_FLAG | CLONE_FILES_FLAG));
	feed(raw_call(272, 0, 0x20000, 0, 0));
	check("unshare of something else", SHELL, 3, "file /a");
	feed(raw_call(272, 0, CLONE_FILES_FLAG, 0, 0));
	check("unshare", SHELL, 3, "-");
}

static void test_exec__keeps_what_it_does_not_close(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(open_call(4, "/b", CLOEXEC));
	feed(told(fcntl_call(5, 3, 0, 0), "/c"));
	feed(exec_call(SHELL));
	check("kept", SHELL, 3, "file /a");
	check("closed", SHELL, 4, "-");
	check("it is not known which", SHELL, 5, "unknown /c closed?");
	feed(fcntl_call(5, 1, 0, 0));
	feed(dup_call(5, 6, 0));
	check("a copy, which shows that it was not closed", SHELL, 6, "unknown /c");
}

/* The name changed without a sentry/execve: something was executed all the same. */
static void test_exec__hidden_one_closes_too(void **state)
{
	(void)state;
	struct scd_event enter = event_of(SCD_POINT_SYSCALL_EXECVE, SHELL), later = open_call(9, "/z", 0);
	enter.context.process_name = SCD_STR("sh");
	later.context.process_name = SCD_STR("other");
	feed(exec_call(SHELL));
	feed(open_call(3, "/a", CLOEXEC));
	feed(open_call(4, "/b", 0));
	feed(enter);
	feed(later);
	check("closed", SHELL, 3, "-");
	check("kept", SHELL, 4, "file /b");
}

static void test_exec__tells_standard_descriptors(void **state)
{
	(void)state;
	static const char local[] = "\12\0\0\2", remote[] = "\306\63\144\7";
	struct scd_event event = exec_call(SHELL);
	event.u.exec.stdin_info = (struct scd_fd_info){
		.present = true,
		.mode = S_IFSOCK | 0777,
		.has_socket = true,
		.socket_family = AF_INET,
		.local = { AF_INET, { local, 4 }, 40000 },
		.remote = { AF_INET, { remote, 4 }, 3333 },
	};
	event.u.exec.stdout_info = (struct scd_fd_info){ .present = true,
		                                         .mode = S_IFIFO,
		                                         .path = SCD_STR("pipe:[3]") };
	feed(open_call(2, "/lib/log", 1));
	event.u.exec.stderr_info = (struct scd_fd_info){ .present = true,
		                                         .mode = S_IFREG,
		                                         .path = SCD_STR("/usr/lib/log") };
	feed(event);
	check("socket", SHELL, 0, "ipv4 local 10.0.0.2:40000 remote " POOL " (2,0,0) connected closed?");
	check("pipe", SHELL, 1, "pipe pipe:[3] closed?");
	check("corrected", SHELL, 2, "file /usr/lib/log writing");
}

static void test_exit__forgets(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	struct scd_event event = event_of(SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT, SHELL);
	struct scd_process_ref ref = apply(event);
	check("before the rules", SHELL, 3, "file /a");
	scd_sandbox_retire(sandbox, &event, ref);
	feed(open_call(4, "/b", 0));
	check("another process of this id", SHELL, 3, "-");
}

static void test_count_and_types(void **state)
{
	(void)state;
	assert_int_equal(scd_sandbox_fd_count(sandbox, NULL), 0);
	assert_int_equal(scd_sandbox_fd_types(sandbox, NULL), 0);
	assert_null(scd_sandbox_fd(sandbox, NULL, 3));
	feed(open_call(3, "/a", 0));
	feed(open_call(4, "/b", 0));
	feed(socket_call(1000, AF_INET, SOCK_STREAM));
	assert_int_equal(scd_sandbox_fd_count(sandbox, process_of(SHELL)), 3);
	assert_int_equal(scd_sandbox_fd_types(sandbox, process_of(SHELL)), 1u << SCD_FD_FILE | 1u << SCD_FD_IPV4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_fork__child_has_a_copy),
		TEST(test_fork__both_lead_to_the_same_socket),
		TEST(test_fork__of_a_parent_that_has_ended),
		TEST(test_fork__told_late_gives_nothing_to_who_has_some),
		TEST(test_shared_table__both_see_changes_until_exec),
		TEST(test_shared_table__until_unshare),
		TEST(test_threads__with_tables_apart_are_not_followed),
		TEST(test_threads__unshare_by_one_of_them),
		TEST(test_exec__keeps_what_it_does_not_close),
		TEST(test_exec__hidden_one_closes_too),
		TEST(test_exec__tells_standard_descriptors),
		TEST(test_exit__forgets),
		TEST(test_count_and_types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
