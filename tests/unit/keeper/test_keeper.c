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
#include "seccheckd/base/peer_socket.h"
#include "seccheckd/keeper/keeper.h"
#include "seccheckd/wire/custody.h"
#include "tests/support/child.h"
#include "tests/support/keeper_world.h"
#include "tests/support/peer.h"

/* Counts connections until STOP, tells the count, ends with 7. */
static int count_until_stop(int control_fd, const struct keeper_world *world)
{
	struct scd_custody message = { 0 };
	uint64_t count = 0;

	while (keeper_world_hear(control_fd, &message, NULL) && message.kind != SCD_CUSTODY_STOP) {
		if (message.kind == SCD_CUSTODY_QUARANTINED)
			keeper_world_report(world, &(struct keeper_report){ 'Q', .id = message.connection_id });
		else if (message.kind == SCD_CUSTODY_CONNECTION)
			count++;
		else
			return 8;
	}
	if (message.kind != SCD_CUSTODY_STOP)
		return 8;
	keeper_world_say(world, count);
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
	keeper_world_tell(control_fd, SCD_CUSTODY_READY, 0);
	return count_until_stop(control_fd, user);
}

static void test_keeper_run__returns_the_workers_status_after_an_ordered_stop(void **state)
{
	const int signals[] = { SIGTERM, SIGINT };

	for (size_t i = 0; i < 2; i++) {
		struct keeper_world *world = *state;

		keeper_world_start(world, worker_ready);
		kill(world->pid, signals[i]);
		keeper_world_finish(world, 7);
	}
}

static void test_keeper_run__survives_signals_that_do_not_stop_it(void **state)
{
	struct keeper_world *world = *state;
	int peer;

	keeper_world_start(world, worker_ready);
	kill(world->pid, SIGHUP);
	kill(world->pid, SIGUSR1);
	kill(world->pid, SIGUSR2);
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	keeper_world_stop(world, 7);
	close(peer);
}

/* Answers do not wait for rules; and what was answered reaches the worker before the order to stop. */
static void test_keeper_run__answers_before_the_worker_is_ready(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int peers[3];

	keeper_world_start(world, worker_never_ready);
	for (size_t i = 0; i < 3; i++) {
		peers[i] = peer_join(world->path);
		assert_true(peers[i] >= 0);
	}
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.answered, 3);
	assert_int_equal(counters.handed_over, 3);
	for (size_t i = 0; i < 3; i++)
		close(peers[i]);
}

/* More connections than the control socket holds: they wait, and none is lost. */
static void test_keeper_run__queues_what_the_worker_does_not_take(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	enum { PEERS = 900 };
	int peers[PEERS];

	keeper_world_start(world, worker_never_ready);
	for (size_t i = 0; i < PEERS; i++) {
		peers[i] = peer_join(world->path);
		assert_true(peers[i] >= 0);
	}
	counters = keeper_world_stop(world, 7);
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

static int worker_that_crashes_at_once(void *user, const struct scd_worker_seat *seat)
{
	(void)user;
	(void)seat;
	signal(SIGSEGV, SIG_DFL); /* not a sanitizer's handler */
	raise(SIGSEGV);
	return 0;
}

static int worker_that_has_enough(void *user, const struct scd_worker_seat *seat)
{
	(void)user;
	keeper_world_tell_ready(seat);
	return SCD_WORKER_EXIT_FINAL;
}

/* It waits for a connection, so that the test is there to see how the peer learns of the end. */
static int worker_that_leaves(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	struct scd_custody message;

	(void)user;
	keeper_world_tell(control_fd, SCD_CUSTODY_READY, 0);
	keeper_world_hear(control_fd, &message, NULL);
	return SCD_WORKER_EXIT_FINAL;
}

static bool every_end_may_be_final(void)
{
	return true;
}

static void test_keeper_run__ends_with_1_when_there_cannot_be_another_worker(void **state)
{
	struct keeper_world *world = *state;
	scd_worker_main_fn *const mains[] = {
		worker_that_fails,
		worker_that_crashes_at_once,
		worker_that_has_enough,
	};

	world->may_be_final = every_end_may_be_final;
	for (size_t i = 0; i < 3; i++) {
		keeper_world_start(world, mains[i]);
		keeper_world_finish(world, 1);
	}
}

static void test_keeper_run__closes_connections_when_it_ends(void **state)
{
	struct keeper_world *world = *state;
	int peer;

	world->may_be_final = every_end_may_be_final;
	keeper_world_start(world, worker_that_leaves);
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	keeper_world_finish(world, 1);
	assert_int_equal(peer_wait_closed(peer, PEER_DEADLINE_MS), 0);
	close(peer);
}

static int worker_that_hangs_up(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	(void)user;
	close(control_fd);
	return keeper_world_hang();
}

static void test_keeper_run__kills_a_worker_that_closed_its_control_socket(void **state)
{
	keeper_world_start(*state, worker_that_hangs_up);
	keeper_world_finish(*state, 1);
}

static int worker_that_does_not_stop(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	(void)user;
	keeper_world_tell(control_fd, SCD_CUSTODY_READY, 0);
	return keeper_world_hang();
}

/* This one takes the ten seconds that a worker has. */
static void test_keeper_run__kills_a_worker_that_does_not_stop(void **state)
{
	keeper_world_start(*state, worker_that_does_not_stop);
	keeper_world_stop(*state, 1);
}

/* A worker that was taken over: it can let go of what it holds, and of nothing else. */
static int worker_that_lies(void *user, const struct scd_worker_seat *seat)
{
	int control_fd = seat->control_fds[0];
	struct scd_custody message = { 0 };
	uint8_t garbage[100];

	keeper_world_tell(control_fd, SCD_CUSTODY_READY, 0);
	keeper_world_tell(control_fd, SCD_CUSTODY_READY, 0);
	if (!keeper_world_hear(control_fd, &message, NULL))
		return 1;
	memset(garbage, 0xff, sizeof(garbage));
	(void)peer_send(control_fd, garbage, sizeof(garbage));
	(void)peer_send(control_fd, garbage, 3);
	keeper_world_tell(control_fd, SCD_CUSTODY_CLOSED, 0);
	keeper_world_tell(control_fd, SCD_CUSTODY_CLOSED, UINT64_MAX);
	keeper_world_tell(control_fd, SCD_CUSTODY_CLOSED, message.connection_id + 1);
	keeper_world_tell(control_fd, SCD_CUSTODY_STOP, 0);
	keeper_world_tell(control_fd, SCD_CUSTODY_CLOSED, message.connection_id);
	keeper_world_tell(control_fd, SCD_CUSTODY_CLOSED, message.connection_id);
	return count_until_stop(control_fd, user);
}

static void test_keeper_run__lets_a_worker_release_only_what_it_holds(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int held, silent;

	keeper_world_start(world, worker_that_lies);
	silent = peer_connect(world->path); /* in its handshake: not the worker's to release */
	held = peer_join(world->path);
	assert_true(silent >= 0 && held >= 0);
	/* Nor for good, as long as its sandbox is there, where nobody can make a worker end a connection on purpose. */
	if (scd_peer_socket_refuse_descriptors(silent)) {
		keeper_world_next(world, 'Q');
		assert_int_equal(peer_wait(held, POLLRDHUP, 0), -ETIMEDOUT);
	} else {
		assert_int_equal(peer_wait_closed(held, PEER_DEADLINE_MS), 0);
	}
	assert_int_equal(peer_greet(silent, PEER_DEADLINE_MS), 0);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.closed_early, 1);
	assert_int_equal(counters.released, 0);
	assert_int_equal(counters.control_errors, 8);
	close(held);
	close(silent);
}

/* The worker holds a copy; as long as the keeper has the original, the sandbox notices nothing. */
static void test_keeper_run__keeps_the_connection_open(void **state)
{
	struct keeper_world *world = *state;
	int peer;

	keeper_world_start(world, worker_ready); /* which closes every descriptor that it gets */
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	close(peer_join(world->path)); /* once this one is answered, the first was handed over or is about to be */
	assert_int_equal(peer_send(peer, "still there", 11), 0);
	keeper_world_stop(world, 7);
	close(peer);
}

/* Without descriptors a peer is refused at once instead of hanging; when there are some again, all is well. */
static void test_keeper_run__refuses_when_it_has_no_descriptors(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	enum { PEERS = 64 };
	int peers[PEERS], joined = 0, peer;

	world->descriptors = 128;
	world->wasted = 100;
	keeper_world_start(world, worker_never_ready);
	for (int i = 0; i < PEERS; i++) {
		peers[i] = peer_connect(world->path);
		assert_true(peers[i] >= 0);
		joined += peer_greet(peers[i], PEER_DEADLINE_MS) == 0;
	}
	assert_true(joined > 0 && joined < PEERS);
	assert_true(child_is_alive(world->pid));
	for (int i = 0; i < PEERS; i++)
		close(peers[i]);
	peer = peer_connect(world->path);
	assert_true(peer >= 0);
	close(peer);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.answered, joined);
	assert_true(counters.refused_resources >= (uint64_t)(PEERS - joined));
}

/* Whom the keeper answers the worker can take, too: it needs descriptors for other things. */
static void test_keeper_run__refuses_when_the_worker_would_have_no_descriptors(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	enum { PEERS = 30, OTHERS = 64 + 1, LIMIT = 10 };
	int peers[PEERS], joined = 0;

	world->descriptors = OTHERS + LIMIT;
	keeper_world_start(world, worker_never_ready);
	for (int i = 0; i < PEERS; i++) {
		peers[i] = peer_connect(world->path);
		assert_true(peers[i] >= 0);
		joined += peer_greet(peers[i], PEER_DEADLINE_MS) == 0;
	}
	assert_int_equal(joined, LIMIT);
	counters = keeper_world_stop(world, 7);
	for (int i = 0; i < PEERS; i++)
		close(peers[i]);
	assert_int_equal(counters.refused_full, PEERS - LIMIT);
	assert_int_equal(counters.refused_resources, 0);
}

static void test_keeper_new__leaves_nothing_behind_when_a_path_is_bad(void **state)
{
	struct keeper_world *world = *state;
	const char *paths[] = { world->path, "/nonexistent/sink.sock" };
	const struct scd_keeper_options options = { .listen_paths = paths, .listen_count = 2 };
	size_t before = peer_open_descriptors();
	struct scd_keeper *keeper = NULL;
	struct scd_error err;
	struct stat file;

	assert_int_equal(scd_keeper_new(&options, &keeper, &err), -ENOENT);
	assert_null(keeper);
	assert_non_null(strstr(err.what, "/nonexistent/sink.sock"));
	assert_int_equal(lstat(world->path, &file), -1);
	assert_int_equal(peer_open_descriptors(), before);
}

static void test_keeper_new__refuses_the_same_path_twice(void **state)
{
	struct keeper_world *world = *state;
	const char *paths[] = { world->path, world->path };
	const struct scd_keeper_options options = { .listen_paths = paths, .listen_count = 2 };
	struct scd_keeper *keeper = NULL;
	struct scd_error err;

	assert_int_equal(scd_keeper_new(&options, &keeper, &err), -EADDRINUSE);
	assert_null(keeper);
}

static void test_keeper_free__removes_the_sockets(void **state)
{
	struct keeper_world *world = *state;
	const struct scd_keeper_options options = { .listen_paths = &world->path, .listen_count = 1 };
	struct scd_keeper *keeper = NULL;
	struct scd_error err;
	struct stat file;

	assert_int_equal(scd_keeper_new(&options, &keeper, &err), 0);
	assert_int_equal(lstat(world->path, &file), 0);
	scd_keeper_free(&keeper);
	assert_null(keeper);
	assert_int_equal(lstat(world->path, &file), -1);
	scd_keeper_free(&keeper);
	scd_keeper_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, keeper_world_set_up, keeper_world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_keeper_run__returns_the_workers_status_after_an_ordered_stop),
		TEST(test_keeper_run__survives_signals_that_do_not_stop_it),
		TEST(test_keeper_run__answers_before_the_worker_is_ready),
		TEST(test_keeper_run__queues_what_the_worker_does_not_take),
		TEST(test_keeper_run__ends_with_1_when_there_cannot_be_another_worker),
		TEST(test_keeper_run__closes_connections_when_it_ends),
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
