/*
 * Clients that misbehave before or at their handshake, each beside a good one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seccheckd/base/array.h"
#include "tests/support/hostile.h"
#include "tests/support/peer.h"

static void say_nothing(struct scene *scene)
{
	hostile_connect(scene);
}

static void say_nothing_often(struct scene *scene)
{
	for (int i = 0; i < 100; i++)
		hostile_connect(scene);
}

static void send_first(struct scene *scene, const char *bytes, size_t len)
{
	int fd = hostile_connect(scene);

	assert_int_equal(peer_send(fd, bytes, len), 0);
	assert_int_equal(peer_wait_closed(fd, PEER_DEADLINE_MS), 0);
}

static void greet_with_garbage(struct scene *scene)
{
	send_first(scene, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
}

static void greet_with_version_0(struct scene *scene)
{
	send_first(scene, "\x08\x00", 2);
}

static void greet_with_nothing(struct scene *scene)
{
	send_first(scene, "", 0);
}

static void greet_with_too_much(struct scene *scene)
{
	char bytes[4096] = { 0x08, 0x01 };

	send_first(scene, bytes, sizeof(bytes));
}

static void leave_at_once(struct scene *scene)
{
	hostile_connect(scene);
	hostile_close(scene);
}

/* One byte at a time: a message of SEQPACKET is whole, so the first byte is the handshake, and it is none. */
static void greet_in_two_halves(struct scene *scene)
{
	send_first(scene, "\x08", 1);
}

/* Others are served meanwhile, and then it is, too. */
static void greet_late(struct scene *scene)
{
	int fd = hostile_connect(scene);

	hostile_join(scene);
	assert_int_equal(peer_greet(fd, PEER_DEADLINE_MS), 0);
	hostile_send_header(scene, fd, HOSTILE_UNKNOWN_TYPE);
}

static void test_serve__good_client_is_served_beside_one_that(void **state)
{
	static const struct hostile rows[] = {
		{ "says nothing", say_nothing, 0, 0, 0, 0, 0, 0 },
		{ "says nothing a hundred times", say_nothing_often, 0, 0, 0, 0, 0, 0 },
		{ "greets with garbage", greet_with_garbage, 1, 0, 0, 0, 0, 0 },
		{ "greets with version 0", greet_with_version_0, 1, 0, 0, 0, 0, 0 },
		{ "greets with an empty message", greet_with_nothing, 1, 0, 0, 0, 0, 0 },
		{ "greets with too much", greet_with_too_much, 1, 0, 0, 0, 0, 0 },
		{ "greets in two halves", greet_in_two_halves, 1, 0, 0, 0, 0, 0 },
		{ "greets late", greet_late, 0, 0, 0, 1, 0, 0 },
		{ "leaves at once", leave_at_once, 1, 0, 0, 0, 0, 0 },
	};

	scene_play(*state, rows, SCD_COUNT(rows));
}

/* A silent client is not waited for longer than its deadline. */
static void test_serve__silent_client_is_closed(void **state)
{
	struct scene *scene = *state;

	scene_start(scene);
	assert_int_equal(peer_wait_closed(hostile_connect(scene), PEER_DEADLINE_MS), 0);
	assert_int_equal(serve_stop(&scene->serve), 0);
	assert_int_equal(scene->serve.result.keeper.timed_out, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_serve__good_client_is_served_beside_one_that),
		TEST(test_serve__silent_client_is_closed),
	};
#undef TEST

	return cmocka_run_group_tests_name("hostile/greetings", tests, NULL, NULL);
}
