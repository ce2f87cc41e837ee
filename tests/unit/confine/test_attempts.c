/*
 * What a confined process cannot do, by trying; and what it still can. Each attempt is a process of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "confine/layers.h"
#include "seccheckd/base/array.h"
#include "tests/support/child.h"
#include "tests/support/peer.h"
#include "tests/support/tempdir.h"

#define OTHER_USER 65534u

enum { ALLOWED = 0, CONFINE_FAILED = 99, KILLED = 1000 + SIGSYS };

/* What the attempts are about. */
static struct world {
	struct tempdir dir;
	char writable[128], file[128]; /* a folder of the other user, and a file beside it that anybody may change */
	int listener, other_listener;  /* TCP, on ports of their own */
	int abstract_listener;
	uint16_t port, other_port;
	int log; /* the file, open for appending */
	bool as_other_user;
} world;

static int listen_somewhere(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static struct sockaddr_un abstract_address(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", world.dir.path);
	return address;
}

static int listen_abstractly(void)
{
	const struct sockaddr_un address = abstract_address();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static int set_up(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(tempdir_make(&world.dir), 0);
	assert_int_equal(chmod(world.dir.path, 0777), 0);
	snprintf(world.writable, sizeof(world.writable), "%s", tempdir_join(&world.dir, "writable"));
	snprintf(world.file, sizeof(world.file), "%s", tempdir_join(&world.dir, "file"));
	assert_int_equal(mkdir(world.writable, 0777), 0);
	assert_int_equal(chmod(world.writable, 0777), 0);
	fd = open(world.file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0666), 0);
	close(fd);
	world.log = open(world.file, O_WRONLY | O_APPEND | O_CLOEXEC);
	world.listener = listen_somewhere(&world.port);
	world.other_listener = listen_somewhere(&world.other_port);
	world.abstract_listener = listen_abstractly();
	world.as_other_user = geteuid() == 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(world.listener);
	close(world.other_listener);
	close(world.abstract_listener);
	close(world.log);
	tempdir_remove(&world.dir);
	return 0;
}

/* ---- attempts: the error, or 0 ---- */

static int failed(int result)
{
	return result < 0 ? errno : ALLOWED;
}

static int try_open(const char *path, int flags)
{
	return failed(open(path, flags | O_CLOEXEC, 0600));
}

static int connect_to(uint16_t port, int flags)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_port = htons(port);
	if (fd < 0)
		return errno;
	if (flags)
		return failed((int)sendto(fd, "x", 1, flags, (struct sockaddr *)&address, sizeof(address)));
	return failed(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int connect_abstract(void)
{
	const struct sockaddr_un address = abstract_address();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : failed(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
}

static int map_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : ALLOWED;
}

static int make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? CONFINE_FAILED : failed(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int run_a_program(void)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };

	return failed(execve("/bin/true", argv, argv + 1));
}

static int start_a_process(void)
{
	const pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return failed(pid);
}

static int read_shadow(void)
{
	return try_open("/etc/shadow", O_RDONLY);
}
static int read_root_file(void)
{
	return try_open("/proc/self/maps", O_RDONLY);
}
static int list_temp(void)
{
	return try_open("/tmp", O_RDONLY | O_DIRECTORY);
}
static int write_beside(void)
{
	return try_open(world.file, O_WRONLY);
}
static int create_beside(void)
{
	return try_open(tempdir_join(&world.dir, "new"), O_WRONLY | O_CREAT);
}
static int cut_beside(void)
{
	return failed(truncate(world.file, 0));
}
static int remove_beside(void)
{
	return failed(unlink(world.file));
}
static int bind_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : failed(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}
static int listen_on(void)
{
	return failed(listen(world.listener, 1));
}
static int make_raw_socket(void)
{
	return failed(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}
static int make_ping_socket(void)
{
	return failed(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}
static int make_packet_socket(void)
{
	return failed(socket(AF_PACKET, SOCK_DGRAM, 0));
}
static int make_audit_socket(void)
{
	return failed(socket(AF_NETLINK, SOCK_RAW, 9));
}
static int connect_elsewhere(void)
{
	return connect_to(world.other_port, 0);
}
static int connect_by_sending(void)
{
	return connect_to(world.port, MSG_FASTOPEN);
}
static int become_root(void)
{
	return failed(setresuid(0, 0, 0));
}
static int become_roots_group(void)
{
	return failed(setresgid(0, 0, 0));
}
static int signal_parent(void)
{
	return failed(kill(getppid(), 0));
}
static int trace_parent(void)
{
	return failed((int)ptrace(PTRACE_ATTACH, getppid(), 0, 0));
}
static int fork_the_old_way(void)
{
	return failed((int)syscall(SYS_fork));
}
static int unshare_users(void)
{
	return failed(unshare(CLONE_NEWUSER));
}
static int load_bpf(void)
{
	return failed((int)syscall(SYS_bpf, 0, NULL, 0));
}
static int be_dumped(void)
{
	return failed(prctl(PR_SET_DUMPABLE, 1));
}
static int set_up_ring(void)
{
	return failed((int)syscall(SYS_io_uring_setup, 1, NULL));
}
static int raise_limit(void)
{
	const struct {
		uint64_t soft, hard;
	} limit = { 4, 4 };

	return failed((int)syscall(SYS_prlimit64, 0, 7, &limit, NULL));
}

static int cut_log(void)
{
	return failed(ftruncate(world.log, 0));
}
static int fill_log(void)
{
	return failed(fallocate(world.log, 0, 0, 4096));
}
static int write_in_front(void)
{
	return failed((int)pwrite(world.log, "x", 1, 0));
}
static int stop_appending(void)
{
	return failed(fcntl(world.log, F_SETFL, O_NONBLOCK));
}
static int shut_down(void)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ? CONFINE_FAILED
	                                                                    : failed(shutdown(pair[0], SHUT_RDWR));
}

/* ---- what goes on ---- */

static int append_to_log(void)
{
	return failed((int)write(world.log, "x", 1));
}

static int write_there(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/new", world.writable);
	return try_open(path, O_WRONLY | O_CREAT | O_EXCL | O_TRUNC) || failed(unlink(path));
}

static int connect_there(void)
{
	return connect_to(world.port, 0);
}

static int read_randomness(void)
{
	return try_open("/dev/urandom", O_RDONLY);
}

/* By name, which reads the files of the name service. */
static int look_up_localhost(void)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int r = getaddrinfo("localhost", "80", &hints, &found);

	if (r == 0)
		freeaddrinfo(found);
	return r ? 77 : ALLOWED;
}

static void *look_up_in_thread(void *ret_result)
{
	*(int *)ret_result = look_up_localhost();
	return NULL;
}

static int work_in_a_thread(void)
{
	pthread_t thread;
	int result = CONFINE_FAILED;

	if (pthread_create(&thread, NULL, look_up_in_thread, &result) != 0)
		return CONFINE_FAILED;
	pthread_join(thread, NULL);
	return result;
}

static int abort_itself(void)
{
	abort();
}

/* Others of the same user do not see its memory: what may be dumped belongs to its user, and this to root. */
static int be_looked_at(void)
{
	struct stat info;

	return stat("/proc/self/mem", &info) == 0 && info.st_uid == 0 ? ALLOWED : EPERM;
}

/* ---- */

static void fill(struct scd_confinement *wanted, const char *const *folders)
{
	*wanted = (struct scd_confinement){
		.same_user_because = "not started as root",
		.write_folders = folders,
		.write_folder_count = 1,
		.connect_ports = &world.port,
		.connect_port_count = 1,
	};
	if (!world.as_other_user)
		return;
	wanted->user_name = "other";
	wanted->uid = OTHER_USER;
	wanted->gid = OTHER_USER;
}

static int confine_and_try(void *user)
{
	int (*const *attempt)(void) = user;
	const char *const folders[] = { world.writable };
	struct scd_confinement wanted;
	struct scd_confined done;
	struct scd_error err = { 0 };

	fill(&wanted, folders);
	if (scd_confine(&wanted, &done, &err) < 0) {
		scd_error_print(&err, stderr);
		return CONFINE_FAILED;
	}
	return (*attempt)();
}

static int confined(int (*attempt)(void))
{
	return child_wait(child_start(confine_and_try, &attempt), PEER_DEADLINE_MS);
}

static int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

enum layer { BY_USER, BY_LANDLOCK_FILES, BY_LANDLOCK_PORTS, BY_LANDLOCK_SCOPE, BY_SECCOMP };

/* Whether there is what denies it. */
static bool holds(enum layer layer)
{
	switch (layer) {
	case BY_USER: return world.as_other_user;
	case BY_LANDLOCK_FILES: return landlock_abi() >= 3;
	case BY_LANDLOCK_PORTS: return landlock_abi() >= 4;
	case BY_LANDLOCK_SCOPE: return landlock_abi() >= 6;
	default: return !SCD__CONFINE_SANITIZED;
	}
}

static const struct attempt {
	const char *name;
	int (*attempt)(void);
	int result; /* an errno, or KILLED */
	enum layer layer;
} denied[] = {
	{ "read /etc/shadow", read_shadow, EACCES, BY_USER },
	{ "become root", become_root, EPERM, BY_USER },
	{ "become root's group", become_roots_group, EPERM, BY_USER },
	{ "write to a file", write_beside, EACCES, BY_LANDLOCK_FILES },
	{ "make a file", create_beside, EACCES, BY_LANDLOCK_FILES },
	{ "cut a file", cut_beside, EPERM, BY_SECCOMP },
	{ "remove a file", remove_beside, EACCES, BY_LANDLOCK_FILES },
	{ "connect to another port", connect_elsewhere, EACCES, BY_LANDLOCK_PORTS },
	{ "bind a port", bind_port, EACCES, BY_LANDLOCK_PORTS },
	{ "connect to an abstract socket", connect_abstract, EPERM, BY_LANDLOCK_SCOPE },
	{ "list /tmp", list_temp, EACCES, BY_SECCOMP }, /* a sanitizer may read everything */
	{ "read its own maps", read_root_file, EACCES, BY_SECCOMP },
	{ "connect by sending", connect_by_sending, EPERM, BY_SECCOMP },
	{ "listen", listen_on, EPERM, BY_SECCOMP },
	{ "make a raw socket", make_raw_socket, EPERM, BY_SECCOMP },
	{ "make a socket for pings", make_ping_socket, EPERM, BY_SECCOMP },
	{ "make a packet socket", make_packet_socket, EPERM, BY_SECCOMP },
	{ "make an audit socket", make_audit_socket, EPERM, BY_SECCOMP },
	{ "signal its parent", signal_parent, EPERM, BY_SECCOMP },
	{ "start a process", start_a_process, EPERM, BY_SECCOMP },
	{ "map executable memory", map_executable, EPERM, BY_SECCOMP },
	{ "make memory executable", make_executable, EPERM, BY_SECCOMP },
	{ "be dumped again", be_dumped, EPERM, BY_SECCOMP },
	{ "change its limits", raise_limit, EPERM, BY_SECCOMP },
	{ "set up a ring", set_up_ring, ENOSYS, BY_SECCOMP },
	{ "run a program", run_a_program, KILLED, BY_SECCOMP },
	{ "fork", fork_the_old_way, KILLED, BY_SECCOMP },
	{ "trace its parent", trace_parent, KILLED, BY_SECCOMP },
	{ "make namespaces", unshare_users, KILLED, BY_SECCOMP },
	{ "load bpf", load_bpf, KILLED, BY_SECCOMP },
};

static void test_confine__denies(void **state)
{
	size_t skipped = 0;

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(denied); i++) {
		int result;

		if (!holds(denied[i].layer)) {
			print_message("not tried, for want of what denies it: %s\n", denied[i].name);
			skipped++;
			continue;
		}
		result = confined(denied[i].attempt);
		if (result != denied[i].result)
			fail_msg("%s: %d, not %d", denied[i].name, result, denied[i].result);
	}
	assert_true(skipped < SCD_COUNT(denied));
}

static int confine_without_folders_and_try(void *user)
{
	int (*const *attempt)(void) = user;
	const struct scd_confinement wanted = { .same_user_because = "the test" };
	struct scd_confined done;
	struct scd_error err = { 0 };

	return scd_confine(&wanted, &done, &err) < 0 ? CONFINE_FAILED : (*attempt)();
}

/* What was opened before is there to be written to, and what is written there stays. */
static void test_confine__leaves_only_appending_to_who_has_no_folder(void **state)
{
	static int (*const attempts[])(void) = { cut_log, fill_log, write_in_front, stop_appending, shut_down };
	int (*append)(void) = append_to_log;

	(void)state;
	assert_int_equal(child_wait(child_start(confine_without_folders_and_try, &append), PEER_DEADLINE_MS), ALLOWED);
	for (size_t i = 0; i < SCD_COUNT(attempts) && holds(BY_SECCOMP); i++) {
		int (*attempt)(void) = attempts[i];
		int status = child_wait(child_start(confine_without_folders_and_try, &attempt), PEER_DEADLINE_MS);

		if (status != EPERM)
			fail_msg("attempt %zu: %d", i, status);
	}
	for (size_t i = 0; i < SCD_COUNT(attempts); i++)
		assert_int_equal(attempts[i](), ALLOWED);
}

/* Each of them works without confinement: else the test above would show nothing. */
static void test_confine__denies_what_works_otherwise(void **state)
{
	(void)state;
	assert_int_equal(write_beside(), ALLOWED);
	assert_int_equal(connect_to(world.other_port, 0), ALLOWED);
	assert_int_equal(map_executable(), ALLOWED);
	assert_int_equal(list_temp(), ALLOWED);
	assert_int_equal(bind_port(), ALLOWED);
	assert_int_equal(connect_abstract(), ALLOWED);
}

static void test_confine__leaves_what_the_worker_does(void **state)
{
	static const struct {
		const char *name;
		int (*attempt)(void);
		int result;
	} rows[] = {
		{ "write to its folder", write_there, ALLOWED }, { "connect to its port", connect_there, ALLOWED },
		{ "read randomness", read_randomness, ALLOWED }, { "look up a name", look_up_localhost, ALLOWED },
		{ "start a thread", work_in_a_thread, ALLOWED }, { "abort", abort_itself, 1000 + SIGABRT },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		int result = confined(rows[i].attempt);

		if (result != rows[i].result)
			fail_msg("%s: %d, not %d", rows[i].name, result, rows[i].result);
	}
	if (!SCD__CONFINE_SANITIZED)
		assert_int_equal(confined(be_looked_at), ALLOWED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confine__denies),
		cmocka_unit_test(test_confine__leaves_only_appending_to_who_has_no_folder),
		cmocka_unit_test(test_confine__denies_what_works_otherwise),
		cmocka_unit_test(test_confine__leaves_what_the_worker_does),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
