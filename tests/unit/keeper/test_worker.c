/*
 * Workers that end, and those that follow them: what is resumed, how soon, and what an order to stop means meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "tests/support/child.h"
#include "tests/support/keeper_world.h"
#include "tests/support/peer.h"

#define MS_NS INT64_C(1000000)

/* Without a sanitizer's report, and without a core. */
static void die(int signal_number)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void report_connection(const struct keeper_world *world, const struct scd_custody *message, uint64_t value)
{
	struct keeper_report report = {
		.from = 'C',
		.value = value,
		.id = message->connection_id,
		.resumed = message->resumed,
	};

	memcpy(report.nonce, message->nonce, sizeof(report.nonce));
	keeper_world_report(world, &report);
}

/* Reports every connection with the number of this worker, until STOP. */
static int report_until_stop(const struct keeper_world *world, int control_fd, unsigned number)
{
	struct scd_custody message = { 0 };

	while (keeper_world_hear(control_fd, &message, NULL) && message.kind == SCD_CUSTODY_CONNECTION)
		report_connection(world, &message, number);
	return message.kind == SCD_CUSTODY_STOP ? 7 : 8;
}

/* The first ones die with their first connection; shared->order says how many. */
static int worker_that_dies_with_a_connection(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);
	struct scd_custody message = { 0 };

	keeper_world_tell_ready(seat);
	if (number > world->shared->order)
		return report_until_stop(world, seat->control_fds[0], number);
	if (!keeper_world_hear(seat->control_fds[0], &message, NULL))
		return 1;
	report_connection(world, &message, number);
	if (number % 2)
		die(SIGSEGV);
	return 1; /* without an order that is a death, too */
}

static void test_worker__is_followed_by_another_with_the_same_connections(void **state)
{
	struct keeper_world *world = *state;
	struct keeper_report first, again;
	struct scd_keeper_counters counters;
	int peer;

	world->shared->order = 1;
	keeper_world_start(world, worker_that_dies_with_a_connection);
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	first = keeper_world_next(world, 'C');
	again = keeper_world_next(world, 'C');
	assert_int_equal(first.value, 1);
	assert_int_equal(again.value, 2);
	assert_int_equal(first.id, again.id);
	assert_false(first.resumed);
	assert_true(again.resumed);
	/* Numbers of messages begin anew: with the old nonce, two alerts would have one id. */
	assert_memory_not_equal(first.nonce, again.nonce, sizeof(first.nonce));
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.workers_started, 2);
	assert_int_equal(counters.workers_died, 1);
	assert_int_equal(counters.workers_killed, 0);
	assert_int_equal(counters.handed_over, 2);
	assert_int_equal(counters.resumed, 1);
	assert_int_equal(counters.answered, 1);
	close(peer);
}

static int worker_that_calls_its_end_final(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);

	keeper_world_tell_ready(seat);
	keeper_world_say(world, number);
	return number < 3 ? SCD_WORKER_EXIT_FINAL : report_until_stop(world, seat->control_fds[0], number);
}

static bool no_end_is_final(void)
{
	return false;
}

static void test_worker__cannot_end_the_daemon_when_the_keeper_sees_no_reason(void **state)
{
	struct keeper_world *world = *state;

	bool (*const judges[])(void) = { no_end_is_final, NULL };

	for (size_t i = 0; i < sizeof(judges) / sizeof(judges[0]); i++) {
		world->shared->starts = 0;
		world->may_be_final = judges[i];
		keeper_world_start(world, worker_that_calls_its_end_final);
		for (unsigned number = 1; number <= 3; number++)
			assert_int_equal(keeper_world_next(world, 'W').value, number);
		assert_int_equal(keeper_world_stop(world, 7).workers_died, 2);
	}
}

static void test_worker__is_followed_as_often_as_it_takes(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	enum { DEATHS = 8 };
	int peer;

	world->shared->order = DEATHS;
	keeper_world_start(world, worker_that_dies_with_a_connection);
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	for (unsigned i = 1; i <= DEATHS + 1; i++)
		assert_int_equal(keeper_world_next(world, 'C').value, i);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.workers_died, DEATHS);
	assert_int_equal(counters.resumed, DEATHS);
	close(peer);
}

/* Takes two connections, keeps a copy of nothing, and dies; its follower reports what it gets. */
static int worker_that_dies_with_three(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);
	struct scd_custody message = { 0 };

	keeper_world_tell_ready(seat);
	if (number > 1) {
		keeper_world_say(world, number);
		return report_until_stop(world, seat->control_fds[0], number);
	}
	for (int i = 0; i < 3; i++) {
		if (!keeper_world_hear(seat->control_fds[0], &message, NULL))
			return 1;
		report_connection(world, &message, 1);
	}
	die(SIGABRT);
	return 1;
}

static void test_worker__resumes_in_the_order_of_arrival(void **state)
{
	struct keeper_world *world = *state;
	int peers[3];

	keeper_world_start(world, worker_that_dies_with_three);
	for (size_t i = 0; i < 3; i++) {
		peers[i] = peer_join(world->path);
		assert_true(peers[i] >= 0);
	}
	for (uint64_t worker = 1; worker <= 2; worker++) {
		for (uint64_t id = 1; id <= 3; id++) {
			struct keeper_report report = keeper_world_next(world, 'C');

			assert_int_equal(report.value, worker);
			assert_int_equal(report.id, id);
		}
	}
	keeper_world_stop(world, 7);
	for (size_t i = 0; i < 3; i++)
		close(peers[i]);
}

/* Reads one message of its connection and dies; the follower reads all that is left, in order. */
static int worker_that_reads_one(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	struct scd_custody message = { 0 };
	int fd = -1;
	bool first = keeper_world_enter(world) == 1;
	char byte = 0;

	keeper_world_tell_ready(seat);
	if (!keeper_world_hear(seat->control_fds[0], &message, &fd) || fd < 0)
		return 1;
	do {
		if (peer_wait(fd, POLLIN, PEER_DEADLINE_MS) < 0 || recv(fd, &byte, 1, 0) != 1)
			return 1;
		keeper_world_say(world, (uint64_t)byte);
	} while (!first && byte != 'e');
	if (first)
		die(SIGBUS);
	close(fd);
	return report_until_stop(world, seat->control_fds[0], 2);
}

static void test_worker__follower_reads_on_where_the_last_one_stopped(void **state)
{
	struct keeper_world *world = *state;
	int peer;

	keeper_world_start(world, worker_that_reads_one);
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	for (const char *byte = "abcde"; *byte; byte++)
		assert_int_equal(peer_send(peer, byte, 1), 0);
	for (const char *byte = "abcde"; *byte; byte++)
		assert_int_equal(keeper_world_next(world, 'W').value, *byte);
	keeper_world_stop(world, 7);
	close(peer);
}

/* The second one says nothing until it is told to by shared->order, so that the test sees the time without a worker. */
static int worker_that_comes_late(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);

	if (number > 1) {
		keeper_world_say(world, number);
		while (world->shared->order == 0)
			peer_wait(-1, 0, 1);
	}
	keeper_world_tell_ready(seat);
	if (number == 1)
		die(SIGSEGV);
	return report_until_stop(world, seat->control_fds[0], number);
}

static void test_worker__connections_are_answered_while_there_is_none(void **state)
{
	struct keeper_world *world = *state;
	int peer;

	keeper_world_start(world, worker_that_comes_late);
	assert_int_equal(keeper_world_next(world, 'W').value, 2);
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	world->shared->order = 1;
	assert_false(keeper_world_next(world, 'C').resumed);
	keeper_world_stop(world, 7);
	close(peer);
}

/* Ends before it is ready, but for the first and the fourth. */
static int worker_that_sometimes_loads(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);

	if (number == 2)
		return 1;
	if (number == 3)
		die(SIGKILL);
	keeper_world_tell_ready(seat);
	if (number == 1)
		die(SIGKILL);
	keeper_world_say(world, number);
	return report_until_stop(world, seat->control_fds[0], number);
}

static void test_worker__is_followed_also_when_a_later_one_does_not_get_ready(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;

	keeper_world_start(world, worker_that_sometimes_loads);
	assert_int_equal(keeper_world_next(world, 'W').value, 4);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.workers_died, 3);
}

/* Each says when it is there, and dies. */
static int worker_that_dies_at_once(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;

	keeper_world_enter(world);
	keeper_world_tell_ready(seat);
	keeper_world_say(world, (uint64_t)scd_clock_mono_ns());
	die(SIGKILL);
	return 1;
}

static void test_worker__waits_longer_the_more_of_them_die_at_once(void **state)
{
	const int64_t waits_ms[] = { 0, 10, 20, 40, 80, 160, 250, 250 };
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int64_t before;

	keeper_world_start(world, worker_that_dies_at_once);
	before = (int64_t)keeper_world_next(world, 'W').value;
	for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
		int64_t at = (int64_t)keeper_world_next(world, 'W').value;

		/* Never sooner; how much later depends on the machine. */
		assert_true(at - before >= waits_ms[i] * MS_NS);
		before = at;
	}
	/* Nothing is connected: nothing is left to be read, and there is nobody to ask what became of alerts. */
	counters = keeper_world_stop(world, 1);
	assert_true(counters.workers_died >= 8);
}

/* Closes its control socket and stays; the second one is well. */
static int worker_that_hangs_up_first(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);

	keeper_world_tell_ready(seat);
	if (number == 1) {
		close(seat->control_fds[0]);
		return keeper_world_hang();
	}
	keeper_world_say(world, number);
	return report_until_stop(world, seat->control_fds[0], number);
}

static void test_worker__that_hangs_up_is_killed_and_followed(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;

	keeper_world_start(world, worker_that_hangs_up_first);
	assert_int_equal(keeper_world_next(world, 'W').value, 2);
	counters = keeper_world_stop(world, 7);
	assert_int_equal(counters.workers_killed, 1);
	assert_int_equal(counters.workers_died, 1);
}

/* Dies when it hears the order, as long as shared->order is over 0; the last one does as it is told. */
static int worker_that_dies_of_the_order(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);
	int status;

	keeper_world_tell_ready(seat);
	status = report_until_stop(world, seat->control_fds[0], number);
	if (number <= world->shared->order)
		die(SIGSEGV);
	return status;
}

static void test_worker__that_dies_while_it_stops_is_followed_for_what_is_left(void **state)
{
	struct keeper_world *world = *state;
	struct scd_keeper_counters counters;
	int peer;

	world->shared->order = 2;
	keeper_world_start(world, worker_that_dies_of_the_order);
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	assert_int_equal(keeper_world_next(world, 'C').value, 1);
	kill(world->pid, SIGTERM);
	assert_int_equal(keeper_world_next(world, 'C').value, 2);
	assert_int_equal(keeper_world_next(world, 'C').value, 3);
	/* What the dead ones had read and not told is lost. */
	counters = keeper_world_finish(world, 1);
	assert_int_equal(counters.workers_died, 2);
	assert_int_equal(counters.workers_killed, 0);
	close(peer);
}

/* Dies with its connection until the order to stop, which the test sends while there is no worker. */
static int worker_that_dies_until_the_order(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);
	struct scd_custody message = { 0 };

	keeper_world_tell_ready(seat);
	if (!keeper_world_hear(seat->control_fds[0], &message, NULL))
		return 1;
	report_connection(world, &message, (uint64_t)getpid());
	if (world->shared->order == 0)
		die(SIGSEGV);
	return report_until_stop(world, seat->control_fds[0], number);
}

/* Until the keeper has collected it. */
static void wait_until_reaped(pid_t pid)
{
	for (int i = 0; i < PEER_DEADLINE_MS && kill(pid, 0) == 0; i++)
		peer_wait(-1, 0, 1);
	assert_int_equal(kill(pid, 0), -1);
}

static void test_worker__is_started_for_what_waits_when_the_order_comes_while_there_is_none(void **state)
{
	struct keeper_world *world = *state;
	pid_t dead = 0;
	int peer;

	keeper_world_start(world, worker_that_dies_until_the_order);
	peer = peer_join(world->path);
	assert_true(peer >= 0);
	for (unsigned i = 1; i <= 8; i++)
		dead = (pid_t)keeper_world_next(world, 'C').value;
	wait_until_reaped(dead); /* now there is none for a quarter of a second */
	world->shared->order = 1;
	kill(world->pid, SIGTERM);
	assert_int_not_equal(keeper_world_next(world, 'C').value, dead);
	keeper_world_finish(world, 7);
	close(peer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, keeper_world_set_up, keeper_world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_worker__is_followed_by_another_with_the_same_connections),
		TEST(test_worker__cannot_end_the_daemon_when_the_keeper_sees_no_reason),
		TEST(test_worker__is_followed_as_often_as_it_takes),
		TEST(test_worker__resumes_in_the_order_of_arrival),
		TEST(test_worker__follower_reads_on_where_the_last_one_stopped),
		TEST(test_worker__connections_are_answered_while_there_is_none),
		TEST(test_worker__is_followed_also_when_a_later_one_does_not_get_ready),
		TEST(test_worker__waits_longer_the_more_of_them_die_at_once),
		TEST(test_worker__that_hangs_up_is_killed_and_followed),
		TEST(test_worker__that_dies_while_it_stops_is_followed_for_what_is_left),
		TEST(test_worker__is_started_for_what_waits_when_the_order_comes_while_there_is_none),
	};
#undef TEST

	return cmocka_run_group_tests_name("keeper/worker", tests, NULL, NULL);
}
