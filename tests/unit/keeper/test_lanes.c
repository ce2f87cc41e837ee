/*
 * A worker with several lanes: who gets which connection, when it counts as ready, how it is told to stop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/peer_socket.h"
#include "tests/support/keeper_world.h"
#include "tests/support/peer.h"

enum { LANES = 3 };

/* Of a worker with one thread: hears all lanes by turns. */
struct listening {
	const struct keeper_world *world;
	const struct scd_worker_seat *seat;
	unsigned connections[LANES];
	unsigned stops;
};

static bool hear_lane(struct listening *listening, size_t lane)
{
	struct scd_custody message = { 0 };

	if (!keeper_world_hear(listening->seat->control_fds[lane], &message, NULL))
		return false;
	if (message.kind == SCD_CUSTODY_STOP)
		listening->stops++;
	else if (message.kind == SCD_CUSTODY_QUARANTINED)
		keeper_world_report(listening->world, &(struct keeper_report){ 'Q', .id = message.connection_id });
	else
		listening->connections[lane]++;
	if (message.kind == SCD_CUSTODY_CONNECTION)
		keeper_world_report(listening->world,
		                    &(struct keeper_report){ 'C', .value = lane, .id = message.connection_id });
	return true;
}

static int listen_to_lanes(struct listening *listening)
{
	struct pollfd polls[LANES];

	while (listening->stops < LANES) {
		for (size_t i = 0; i < LANES; i++)
			polls[i] = (struct pollfd){ .fd = listening->seat->control_fds[i], .events = POLLIN };
		if (poll(polls, LANES, PEER_DEADLINE_MS) <= 0)
			return 2;
		for (size_t i = 0; i < LANES; i++) {
			if (polls[i].revents && !hear_lane(listening, i))
				return 3;
		}
	}
	return 7;
}

static int worker_with_lanes(void *user, const struct scd_worker_seat *seat)
{
	struct listening listening = { .world = user, .seat = seat };

	if (seat->lane_count != LANES)
		return 1;
	keeper_world_tell_ready(seat);
	return listen_to_lanes(&listening);
}

static void test_lanes__share_the_connections_evenly(void **state)
{
	struct keeper_world *world = *state;
	unsigned counts[LANES] = { 0 };
	int peers[3 * LANES];

	world->lane_count = LANES;
	keeper_world_start(world, worker_with_lanes);
	for (size_t i = 0; i < 3 * LANES; i++) {
		struct keeper_report report;

		peers[i] = peer_join(world->path);
		assert_true(peers[i] >= 0);
		report = keeper_world_next(world, 'C');
		assert_in_range(report.value, 0, LANES - 1);
		counts[report.value]++;
	}
	for (size_t i = 0; i < LANES; i++)
		assert_int_equal(counts[i], 3);
	keeper_world_stop(world, 7);
	for (size_t i = 0; i < 3 * LANES; i++)
		close(peers[i]);
}

/* One lane is not: then the worker is not, and nothing is given to the others. */
static int worker_with_a_late_lane(void *user, const struct scd_worker_seat *seat)
{
	struct listening listening = { .world = user, .seat = seat };
	struct pollfd early = { .fd = seat->control_fds[0], .events = POLLIN };

	keeper_world_tell(seat->control_fds[0], SCD_CUSTODY_READY, 0);
	keeper_world_tell(seat->control_fds[1], SCD_CUSTODY_READY, 0);
	while (listening.world->shared->order == 0)
		peer_wait(-1, 0, 1);
	keeper_world_say(listening.world, (uint64_t)poll(&early, 1, 0));
	keeper_world_tell(seat->control_fds[2], SCD_CUSTODY_READY, 0);
	return listen_to_lanes(&listening);
}

static void test_lanes__are_given_nothing_before_all_are_ready(void **state)
{
	struct keeper_world *world = *state;
	int peers[2];

	world->lane_count = LANES;
	keeper_world_start(world, worker_with_a_late_lane);
	peers[0] = peer_join(world->path);
	peers[1] = peer_join(world->path); /* once this one is answered, the first would have been given */
	assert_true(peers[0] >= 0 && peers[1] >= 0);
	world->shared->order = 1;
	assert_int_equal(keeper_world_next(world, 'W').value, 0);
	keeper_world_next(world, 'C');
	keeper_world_next(world, 'C');
	keeper_world_stop(world, 7);
	close(peers[0]);
	close(peers[1]);
}

/* Lets go of a connection on a lane that does not hold it, then on the one that does. */
static int worker_that_lies_about_lanes(void *user, const struct scd_worker_seat *seat)
{
	struct listening listening = { .world = user, .seat = seat };
	struct scd_custody message = { 0 };

	keeper_world_tell_ready(seat);
	if (!keeper_world_hear(seat->control_fds[0], &message, NULL)) /* the first lane gets the first connection */
		return 1;
	keeper_world_tell(seat->control_fds[1], SCD_CUSTODY_CLOSED, message.connection_id);
	keeper_world_tell(seat->control_fds[1], SCD_CUSTODY_READY, 0);
	keeper_world_tell(seat->control_fds[0], SCD_CUSTODY_CLOSED, message.connection_id);
	return listen_to_lanes(&listening);
}

static void test_lanes__let_go_only_of_what_they_hold(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int peer;

	world->lane_count = LANES;
	keeper_world_start(world, worker_that_lies_about_lanes);
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	if (scd_peer_socket_refuse_descriptors(peer))
		keeper_world_next(world, 'Q'); /* its sandbox is still there, so it is held */
	else
		assert_int_equal(peer_wait_closed(peer, PEER_DEADLINE_MS), 0);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.control_errors, 2);
	assert_int_equal(counters.closed_early, 1);
	close(peer);
}

/* A lane that does not read its socket: when that is full, others get what comes, and it gets its STOP in the end. */
static int worker_with_a_slow_lane(void *user, const struct scd_worker_seat *seat)
{
	struct listening listening = { .world = user, .seat = seat };
	struct scd_custody message = { 0 };

	keeper_world_tell_ready(seat);
	while (listening.stops < 2) {
		struct pollfd polls[2] = {
			{ .fd = seat->control_fds[1], .events = POLLIN },
			{ .fd = seat->control_fds[2], .events = POLLIN },
		};

		if (poll(polls, 2, PEER_DEADLINE_MS) <= 0)
			return 2;
		for (size_t i = 0; i < 2; i++) {
			if (polls[i].revents && !hear_lane(&listening, i + 1))
				return 3;
		}
	}
	while (keeper_world_hear(seat->control_fds[0], &message, NULL) && message.kind == SCD_CUSTODY_CONNECTION)
		listening.connections[0]++;
	keeper_world_say(listening.world,
	                 listening.connections[0] + listening.connections[1] + listening.connections[2]);
	return message.kind == SCD_CUSTODY_STOP ? 7 : 4;
}

static void test_lanes__one_that_takes_nothing_holds_up_no_other(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	enum { PEERS = 900 };
	int peers[PEERS];

	world->lane_count = LANES;
	keeper_world_start(world, worker_with_a_slow_lane);
	for (size_t i = 0; i < PEERS; i++) {
		peers[i] = peer_join(world->path);
		assert_true(peers[i] >= 0);
	}
	kill(world->pid, SIGTERM);
	assert_int_equal(keeper_world_next(world, 'W').value, PEERS);
	counters = keeper_world_finish(world, 7);
	assert_int_equal(counters.handed_over, PEERS);
	for (size_t i = 0; i < PEERS; i++)
		close(peers[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, keeper_world_set_up, keeper_world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_lanes__share_the_connections_evenly),
		TEST(test_lanes__are_given_nothing_before_all_are_ready),
		TEST(test_lanes__let_go_only_of_what_they_hold),
		TEST(test_lanes__one_that_takes_nothing_holds_up_no_other),
	};
#undef TEST

	return cmocka_run_group_tests_name("keeper/lanes", tests, NULL, NULL);
}
