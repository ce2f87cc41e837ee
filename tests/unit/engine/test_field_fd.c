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

#include "seccheckd/base/array.h"

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

static void test_open__that_failed_has_a_name_and_descriptor_minus_one(void **state)
{
	(void)state;
	struct scd_event event = open_event("openat", "/etc//shadow", "", 0, 13);
	world_apply(&world, &event);
	static const struct expected_field rows[] = {
		{ "fd.num", "-1" },      { "fd.name", "/etc/shadow" }, { "fd.nameraw", "/etc/shadow" },
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
		{ SCD_POINT_SYSCALL_DUP, "dup2", "5", "pipe", "p" },
		{ SCD_POINT_SYSCALL_READ, "read", "8", "pipe", "p" },
		{ SCD_POINT_SYSCALL_CLOSE, "close", "8", "pipe", "p" },
		{ SCD_POINT_SYSCALL_MMAP, "mmap", "8", "pipe", "p" },
		{ SCD_POINT_SYSCALL_PIPE, "pipe2", "8", "pipe", "p" },
		{ SCD_POINT_SYSCALL_CHROOT, "chroot", NULL, NULL, NULL },
		{ SCD_POINT_SYSCALL_RAW, "kill", NULL, NULL, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = call_event(rows[i].point, rows[i].kind, 5, 0);
		event.fd = rows[i].number && rows[i].number[0] == '8' ? 8 : 2;
		bool is_pipe = rows[i].type && strcmp(rows[i].type, "pipe") == 0, uses_fd = rows[i].letter != NULL;
		event.fd_path = is_pipe ? SCD_STR("pipe:[7]") : (struct scd_str){ NULL, 0 };
		world_apply(&world, &event);
		const struct expected_field expected[] = {
			{ "fd.num", rows[i].number },
			{ "fd.type", rows[i].type },
			{ "fd.typechar", rows[i].letter },
			{ "fd.name", is_pipe ? "pipe:[7]" : NULL },
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
	static const struct expected_field remembered[] = { { "proc.stdin.type", "ipv4" },
		                                            { "proc.stdin.name", "10.0.0.2:40000->198.51.100.7:4444" },
		                                            { "proc.stdout.name", "pipe:[3]" } };
	WORLD_CHECK(&world, "later", remembered);
	later.context.thread_id = later.context.thread_group_id = 4;
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

/* What earlier messages told. */

static struct scd_event by_number(enum scd_point point, const char *kind, int64_t number)
{
	struct scd_event event = call_event(point, kind, 0, 0);
	event.fd = number;
	return event;
}

static void apply_open(const char *path, int64_t number, uint32_t flags)
{
	struct scd_event event = open_event("openat", path, "/srv", number, 0);
	event.u.open.flags = flags;
	world_apply(&world, &event);
}

/* Applies an event by number, looks at its name, and lets state retire it. */
static void check_name(const struct scd_event *event, const char *name)
{
	world_apply(&world, event);
	const struct expected_field rows[] = { { "fd.name", name } };
	WORLD_CHECK(&world, "by number", rows);
	scd_sandbox_retire(world.sandbox, event, scd_sandbox_find(world.sandbox, event->context.thread_group_id));
}

static void test_open__is_remembered_for_calls_by_number(void **state)
{
	(void)state;
	static const struct {
		enum scd_point point;
		const char *kind;
	} rows[] = { { SCD_POINT_SYSCALL_WRITE, "write" },
		     { SCD_POINT_SYSCALL_MMAP, "mmap" },
		     { SCD_POINT_SYSCALL_READ, "read" },
		     { SCD_POINT_SYSCALL_CLOSE, "close" } };
	static const struct expected_field expected[] = {
		{ "fd.name", "/srv/x" }, { "fd.type", "file" },  { "fd.num", "3" }, { "fd.directory", "/srv" },
		{ "fd.filename", "x" },  { "fd.typechar", "f" }, { "fd.ip", "()" },
	};
	apply_open("x", 3, 0);
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_event event = by_number(rows[i].point, rows[i].kind, 3);
		world_apply(&world, &event);
		WORLD_CHECK(&world, rows[i].kind, expected);
		scd_sandbox_retire(world.sandbox, &event, scd_sandbox_find(world.sandbox, 7));
	}
	struct scd_event after = by_number(SCD_POINT_SYSCALL_WRITE, "write", 3);
	check_name(&after, NULL);
}

static void test_raw_calls__find_their_descriptor_among_their_arguments(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_RAW, "fchmod", 0, 0);
	event.u.raw.args[0] = 3;
	apply_open("x", 3, 0);
	check_name(&event, "/srv/x");
	event.u.raw.args[0] = 4;
	check_name(&event, NULL);
}

static void test_unknown_descriptors__have_a_number_and_nothing_else(void **state)
{
	(void)state;
	struct scd_event event = by_number(SCD_POINT_SYSCALL_WRITE, "write", 9);
	world_apply(&world, &event);
	static const struct expected_field rows[] = { { "fd.num", "9" },         { "fd.name", NULL },
		                                      { "fd.type", NULL },       { "fd.directory", NULL },
		                                      { "fd.filename", NULL },   { "fd.l4proto", NULL },
		                                      { "fd.connected", NULL },  { "fd.sip", NULL },
		                                      { "fd.sockfamily", NULL }, { "fd.ip", "()" } };
	WORLD_CHECK(&world, "never seen", rows);
}

static void test_what_the_message_tells__comes_first(void **state)
{
	(void)state;
	struct scd_event event = by_number(SCD_POINT_SYSCALL_WRITE, "write", 3);
	struct scd_event socket = call_event(SCD_POINT_SYSCALL_SOCKET, "socket", 4, 0);
	static const struct expected_field file[] = { { "fd.name", "/other" }, { "fd.type", "file" } },
	                                   pipe[] = { { "fd.name", "pipe:[4]" }, { "fd.type", "pipe" } },
	                                   known[] = { { "fd.type", "ipv4" }, { "fd.l4proto", "tcp" } },
	                                   missed[] = { { "fd.name", "/x" },
		                                        { "fd.type", "file" },
		                                        { "fd.l4proto", "<NA>" } };
	apply_open("x", 3, 0);
	event.fd_path = SCD_STR("/other");
	world_apply(&world, &event);
	WORLD_CHECK(&world, "another path", file);
	event.fd_path = SCD_STR("pipe:[4]");
	world_apply(&world, &event);
	WORLD_CHECK(&world, "another type", pipe);
	socket.u.socket.domain = AF_INET;
	socket.u.socket.type = SOCK_STREAM;
	world_apply(&world, &socket);
	event.fd = 4;
	event.fd_path = SCD_STR("socket:[9]");
	world_apply(&world, &event);
	WORLD_CHECK(&world, "a socket", known);
	event.fd_path = SCD_STR("/x");
	world_apply(&world, &event);
	WORLD_CHECK(&world, "no socket any more", missed);
}

static void test_dup_and_fork__share_what_is_known(void **state)
{
	(void)state;
	struct scd_event dup = by_number(SCD_POINT_SYSCALL_DUP, "dup2", 3), clone = plain_event();
	struct scd_event write = by_number(SCD_POINT_SYSCALL_WRITE, "write", 7);
	struct scd_event close = by_number(SCD_POINT_SYSCALL_CLOSE, "close", 3);
	dup.exit_result = 7;
	apply_open("x", 3, 0);
	check_name(&dup, "/srv/x");
	check_name(&close, "/srv/x");
	check_name(&write, "/srv/x");
	clone.point = SCD_POINT_SENTRY_CLONE;
	clone.context = write.context;
	clone.u.clone_info.created_thread_id = clone.u.clone_info.created_thread_group_id = 70;
	world_apply(&world, &clone);
	write.context.thread_id = write.context.thread_group_id = 70;
	check_name(&write, "/srv/x");
}

static void test_exec__closes_what_was_to_be_closed(void **state)
{
	(void)state;
	static const struct scd_str argv[] = { SCD_STR_INIT("sh") };
	struct scd_event write = by_number(SCD_POINT_SYSCALL_WRITE, "write", 3);
	struct scd_event exec = exec_event(write.context.thread_group_id, "/bin/sh", argv, 1);
	apply_open("kept", 3, 0);
	apply_open("closed", 4, 02000000);
	world_apply(&world, &exec);
	check_name(&write, "/srv/kept");
	write.fd = 4;
	check_name(&write, NULL);
}

static void test_connect__of_a_socket_that_is_known(void **state)
{
	(void)state;
	struct scd_event socket = call_event(SCD_POINT_SYSCALL_SOCKET, "socket", 5, 0);
	struct scd_event connect = by_number(SCD_POINT_SYSCALL_CONNECT, "connect", 5);
	struct scd_event write = by_number(SCD_POINT_SYSCALL_WRITE, "write", 5);
	socket.u.socket.domain = AF_INET;
	socket.u.socket.type = SOCK_DGRAM | 02000000;
	connect.u.connect.address = ip_address("192.0.2.7", 53);
	world_apply(&world, &socket);
	static const struct expected_field rows[] = {
		{ "fd.l4proto", "udp" },     { "fd.sip", "192.0.2.7" },  { "fd.sport", "53" },
		{ "fd.rip", "192.0.2.7" },   { "fd.cip", NULL },         { "fd.ip", "(192.0.2.7)" },
		{ "fd.type", "ipv4" },       { "fd.connected", "true" }, { "fd.lip", NULL },
		{ "fd.net", "(192.0.2.7)" }, { "fd.port", "(53)" },      { "fd.name", "0.0.0.0:0->192.0.2.7:53" },
	};
	world_apply(&world, &connect);
	WORLD_CHECK(&world, "connect", rows);
	world_apply(&world, &write);
	WORLD_CHECK(&world, "write", rows);
}

static void test_accept__of_a_listener_that_is_known(void **state)
{
	(void)state;
	struct scd_event bind = by_number(SCD_POINT_SYSCALL_BIND, "bind", 5);
	struct scd_event accept = by_number(SCD_POINT_SYSCALL_ACCEPT, "accept4", 5);
	bind.u.connect.address = ip_address("10.0.0.1", 8080);
	world_apply(&world, &bind);
	accept.exit_result = 6;
	accept.u.connect.address = ip_address("192.0.2.7", 40000);
	world_apply(&world, &accept);
	static const struct expected_field rows[] = {
		{ "fd.num", "6" },          { "fd.cip", "192.0.2.7" }, { "fd.cport", "40000" },
		{ "fd.is_server", "true" }, { "fd.sip", "10.0.0.1" },  { "fd.sport", "8080" },
		{ "fd.lip", "10.0.0.1" },   { "fd.rport", "40000" },   { "fd.name", "192.0.2.7:40000->10.0.0.1:8080" },
	};
	WORLD_CHECK(&world, "accept", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		cmocka_unit_test(test_open__names_the_file),
		TEST(test_open__without_a_path_has_no_name),
		TEST(test_open__starts_at_the_directory_descriptor),
		TEST(test_open__uses_the_directory_that_state_remembers),
		TEST(test_open__that_failed_has_a_name_and_descriptor_minus_one),
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
		TEST(test_open__is_remembered_for_calls_by_number),
		TEST(test_raw_calls__find_their_descriptor_among_their_arguments),
		TEST(test_unknown_descriptors__have_a_number_and_nothing_else),
		TEST(test_what_the_message_tells__comes_first),
		TEST(test_dup_and_fork__share_what_is_known),
		TEST(test_exec__closes_what_was_to_be_closed),
		TEST(test_connect__of_a_socket_that_is_known),
		TEST(test_accept__of_a_listener_that_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
