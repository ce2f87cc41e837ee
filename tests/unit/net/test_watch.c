/*
 * What happens because time goes by: the pulse, and who has stayed silent. The tests say what time it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "net/internal.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "tests/support/loop.h"
#include "tests/support/net_world.h"
#include "tests/support/peer.h"

#define SILENT_NS (SCD_LIMIT_SILENT_MS * INT64_C(1000000))

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct net_world));
	net_world_open(*state);
	return 0;
}

static int tear_down(void **state)
{
	net_world_close(*state);
	free(*state);
	return 0;
}

static uint64_t beats(const struct net_world *world)
{
	return atomic_load(&world->pulse.beat);
}

static bool has_two(void *user)
{
	return scd_net_session_count(((struct net_world *)user)->net) == 2;
}

static bool has_none(void *user)
{
	return scd_net_session_count(((struct net_world *)user)->net) == 0;
}

static bool has_beaten_twice(void *user)
{
	return beats(user) >= 2;
}

static bool has_read_a_message(void *user)
{
	return ((struct net_world *)user)->messages[1] > 0;
}

static bool has_stopped(void *user)
{
	return ((struct net_world *)user)->stopped;
}

/* Connections 1 and 2, of which the second is younger by a nanosecond at least. */
static void connect_two(struct net_world *world, int ret_peers[2])
{
	ret_peers[0] = net_world_connect(world, 1, 0);
	ret_peers[1] = net_world_connect(world, 2, 0);
	assert_true(loop_run_until(&world->loop, has_two, world));
}

static int64_t opened_ns(const struct net_world *world)
{
	return TAILQ_FIRST(&world->net->unheard)->opened_ns;
}

static void test_watch__beats_although_nothing_comes(void **state)
{
	assert_true(loop_run_until(&((struct net_world *)*state)->loop, has_beaten_twice, *state));
}

static void test_watch__the_pulse_names_what_is_being_read(void **state)
{
	struct net_world *world = *state;
	int peer = net_world_connect(world, 1, 0);

	assert_int_equal(peer_send_header(peer, 1, 0), 0);
	assert_true(loop_run_until(&world->loop, has_read_a_message, world));
	assert_int_equal(world->reading[1], 1);
	assert_int_equal(atomic_load(&world->pulse.connection_id), 0);
	assert_true(beats(world) > 0);
	close(peer);
}

/* The last pass is part of the work, and a message may hang it as well. */
static void test_watch__the_pulse_goes_on_in_the_last_pass_and_behind_it(void **state)
{
	struct net_world *world = *state;
	int peer = net_world_connect(world, 1, 0);
	uint64_t before;

	assert_int_equal(peer_send_header(peer, 1, 0), 0);
	net_world_say_stop(world);
	before = beats(world);
	assert_true(loop_run_until(&world->loop, has_stopped, world));
	assert_true(beats(world) > before);
	assert_int_equal(world->reading[1], 1);
	assert_int_equal(atomic_load(&world->pulse.connection_id), 0);
	atomic_store(&world->pulse.beat, 0);
	assert_true(loop_run_until(&world->loop, has_beaten_twice, world));
	close(peer);
}

static void test_watch__tells_once_of_a_session_that_stays_silent(void **state)
{
	struct net_world *world = *state;
	int peers[2];
	int64_t first_ns;

	connect_two(world, peers);
	first_ns = opened_ns(world);
	scd__watch_look(world->net, first_ns + SILENT_NS - 1);
	assert_int_equal(world->silents[1] + world->silents[2], 0);
	scd__watch_look(world->net, first_ns + SILENT_NS);
	assert_int_equal(world->silents[1], 1);
	assert_int_equal(world->silents[2], 0);
	scd__watch_look(world->net, scd_clock_mono_ns() + SILENT_NS);
	scd__watch_look(world->net, scd_clock_mono_ns() + 10 * SILENT_NS);
	assert_int_equal(world->silents[1], 1);
	assert_int_equal(world->silents[2], 1);
	assert_int_equal(scd_net_counters(world->net)->silent, 2);
	close(peers[0]);
	close(peers[1]);
}

/* It is as good as silent, also while it goes on like that. */
static void test_watch__one_whose_messages_say_nothing_is_silent(void **state)
{
	struct net_world *world = *state;
	int peers[2];
	int64_t start_ns;

	connect_two(world, peers);
	start_ns = opened_ns(world);
	world->answer = 1;
	assert_int_equal(peer_send_header(peers[0], 60000, 0), 0);
	assert_true(loop_run_until(&world->loop, has_read_a_message, world));
	assert_int_equal(peer_send_header(peers[0], 60000, 0), 0);
	scd__watch_look(world->net, start_ns + 2 * SILENT_NS);
	assert_int_equal(world->silents[1], 1);
	close(peers[0]);
	close(peers[1]);
}

static void test_watch__one_that_said_something_is_not_silent_later(void **state)
{
	struct net_world *world = *state;
	int peers[2];

	connect_two(world, peers);
	assert_int_equal(peer_send_header(peers[0], 1, 0), 0);
	assert_true(loop_run_until(&world->loop, has_read_a_message, world));
	scd__watch_look(world->net, scd_clock_mono_ns() + 10 * SILENT_NS);
	assert_int_equal(world->silents[1], 0);
	assert_int_equal(world->silents[2], 1);
	close(peers[0]);
	close(peers[1]);
}

/* The loop was kept busy for so long that the message could not be read yet: that is our silence. */
static void test_watch__what_waits_to_be_read_is_no_silence(void **state)
{
	struct net_world *world = *state;
	int peers[2];

	connect_two(world, peers);
	assert_int_equal(peer_send_header(peers[0], 1, 0), 0);
	close(peers[1]);
	scd__watch_look(world->net, scd_clock_mono_ns() + SILENT_NS);
	assert_int_equal(world->silents[1] + world->silents[2], 0);
	assert_true(loop_run_until(&world->loop, has_read_a_message, world));
	close(peers[0]);
}

static void test_watch__one_that_ended_is_forgotten(void **state)
{
	struct net_world *world = *state;
	int peers[2];

	connect_two(world, peers);
	close(peers[0]);
	close(peers[1]);
	assert_true(loop_run_until(&world->loop, has_none, world));
	scd__watch_look(world->net, scd_clock_mono_ns() + SILENT_NS);
	assert_int_equal(world->silents[1] + world->silents[2], 0);
}

static bool knows_of_the_quarantine(void *user)
{
	struct net_world *world = user;

	return world->unwatched[3] > 0;
}

/* No socket comes with it, and no session follows. */
static void test_watch__hears_of_a_connection_that_nobody_reads_any_more(void **state)
{
	struct net_world *world = *state;

	net_world_say_quarantined(world, 3);
	assert_true(loop_run_until(&world->loop, knows_of_the_quarantine, world));
	assert_int_equal(world->unwatched[3], 1);
	assert_int_equal(scd_net_session_count(world->net), 0);
	assert_int_equal(scd_net_counters(world->net)->control_errors, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_watch__beats_although_nothing_comes),
		TEST(test_watch__the_pulse_names_what_is_being_read),
		TEST(test_watch__the_pulse_goes_on_in_the_last_pass_and_behind_it),
		TEST(test_watch__tells_once_of_a_session_that_stays_silent),
		TEST(test_watch__one_whose_messages_say_nothing_is_silent),
		TEST(test_watch__one_that_said_something_is_not_silent_later),
		TEST(test_watch__what_waits_to_be_read_is_no_silence),
		TEST(test_watch__one_that_ended_is_forgotten),
		TEST(test_watch__hears_of_a_connection_that_nobody_reads_any_more),
	};
#undef TEST

	return cmocka_run_group_tests_name("net/watch", tests, NULL, NULL);
}
