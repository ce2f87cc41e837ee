/*
 * The keeper with workers that are not the real one: that never get ready, that die, hang, lie; and its own life.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"
#include "seccheckd/keeper/keeper.h"
#include "seccheckd/wire/custody.h"
#include "tests/support/child.h"
#include "tests/support/peer.h"
#include "tests/support/tempdir.h"

/* What the keeper and its worker tell the test. */
struct report {
	char from; /* 'L' the keeper listens, 'W' the worker, 'K' the keeper at its end */
	uint64_t value;
	struct scd_keeper_counters counters; /* with K */
};

/* One keeper in a process of its own. */
struct fixture {
	struct tempdir dir;
	const char *path;
	scd_worker_main_fn *worker_main;
	rlim_t descriptors; /* its limit; 0: as it is */
	int wasted;         /* descriptors that it opens besides */
	int reports[2];     /* SEQPACKET: [0] ours, [1] theirs */
	pid_t pid;
};

static void send_report(const struct fixture *fixture, const struct report *report)
{
	(void)peer_send(fixture->reports[1], report, sizeof(*report));
}

static struct report next_report(struct fixture *fixture, char from)
{
	struct report report = { 0 };

	while (report.from != from) {
		assert_int_equal(peer_wait(fixture->reports[0], POLLIN, PEER_DEADLINE_MS), 0);
		assert_int_equal(recv(fixture->reports[0], &report, sizeof(report), 0), sizeof(report));
	}
	return report;
}

static int keeper_main(void *user)
{
	struct fixture *fixture = user;
	const struct scd_keeper_options options = { .listen_paths = &fixture->path, .listen_count = 1 };
	const struct rlimit limit = { fixture->descriptors, fixture->descriptors };
	struct report report = { .from = 'L' };
	struct scd_keeper *keeper = NULL;
	struct scd_error err;
	int status;

	close(fixture->reports[0]);
	if (fixture->descriptors)
		setrlimit(RLIMIT_NOFILE, &limit);
	if (scd_keeper_new(&options, &keeper, &err) < 0)
		return 99;
	for (int i = 0; i < fixture->wasted; i++)
		fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	send_report(fixture, &report);
	status = scd_keeper_run(keeper, fixture->worker_main, fixture);
	report = (struct report){ 'K', (uint64_t)status, *scd_keeper_counters(keeper) };
	send_report(fixture, &report);
	scd_keeper_free(&keeper);
	return status;
}

static void start(struct fixture *fixture, scd_worker_main_fn *worker_main)
{
	fixture->worker_main = worker_main;
	fixture->pid = child_start(keeper_main, fixture);
	assert_true(fixture->pid > 0);
	next_report(fixture, 'L');
}

/* Waits for the keeper's end; its counters. */
static struct scd_keeper_counters finish(struct fixture *fixture, int status)
{
	struct report report = next_report(fixture, 'K');
	struct stat file;

	assert_int_equal(report.value, status);
	assert_int_equal(child_wait(fixture->pid, PEER_DEADLINE_MS), status);
	fixture->pid = 0;
	assert_int_equal(lstat(fixture->path, &file), -1);
	return report.counters;
}

static struct scd_keeper_counters stop(struct fixture *fixture, int status)
{
	kill(fixture->pid, SIGTERM);
	return finish(fixture, status);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture || tempdir_make(&fixture->dir) < 0)
		return -1;
	fixture->path = tempdir_join(&fixture->dir, "sink.sock");
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fixture->reports);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->pid > 0) {
		kill(fixture->pid, SIGKILL);
		child_wait(fixture->pid, PEER_DEADLINE_MS);
	}
	close(fixture->reports[0]);
	close(fixture->reports[1]);
	tempdir_remove(&fixture->dir);
	free(fixture);
	return 0;
}

/* Waits for the next control message; false at the end of the socket. Its descriptor is closed. */
static bool hear(int control_fd, struct scd_custody *ret_message)
{
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	ssize_t received;

	if (peer_wait(control_fd, POLLIN, PEER_DEADLINE_MS) < 0)
		return false;
	received = recv(control_fd, bytes, sizeof(bytes), 0); /* without room for it, a descriptor is discarded */
	return received > 0 && scd_custody_parse((struct scd_str){ (char *)bytes, (size_t)received }, ret_message) == 0;
}

static void tell(int control_fd, enum scd_custody_kind kind, uint64_t id)
{
	const struct scd_custody message = { .kind = kind, .connection_id = id };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];

	(void)peer_send(control_fd, bytes, scd_custody_format(&message, bytes));
}

/* Counts connections until STOP, tells the count, ends with 7. */
static int count_until_stop(int control_fd, const struct fixture *fixture)
{
	struct report report = { .from = 'W' };
	struct scd_custody message = { 0 };

	while (hear(control_fd, &message) && message.kind == SCD_CUSTODY_CONNECTION)
		report.value++;
	if (message.kind != SCD_CUSTODY_STOP)
		return 8;
	send_report(fixture, &report);
	return 7;
}

static int worker_never_ready(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	return count_until_stop(control_fd, user);
}

static int worker_ready(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	tell(control_fd, SCD_CUSTODY_READY, 0);
	return count_until_stop(control_fd, user);
}

static void test_keeper_run__returns_the_workers_status_after_an_ordered_stop(void **state)
{
	const int signals[] = { SIGTERM, SIGINT };

	for (size_t i = 0; i < 2; i++) {
		struct fixture *fixture = *state;

		start(fixture, worker_ready);
		kill(fixture->pid, signals[i]);
		finish(fixture, 7);
	}
}

static void test_keeper_run__survives_signals_that_do_not_stop_it(void **state)
{
	struct fixture *fixture = *state;
	int peer;

	start(fixture, worker_ready);
	kill(fixture->pid, SIGHUP);
	kill(fixture->pid, SIGUSR1);
	kill(fixture->pid, SIGUSR2);
	peer = peer_join(fixture->path);
	assert_true(peer >= 0);
	stop(fixture, 7);
	close(peer);
}

/* Answers do not wait for rules; and what was answered reaches the worker before the order to stop. */
static void test_keeper_run__answers_before_the_worker_is_ready(void **state)
{
	struct fixture *fixture = *state;
	struct scd_keeper_counters counters;
	int peers[3];

	start(fixture, worker_never_ready);
	for (size_t i = 0; i < 3; i++) {
		peers[i] = peer_join(fixture->path);
		assert_true(peers[i] >= 0);
	}
	counters = stop(fixture, 7);
	assert_int_equal(counters.answered, 3);
	assert_int_equal(counters.handed_over, 3);
	for (size_t i = 0; i < 3; i++)
		close(peers[i]);
}

/* More connections than the control socket holds: they wait, and none is lost. */
static void test_keeper_run__queues_what_the_worker_does_not_take(void **state)
{
	struct fixture *fixture = *state;
	struct scd_keeper_counters counters;
	enum { PEERS = 900 };
	int peers[PEERS];

	start(fixture, worker_never_ready);
	for (size_t i = 0; i < PEERS; i++) {
		peers[i] = peer_join(fixture->path);
		assert_true(peers[i] >= 0);
	}
	counters = stop(fixture, 7);
	assert_int_equal(counters.handed_over, PEERS);
	for (size_t i = 0; i < PEERS; i++)
		close(peers[i]);
}

static int worker_that_fails(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	(void)user;
	(void)control_fd;
	return 0;
}

static int worker_that_crashes(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	(void)user;
	tell(control_fd, SCD_CUSTODY_READY, 0);
	signal(SIGSEGV, SIG_DFL); /* not a sanitizer's handler */
	raise(SIGSEGV);
	return 0;
}

/* It waits for a connection, so that the test is there to see how the peer learns of the end. */
static int worker_that_leaves(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	struct scd_custody message;

	(void)user;
	tell(control_fd, SCD_CUSTODY_READY, 0);
	hear(control_fd, &message);
	return 3;
}

static void test_keeper_run__ends_with_1_when_the_worker_dies(void **state)
{
	scd_worker_main_fn *const mains[] = { worker_that_fails, worker_that_crashes };

	for (size_t i = 0; i < 2; i++) {
		start(*state, mains[i]);
		finish(*state, 1);
	}
}

static void test_keeper_run__closes_connections_when_the_worker_dies(void **state)
{
	struct fixture *fixture = *state;
	int peer;

	start(fixture, worker_that_leaves);
	peer = peer_join(fixture->path);
	assert_true(peer >= 0);
	finish(fixture, 1);
	assert_int_equal(peer_wait_closed(peer, PEER_DEADLINE_MS), 0);
	close(peer);
}

/* Longer than any deadline here, but not for ever: a test that fails leaves no process behind. */
static int hang(void)
{
	alarm(60);
	pause();
	return 9;
}

static int worker_that_hangs_up(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	(void)user;
	close(control_fd);
	return hang();
}

static void test_keeper_run__kills_a_worker_that_closed_its_control_socket(void **state)
{
	start(*state, worker_that_hangs_up);
	finish(*state, 1);
}

static int worker_that_does_not_stop(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	(void)user;
	tell(control_fd, SCD_CUSTODY_READY, 0);
	return hang();
}

/* This one takes the ten seconds that a worker has. */
static void test_keeper_run__kills_a_worker_that_does_not_stop(void **state)
{
	start(*state, worker_that_does_not_stop);
	stop(*state, 1);
}

/* A worker that was taken over: it can let go of what it holds, and of nothing else. */
static int worker_that_lies(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	struct scd_custody message = { 0 };
	uint8_t garbage[100];

	tell(control_fd, SCD_CUSTODY_READY, 0);
	tell(control_fd, SCD_CUSTODY_READY, 0);
	if (!hear(control_fd, &message))
		return 1;
	memset(garbage, 0xff, sizeof(garbage));
	(void)peer_send(control_fd, garbage, sizeof(garbage));
	(void)peer_send(control_fd, garbage, 3);
	tell(control_fd, SCD_CUSTODY_CLOSED, 0);
	tell(control_fd, SCD_CUSTODY_CLOSED, UINT64_MAX);
	tell(control_fd, SCD_CUSTODY_CLOSED, message.connection_id + 1);
	tell(control_fd, SCD_CUSTODY_STOP, 0);
	tell(control_fd, SCD_CUSTODY_CLOSED, message.connection_id);
	tell(control_fd, SCD_CUSTODY_CLOSED, message.connection_id);
	return count_until_stop(control_fd, user);
}

static void test_keeper_run__lets_a_worker_release_only_what_it_holds(void **state)
{
	struct fixture *fixture = *state;
	struct scd_keeper_counters counters;
	int held, silent;

	start(fixture, worker_that_lies);
	silent = peer_connect(fixture->path); /* in its handshake: not the worker's to release */
	held = peer_join(fixture->path);
	assert_true(silent >= 0 && held >= 0);
	assert_int_equal(peer_wait_closed(held, PEER_DEADLINE_MS), 0);
	assert_int_equal(peer_greet(silent, PEER_DEADLINE_MS), 0);
	counters = stop(fixture, 7);
	assert_int_equal(counters.released, 1);
	assert_int_equal(counters.control_errors, 8);
	close(held);
	close(silent);
}

/* The worker holds a copy; as long as the keeper has the original, the sandbox notices nothing. */
static void test_keeper_run__keeps_the_connection_open(void **state)
{
	struct fixture *fixture = *state;
	int peer;

	start(fixture, worker_ready); /* which closes every descriptor that it gets */
	peer = peer_join(fixture->path);
	assert_true(peer >= 0);
	close(peer_join(fixture->path)); /* once this one is answered, the first was handed over or is about to be */
	assert_int_equal(peer_send(peer, "still there", 11), 0);
	stop(fixture, 7);
	close(peer);
}

/* Without descriptors a peer is refused at once instead of hanging; when there are some again, all is well. */
static void test_keeper_run__refuses_when_it_has_no_descriptors(void **state)
{
	struct fixture *fixture = *state;
	struct scd_keeper_counters counters;
	enum { PEERS = 64 };
	int peers[PEERS], joined = 0, peer;

	fixture->descriptors = 128;
	fixture->wasted = 100;
	start(fixture, worker_never_ready);
	for (int i = 0; i < PEERS; i++) {
		peers[i] = peer_connect(fixture->path);
		assert_true(peers[i] >= 0);
		joined += peer_greet(peers[i], PEER_DEADLINE_MS) == 0;
	}
	assert_true(joined > 0 && joined < PEERS);
	assert_true(child_is_alive(fixture->pid));
	for (int i = 0; i < PEERS; i++)
		close(peers[i]);
	peer = peer_connect(fixture->path);
	assert_true(peer >= 0);
	close(peer);
	counters = stop(fixture, 7);
	assert_int_equal(counters.answered, joined);
	assert_true(counters.refused_resources >= (uint64_t)(PEERS - joined));
}

/* Whom the keeper answers the worker can take, too: it needs descriptors for other things. */
static void test_keeper_run__refuses_when_the_worker_would_have_no_descriptors(void **state)
{
	struct fixture *fixture = *state;
	struct scd_keeper_counters counters;
	enum { PEERS = 30, OTHERS = 64 + 1, LIMIT = 10 };
	int peers[PEERS], joined = 0;

	fixture->descriptors = OTHERS + LIMIT;
	start(fixture, worker_never_ready);
	for (int i = 0; i < PEERS; i++) {
		peers[i] = peer_connect(fixture->path);
		assert_true(peers[i] >= 0);
		joined += peer_greet(peers[i], PEER_DEADLINE_MS) == 0;
	}
	assert_int_equal(joined, LIMIT);
	counters = stop(fixture, 7);
	for (int i = 0; i < PEERS; i++)
		close(peers[i]);
	assert_int_equal(counters.refused_full, PEERS - LIMIT);
	assert_int_equal(counters.refused_resources, 0);
}

static void test_keeper_new__leaves_nothing_behind_when_a_path_is_bad(void **state)
{
	struct fixture *fixture = *state;
	const char *paths[] = { fixture->path, "/nonexistent/sink.sock" };
	const struct scd_keeper_options options = { .listen_paths = paths, .listen_count = 2 };
	size_t before = peer_open_descriptors();
	struct scd_keeper *keeper = NULL;
	struct scd_error err;
	struct stat file;

	assert_int_equal(scd_keeper_new(&options, &keeper, &err), -ENOENT);
	assert_null(keeper);
	assert_non_null(strstr(err.what, "/nonexistent/sink.sock"));
	assert_int_equal(lstat(fixture->path, &file), -1);
	assert_int_equal(peer_open_descriptors(), before);
}

static void test_keeper_new__refuses_the_same_path_twice(void **state)
{
	struct fixture *fixture = *state;
	const char *paths[] = { fixture->path, fixture->path };
	const struct scd_keeper_options options = { .listen_paths = paths, .listen_count = 2 };
	struct scd_keeper *keeper = NULL;
	struct scd_error err;

	assert_int_equal(scd_keeper_new(&options, &keeper, &err), -EADDRINUSE);
	assert_null(keeper);
}

static void test_keeper_free__removes_the_sockets(void **state)
{
	struct fixture *fixture = *state;
	const struct scd_keeper_options options = { .listen_paths = &fixture->path, .listen_count = 1 };
	struct scd_keeper *keeper = NULL;
	struct scd_error err;
	struct stat file;

	assert_int_equal(scd_keeper_new(&options, &keeper, &err), 0);
	assert_int_equal(lstat(fixture->path, &file), 0);
	scd_keeper_free(&keeper);
	assert_null(keeper);
	assert_int_equal(lstat(fixture->path, &file), -1);
	scd_keeper_free(&keeper);
	scd_keeper_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_keeper_run__returns_the_workers_status_after_an_ordered_stop),
		TEST(test_keeper_run__survives_signals_that_do_not_stop_it),
		TEST(test_keeper_run__answers_before_the_worker_is_ready),
		TEST(test_keeper_run__queues_what_the_worker_does_not_take),
		TEST(test_keeper_run__ends_with_1_when_the_worker_dies),
		TEST(test_keeper_run__closes_connections_when_the_worker_dies),
		TEST(test_keeper_run__kills_a_worker_that_closed_its_control_socket),
		TEST(test_keeper_run__kills_a_worker_that_does_not_stop),
		TEST(test_keeper_run__lets_a_worker_release_only_what_it_holds),
		TEST(test_keeper_run__keeps_the_connection_open),
		TEST(test_keeper_run__refuses_when_it_has_no_descriptors),
		TEST(test_keeper_run__refuses_when_the_worker_would_have_no_descriptors),
		TEST(test_keeper_new__leaves_nothing_behind_when_a_path_is_bad),
		TEST(test_keeper_new__refuses_the_same_path_twice),
		TEST(test_keeper_free__removes_the_sockets),
	};
#undef TEST

	return cmocka_run_group_tests_name("keeper/keeper", tests, NULL, NULL);
}
