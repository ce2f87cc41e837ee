/*
 * Fields of descriptors: files, sockets, and what a single message does not tell.
 */
#include "field_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

/* Files. */

static struct scd_event open_event(const char *kind, const char *path, const char *cwd, int64_t result, int64_t errorno)
{
	struct scd_event event = call_event(SCD_POINT_SYSCALL_OPEN, kind, result, errorno);
	event.fd = -100;
	event.context.cwd = scd_str_from(cwd);
	event.u.open.pathname = scd_str_from(path);
	return event;
}

static void test_open__names_the_file(void **state)
{
	(void)state;
	static const struct {
		const char *path, *cwd, *name, *directory, *filename;
	} rows[] = {
		{ "/etc/passwd", "", "/etc/passwd", "/etc", "passwd" },
		{ "/vmlinuz", "", "/vmlinuz", "/", "vmlinuz" },
		{ "/", "", "/", "/", NULL },
		{ "passwd", "/etc", "/etc/passwd", "/etc", "passwd" },
		{ "passwd", "/etc/", "/etc/passwd", "/etc", "passwd" },
		{ "passwd", "/", "/passwd", "/", "passwd" },
		{ "../../x/./y//z/", "/a/b", "/x/y/z", "/x/y", "z" },
		{ "/a/../../b", "/srv", "/b", "/", "b" },
		{ "./x", "", "./x", NULL, "x" },
		{ "x", "", "x", NULL, "x" },
		{ "x", "relative", "x", NULL, "x" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = open_event("openat", rows[i].path, rows[i].cwd, 3, 0);
		world_open(&world, false);
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "fd.name", rows[i].name },
			{ "fd.directory", rows[i].directory },
			{ "fd.filename", rows[i].filename },
			{ "fd.num", "3" },
			{ "fd.type", "file" },
			{ "fd.typechar", "f" },
			{ "fd.ip", "()" },
			{ "fd.net", "()" },
			{ "fd.port", "()" },
			{ "fd.sip", NULL },
			{ "fd.sport", NULL },
			{ "fd.sockfamily", NULL },
			{ "fd.l4proto", "<NA>" },
			{ "fd.is_server", "false" },
			{ "fd.connected", "false" },
		};
		WORLD_CHECK(&world, rows[i].path, expected);
		world_close(&world);
	}
}

static void test_open__without_a_path_has_no_name(void **state)
{
	(void)state;
	struct scd_event event = open_event("openat", "", "/srv", 3, 0);
	world_apply(&world, &event);
	static const struct expected_field rows[] = { { "fd.name", NULL },      { "fd.nameraw", NULL },
		                                      { "fd.directory", NULL }, { "fd.filename", NULL },
		                                      { "evt.abspath", NULL },  { "fd.containername", NULL } };
	WORLD_CHECK(&world, "an empty path", rows);
}

static void test_open__starts_at_the_directory_descriptor(void **state)
{
	(void)state;
	struct scd_event event = open_event("openat", "../b", "/srv", 4, 0);
	event.fd = 6;
	world_apply(&world, &event);
	static const struct expected_field untold[] = { { "fd.name", "../b" },
		                                        { "evt.abspath", NULL },
		                                        { "fd.num", "4" } };
	WORLD_CHECK(&world, "a directory that the message does not tell", untold);
	event.fd_path = SCD_STR("/data/a");
	world_apply(&world, &event);
	static const struct expected_field told[] = { { "fd.name", "/data/b" }, { "evt.abspath", "/data/b" } };
	WORLD_CHECK(&world, "a directory that it tells", told);
}

static void test_open__uses_the_directory_that_state_remembers(void **state)
{
	(void)state;
	struct scd_event first = open_event("open", "x", "/remembered", 3, 0),
	                 event = open_event("open", "y", "", 3, 0);
	world_apply(&world, &first);
	world_apply(&world, &event);
	static const struct expected_field rows[] = { { "fd.name", "/remembered/y" }, { "evt.abspath", NULL } };
	WORLD_CHECK(&world, "open", rows);
}

static void test_open__that_failed_has_a_name_but_no_descriptor(void **state)
{
	(void)state;
	struct scd_event event = open_event("openat", "/etc//shadow", "", 0, 13);
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "fd.num", NULL },      { "fd.name", "/etc/shadow" }, { "fd.nameraw", "/etc/shadow" },
		{ "fd.type", NULL },     { "fd.typechar", "f" },       { "fd.directory", "/etc" },
		{ "fd.filename", NULL }, { "fd.uid", NULL },           { "evt.abspath", "/etc/shadow" },
	};
	WORLD_CHECK(&world, "EACCES", rows);
}

static void test_open__of_a_folder(void **state)
{
	(void)state;
	struct scd_event event = open_event("openat", "/var/log/", "", 9, 0);
	event.u.open.flags = 0200000;
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "fd.type", "directory" },     { "fd.typechar", "d" },  { "fd.name", "/var/log" },
		{ "fd.directory", "/var/log" }, { "fd.filename", NULL }, { "fd.nameraw", "/var/log/" },
	};
	WORLD_CHECK(&world, "O_DIRECTORY", rows);
}

static void test_names__with_container_and_thread(void **state)
{
	(void)state;
	struct scd_event event = open_event("openat", "/etc/passwd", "", 3, 0);
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "fd.containername", "0123456789ab:/etc/passwd" },
		{ "fd.containerdirectory", "0123456789ab:/etc" },
		{ "fd.uid", "73" },
	};
	WORLD_CHECK(&world, "joined fields", rows);
}

/* What makes descriptors of other types, and what only uses one. */

static void test_other_calls__tell_number_and_type(void **state)
{
	(void)state;
	static const struct {
		enum scd_point point;
		const char *kind, *number, *type, *letter;
	} rows[] = {
		{ SCD_POINT_SYSCALL_EVENTFD, "eventfd2", "5", "event", "e" },
		{ SCD_POINT_SYSCALL_SIGNALFD, "signalfd4", "5", "signalfd", "s" },
		{ SCD_POINT_SYSCALL_TIMERFD_CREATE, "timerfd_create", "5", "timerfd", "t" },
		{ SCD_POINT_SYSCALL_INOTIFY_INIT, "inotify_init1", "5", "inotify", "i" },
		{ SCD_POINT_SYSCALL_RAW, "epoll_create1", "5", "eventpoll", "l" },
		{ SCD_POINT_SYSCALL_RAW, "memfd_create", "5", "memfd", "m" },
		{ SCD_POINT_SYSCALL_RAW, "pidfd_open", "5", "pidfd", "P" },
		{ SCD_POINT_SYSCALL_RAW, "io_uring_setup", "5", "io_uring", "r" },
		{ SCD_POINT_SYSCALL_RAW, "userfaultfd", "5", "userfaultfd", "u" },
		{ SCD_POINT_SYSCALL_DUP, "dup2", "5", NULL, "o" },
		{ SCD_POINT_SYSCALL_READ, "read", "8", NULL, "o" },
		{ SCD_POINT_SYSCALL_CLOSE, "close", "8", NULL, "o" },
		{ SCD_POINT_SYSCALL_MMAP, "mmap", "8", NULL, "o" },
		{ SCD_POINT_SYSCALL_PIPE, "pipe2", "8", NULL, "o" },
		{ SCD_POINT_SYSCALL_CHROOT, "chroot", NULL, NULL, NULL },
		{ SCD_POINT_SYSCALL_RAW, "kill", NULL, NULL, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = call_event(rows[i].point, rows[i].kind, 5, 0);
		event.fd = rows[i].number && rows[i].number[0] == '8' ? 8 : 2;
		event.fd_path = rows[i].type ? (struct scd_str){ NULL, 0 } : SCD_STR("pipe:[7]");
		world_apply(&world, &event);
		bool uses_fd = rows[i].letter != NULL;
		const struct expected_field expected[] = {
			{ "fd.num", rows[i].number },
			{ "fd.type", rows[i].type },
			{ "fd.typechar", rows[i].letter },
			{ "fd.name", uses_fd && !rows[i].type ? "pipe:[7]" : NULL },
			{ "fd.ip", uses_fd ? "()" : NULL },
			{ "fd.l4proto", rows[i].type ? "<NA>" : NULL },
			{ "fd.is_server", rows[i].type ? "false" : NULL },
			{ "fd.connected", rows[i].type ? "false" : NULL },
		};
		WORLD_CHECK(&world, rows[i].kind, expected);
	}
}

/* Sockets. */

static struct scd_str ip_address(const char *text, uint16_t port)
{
	static struct sockaddr_in v4;
	static struct sockaddr_in6 v6;
	v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return (struct scd_str){ (const char *)&v4, sizeof(v4) };
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return (struct scd_str){ (const char *)&v6, sizeof(v6) };
}

static void test_connect__knows_the_server(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_CONNECT, "connect", 0, 0);
	event.fd = 5;
	event.u.connect.address = ip_address("198.51.100.7", 3333);
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "fd.num", "5" },
		{ "fd.type", "ipv4" },
		{ "fd.typechar", "4" },
		{ "fd.name", "0.0.0.0:0->198.51.100.7:3333" },
		{ "fd.sip", "198.51.100.7" },
		{ "fd.sport", "3333" },
		{ "fd.rip", "198.51.100.7" },
		{ "fd.rport", "3333" },
		{ "fd.cip", NULL },
		{ "fd.cport", NULL },
		{ "fd.lip", NULL },
		{ "fd.lport", NULL },
		{ "fd.ip", "(198.51.100.7)" },
		{ "fd.port", "(3333)" },
		{ "fd.proto", "(3333)" },
		{ "fd.net", "(198.51.100.7)" },
		{ "fd.snet", "198.51.100.7" },
		{ "fd.rnet", "198.51.100.7" },
		{ "fd.cnet", NULL },
		{ "fd.lnet", NULL },
		{ "fd.sproto", "3333" },
		{ "fd.rproto", "3333" },
		{ "fd.cproto", NULL },
		{ "fd.lproto", NULL },
		{ "fd.l4proto", "<NA>" },
		{ "fd.sockfamily", "ip" },
		{ "fd.is_server", "false" },
		{ "fd.connected", "true" },
		{ "fd.directory", NULL },
		{ "fd.filename", NULL },
		{ "fd.nameraw", NULL },
		{ "fd.sip.name", NULL },
		{ "fd.name_changed", NULL },
	};
	WORLD_CHECK(&world, "connect", rows);
}

static void test_connect__forms_of_addresses(void **state)
{
	(void)state;
	static const struct {
		const char *address, *type, *letter, *name, *sip;
	} rows[] = {
		{ "127.0.0.1", "ipv4", "4", "0.0.0.0:0->127.0.0.1:443", "127.0.0.1" },
		{ "2001:db8::1", "ipv6", "6", ":::0->2001:db8::1:443", "2001:db8::1" },
		{ "::1", "ipv6", "6", ":::0->::1:443", "::1" },
		{ "::ffff:198.51.100.7", "ipv4", "4", "0.0.0.0:0->198.51.100.7:443", "198.51.100.7" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = call_event(SCD_POINT_SYSCALL_CONNECT, "connect", 0, 115);
		event.fd = 5;
		event.u.connect.address = ip_address(rows[i].address, 443);
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "fd.type", rows[i].type }, { "fd.typechar", rows[i].letter }, { "fd.name", rows[i].name },
			{ "fd.sip", rows[i].sip },   { "fd.connected", "false" },
		};
		WORLD_CHECK(&world, rows[i].address, expected);
	}
}

static void test_connect__to_a_unix_socket(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		size_t len;
		const char *name;
	} rows[] = {
		{ "/run/docker.sock", 17, "/run/docker.sock" },
		{ "/run/docker.sock", 16, "/run/docker.sock" },
		{ "\0dbus", 5, "@dbus" },
		{ "\0dbus\0\0\0", 8, "@dbus" },
		{ "", 0, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_un un = { .sun_family = AF_UNIX };
		memcpy(un.sun_path, rows[i].path, rows[i].len);
		struct scd_event event = call_event(SCD_POINT_SYSCALL_CONNECT, "connect", 0, 0);
		event.fd = 5;
		event.u.connect.address = (struct scd_str){ (const char *)&un,
			                                    offsetof(struct sockaddr_un, sun_path) + rows[i].len };
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "fd.type", "unix" },       { "fd.typechar", "u" },      { "fd.name", rows[i].name },
			{ "fd.sockfamily", "unix" }, { "fd.ip", "()" },           { "fd.sip", NULL },
			{ "fd.l4proto", "<NA>" },    { "fd.is_server", "false" },
		};
		WORLD_CHECK(&world, rows[i].path, expected);
	}
}

static void test_connect__with_a_broken_address(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct scd_str address;
		const char *type;
	} rows[] = {
		{ "empty", SCD_STR_INIT(""), NULL },
		{ "half a family", SCD_STR_INIT("\2"), NULL },
		{ "a cut IPv4", SCD_STR_INIT("\2\0\1\273\1\2"), NULL },
		{ "AF_UNSPEC", SCD_STR_INIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), NULL },
		{ "netlink", SCD_STR_INIT("\20\0\0\0\0\0\0\0\0\0\0\0"), "netlink" },
		{ "family 77", SCD_STR_INIT("\115\0\0\0\0\0\0\0"), NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = call_event(SCD_POINT_SYSCALL_CONNECT, "connect", 0, 22);
		event.fd = 5;
		event.u.connect.address = rows[i].address;
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "fd.num", "5" },  { "fd.type", rows[i].type }, { "fd.name", NULL },
			{ "fd.sip", NULL }, { "fd.ip", "()" },           { "fd.sockfamily", NULL },
		};
		WORLD_CHECK(&world, rows[i].name, expected);
	}
}

static void test_accept__knows_the_client(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_ACCEPT, "accept4", 8, 0);
	event.fd = 3;
	event.u.connect.address = ip_address("203.0.113.9", 50000);
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "fd.num", "8" },           { "fd.name", "203.0.113.9:50000->0.0.0.0:0" },
		{ "fd.cip", "203.0.113.9" }, { "fd.cport", "50000" },
		{ "fd.rip", "203.0.113.9" }, { "fd.sip", NULL },
		{ "fd.sport", NULL },        { "fd.lip", NULL },
		{ "fd.is_server", "true" },  { "fd.l4proto", "tcp" },
		{ "fd.connected", "true" },  { "fd.ip", "(203.0.113.9)" },
		{ "fd.cproto", "50000" },    { "fd.cnet", "203.0.113.9" },
	};
	WORLD_CHECK(&world, "accept4", rows);
	event.u.connect.address = (struct scd_str){ NULL, 0 };
	world_apply(&world, &event);
	static const struct expected_field untold[] = { { "fd.num", "8" }, { "fd.type", NULL }, { "fd.cip", NULL } };
	WORLD_CHECK(&world, "a peer that the program did not ask for", untold);
}

static void test_listener__knows_itself(void **state)
{
	(void)state;
	static const struct expected_field rows[] = {
		{ "fd.num", "3" },          { "fd.name", "0.0.0.0:8080" },
		{ "fd.sip", "0.0.0.0" },    { "fd.sport", "8080" },
		{ "fd.lip", "0.0.0.0" },    { "fd.lport", "8080" },
		{ "fd.rip", NULL },         { "fd.cip", NULL },
		{ "fd.is_server", "true" }, { "fd.connected", "false" },
		{ "fd.port", "(8080)" },    { "fd.lproto", "8080" },
	};
	struct scd_event event = call_event(SCD_POINT_SYSCALL_BIND, "bind", 0, 0);
	event.fd = 3;
	event.u.connect.address = ip_address("0.0.0.0", 8080);
	world_apply(&world, &event);
	WORLD_CHECK(&world, "bind", rows);
	event = call_event(SCD_POINT_SYSCALL_LISTEN, "listen", 0, 0);
	event.fd = 3;
	event.u.listen.address = ip_address("0.0.0.0", 8080);
	world_apply(&world, &event);
	WORLD_CHECK(&world, "listen", rows);
}

static void test_socket__knows_family_and_protocol(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int32_t domain, type, protocol;
		const char *fd_type, *l4proto, *family;
	} rows[] = {
		{ "tcp", AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, "ipv4", "tcp", "ip" },
		{ "udp", AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 17, "ipv6", "udp", "ip" },
		{ "ping", AF_INET, SOCK_DGRAM, 1, "ipv4", "icmp", "ip" },
		{ "raw", AF_INET, SOCK_RAW, 255, "ipv4", "raw", "ip" },
		{ "seqpacket", AF_INET, SOCK_SEQPACKET, 0, "ipv4", "<NA>", "ip" },
		{ "unix", AF_UNIX, SOCK_STREAM, 0, "unix", "<NA>", "unix" },
		{ "netlink", AF_NETLINK, SOCK_RAW, 0, "netlink", "<NA>", NULL },
		{ "packet", AF_PACKET, SOCK_RAW, 0, NULL, NULL, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = call_event(SCD_POINT_SYSCALL_SOCKET, "socket", 4, 0);
		event.u.socket.domain = rows[i].domain;
		event.u.socket.type = rows[i].type;
		event.u.socket.protocol = rows[i].protocol;
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "fd.num", "4" },
			{ "fd.type", rows[i].fd_type },
			{ "fd.l4proto", rows[i].l4proto },
			{ "fd.sockfamily", rows[i].family },
			{ "fd.name", NULL },
			{ "fd.ip", "()" },
		};
		WORLD_CHECK(&world, rows[i].name, expected);
	}
}

/* Standard descriptors. */

static void test_standard_descriptors__of_an_exec(void **state)
{
	(void)state;
	static const struct scd_str argv[] = { SCD_STR_INIT("sh") };
	static const char local[] = "\12\0\0\2", remote[] = "\306\63\144\7";
	struct scd_event event = exec_event(3, "/bin/sh", argv, 1);
	event.u.exec.stdin_info = (struct scd_fd_info){
		.present = true,
		.mode = S_IFSOCK | 0777,
		.has_socket = true,
		.socket_family = AF_INET,
		.local = { AF_INET, { local, 4 }, 40000 },
		.remote = { AF_INET, { remote, 4 }, 4444 },
	};
	event.u.exec.stdout_info = (struct scd_fd_info){ .present = true,
		                                         .mode = S_IFIFO,
		                                         .path = SCD_STR("pipe:[3]") };
	event.u.exec.stderr_info = event.u.exec.stdin_info;
	event.u.exec.stderr_info.remote = (struct scd_socket_ip){ 0 };
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "proc.stdin.type", "ipv4" },  { "proc.stdin.name", "10.0.0.2:40000->198.51.100.7:4444" },
		{ "proc.stdout.type", "pipe" }, { "proc.stdout.name", "pipe:[3]" },
		{ "proc.stderr.type", "ipv4" }, { "proc.stderr.name", "10.0.0.2:40000" },
	};
	WORLD_CHECK(&world, "a reverse shell", rows);
	struct scd_event later = plain_event();
	later.context.thread_id = later.context.thread_group_id = 3;
	world_apply(&world, &later);
	assert_null(world_get(&world, "proc.stdin.type"));
}

static void test_standard_descriptors__types(void **state)
{
	(void)state;
	static const struct scd_str argv[] = { SCD_STR_INIT("sh") };
	static const struct {
		uint32_t mode;
		const char *type;
	} rows[] = {
		{ S_IFREG | 0644, "file" }, { S_IFCHR, "file" }, { S_IFBLK, "file" }, { S_IFDIR, "directory" },
		{ S_IFIFO, "pipe" },        { S_IFSOCK, NULL },  { 0, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = exec_event(3, "/bin/sh", argv, 1);
		event.u.exec.stderr_info = (struct scd_fd_info){ .present = true, .mode = rows[i].mode };
		world_apply(&world, &event);
		const struct expected_field expected[] = { { "proc.stderr.type", rows[i].type },
			                                   { "proc.stderr.name", NULL } };
		WORLD_CHECK(&world, rows[i].type ? rows[i].type : "unknown", expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		cmocka_unit_test(test_open__names_the_file),
		TEST(test_open__without_a_path_has_no_name),
		TEST(test_open__starts_at_the_directory_descriptor),
		TEST(test_open__uses_the_directory_that_state_remembers),
		TEST(test_open__that_failed_has_a_name_but_no_descriptor),
		TEST(test_open__of_a_folder),
		TEST(test_names__with_container_and_thread),
		TEST(test_other_calls__tell_number_and_type),
		TEST(test_connect__knows_the_server),
		TEST(test_connect__forms_of_addresses),
		TEST(test_connect__to_a_unix_socket),
		TEST(test_connect__with_a_broken_address),
		TEST(test_accept__knows_the_client),
		TEST(test_listener__knows_itself),
		TEST(test_socket__knows_family_and_protocol),
		TEST(test_standard_descriptors__of_an_exec),
		TEST(test_standard_descriptors__types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
