/*
 * What takes the keeper minutes and hours, with times that are made up: its functions are called as its loop would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/internal.h"
#include "seccheckd/base/limits.h"
#include "tests/support/keeper_world.h"
#include "tests/support/peer.h"

#define SECOND_NS (1000 * SCD__MS_NS)
#define HOUR_NS   (3600 * SECOND_NS)

static int worker_that_hangs(void *user, const struct scd_worker_seat *seat)
{
	(void)user;
	(void)seat;
	return keeper_world_hang();
}

static int set_up(void **state)
{
	const struct scd_keeper_options options = { .lane_count = 2 };
	struct scd_keeper *keeper = NULL;
	struct scd_error err;

	if (scd_keeper_new(&options, &keeper, &err) < 0)
		return -1;
	keeper->worker_main = worker_that_hangs;
	*state = keeper;
	return 0;
}

static int tear_down(void **state)
{
	struct scd_keeper *keeper = *state;

	if (keeper->worker.pid > 0) {
		kill(keeper->worker.pid, SIGKILL);
		waitpid(keeper->worker.pid, NULL, 0);
	}
	scd_keeper_free(&keeper);
	return 0;
}

/* The worker ended by SIGKILL; true when it has. */
static bool was_killed(struct scd_keeper *keeper)
{
	int status;

	if (keeper->counters.workers_killed == 0)
		return false;
	assert_int_equal(waitpid(keeper->worker.pid, &status, 0), keeper->worker.pid);
	keeper->worker.pid = 0;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void test_deadlines__follower_has_a_minute_to_get_ready(void **state)
{
	const int64_t limit_ns = SCD_LIMIT_WORKER_LOADING_MS * SCD__MS_NS;
	struct scd_keeper *keeper = *state;

	keeper->was_ready = true;
	assert_int_equal(scd__worker_start(keeper, SECOND_NS), 0);
	assert_int_equal(scd__worker_due_ns(keeper), SECOND_NS + limit_ns);
	scd__worker_keep_time(keeper, SECOND_NS + limit_ns - 1);
	assert_false(was_killed(keeper));
	scd__worker_keep_time(keeper, SECOND_NS + limit_ns);
	assert_true(was_killed(keeper));
}

/* The first one loads what may be large, and there is nothing that another one could do better. */
static void test_deadlines__first_worker_has_all_the_time(void **state)
{
	struct scd_keeper *keeper = *state;

	assert_int_equal(scd__worker_start(keeper, SECOND_NS), 0);
	assert_true(scd__worker_due_ns(keeper) == SCD__NEVER_NS);
	scd__worker_keep_time(keeper, 1000 * HOUR_NS);
	assert_false(was_killed(keeper));
}

/* Late by a second or more: then it was not the lanes that did not run. */
static void test_deadlines__lane_is_silent_only_while_the_keeper_looks(void **state)
{
	struct scd_keeper *keeper = *state;
	struct scd__worker *worker = &keeper->worker;
	int64_t now_ns = SECOND_NS;

	assert_int_equal(scd__worker_start(keeper, now_ns), 0);
	scd__worker_ready(keeper, now_ns);
	scd_pulse_beat(&worker->pulses[0]);
	for (int i = 0; i < 100; i++) { /* comes late each time */
		now_ns = worker->look_at_ns + SECOND_NS;
		scd__worker_keep_time(keeper, now_ns);
	}
	assert_false(was_killed(keeper));
	for (int i = 0; i < 100; i++) { /* in time, and the lane beats */
		scd_pulse_beat(&worker->pulses[0]);
		now_ns = worker->look_at_ns;
		scd__worker_keep_time(keeper, now_ns);
	}
	assert_false(was_killed(keeper));
	for (unsigned i = 0; i < SCD_LIMIT_WORKER_SILENT_MS / 1000 - 1; i++) {
		now_ns = worker->look_at_ns;
		scd__worker_keep_time(keeper, now_ns);
	}
	assert_false(was_killed(keeper));
	scd__worker_keep_time(keeper, worker->look_at_ns);
	assert_true(was_killed(keeper));
}

/* A lane that has never beaten is not watched, and neither is one that was told to stop. */
static void test_deadlines__lane_is_watched_from_its_first_beat_to_the_order(void **state)
{
	struct scd_keeper *keeper = *state;
	struct scd__worker *worker = &keeper->worker;

	assert_int_equal(scd__worker_start(keeper, SECOND_NS), 0);
	scd__worker_ready(keeper, SECOND_NS);
	scd_pulse_beat(&worker->pulses[1]);
	worker->lanes[1].stop_sent = true;
	for (int i = 0; i < 100; i++)
		scd__worker_keep_time(keeper, worker->look_at_ns);
	assert_false(was_killed(keeper));
}

static struct scd__connection *add_held(struct scd_keeper *keeper, uint32_t lane)
{
	struct scd__connection *connection = scd__connections_add(&keeper->connections,
	                                                          open("/dev/null", O_RDONLY | O_CLOEXEC));

	assert_non_null(connection);
	connection->lane = lane;
	scd__connections_move(&keeper->connections, connection, SCD__CONNECTION_HELD);
	return connection;
}

/* The wait status of a process that crashed. */
static int crashed(void)
{
	return SIGSEGV;
}

static void test_deadlines__strikes_are_forgotten_after_an_hour(void **state)
{
	struct scd_keeper *keeper = *state;
	struct scd__connection *connection = add_held(keeper, 0);
	int64_t now_ns = SECOND_NS;

	assert_int_equal(scd__worker_start(keeper, now_ns), 0);
	scd_pulse_read(&keeper->worker.pulses[0], connection->id);
	for (int i = 0; i < 10; i++) { /* two in each hour or so are chance */
		scd__pulses_blame(keeper, crashed(), now_ns);
		scd__pulses_blame(keeper, crashed(), now_ns + HOUR_NS - 1);
		now_ns += 2 * HOUR_NS;
	}
	assert_int_equal(connection->state, SCD__CONNECTION_HELD);
	scd__pulses_blame(keeper, crashed(), now_ns);
	scd__pulses_blame(keeper, crashed(), now_ns + HOUR_NS - 1);
	scd__pulses_blame(keeper, crashed(), now_ns + 2 * HOUR_NS - 2);
	assert_int_equal(connection->state, SCD__CONNECTION_QUARANTINED);
	assert_int_equal(keeper->counters.quarantined, 1);
	assert_int_equal(keeper->counters.strikes, 23);
}

/* It blames a connection of another lane, one that it does not hold, and one that there is not. */
static void test_deadlines__worker_can_blame_only_what_it_holds(void **state)
{
	struct scd_keeper *keeper = *state;
	struct scd__connection *of_other_lane = add_held(keeper, 1), *waiting = add_held(keeper, 0);
	const uint64_t ids[] = { of_other_lane->id, waiting->id, waiting->id + 1, UINT64_MAX };

	scd__connections_move(&keeper->connections, waiting, SCD__CONNECTION_WAITING);
	assert_int_equal(scd__worker_start(keeper, SECOND_NS), 0);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		scd_pulse_read(&keeper->worker.pulses[0], ids[i]);
		scd__pulses_blame(keeper, crashed(), SECOND_NS);
	}
	assert_int_equal(keeper->counters.strikes, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_deadlines__follower_has_a_minute_to_get_ready),
		TEST(test_deadlines__first_worker_has_all_the_time),
		TEST(test_deadlines__lane_is_silent_only_while_the_keeper_looks),
		TEST(test_deadlines__lane_is_watched_from_its_first_beat_to_the_order),
		TEST(test_deadlines__strikes_are_forgotten_after_an_hour),
		TEST(test_deadlines__worker_can_blame_only_what_it_holds),
	};
#undef TEST

	return cmocka_run_group_tests_name("keeper/deadlines", tests, NULL, NULL);
}
