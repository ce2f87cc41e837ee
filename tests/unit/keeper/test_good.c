/*
 * What one worker keeps for the next one: it is handed on only if nobody can change it any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "keeper/good.h"
#include "tests/support/keeper_world.h"
#include "tests/support/peer.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

static void test_good__is_what_was_sealed(void **state)
{
	size_t before = peer_open_descriptors();
	struct scd__good good;
	int kept;

	(void)state;
	scd__good_init(&good);
	scd__good_prepare(&good);
	kept = good.keep_fd;
	assert_true(kept >= 0);
	assert_int_equal(good.good_fd, -1);
	assert_int_equal(write(kept, "x", 1), 1);
	assert_int_equal(fcntl(kept, F_ADD_SEALS, SEALS), 0);
	scd__good_accept(&good);
	assert_int_equal(good.good_fd, kept);
	assert_int_equal(good.keep_fd, -1);
	scd__good_prepare(&good); /* there is nothing to write any more */
	assert_int_equal(good.good_fd, kept);
	assert_int_equal(good.keep_fd, -1);
	scd__good_accept(&good);
	assert_int_equal(good.good_fd, kept);
	scd__good_done(&good);
	assert_int_equal(peer_open_descriptors(), before);
}

static void test_good__without_all_seals_is_written_again(void **state)
{
	const int seals[] = { 0, F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_GROW, F_SEAL_SHRINK | F_SEAL_GROW };
	size_t before = peer_open_descriptors();
	struct scd__good good;

	(void)state;
	scd__good_init(&good);
	for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		scd__good_prepare(&good);
		assert_int_equal(write(good.keep_fd, "x", 1), 1);
		assert_int_equal(fcntl(good.keep_fd, F_ADD_SEALS, seals[i]), 0);
		scd__good_accept(&good);
		assert_int_equal(good.good_fd, -1);
		assert_int_equal(good.keep_fd, -1);
	}
	scd__good_done(&good);
	assert_int_equal(peer_open_descriptors(), before);
}

/* Tells what its seat has: 1 keep_fd, 2 good_fd, and the first byte that is kept. Dies, but for the fourth. */
static int worker_that_keeps(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);
	char byte = (char)('0' + number);
	struct scd_custody message = { 0 };

	keeper_world_say(world, (uint64_t)((seat->keep_fd >= 0) | (seat->good_fd >= 0) << 1));
	if (seat->good_fd >= 0 && pread(seat->good_fd, &byte, 1, 0) == 1)
		keeper_world_say(world, (uint64_t)byte);
	if (seat->keep_fd >= 0 && write(seat->keep_fd, &byte, 1) != 1)
		return 1;
	/* The first one seals too little: what it kept it could still change. */
	if (seat->keep_fd >= 0 && fcntl(seat->keep_fd, F_ADD_SEALS, number == 1 ? F_SEAL_GROW : SEALS) < 0)
		return 1;
	keeper_world_tell_ready(seat);
	if (number < 4)
		return 1;
	return keeper_world_hear(seat->control_fds[0], &message, NULL) ? 7 : 8;
}

static void test_good__is_handed_on_from_worker_to_worker(void **state)
{
	/* The second one writes again, and the third and the fourth read what the second one wrote. */
	const uint64_t expected[] = { 1, 1, 2, '2', 2, '2' };
	struct keeper_world *world = *state;

	keeper_world_start(world, worker_that_keeps);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(keeper_world_next(world, 'W').value, expected[i]);
	keeper_world_stop(world, 7);
}

/* What a worker wrote that never got ready is not good, sealed or not. */
static int worker_that_keeps_what_is_bad(void *user, const struct scd_worker_seat *seat)
{
	const struct keeper_world *world = user;
	unsigned number = keeper_world_enter(world);
	struct scd_custody message = { 0 };

	keeper_world_say(world, (uint64_t)((seat->keep_fd >= 0) | (seat->good_fd >= 0) << 1));
	if (number == 2 && fcntl(seat->keep_fd, F_ADD_SEALS, SEALS) == 0)
		return 1;
	keeper_world_tell_ready(seat);
	if (number < 3)
		return 1;
	return keeper_world_hear(seat->control_fds[0], &message, NULL) ? 7 : 8;
}

static void test_good__is_not_what_no_worker_was_ready_with(void **state)
{
	struct keeper_world *world = *state;

	keeper_world_start(world, worker_that_keeps_what_is_bad);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(keeper_world_next(world, 'W').value, 1);
	keeper_world_stop(world, 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, keeper_world_set_up, keeper_world_tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good__is_what_was_sealed),
		cmocka_unit_test(test_good__without_all_seals_is_written_again),
		TEST(test_good__is_handed_on_from_worker_to_worker),
		TEST(test_good__is_not_what_no_worker_was_ready_with),
	};
#undef TEST

	return cmocka_run_group_tests_name("keeper/good", tests, NULL, NULL);
}
