/*
 * Arenas: alignment, caps, chunks of their own, resets; and, where AddressSanitizer is on, what it can see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seccheckd/base/arena.h"

#define CHUNK 1024u

static void test_arena_alloc__aligns_to_sixteen_bytes_and_does_not_overlap(void **state)
{
	struct scd_arena arena;
	unsigned char *previous = NULL;
	size_t previous_bytes = 0;

	(void)state;
	scd_arena_init(&arena, CHUNK, 0);
	for (size_t bytes = 0; bytes < 3 * CHUNK; bytes += 37) {
		unsigned char *data = scd_arena_alloc(&arena, bytes);

		assert_non_null(data);
		assert_int_equal((uintptr_t)data % 16, 0);
		memset(data, (int)(bytes & 0xff), bytes);
		for (size_t i = 0; i < previous_bytes; i++)
			assert_int_equal(previous[i], previous_bytes & 0xff);
		previous = data;
		previous_bytes = bytes;
	}
	scd_arena_done(&arena);
}

static void test_arena_alloc__gives_distinct_pointers_for_nothing(void **state)
{
	struct scd_arena arena;
	void *first, *second;

	(void)state;
	scd_arena_init(&arena, CHUNK, 0);
	first = scd_arena_alloc(&arena, 0);
	second = scd_arena_alloc(&arena, 0);
	assert_non_null(first);
	assert_non_null(second);
	assert_ptr_not_equal(first, second);
	scd_arena_done(&arena);
}

static void test_arena_alloc__gives_up_at_the_cap_and_works_below_it(void **state)
{
	struct scd_arena arena;
	size_t taken = 0;

	(void)state;
	scd_arena_init(&arena, CHUNK, 10 * CHUNK);
	while (scd_arena_alloc(&arena, 100)) {
		taken += 100;
		assert_true(arena.used_bytes <= arena.max_bytes);
	}
	assert_in_range(taken, 7 * CHUNK, 10 * CHUNK);
	assert_null(scd_arena_alloc(&arena, CHUNK));
	scd_arena_reset(&arena);
	assert_non_null(scd_arena_alloc(&arena, CHUNK));
	scd_arena_done(&arena);
}

static void test_arena_alloc__uses_a_cap_smaller_than_a_chunk(void **state)
{
	struct scd_arena arena;

	(void)state;
	scd_arena_init(&arena, 1u << 20, 256);
	assert_non_null(scd_arena_alloc(&arena, 100));
	assert_null(scd_arena_alloc(&arena, 200));
	assert_non_null(scd_arena_alloc(&arena, 50));
	assert_true(arena.used_bytes <= 256);
	scd_arena_done(&arena);
}

static void test_arena_alloc__refuses_sizes_that_would_wrap(void **state)
{
	struct scd_arena arena;

	(void)state;
	scd_arena_init(&arena, CHUNK, 0);
	for (size_t less = 0; less < 32; less++)
		assert_null(scd_arena_alloc(&arena, SIZE_MAX - less));
	assert_null(scd_arena_zalloc(&arena, SIZE_MAX / 2, 3));
	assert_null(scd_arena_zalloc(&arena, (size_t)1 << 33, (size_t)1 << 33));
	assert_int_equal(arena.used_bytes, 0);
	scd_arena_done(&arena);
}

static void test_arena_alloc__puts_a_large_one_aside_and_goes_on_in_its_chunk(void **state)
{
	struct scd_arena arena;
	char *before, *large, *after;

	(void)state;
	scd_arena_init(&arena, CHUNK, 0);
	before = scd_arena_alloc(&arena, 16);
	large = scd_arena_alloc(&arena, 5 * CHUNK);
	after = scd_arena_alloc(&arena, 16);
	assert_non_null(large);
	assert_ptr_equal(after, before + 16);
	assert_in_range(arena.used_bytes, 6 * CHUNK, 6 * CHUNK + 64);
	scd_arena_done(&arena);
}

static void test_arena_alloc__counts_what_it_refuses_until_the_next_reset(void **state)
{
	struct scd_arena arena;

	(void)state;
	scd_arena_init(&arena, 256, 1024);
	assert_null(scd_arena_alloc(&arena, 4096));
	assert_null(scd_arena_alloc(&arena, SIZE_MAX));
	assert_null(scd_arena_zalloc(&arena, SIZE_MAX, 2));
	assert_non_null(scd_arena_alloc(&arena, 16));
	assert_null(scd_arena_printf(&arena, "%2000d", 1).data);
	assert_int_equal(arena.refused_count, 4);
	scd_arena_reset(&arena);
	assert_int_equal(arena.refused_count, 0);
	scd_arena_done(&arena);
}

static void test_arena_reset__keeps_the_first_chunk_and_no_other(void **state)
{
	struct scd_arena arena;
	void *first;

	(void)state;
	scd_arena_init(&arena, CHUNK, 0);
	first = scd_arena_alloc(&arena, 100);
	for (int i = 0; i < 100; i++)
		assert_non_null(scd_arena_alloc(&arena, 100));
	assert_non_null(scd_arena_alloc(&arena, 9 * CHUNK));
	scd_arena_reset(&arena);
	assert_int_equal(arena.used_bytes, CHUNK);
	assert_ptr_equal(scd_arena_alloc(&arena, 100), first);
	scd_arena_done(&arena);
	assert_int_equal(arena.used_bytes, 0);
}

static void test_arena_reset__does_not_keep_a_large_first_chunk(void **state)
{
	struct scd_arena arena;

	(void)state;
	scd_arena_init(&arena, CHUNK, 0);
	assert_non_null(scd_arena_alloc(&arena, 100 * CHUNK));
	scd_arena_reset(&arena);
	assert_int_equal(arena.used_bytes, 0);
	assert_non_null(scd_arena_alloc(&arena, 10));
	assert_int_equal(arena.used_bytes, CHUNK);
	scd_arena_done(&arena);
}

static void test_arena_done__accepts_zero_bytes_and_a_second_call(void **state)
{
	struct scd_arena arena = { 0 };

	(void)state;
	scd_arena_done(&arena);
	scd_arena_reset(&arena);
	scd_arena_init(&arena, CHUNK, 0);
	assert_non_null(scd_arena_alloc(&arena, 1));
	scd_arena_done(&arena);
	scd_arena_done(&arena);
}

static void test_arena_zalloc__zeroes_memory_that_was_used_before(void **state)
{
	struct scd_arena arena;
	unsigned char *data;

	(void)state;
	scd_arena_init(&arena, CHUNK, 0);
	memset(scd_arena_alloc(&arena, 512), 0xff, 512);
	scd_arena_reset(&arena);
	data = scd_arena_zalloc(&arena, 64, 8);
	for (size_t i = 0; i < 512; i++)
		assert_int_equal(data[i], 0);
	scd_arena_done(&arena);
}

static void test_arena_dup__copies_any_bytes_and_adds_a_nul(void **state)
{
	struct scd_arena arena;
	struct scd_str copy;

	(void)state;
	scd_arena_init(&arena, CHUNK, 2 * CHUNK);
	copy = scd_arena_dup(&arena, SCD_STR("a\0b"));
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.data, "a\0b", 4);
	copy = scd_arena_dup(&arena, (struct scd_str){ NULL, 0 });
	assert_non_null(copy.data);
	assert_string_equal(copy.data, "");
	copy = scd_arena_dup(&arena, (struct scd_str){ "never read", 1u << 30 });
	assert_null(copy.data);
	assert_int_equal(copy.len, 0);
	scd_arena_done(&arena);
}

static void test_arena_printf__fits_its_text_and_fails_at_the_cap(void **state)
{
	struct scd_arena arena;
	struct scd_str text;

	(void)state;
	scd_arena_init(&arena, CHUNK, 2 * CHUNK);
	text = scd_arena_printf(&arena, "%s=%d", "answer", 42);
	assert_true(scd_str_is(text, "answer=42"));
	assert_int_equal(text.data[text.len], '\0');
	text = scd_arena_printf(&arena, "%*d", 3000, 1);
	assert_null(text.data);
	assert_int_equal(text.len, 0);
	scd_arena_done(&arena);
}

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>

static void test_arena_reset__poisons_what_was_handed_out(void **state)
{
	struct scd_arena arena;
	char *data;

	(void)state;
	scd_arena_init(&arena, CHUNK, 0);
	data = scd_arena_alloc(&arena, 20);
	assert_false(__asan_address_is_poisoned(data + 19));
	assert_true(__asan_address_is_poisoned(data + 20));
	scd_arena_reset(&arena);
	assert_true(__asan_address_is_poisoned(data));
	scd_arena_done(&arena);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_alloc__aligns_to_sixteen_bytes_and_does_not_overlap),
		cmocka_unit_test(test_arena_alloc__gives_distinct_pointers_for_nothing),
		cmocka_unit_test(test_arena_alloc__gives_up_at_the_cap_and_works_below_it),
		cmocka_unit_test(test_arena_alloc__uses_a_cap_smaller_than_a_chunk),
		cmocka_unit_test(test_arena_alloc__refuses_sizes_that_would_wrap),
		cmocka_unit_test(test_arena_alloc__puts_a_large_one_aside_and_goes_on_in_its_chunk),
		cmocka_unit_test(test_arena_alloc__counts_what_it_refuses_until_the_next_reset),
		cmocka_unit_test(test_arena_reset__keeps_the_first_chunk_and_no_other),
		cmocka_unit_test(test_arena_reset__does_not_keep_a_large_first_chunk),
		cmocka_unit_test(test_arena_done__accepts_zero_bytes_and_a_second_call),
		cmocka_unit_test(test_arena_zalloc__zeroes_memory_that_was_used_before),
		cmocka_unit_test(test_arena_dup__copies_any_bytes_and_adds_a_nul),
		cmocka_unit_test(test_arena_printf__fits_its_text_and_fails_at_the_cap),
#if defined(__SANITIZE_ADDRESS__)
		cmocka_unit_test(test_arena_reset__poisons_what_was_handed_out),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
