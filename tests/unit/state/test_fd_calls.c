/*
 * What each system call leaves behind a descriptor, seen through the sandbox.
 */
#include "fd_world.h"

/* Addresses. */

static const struct scd_str pool_address = SCD_STR_INIT("\2\0\15\5\306\63\144\7\0\0\0\0\0\0\0\0");
#define POOL "198.51.100.7:3333"
static const struct scd_str client_address = SCD_STR_INIT("\2\0\303\120\313\0\161\11\0\0\0\0\0\0\0\0");
#define CLIENT "203.0.113.9:50000"
static const struct scd_str any_address = SCD_STR_INIT("\2\0\37\220\0\0\0\0\0\0\0\0\0\0\0\0");
#define ANY "0.0.0.0:8080"
static const struct scd_str mapped_address = SCD_STR_INIT(
        "\12\0\15\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377\306\63\144\7\0\0\0\0");
static const struct scd_str ipv6_address = SCD_STR_INIT(
        "\12\0\15\5\0\0\0\0\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0");
static const struct scd_str unix_address = SCD_STR_INIT("\1\0/run/docker.sock\0");
static const struct scd_str no_family = SCD_STR_INIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
static const struct scd_str no_address = { NULL, 0 };

/* One call of a process of which nothing was known. */
static void check_alone(const char *name, struct scd_event event, int64_t number, const char *expected)
{
	sandbox = scd_sandbox_new(false);
	assert_non_null(sandbox);
	feed(event);
	check(name, SHELL, number, expected);
	check(name, SHELL, number + 1000, "-");
	scd_sandbox_free(&sandbox);
}

/* Files. */

static void test_open__rows(void **state)
{
	(void)state;
	const struct {
		const char *name;
		struct scd_event event;
		const char *expected;
	} rows[] = {
		{ "absolute", open_call(3, "/etc/passwd", 0), "file /etc/passwd" },
		{ "relative", open_call(3, "a/../b", 0), "file /home/b" },
		{ "not plain", open_call(3, "//etc/./passwd", 0), "file /etc/passwd" },
		{ "empty", open_call(3, "", 0), "file" },
		{ "for writing", open_call(3, "/a", 1), "file /a writing" },
		{ "for both", open_call(3, "/a", 2), "file /a writing" },
		{ "folder", open_call(3, "/etc/", 0200000), "directory /etc" },
		{ "unnamed file", open_call(3, "/tmp", 020200002), "file /tmp writing" },
		{ "a place only", open_call(3, "/a", 010000002), "file /a" },
		{ "close-on-exec", open_call(3, "/a", CLOEXEC), "file /a" },
		{ "failed", failed(open_call(3, "/a", 0), ENOENT), "-" },
		{ "entered", entered(open_call(3, "/a", 0)), "-" },
	};
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		check_alone(rows[i].name, rows[i].event, 3, rows[i].expected);
}

static void test_open__starts_at_a_descriptor(void **state)
{
	(void)state;
	struct scd_event event = open_call(4, "x", 0);
	event.fd = 3;
	feed(event);
	check("unknown folder", SHELL, 4, "file x");
	feed(open_call(3, "/srv", 0200000));
	feed(event);
	check("known folder", SHELL, 4, "file /srv/x");
	feed(told(event, "/data"));
	check("told folder", SHELL, 4, "file /data/x");
	check("which is known now", SHELL, 3, "directory /data");
}

static void test_open__starts_at_the_last_directory(void **state)
{
	(void)state;
	struct scd_event event = open_call(3, "x", 0);
	feed(event);
	event.context.cwd = no_address;
	event.exit_result = 4;
	event.kind = SCD_KIND_OPEN;
	feed(event);
	check("open", SHELL, 4, "file /home/x");
}

static void test_open__path_that_is_too_long_is_not_known(void **state)
{
	(void)state;
	static char path[2 * SCD_LIMIT_PROCESS_PATH_BYTES];
	static const size_t lengths[] = { SCD_LIMIT_PROCESS_PATH_BYTES, SCD_LIMIT_PROCESS_PATH_BYTES + 1,
		                          2 * SCD_LIMIT_PROCESS_PATH_BYTES };
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	for (size_t i = 0; i < SCD_COUNT(lengths); i++) {
		struct scd_event event = open_call(3, "", 0);
		event.u.open.pathname = (struct scd_str){ path, lengths[i] };
		feed(event);
		assert_int_equal(fd_of(SHELL, 3)->path.len, i == 0 ? lengths[i] : 0);
		assert_int_equal(scd_sandbox_counters(sandbox)->strings_cut, i);
	}
}

static void test_others__rows(void **state)
{
	(void)state;
	struct scd_event pipe = call_of(SCD_POINT_SYSCALL_PIPE, 0), untold = pipe;
	pipe.u.pipe.reader = 3;
	pipe.u.pipe.writer = 4;
	struct scd_event signalfd = call_of(SCD_POINT_SYSCALL_SIGNALFD, 3), changed = signalfd;
	changed.fd = 3;
	const struct {
		const char *name;
		struct scd_event event;
		int64_t number;
		const char *expected;
	} rows[] = {
		{ "pipe, reader", pipe, 3, "pipe" },
		{ "pipe, writer", pipe, 4, "pipe writing" },
		{ "pipe, not told", untold, 0, "-" },
		{ "eventfd", call_of(SCD_POINT_SYSCALL_EVENTFD, 3), 3, "event" },
		{ "signalfd", signalfd, 3, "signalfd" },
		{ "signalfd of one", changed, 3, "signalfd" },
		{ "timerfd_create", call_of(SCD_POINT_SYSCALL_TIMERFD_CREATE, 3), 3, "timerfd" },
		{ "inotify_init", call_of(SCD_POINT_SYSCALL_INOTIFY_INIT, 3), 3, "inotify" },
		{ "epoll_create", raw_call(213, 3, 0, 0, 0), 3, "eventpoll" },
		{ "epoll_create1", raw_call(291, 3, 0, 0, 0), 3, "eventpoll" },
		{ "memfd_create", raw_call(319, 3, 0, 0, 0), 3, "memfd" },
		{ "userfaultfd", raw_call(323, 3, 0, 0, 0), 3, "userfaultfd" },
		{ "io_uring_setup", raw_call(425, 3, 0, 0, 0), 3, "io_uring" },
		{ "pidfd_open", raw_call(434, 3, 0, 0, 0), 3, "pidfd" },
		{ "pidfd_getfd", raw_call(438, 3, 0, 0, 0), 3, "-" },
		{ "getpid", raw_call(39, 3, 0, 0, 0), 3, "-" },
		{ "failed", failed(call_of(SCD_POINT_SYSCALL_EVENTFD, 3), EMFILE), 3, "-" },
		{ "failed raw", failed(raw_call(319, 3, 0, 0, 0), EMFILE), 3, "-" },
		{ "entered raw", entered(raw_call(319, 3, 0, 0, 0)), 3, "-" },
	};
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		check_alone(rows[i].name, rows[i].event, rows[i].number, rows[i].expected);
}

/* Closing. */

static void test_close__rules_still_see_it(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	struct scd_event event = close_call(3);
	struct scd_process_ref ref = apply(event);
	check("before the rules", SHELL, 3, "file /a");
	scd_sandbox_retire(sandbox, &event, ref);
	check("after them", SHELL, 3, "-");
}

static void test_close__that_failed_closes_nothing(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(failed(close_call(3), EBADF));
	feed(entered(close_call(3)));
	check("EBADF", SHELL, 3, "file /a");
	feed(close_call(-1));
	feed(close_call((int64_t)1 << 40));
	check("no such number", SHELL, 3, "file /a");
}

static void test_close_range__closes_or_marks(void **state)
{
	(void)state;
	for (int64_t number = 3; number < 8; number++)
		feed(open_call(number, "/a", 0));
	feed(raw_call(436, 0, 4, 5, 0));
	check("below", SHELL, 3, "file /a");
	check("first", SHELL, 4, "-");
	check("last", SHELL, 5, "-");
	check("above", SHELL, 6, "file /a");
	feed(failed(raw_call(436, 0, 3, ~0u, 0), EINVAL));
	check("failed", SHELL, 3, "file /a");
	feed(raw_call(436, 0, 6, ~0u, 4));
	check("marked only", SHELL, 7, "file /a");
	feed(exec_call(SHELL));
	check("not marked", SHELL, 3, "file /a");
	check("marked", SHELL, 6, "-");
}

/* Copies. */

static void test_dup__leads_to_the_same_socket(void **state)
{
	(void)state;
	feed(socket_call(3, AF_INET, SOCK_STREAM));
	feed(dup_call(3, 9, 0));
	feed(fcntl_call(3, 0, 10, 10));
	feed(fcntl_call(3, 1030, 11, 11));
	feed(close_call(3));
	feed(address_call(SCD_POINT_SYSCALL_CONNECT, 10, pool_address));
	check("dup", SHELL, 9, "ipv4 client remote " POOL " (2,1,0) connected");
	check("F_DUPFD", SHELL, 10, "ipv4 client remote " POOL " (2,1,0) connected");
	check("F_DUPFD_CLOEXEC", SHELL, 11, "ipv4 client remote " POOL " (2,1,0) connected");
	check("the first one", SHELL, 3, "-");
}

static void test_dup__of_what_is_not_known_is_not_known(void **state)
{
	(void)state;
	feed(open_call(1, "/a", 0));
	feed(dup_call(5, 1, 0));
	check("dup2", SHELL, 1, "-");
	feed(told(dup_call(5, 1, 0), "/b"));
	check("told", SHELL, 1, "unknown /b");
	feed(dup_call(1, 1, 0));
	check("onto itself", SHELL, 1, "unknown /b");
	feed(failed(dup_call(9, 1, 0), EBADF));
	check("failed", SHELL, 1, "unknown /b");
}

/* Whether an exec closes 3, after this. */
static void check_cloexec(const char *name, struct scd_event event, const char *expected)
{
	sandbox = scd_sandbox_new(false);
	assert_non_null(sandbox);
	feed(open_call(3, "/a", 0));
	feed(open_call(4, "/b", CLOEXEC));
	feed(event);
	feed(exec_call(SHELL));
	check(name, SHELL, 3, expected);
	scd_sandbox_free(&sandbox);
}

static void test_cloexec__of_new_descriptors(void **state)
{
	(void)state;
	struct scd_event pipe = call_of(SCD_POINT_SYSCALL_PIPE, 0), pair = call_of(SCD_POINT_SYSCALL_SOCKETPAIR, 0);
	pipe.u.pipe.reader = pair.u.socket.socket1 = 3;
	pipe.u.pipe.writer = pair.u.socket.socket2 = 5;
	pipe.u.pipe.flags = CLOEXEC;
	pair.u.socket.domain = AF_UNIX;
	pair.u.socket.type = SOCK_STREAM | SOCK_CLOEXEC;
	struct scd_event event_fd = call_of(SCD_POINT_SYSCALL_EVENTFD, 3),
	                 timer_fd = call_of(SCD_POINT_SYSCALL_TIMERFD_CREATE, 3),
	                 signal_fd = call_of(SCD_POINT_SYSCALL_SIGNALFD, 3),
	                 inotify = call_of(SCD_POINT_SYSCALL_INOTIFY_INIT, 3),
	                 accepted = accept_call(9, 3, client_address);
	event_fd.u.eventfd.flags = CLOEXEC;
	timer_fd.u.timerfd.flags = signal_fd.u.signalfd.flags = inotify.u.inotify.flags = CLOEXEC;
	accepted.u.connect.flags = CLOEXEC;
	check_cloexec("open", open_call(3, "/a", CLOEXEC), "-");
	check_cloexec("socket", socket_call(3, AF_INET, SOCK_STREAM | SOCK_CLOEXEC), "-");
	check_cloexec("accept", accept_call(9, 3, no_address), "unknown server connected");
	check_cloexec("accept4", accepted, "-");
	check_cloexec("pipe2", pipe, "-");
	check_cloexec("socketpair", pair, "-");
	check_cloexec("eventfd2", event_fd, "-");
	check_cloexec("timerfd_create", timer_fd, "-");
	check_cloexec("signalfd4", signal_fd, "-");
	check_cloexec("inotify_init1", inotify, "-");
}

static void test_cloexec__of_others(void **state)
{
	(void)state;
	const struct {
		const char *name;
		struct scd_event event;
		const char *expected;
	} rows[] = {
		{ "nothing", close_call(99), "file /a" },
		{ "F_SETFD 1", fcntl_call(3, 2, 1, 0), "-" },
		{ "F_SETFD 0", fcntl_call(3, 2, 0, 0), "file /a" },
		{ "F_SETFD failed", failed(fcntl_call(3, 2, 1, 0), EBADF), "file /a" },
		{ "F_GETFD 1", fcntl_call(3, 1, 0, 1), "-" },
		{ "F_SETFD of an impossible one", fcntl_call(-1, 2, 1, 0), "file /a" },
		{ "dup2", dup_call(4, 3, 0), "file /b" },
		{ "dup3", dup_call(4, 3, CLOEXEC), "-" },
		{ "F_DUPFD", fcntl_call(4, 0, 3, 3), "file /b" },
		{ "F_DUPFD_CLOEXEC", fcntl_call(4, 1030, 3, 3), "-" },
		{ "epoll_create1", raw_call(291, 3, CLOEXEC, 0, 0), "-" },
		{ "epoll_create", raw_call(213, 3, CLOEXEC, 0, 0), "eventpoll" },
		{ "memfd_create", raw_call(319, 3, 0, 1, 0), "-" },
		{ "pidfd_open", raw_call(434, 3, 0, 0, 0), "-" },
		{ "told only", told(fcntl_call(3, 3, 0, 0), "pipe:[3]"), "pipe pipe:[3]" },
	};
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		check_cloexec(rows[i].name, rows[i].event, rows[i].expected);
}

/* Sockets. */

static void test_socket__rows(void **state)
{
	(void)state;
	const struct {
		const char *name;
		int32_t domain, type;
		const char *expected;
	} rows[] = {
		{ "tcp", AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, "ipv4 (2,1,0)" },
		{ "udp", AF_INET6, SOCK_DGRAM, "ipv6 (10,2,0)" },
		{ "unix", AF_UNIX, SOCK_STREAM, "unix (1,1,0)" },
		{ "netlink", AF_NETLINK, SOCK_RAW, "netlink (16,3,0)" },
		{ "packet", AF_PACKET, SOCK_RAW, "unknown (17,3,0)" },
	};
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		check_alone(rows[i].name, socket_call(3, rows[i].domain, rows[i].type), 3, rows[i].expected);
}

static void test_connect__rows(void **state)
{
	(void)state;
	const enum scd_point point = SCD_POINT_SYSCALL_CONNECT;
	const struct {
		const char *name;
		int32_t domain;
		struct scd_event event;
		const char *expected;
	} rows[] = {
		{ "ipv4", AF_INET, address_call(point, 3, pool_address),
		  "ipv4 client remote " POOL " (2,1,0) connected" },
		{ "ipv6", AF_INET6, address_call(point, 3, ipv6_address),
		  "ipv6 client remote 2001:db8::1:3333 (10,1,0) connected" },
		{ "mapped", AF_INET6, address_call(point, 3, mapped_address),
		  "ipv4 client remote " POOL " (10,1,0) connected" },
		{ "unix", AF_UNIX, address_call(point, 3, unix_address),
		  "unix client /run/docker.sock (1,1,0) connected" },
		{ "begun", AF_INET, failed(address_call(point, 3, pool_address), EINPROGRESS),
		  "ipv4 client remote " POOL " (2,1,0) connecting" },
		{ "refused", AF_INET, failed(address_call(point, 3, pool_address), ECONNREFUSED), "ipv4 (2,1,0)" },
		{ "entered", AF_INET, entered(address_call(point, 3, pool_address)), "ipv4 (2,1,0)" },
		{ "dissolved", AF_INET, address_call(point, 3, no_family), "ipv4 (2,1,0)" },
		{ "to what was not told", AF_INET, address_call(point, 3, no_address),
		  "ipv4 client (2,1,0) connected" },
	};
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		sandbox = scd_sandbox_new(false);
		assert_non_null(sandbox);
		feed(socket_call(3, rows[i].domain, SOCK_STREAM));
		feed(rows[i].event);
		check(rows[i].name, SHELL, 3, rows[i].expected);
		scd_sandbox_free(&sandbox);
	}
}

static void test_connect__on_what_is_not_known(void **state)
{
	(void)state;
	feed(address_call(SCD_POINT_SYSCALL_CONNECT, 3, pool_address));
	check("never seen", SHELL, 3, "ipv4 client remote " POOL " (2,0,0) connected");
	feed(open_call(4, "/a", 0));
	feed(address_call(SCD_POINT_SYSCALL_CONNECT, 4, pool_address));
	check("no file any more", SHELL, 4, "ipv4 client remote " POOL " (2,0,0) connected");
	feed(address_call(SCD_POINT_SYSCALL_CONNECT, 5, no_family));
	check("nothing told", SHELL, 5, "-");
}

static void test_connect__again_goes_elsewhere(void **state)
{
	(void)state;
	feed(socket_call(3, AF_INET, SOCK_DGRAM));
	feed(address_call(SCD_POINT_SYSCALL_CONNECT, 3, pool_address));
	feed(address_call(SCD_POINT_SYSCALL_CONNECT, 3, no_family));
	check("dissolved", SHELL, 3, "ipv4 (2,2,0)");
	feed(address_call(SCD_POINT_SYSCALL_CONNECT, 3, client_address));
	check("elsewhere", SHELL, 3, "ipv4 client remote " CLIENT " (2,2,0) connected");
}

/* A connect whose message was hidden: the raw one shows that there was one. */
static void test_connect__hidden_leaves_no_old_address(void **state)
{
	(void)state;
	feed(socket_call(3, AF_INET, SOCK_DGRAM));
	feed(address_call(SCD_POINT_SYSCALL_CONNECT, 3, pool_address));
	struct scd_event hidden = raw_call(SCD_KIND_CONNECT, 0, 3, 0, 0);
	hidden.kind = SCD_KIND_HIDDEN;
	feed(hidden);
	check("hidden", SHELL, 3, "ipv4 client (2,2,0) connected");
	feed(failed(hidden, ECONNREFUSED));
	check("and failed", SHELL, 3, "ipv4 client (2,2,0) connected");
}

static void test_server__from_bind_to_accept(void **state)
{
	(void)state;
	struct scd_event listen = call_of(SCD_POINT_SYSCALL_LISTEN, 0);
	listen.fd = 3;
	feed(socket_call(3, AF_INET, SOCK_STREAM));
	feed(failed(address_call(SCD_POINT_SYSCALL_BIND, 3, any_address), EADDRINUSE));
	check("bind failed", SHELL, 3, "ipv4 (2,1,0)");
	feed(address_call(SCD_POINT_SYSCALL_BIND, 3, any_address));
	check("bind", SHELL, 3, "ipv4 listener local " ANY " (2,1,0)");
	feed(listen);
	check("listen", SHELL, 3, "ipv4 listener local " ANY " (2,1,0)");
	feed(accept_call(3, 4, client_address));
	check("accept", SHELL, 4, "ipv4 server local " ANY " remote " CLIENT " (2,1,0) connected");
	feed(accept_call(3, 5, no_address));
	check("accept, not asked who", SHELL, 5, "ipv4 server local " ANY " (2,1,0) connected");
	feed(failed(accept_call(3, 6, client_address), EAGAIN));
	check("accept failed", SHELL, 6, "-");
	check("listener", SHELL, 3, "ipv4 listener local " ANY " (2,1,0)");
}

static void test_server__listen_tells_what_bind_did_not(void **state)
{
	(void)state;
	struct scd_event listen = call_of(SCD_POINT_SYSCALL_LISTEN, 0);
	listen.fd = 3;
	listen.u.listen.address = any_address;
	listen.u.listen.socket_family = AF_INET;
	listen.u.listen.socket_type = SOCK_STREAM;
	feed(listen);
	check("listen", SHELL, 3, "ipv4 listener local " ANY " (2,1,0)");
	feed(accept_call(9, 4, client_address));
	check("of an unknown listener", SHELL, 4, "ipv4 server remote " CLIENT " (2,1,0) connected");
	feed(address_call(SCD_POINT_SYSCALL_BIND, 5, unix_address));
	check("unix", SHELL, 5, "unix listener /run/docker.sock (1,0,0)");
	feed(accept_call(5, 6, SCD_STR("\1\0")));
	check("accept of it", SHELL, 6, "unix server /run/docker.sock (1,0,0) connected");
}

static void test_client__that_chose_its_own_address(void **state)
{
	(void)state;
	feed(socket_call(3, AF_INET, SOCK_STREAM));
	feed(address_call(SCD_POINT_SYSCALL_BIND, 3, client_address));
	feed(address_call(SCD_POINT_SYSCALL_CONNECT, 3, pool_address));
	check("bind, connect", SHELL, 3, "ipv4 client local " CLIENT " remote " POOL " (2,1,0) connected");
}

static void test_socketpair__is_connected(void **state)
{
	(void)state;
	struct scd_event event = call_of(SCD_POINT_SYSCALL_SOCKETPAIR, 0);
	event.u.socket.domain = AF_UNIX;
	event.u.socket.type = SOCK_STREAM;
	feed(event);
	check("not told", SHELL, 0, "-");
	event.u.socket.socket1 = 3;
	event.u.socket.socket2 = 4;
	feed(event);
	check("one", SHELL, 3, "unix (1,1,0) connected");
	check("other", SHELL, 4, "unix (1,1,0) connected");
}

/* What messages tell of the path. */

static void test_told_path__corrects(void **state)
{
	(void)state;
	const struct {
		const char *name;
		struct scd_event before;
		const char *path, *expected;
	} rows[] = {
		{ "a link", open_call(3, "/lib/x", 1), "/usr/lib/x", "file /usr/lib/x writing" },
		{ "the same", open_call(3, "/a", 0), "/a", "file /a" },
		{ "removed", open_call(3, "/a", 0), "/a (deleted)", "file /a" },
		{ "another", open_call(3, "/a", 0), "/b (deleted)", "file /b (deleted)" },
		{ "an error", open_call(3, "/a", 0), "[err: FD not found]", "file /a" },
		{ "a pipe", open_call(3, "/a", 0), "pipe:[7]", "pipe pipe:[7]" },
		{ "a memfd", raw_call(319, 3, 0, 0, 0), "/memfd:x (deleted)", "memfd /memfd:x (deleted)" },
		{ "a memfd, not seen", close_call(3), "/memfd:x (deleted)", "memfd /memfd:x (deleted)" },
		{ "an eventfd", close_call(3), "anon_inode:[eventfd]", "event anon_inode:[eventfd]" },
		{ "never seen", close_call(3), "/b", "unknown /b" },
		{ "a terminal", open_call(3, "/dev/stdout", 1), "host:[1]", "file host:[1] writing" },
		{ "a socket", socket_call(3, AF_INET, SOCK_STREAM), "socket:[1]", "ipv4 (2,1,0)" },
		{ "no socket", socket_call(3, AF_INET, SOCK_STREAM), "/b", "unknown /b" },
		{ "a socket now", open_call(3, "/a", 0), "socket:[1]", "-" },
		{ "a socket, not seen", close_call(3), "socket:[1]", "-" },
	};
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		sandbox = scd_sandbox_new(false);
		assert_non_null(sandbox);
		feed(rows[i].before);
		feed(told(entered(close_call(3)), rows[i].path));
		check(rows[i].name, SHELL, 3, rows[i].expected);
		scd_sandbox_free(&sandbox);
	}
}

static void test_told_path__is_that_of_its_own_descriptor(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(dup_call(3, 4, 0));
	feed(told(fcntl_call(4, 3, 0, 0), "/b"));
	check("told", SHELL, 4, "file /b");
	check("not told", SHELL, 3, "file /a");
}

/* The number may belong to another file by then; what is told at the exit of a close does not matter. */
static void test_told_path__at_the_end_of_a_close(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(told(close_call(3), "/other"));
	check("closed", SHELL, 3, "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name)  cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define ALONE(name) cmocka_unit_test(name)
		ALONE(test_open__rows),
		TEST(test_open__starts_at_a_descriptor),
		TEST(test_open__starts_at_the_last_directory),
		TEST(test_open__path_that_is_too_long_is_not_known),
		ALONE(test_others__rows),
		TEST(test_close__rules_still_see_it),
		TEST(test_close__that_failed_closes_nothing),
		TEST(test_close_range__closes_or_marks),
		TEST(test_dup__leads_to_the_same_socket),
		TEST(test_dup__of_what_is_not_known_is_not_known),
		ALONE(test_cloexec__of_new_descriptors),
		ALONE(test_cloexec__of_others),
		ALONE(test_socket__rows),
		ALONE(test_connect__rows),
		TEST(test_connect__on_what_is_not_known),
		TEST(test_connect__again_goes_elsewhere),
		TEST(test_connect__hidden_leaves_no_old_address),
		TEST(test_server__from_bind_to_accept),
		TEST(test_server__listen_tells_what_bind_did_not),
		TEST(test_client__that_chose_its_own_address),
		TEST(test_socketpair__is_connected),
		ALONE(test_told_path__corrects),
		TEST(test_told_path__is_that_of_its_own_descriptor),
		TEST(test_told_path__at_the_end_of_a_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
