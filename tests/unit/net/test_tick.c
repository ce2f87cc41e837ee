/*
 * Which sessions are read when: the rhythms, and who goes before whom. Nothing here measures time: where a pause must
 * not end, or must, its end is set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "net/internal.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "tests/support/loop.h"
#include "tests/support/net_world.h"
#include "tests/support/peer.h"

/* The connections of a test, and their rhythms. */
enum { SMALL = 1, LARGE = 2, OTHER = 3 };

#define LARGE_BYTES  SCD_LIMIT_SNDBUF_BYTES
#define LARGE_RHYTHM (SCD__RHYTHMS - 1)

#define MIDDLE_BYTES  425984
#define MIDDLE_RHYTHM 1

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

struct wanted {
	const struct net_world *world;
	unsigned id, messages;
};

static bool has_come(void *user)
{
	const struct wanted *wanted = user;

	return wanted->world->messages[wanted->id] >= wanted->messages;
}

static void drive_to(struct net_world *world, unsigned id, unsigned messages)
{
	struct wanted wanted = { world, id, messages };

	assert_true(loop_run_until(&world->loop, has_come, &wanted));
}

static bool rests(const struct net_world *world, unsigned rhythm, uint64_t id)
{
	const struct scd__session *session;

	TAILQ_FOREACH(session, &world->net->rhythms[rhythm].resting, link)
	{
		if (session->id == id)
			return true;
	}
	return false;
}

static struct scd__session *session_of(const struct net_world *world, uint64_t id)
{
	struct scd__session *session;

	for (size_t i = 0; i < SCD__RHYTHMS; i++)
		TAILQ_FOREACH(session, &world->net->rhythms[i].resting, link)
	if (session->id == id)
		return session;
	TAILQ_FOREACH(session, &world->net->waiting, link)
	if (session->id == id)
		return session;
	return NULL;
}

static bool large_rests(void *user)
{
	return rests(user, LARGE_RHYTHM, LARGE);
}

static bool other_rests(void *user)
{
	return rests(user, MIDDLE_RHYTHM, OTHER);
}

static bool nobody_is_active(void *user)
{
	return ((const struct net_world *)user)->net->tick_due_ns == 0;
}

static void test_tick_rhythm__grows_with_the_buffer(void **state)
{
	static const struct {
		const char *name;
		uint32_t sndbuf_bytes;
		unsigned rhythm;
	} rows[] = {
		{ "not looked after", 0, 0 },
		{ "the kernel's default", 212992, 0 },
		{ "what the kernel's default lets be asked for", MIDDLE_BYTES, 1 },
		{ "a mebibyte", 1 << 20, 2 },
		{ "all that the keeper gives", SCD_LIMIT_SNDBUF_BYTES, 2 },
		{ "more than that", UINT32_MAX, 2 },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(scd__tick_rhythm(rows[i].sndbuf_bytes), rows[i].rhythm);
	}
}

/* One message may have cost more than a turn has, and nobody knows before: the clock is looked at after each. */
static void test_session_drain__ends_with_the_message_that_spent_the_time(void **state)
{
	struct net_world *world = *state;
	int small = net_world_connect(world, SMALL, 0);
	struct scd__quota quota = { .messages = 256, .bytes = 1 << 20, .deadline_ns = 1 };

	assert_int_equal(peer_send_header(small, 1, 0), 0);
	drive_to(world, SMALL, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(peer_send_header(small, 1, 0), 0);
	assert_int_equal(scd__session_drain(session_of(world, SMALL), &quota), SCD__DRAINED_MORE);
	assert_int_equal(world->messages[SMALL], 2);
	drive_to(world, SMALL, 4);
	close(small);
}

/* The large one has much to say, and its pause is not over: those with small buffers are read meanwhile. */
static void test_tick__a_large_buffer_is_left_alone_while_a_small_one_is_read(void **state)
{
	struct net_world *world = *state;
	int small = net_world_connect(world, SMALL, 0), large = net_world_connect(world, LARGE, LARGE_BYTES);

	assert_int_equal(peer_send_header(large, 1, 0), 0);
	assert_true(loop_run_until(&world->loop, large_rests, world));
	world->net->rhythms[LARGE_RHYTHM].due_ns = INT64_MAX;
	for (unsigned i = 1; i <= 10; i++) {
		assert_int_equal(peer_send_header(large, 1, 0), 0);
		assert_int_equal(peer_send_header(small, 1, 0), 0);
		drive_to(world, SMALL, i);
	}
	assert_in_range(world->messages[LARGE], 0, 1);
	world->net->rhythms[LARGE_RHYTHM].due_ns = 1;
	assert_int_equal(peer_send_header(small, 1, 0), 0);
	drive_to(world, LARGE, 11);
	close(small);
	close(large);
}

/* And its pause is shorter than that of the large one, which began before. */
static void test_tick__a_small_buffer_is_due_before_a_large_one(void **state)
{
	struct net_world *world = *state;
	int small = net_world_connect(world, SMALL, 0), large = net_world_connect(world, LARGE, LARGE_BYTES);
	struct scd__rhythm *rhythms;

	assert_int_equal(peer_send_header(large, 1, 0), 0);
	assert_true(loop_run_until(&world->loop, large_rests, world));
	rhythms = world->net->rhythms;
	rhythms[LARGE_RHYTHM].due_ns = INT64_MAX;
	assert_int_equal(peer_send_header(small, 1, 0), 0);
	drive_to(world, SMALL, 1);
	assert_true(rests(world, 0, SMALL));
	assert_true(rhythms[0].due_ns < rhythms[LARGE_RHYTHM].due_ns);
	assert_int_equal(world->net->tick_due_ns, rhythms[0].due_ns);
	close(small);
	close(large);
}

/* Its turns follow each other until it is empty, and another one goes on to rest meanwhile. */
static void test_tick__a_backlog_is_read_on_without_a_pause(void **state)
{
	enum { BACKLOG = 1000, TURN = 256 };
	struct net_world *world = *state;
	int large = net_world_connect(world, LARGE, LARGE_BYTES), other = net_world_connect(world, OTHER, MIDDLE_BYTES);

	if (!peer_enlarge(large, 4 << 20))
		skip();
	assert_int_equal(peer_send_header(other, 1, 0), 0);
	assert_true(loop_run_until(&world->loop, other_rests, world));
	world->net->rhythms[MIDDLE_RHYTHM].due_ns = INT64_MAX;
	assert_int_equal(peer_send_header(other, 1, 0), 0);
	for (unsigned i = 0; i < BACKLOG; i++)
		assert_int_equal(peer_send_header(large, 1, 0), 0);
	drive_to(world, LARGE, TURN);
	world->net->rhythms[LARGE_RHYTHM].due_ns = INT64_MAX; /* no pause would end */
	drive_to(world, LARGE, BACKLOG);
	assert_in_range(world->messages[OTHER], 0, 1);
	assert_true(scd_net_counters(world->net)->ticks_over_budget >= BACKLOG / TURN);
	close(large);
	close(other);
}

/* Of each rhythm: nothing that does not stop by itself. */
static void test_tick__sessions_of_every_rhythm_go_back_to_waiting(void **state)
{
	static const uint32_t buffers[SCD__RHYTHMS] = { 0, MIDDLE_BYTES, LARGE_BYTES };
	struct net_world *world = *state;
	int peers[SCD__RHYTHMS];

	for (unsigned i = 0; i < SCD__RHYTHMS; i++) {
		peers[i] = net_world_connect(world, i, buffers[i]);
		assert_int_equal(peer_send_header(peers[i], 1, 0), 0);
		drive_to(world, i, 1);
	}
	assert_true(loop_run_until(&world->loop, nobody_is_active, world));
	for (unsigned i = 0; i < SCD__RHYTHMS; i++) {
		assert_int_equal(peer_send_header(peers[i], 1, 0), 0);
		drive_to(world, i, 2);
		close(peers[i]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tick_rhythm__grows_with_the_buffer),
		TEST(test_session_drain__ends_with_the_message_that_spent_the_time),
		TEST(test_tick__a_large_buffer_is_left_alone_while_a_small_one_is_read),
		TEST(test_tick__a_small_buffer_is_due_before_a_large_one),
		TEST(test_tick__a_backlog_is_read_on_without_a_pause),
		TEST(test_tick__sessions_of_every_rhythm_go_back_to_waiting),
	};
#undef TEST

	return cmocka_run_group_tests_name("net/tick", tests, NULL, NULL);
}
