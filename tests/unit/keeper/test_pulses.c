/*
 * Workers that hang, and connections that make workers end: who is killed, who is blamed, who is read no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "tests/support/keeper_world.h"
#include "tests/support/peer.h"

#define MS_NS INT64_C(1000000)

enum { LANES = 2 };

/* A worker that reads single bytes: each connection's are told to the test, and some are orders. */
struct reader {
	const struct keeper_world *world;
	const struct scd_worker_seat *seat;
	size_t lane;
	struct {
		uint64_t id;
		int fd;
	} held[8];
	size_t held_count;
};

/* Without a core. The handlers of the keeper are to see it. */
static void crash(int signal_number)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	raise(signal_number);
}

static void *crash_in_thread(void *user)
{
	(void)user;
	crash(SIGABRT);
	return NULL;
}

/* With nobody who could say where: as after a stack that ran over. */
static void crash_unseen(void)
{
	signal(SIGABRT, SIG_DFL);
	crash(SIGABRT);
}

/* The one that is no lane's, and is known by its pulse. */
static void *crash_in_main_thread(void *user)
{
	const struct scd_worker_seat *seat = user;

	scd_pulse_beat(&seat->pulses[seat->lane_count]);
	crash(SIGABRT);
	return NULL;
}

static void crash_beside(void *(*main)(void *), const struct scd_worker_seat *seat)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, main, (void *)(uintptr_t)seat) == 0)
		pthread_join(thread, NULL);
}

static void obey(const struct reader *reader, char byte)
{
	switch (byte) {
	case 'c': crash(SIGABRT); break;
	case 'u': crash_unseen(); break;
	case 'k': crash(SIGKILL); break;
	case 'x': _exit(0); break;
	case 'h': keeper_world_hang(); break;
	/* another thread's fault, while this one is reading */
	case 't': crash_beside(crash_in_thread, reader->seat); break;
	case 'm': crash_beside(crash_in_main_thread, reader->seat); break;
	case 'w': /* is being read when the other lane does something */
		keeper_world_say(reader->world, 'w');
		keeper_world_hang();
		break;
	default: keeper_world_say(reader->world, (uint64_t)byte); break;
	}
}

static void read_one(const struct reader *reader, size_t at)
{
	struct scd_pulse *pulse = &reader->seat->pulses[reader->lane];
	char byte = 0;

	scd_pulse_read(pulse, reader->held[at].id);
	if (recv(reader->held[at].fd, &byte, 1, MSG_DONTWAIT) == 1)
		obey(reader, byte);
	scd_pulse_read(pulse, 0);
}

/* False: STOP, or the end. */
static bool take_one(struct reader *reader)
{
	struct scd_custody message = { 0 };
	int fd = -1;

	if (!keeper_world_hear(reader->seat->control_fds[reader->lane], &message, &fd) || reader->held_count == 8)
		return false;
	if (message.kind == SCD_CUSTODY_QUARANTINED) {
		keeper_world_report(reader->world, &(struct keeper_report){ 'Q', .value = message.peer_pid,
		                                                            .id = message.connection_id });
		return fd < 0;
	}
	if (message.kind != SCD_CUSTODY_CONNECTION)
		return false;
	reader->held[reader->held_count].id = message.connection_id;
	reader->held[reader->held_count++].fd = fd;
	keeper_world_report(reader->world,
	                    &(struct keeper_report){ 'C', .value = reader->lane, .id = message.connection_id });
	return true;
}

/* Until STOP; beats all the time. */
static void *read_lane(void *user)
{
	struct reader *reader = user;
	struct pollfd polls[9];

	for (;;) {
		scd_pulse_beat(&reader->seat->pulses[reader->lane]);
		polls[0] = (struct pollfd){ .fd = reader->seat->control_fds[reader->lane], .events = POLLIN };
		for (size_t i = 0; i < reader->held_count; i++)
			polls[i + 1] = (struct pollfd){ .fd = reader->held[i].fd, .events = POLLIN };
		if (poll(polls, reader->held_count + 1, 100) < 0)
			return NULL;
		for (size_t i = 0; i < reader->held_count; i++) {
			if (polls[i + 1].revents & POLLIN)
				read_one(reader, i);
		}
		if (polls[0].revents && !take_one(reader))
			return NULL;
	}
}

static int worker_that_obeys(void *user, const struct scd_worker_seat *seat)
{
	struct reader readers[LANES] = {
		{ .world = user, .seat = seat, .lane = 0 },
		{ .world = user, .seat = seat, .lane = 1 },
	};
	pthread_t second;

	keeper_world_tell_ready(seat);
	if (seat->lane_count == LANES && pthread_create(&second, NULL, read_lane, &readers[1]) != 0)
		return 1;
	read_lane(&readers[0]);
	if (seat->lane_count == LANES)
		pthread_join(second, NULL);
	return 7;
}

/* The first one's main thread is alive for a moment; that of those that follow never shows any sign. */
static int worker_whose_main_thread_hangs(void *user, const struct scd_worker_seat *seat)
{
	if (keeper_world_enter(user) == 1)
		scd_pulse_beat(&seat->pulses[seat->lane_count]);
	return worker_that_obeys(user, seat);
}

static int join(struct keeper_world *world)
{
	int peer = peer_join(world->path);

	assert_true(peer >= 0);
	keeper_world_next(world, 'C');
	return peer;
}

static void order(int peer, char byte)
{
	assert_int_equal(peer_send(peer, &byte, 1), 0);
}

/* Waits until a worker has got so many connections. */
static void expect_given(struct keeper_world *world, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		keeper_world_next(world, 'C');
}

static void expect_read(struct keeper_world *world, int peer, char byte)
{
	order(peer, byte);
	assert_int_equal(keeper_world_next(world, 'W').value, byte);
}

static void test_pulses__silent_worker_is_killed_and_followed(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int64_t start_ns;
	int peer;

	keeper_world_start(world, worker_that_obeys);
	peer = join(world);
	start_ns = scd_clock_mono_ns();
	order(peer, 'h');
	expect_given(world, 1);
	assert_true(scd_clock_mono_ns() - start_ns >= (SCD_LIMIT_WORKER_SILENT_MS - 1000) * MS_NS);
	expect_read(world, peer, 'a');
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.workers_killed, 1);
	assert_int_equal(counters.strikes, 1);
	assert_int_equal(counters.quarantined, 0);
	close(peer);
}

/* Whether it crashes or exits, and whether anybody could say where. */
static void test_pulses__connection_that_makes_workers_end_is_quarantined(void **state)
{
	const char *const ways[] = { "ccc", "uuu", "xxx", "cux" };

	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		struct keeper_world *world = *state;
		struct scd_keeper_counters counters;
		int hostile, innocent;

		keeper_world_start(world, worker_that_obeys);
		hostile = join(world);
		innocent = join(world);
		for (size_t i = 0; i < SCD_LIMIT_CONNECTION_STRIKES; i++) {
			order(hostile, ways[way][i]);
			if (i + 1 == SCD_LIMIT_CONNECTION_STRIKES) /* for an alert of it */
				assert_int_equal(keeper_world_next(world, 'Q').value, getpid());
			expect_given(world, i + 1 < SCD_LIMIT_CONNECTION_STRIKES ? 2 : 1);
		}
		order(hostile, 'c'); /* nobody reads that */
		expect_read(world, innocent, 'a');
		/* It is held all the same: a sandbox that is let go stays unwatched for ever. */
		assert_int_equal(peer_wait(hostile, POLLRDHUP, 0), -ETIMEDOUT);
		counters = keeper_world_stop(world, 7);
		assert_int_equal(counters.strikes, SCD_LIMIT_CONNECTION_STRIKES);
		assert_int_equal(counters.quarantined, 1);
		assert_int_equal(counters.workers_died, SCD_LIMIT_CONNECTION_STRIKES);
		assert_int_equal(peer_wait_closed(hostile, PEER_DEADLINE_MS), 0);
		close(hostile);
		close(innocent);
	}
}

/* An operator, or the kernel for want of memory: a hundred of them say nothing about what was being read. */
static void test_pulses__kill_from_outside_is_nobodys_fault(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int peer;

	keeper_world_start(world, worker_that_obeys);
	peer = join(world);
	for (unsigned i = 0; i <= SCD_LIMIT_CONNECTION_STRIKES; i++) {
		order(peer, 'k');
		expect_given(world, 1);
	}
	expect_read(world, peer, 'a');
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.strikes, 0);
	assert_int_equal(counters.workers_died, SCD_LIMIT_CONNECTION_STRIKES + 1);
	close(peer);
}

/* The neighbour in the other lane is being read at each crash. */
static void test_pulses__neighbour_is_not_to_blame_when_it_is_known_who_is(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int hostile, innocent;

	world->lane_count = LANES;
	keeper_world_start(world, worker_that_obeys);
	hostile = join(world);
	innocent = join(world);
	for (unsigned i = 1; i <= SCD_LIMIT_CONNECTION_STRIKES; i++) {
		expect_read(world, innocent, 'w');
		order(hostile, 'c');
		expect_given(world, i < SCD_LIMIT_CONNECTION_STRIKES ? 2 : 1);
	}
	expect_read(world, innocent, 'a');
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.strikes, SCD_LIMIT_CONNECTION_STRIKES);
	assert_int_equal(counters.quarantined, 1);
	close(hostile);
	close(innocent);
}

/* Nobody can say where it crashed, so both get a strike; but from then on they share a lane. */
static void test_pulses__suspects_are_told_apart(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int hostile, innocent;

	world->lane_count = LANES;
	keeper_world_start(world, worker_that_obeys);
	hostile = join(world);
	innocent = join(world);
	expect_read(world, innocent, 'w');
	order(hostile, 'u');
	assert_int_equal(keeper_world_next(world, 'C').value, 0);
	assert_int_equal(keeper_world_next(world, 'C').value, 0);
	order(hostile, 'u');
	expect_given(world, 2);
	order(hostile, 'u');
	expect_given(world, 1);
	expect_read(world, innocent, 'a');
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.strikes, SCD_LIMIT_CONNECTION_STRIKES + 1);
	assert_int_equal(counters.quarantined, 1);
	close(hostile);
	close(innocent);
}

/* One of libuv's, or the main thread. */
static void test_pulses__crash_of_another_thread_is_nobodys_fault(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int peer;

	keeper_world_start(world, worker_that_obeys);
	peer = join(world);
	order(peer, 't');
	expect_given(world, 1);
	order(peer, 'm');
	expect_given(world, 1);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.workers_died, 2);
	assert_int_equal(counters.strikes, 0);
	close(peer);
}

/* Its lanes go on reading, and their alerts reach nobody. */
static void test_pulses__main_thread_that_hangs_ends_the_worker_and_is_nobodys_fault(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int peer;

	keeper_world_start(world, worker_whose_main_thread_hangs);
	peer = join(world);
	expect_read(world, peer, 'a');
	expect_given(world, 1);
	expect_read(world, peer, 'a');
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.workers_killed, 1);
	assert_int_equal(counters.strikes, 0);
	close(peer);
}

/* One lane hangs, and only what that one reads is to blame. */
static void test_pulses__only_the_silent_lane_is_to_blame(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int hostile, innocent;

	world->lane_count = LANES;
	keeper_world_start(world, worker_that_obeys);
	hostile = join(world);
	innocent = join(world);
	order(hostile, 'h');
	expect_read(world, innocent, 'a');
	expect_given(world, 2);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.workers_killed, 1);
	assert_int_equal(counters.strikes, 1);
	close(hostile);
	close(innocent);
}

static void test_pulses__quarantined_connection_is_let_go_when_its_peer_has(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	enum { PLACES = 2, OTHERS = 64 + 1 };
	int hostile, peers[PLACES];

	world->descriptors = OTHERS + PLACES;
	keeper_world_start(world, worker_that_obeys);
	hostile = join(world);
	peers[0] = join(world);
	for (unsigned i = 1; i <= SCD_LIMIT_CONNECTION_STRIKES; i++) {
		order(hostile, 'c');
		expect_given(world, i < SCD_LIMIT_CONNECTION_STRIKES ? 2 : 1);
	}
	close(hostile);
	do /* its place is free for another one */
		peers[1] = peer_join(world->path);
	while (peers[1] == -EPIPE || peers[1] == -ECONNRESET);
	assert_true(peers[1] >= 0);
	expect_given(world, 1);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.quarantined, 1);
	close(peers[0]);
	close(peers[1]);
}

/* The keeper and its workers stand still for longer than a worker may be silent: that is nobody's fault. */
static void test_pulses__time_in_which_the_keeper_does_not_run_does_not_count(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int64_t start_ns;
	int peer, r;

	keeper_world_start(world, worker_that_obeys);
	peer = join(world);
	expect_read(world, peer, 'w'); /* it hangs now */
	kill(world->pid, SIGSTOP);
	r = peer_wait(world->reports[0], POLLIN, SCD_LIMIT_WORKER_SILENT_MS + 500);
	start_ns = scd_clock_mono_ns();
	kill(world->pid, SIGCONT);
	assert_int_equal(r, -ETIMEDOUT);
	expect_given(world, 1); /* its five seconds began anew */
	assert_true(scd_clock_mono_ns() - start_ns >= (SCD_LIMIT_WORKER_SILENT_MS - 1000) * MS_NS);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.workers_killed, 1);
	close(peer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, keeper_world_set_up, keeper_world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_pulses__silent_worker_is_killed_and_followed),
		TEST(test_pulses__connection_that_makes_workers_end_is_quarantined),
		TEST(test_pulses__kill_from_outside_is_nobodys_fault),
		TEST(test_pulses__neighbour_is_not_to_blame_when_it_is_known_who_is),
		TEST(test_pulses__suspects_are_told_apart),
		TEST(test_pulses__crash_of_another_thread_is_nobodys_fault),
		TEST(test_pulses__main_thread_that_hangs_ends_the_worker_and_is_nobodys_fault),
		TEST(test_pulses__only_the_silent_lane_is_to_blame),
		TEST(test_pulses__quarantined_connection_is_let_go_when_its_peer_has),
		TEST(test_pulses__time_in_which_the_keeper_does_not_run_does_not_count),
	};
#undef TEST

	return cmocka_run_group_tests_name("keeper/pulses", tests, NULL, NULL);
}
