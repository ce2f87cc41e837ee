/*
 * Who connects: processes that look like runsc in every way, and each way in which one does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/identity.h"
#include "tests/support/child.h"
#include "tests/support/fake_runsc.h"
#include "tests/support/peer.h"

struct fixture {
	struct tempdir dir;
	char socket_path[128];
	int listener;
	size_t descriptors; /* open at the start */
	struct scd__peer peer;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*state = fixture;
	if (!fixture || tempdir_make(&fixture->dir) < 0)
		return -1;
	fixture->descriptors = peer_open_descriptors();
	snprintf(fixture->socket_path, sizeof(fixture->socket_path), "%s", tempdir_join(&fixture->dir, "sink.sock"));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", tempdir_join(&fixture->dir, "sink.sock"));
	fixture->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (bind(fixture->listener, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return listen(fixture->listener, 16);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->listener);
	tempdir_remove(&fixture->dir);
	free(fixture);
	return 0;
}

/* The next connection, whose handshake has come. */
static int take_connection(struct fixture *fixture)
{
	int fd;

	assert_int_equal(peer_wait(fixture->listener, POLLIN, PEER_DEADLINE_MS), 0);
	fd = accept4(fixture->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(peer_wait(fd, POLLIN, PEER_DEADLINE_MS), 0);
	return fd;
}

/* Starts it, looks at it, and lets it go: fixture->peer has what was found. */
static void identify(struct fixture *fixture, struct fake_runsc fake, const struct scd__identity_options *options)
{
	pid_t pid;
	int fd;

	fake.socket_path = fixture->socket_path;
	pid = fake_runsc_start(&fixture->dir, &fake);
	assert_true(pid > 0);
	fd = take_connection(fixture);
	scd__peer_identify(fd, options, &fixture->peer);
	assert_int_equal(fixture->peer.pid, pid);
	assert_int_equal(fixture->peer.uid, fake.uid ? fake.uid : geteuid());
	assert_int_equal(fixture->peer.gid, fake.uid ? fake.uid : getegid());
	scd__peer_done(&fixture->peer);
	close(fd);
	child_wait(pid, PEER_DEADLINE_MS);
	assert_int_equal(peer_open_descriptors(), fixture->descriptors + 1);
}

static const struct scd__identity_options any_runsc;

static void test_identify__takes_the_name_from_the_lock(void **state)
{
	static const char *const rows[] = { "create --bundle b pod", "run pod", "do /bin/true", "restore pod" };
	struct fixture *fixture = *state;
	const struct scd__peer *peer = &fixture->peer;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lock[128];

		print_message("%s\n", rows[i]);
		snprintf(lock, sizeof(lock), "%s", tempdir_join(&fixture->dir, "con_sandbox:pod.lock"));
		identify(fixture, (struct fake_runsc){ .arguments = rows[i], .lock = lock }, &any_runsc);
		assert_string_equal(peer->reason, "");
		assert_true(peer->verified);
		assert_true(scd_str_is(peer->sandbox_id, "pod"));
		assert_true(scd_str_is(peer->container_id, "con"));
		assert_true(scd_str_is(peer->runsc_root, fixture->dir.path));
		assert_string_equal(peer->exe, tempdir_join(&fixture->dir, "runsc"));
	}
}

static void test_identify__takes_the_name_from_the_arguments_of_trace_create(void **state)
{
	struct fixture *fixture = *state;
	const struct scd__peer *peer = &fixture->peer;
	char arguments[256];
	int file = open(tempdir_join(&fixture->dir, "pod_sandbox:pod.state"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	close(file);
	snprintf(arguments, sizeof(arguments), "--root %s trace create --force --config c pod", fixture->dir.path);
	identify(fixture, (struct fake_runsc){ .arguments = arguments }, &any_runsc);
	assert_string_equal(peer->reason, "");
	assert_true(peer->verified);
	assert_true(scd_str_is(peer->sandbox_id, "pod"));
	assert_true(scd_str_is(peer->container_id, "pod"));
	assert_true(scd_str_is(peer->runsc_root, fixture->dir.path));

	/* runsc would take it for pod; we do not look what else begins with it. */
	snprintf(arguments, sizeof(arguments), "--root %s trace create --config c po", fixture->dir.path);
	identify(fixture, (struct fake_runsc){ .arguments = arguments }, &any_runsc);
	assert_false(peer->verified);
	assert_non_null(strstr(peer->reason, "exactly the id that it names, po"));
	assert_int_equal(peer->sandbox_id.len, 0);
}

/* Who is not taken for the runsc of a sandbox, and why. */
static const struct stranger {
	const char *name;
	struct fake_runsc fake;
	const char *lock, *other_lock; /* in the test's folder */
	const char *reason;
} strangers[] = {
	{ "another program", { .name = "other", .arguments = "run pod" }, "a_sandbox:a.lock", NULL, "is not a runsc" },
	{ "a longer name", { .name = "runsc2", .arguments = "run pod" }, "a_sandbox:a.lock", NULL, "is not a runsc" },
	{ "a program that all may write",
	  { .mode = 0777, .arguments = "run pod" },
	  "a_sandbox:a.lock",
	  NULL,
	  "is not a runsc" },
	{ "a program that its group may write",
	  { .mode = 0770, .arguments = "run pod" },
	  "a_sandbox:a.lock",
	  NULL,
	  "is not a runsc" },
	{ "a gofer", { .arguments = "--root=/r gofer --bundle b" }, "a_sandbox:a.lock", NULL, "'gofer', is not one" },
	{ "a sentry", { .arguments = "--root=/r boot create" }, "a_sandbox:a.lock", NULL, "'boot', is not one" },
	{ "no command", { .arguments = "--root=/r" }, "a_sandbox:a.lock", NULL, "'', is not one" },
	{ "a program that is gone",
	  { .arguments = "run a", .gone = true },
	  "a_sandbox:a.lock",
	  NULL,
	  "is not a runsc" },
	{ "no lock", { .arguments = "create pod" }, NULL, NULL, "holds no state lock" },
	{ "another file", { .arguments = "create pod" }, "a_sandbox:a.state", NULL, "holds no state lock" },
	{ "two locks",
	  { .arguments = "create pod" },
	  "a_sandbox:a.lock",
	  "b_sandbox:b.lock",
	  "more than one container" },
	{ "a seccomp filter", { .arguments = "create pod", .confined = true }, "a_sandbox:a.lock", NULL, "confined" },
	{ "a lock beyond the limit",
	  { .arguments = "create pod", .descriptors = SCD_LIMIT_PEER_DESCRIPTORS },
	  "a_sandbox:a.lock",
	  NULL,
	  "holds no state lock" },
	{ "a root that is no path",
	  { .arguments = "--root r trace create --config c pod" },
	  NULL,
	  NULL,
	  "absolute path" },
	{ "an unknown sandbox",
	  { .arguments = "--root /r trace create --config c pod" },
	  NULL,
	  NULL,
	  "exactly the id" },
	{ "trace create without an id", { .arguments = "trace create --config c" }, NULL, NULL, "'trace', is not one" },
};

static void test_identify__gives_a_reason_for_everybody_else(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		struct fake_runsc fake = strangers[i].fake;
		char lock[128] = "", other_lock[128] = "";

		print_message("%s\n", strangers[i].name);
		if (strangers[i].lock)
			snprintf(lock, sizeof(lock), "%s", tempdir_join(&fixture->dir, strangers[i].lock));
		if (strangers[i].other_lock)
			snprintf(other_lock, sizeof(other_lock), "%s",
			         tempdir_join(&fixture->dir, strangers[i].other_lock));
		fake.lock = strangers[i].lock ? lock : NULL;
		fake.other_lock = strangers[i].other_lock ? other_lock : NULL;
		identify(fixture, fake, &any_runsc);
		assert_false(fixture->peer.verified);
		if (!strstr(fixture->peer.reason, strangers[i].reason))
			fail_msg("reason: %s", fixture->peer.reason);
		assert_int_equal(fixture->peer.sandbox_id.len, 0);
		assert_int_equal(fixture->peer.runsc_root.len, 0);
	}
}

/* All is right but where it comes from. */
static void test_identify__verifies_root_and_us_on_the_host_only(void **state)
{
	static const struct {
		const char *name;
		struct fake_runsc fake;
		const char *reason;
	} rows[] = {
		{ "another user", { .arguments = "run a", .uid = 65534 }, "neither root nor that of the daemon" },
		{ "other mounts", { .arguments = "run a", .apart = true }, "other mounts" },
		{ "nothing wrong", { .arguments = "run a" }, "" },
		{ "a folder of another user", { .arguments = "run a" }, "folder of its state lock" },
	};
	struct fixture *fixture = *state;
	char lock[128];

	if (geteuid() != 0) {
		print_message("skipped: only root can become another user\n");
		skip();
	}
	snprintf(lock, sizeof(lock), "%s", tempdir_join(&fixture->dir, "a_sandbox:a.lock"));
	assert_int_equal(chmod(fixture->dir.path, 0777), 0);
	assert_int_equal(chmod(fixture->socket_path, 0666), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake_runsc fake = rows[i].fake;

		print_message("%s\n", rows[i].name);
		unlink(lock);
		if (i == 3)
			assert_int_equal(chown(fixture->dir.path, 65534, 65534), 0);
		fake.lock = lock;
		identify(fixture, fake, &any_runsc);
		assert_int_equal(fixture->peer.verified, rows[i].reason[0] == '\0');
		if (!strstr(fixture->peer.reason, rows[i].reason))
			fail_msg("reason: %s", fixture->peer.reason);
	}
}

/* With a list, the file counts and not its name. */
static void test_identify__knows_listed_executables_by_their_file(void **state)
{
	struct fixture *fixture = *state;
	char listed[128], lock[128];
	const char *const paths[] = { "/nonexistent/runsc", listed };
	const struct scd__identity_options options = { paths, 2 };

	snprintf(listed, sizeof(listed), "%s", tempdir_join(&fixture->dir, "gvisor"));
	snprintf(lock, sizeof(lock), "%s", tempdir_join(&fixture->dir, "a_sandbox:a.lock"));
	identify(fixture, (struct fake_runsc){ .name = "gvisor", .arguments = "run a", .lock = lock }, &options);
	assert_string_equal(fixture->peer.reason, "");
	assert_true(fixture->peer.verified);
	identify(fixture, (struct fake_runsc){ .arguments = "run a", .lock = lock }, &options);
	assert_false(fixture->peer.verified);
	assert_non_null(strstr(fixture->peer.reason, "is not a runsc"));
}

/* A connection whose process has ended and been waited for, and which lives on in heir_fd. */
static int take_orphan(struct fixture *fixture, pid_t *ret_pid, int *ret_heir_fd)
{
	int pair[2], fd;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int connected = peer_connect(fixture->socket_path);

		_exit(peer_send(connected, "\x08\x01", 2) < 0 ||
		      peer_send_descriptors(pair[1], "x", 1, &connected, 1) != 1);
	}
	fd = take_connection(fixture);
	assert_int_equal(child_wait(pid, PEER_DEADLINE_MS), 0);
	close(pair[1]);
	*ret_pid = pid;
	*ret_heir_fd = pair[0]; /* the connection is in its queue */
	return fd;
}

static void expect_ended(struct fixture *fixture, int fd)
{
	scd__peer_identify(fd, &any_runsc, &fixture->peer);
	assert_false(fixture->peer.verified);
	if (!strstr(fixture->peer.reason, "has ended") && !strstr(fixture->peer.reason, "cannot be had"))
		fail_msg("reason: %s", fixture->peer.reason);
	assert_int_equal(scd__peer_look_closer(&fixture->peer), -ESRCH);
	scd__peer_done(&fixture->peer);
}

static void test_identify__does_not_verify_a_process_that_has_ended(void **state)
{
	struct fixture *fixture = *state;
	pid_t pid;
	int heir_fd, fd = take_orphan(fixture, &pid, &heir_fd);

	expect_ended(fixture, fd);
	close(fd);
	close(heir_fd);
	assert_int_equal(peer_open_descriptors(), fixture->descriptors + 1);
}

/*
 * A child with this number, which waits to be killed; -EEXIST when another process has it, -EPERM without privileges.
 */
static pid_t fork_as(pid_t number)
{
	struct clone_args arguments = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1 };
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid == 0) {
		alarm(PEER_DEADLINE_MS / 1000);
		for (;;)
			pause();
	}
	return pid < 0 ? -errno : (pid_t)pid;
}

static void test_identify__does_not_take_a_later_process_with_the_same_number(void **state)
{
	struct fixture *fixture = *state;
	pid_t pid, other;
	int heir_fd, fd = take_orphan(fixture, &pid, &heir_fd);

	other = fork_as(pid);
	if (other > 0) {
		expect_ended(fixture, fd);
		kill(other, SIGKILL);
		assert_int_equal(waitpid(other, NULL, 0), other);
	}
	close(fd);
	close(heir_fd);
	if (other < 0) {
		print_message("skipped: no process can be given a number of our choice: %s\n", strerror(-other));
		skip();
	}
}

struct looker {
	struct fixture *fixture;
	int fd; /* of the connection */
};

/* In a child process: 0 when it is said that a capability is missing. */
static int look_without_capabilities(void *user)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };
	const struct looker *looker = user;
	struct scd__peer *peer = &looker->fixture->peer;

	if (syscall(SYS_capset, &header, none) < 0)
		return 1;
	scd__peer_identify(looker->fd, &any_runsc, peer);
	if (peer->verified || !strstr(peer->reason, "CAP_SYS_PTRACE"))
		return 2;
	return scd__peer_look_closer(peer) == -EPERM ? 0 : 3;
}

/* The same user is not enough: the other process may do more than we may. */
static void test_identify__says_which_capability_is_missing(void **state)
{
	struct fixture *fixture = *state;
	struct fake_runsc fake = { .arguments = "run a", .socket_path = fixture->socket_path };
	char lock[128];
	struct looker looker = { fixture, -1 };
	pid_t pid;

	if (geteuid() != 0) {
		print_message("skipped: only root has capabilities to do without\n");
		skip();
	}
	snprintf(lock, sizeof(lock), "%s", tempdir_join(&fixture->dir, "a_sandbox:a.lock"));
	fake.lock = lock;
	pid = fake_runsc_start(&fixture->dir, &fake);
	assert_true(pid > 0);
	looker.fd = take_connection(fixture);
	assert_int_equal(child_wait(child_start(look_without_capabilities, &looker), PEER_DEADLINE_MS), 0);
	close(looker.fd);
	child_wait(pid, PEER_DEADLINE_MS);
}

static void test_identify__takes_any_descriptor(void **state)
{
	struct fixture *fixture = *state;

	scd__peer_identify(-1, &any_runsc, &fixture->peer);
	assert_false(fixture->peer.verified);
	assert_non_null(strstr(fixture->peer.reason, "does not tell"));
	scd__peer_done(&fixture->peer);
	scd__peer_done(&fixture->peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_identify__takes_the_name_from_the_lock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_identify__takes_the_name_from_the_arguments_of_trace_create,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_identify__gives_a_reason_for_everybody_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_identify__verifies_root_and_us_on_the_host_only, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_identify__knows_listed_executables_by_their_file, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_identify__does_not_verify_a_process_that_has_ended, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_identify__does_not_take_a_later_process_with_the_same_number,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_identify__says_which_capability_is_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_identify__takes_any_descriptor, set_up, tear_down),
	};
	const char *why = fake_runsc_unavailable();

	if (why) {
		print_message("skipped: %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests_name("keeper/identity", tests, NULL, NULL);
}
