/*
 * Growing arrays: items keep their values wherever they move, and nothing changes when memory is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "seccheckd/base/array.h"

#define MANY 1000u

static void test_array_grow__keeps_the_items_and_doubles(void **state)
{
	uint32_t *items = NULL;
	size_t count = 0, room = 0, moves = 0;

	(void)state;
	while (count < MANY) {
		size_t before = room;
		uint32_t *grown = scd_array_grow(items, count, &room, sizeof(*grown));

		assert_non_null(grown);
		assert_true(room > count && (room == before || before == 0 || room == 2 * before));
		moves += room != before;
		items = grown;
		items[count] = (uint32_t)count;
		count++;
	}
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(items[i], i);
	assert_true(moves < 12);
	free(items);
}

static void test_array_grow__leaves_all_as_it_was_when_it_cannot(void **state)
{
	uint32_t *items = NULL;
	size_t room = 0;

	(void)state;
	items = scd_array_grow(items, 0, &room, sizeof(*items));
	assert_non_null(items);
	items[0] = 42;
	size_t kept = room;
	assert_null(scd_array_grow(items, room, &room, SIZE_MAX / 2));
	assert_int_equal(room, kept);
	assert_int_equal(items[0], 42);
	free(items);
}

static void test_array_grow_in__keeps_the_items_until_the_arena_is_full(void **state)
{
	struct scd_arena arena;
	uint64_t *items = NULL;
	size_t count = 0, room = 0;

	(void)state;
	scd_arena_init(&arena, 256, 8192);
	for (;;) {
		uint64_t *grown = scd_array_grow_in(&arena, items, count, &room, sizeof(*grown));

		if (!grown)
			break;
		items = grown;
		items[count] = count;
		count++;
	}
	assert_true(count >= 256 && count == room);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(items[i], i);
	scd_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array_grow__keeps_the_items_and_doubles),
		cmocka_unit_test(test_array_grow__leaves_all_as_it_was_when_it_cannot),
		cmocka_unit_test(test_array_grow_in__keeps_the_items_until_the_arena_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
