/*
 * Sets of numbers and networks against a linear scan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/index/rangeset.h"
#include "tests/support/rng.h"

enum { MOST = 40 };

static bool in_network(const uint8_t *address, const uint8_t *network, unsigned bits)
{
	for (unsigned bit = 0; bit < bits; bit++)
		if ((address[bit / 8] ^ network[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

/* Few different bytes, so that networks meet. */
static void random_bytes(struct scd_rng *rng, uint8_t *bytes, size_t count)
{
	static const uint8_t some[] = { 0, 1, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < count; i++)
		bytes[i] = some[scd_rng_below(rng, SCD_COUNT(some))];
}

static void test_rangeset__has_what_a_linear_scan_has(void **state)
{
	struct scd_rng rng = scd_rng_start("rangeset");

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		size_t bytes = scd_rng_below(&rng, 2) ? 4 : 16, count = scd_rng_below(&rng, MOST + 1);
		uint8_t networks[MOST][16], address[16];
		struct scd_range ranges[MOST];
		unsigned bits[MOST];
		const struct scd_rangeset *set;
		struct scd_arena arena;

		for (size_t i = 0; i < count; i++) {
			random_bytes(&rng, networks[i], bytes);
			bits[i] = (unsigned)(8 * bytes - scd_rng_below(&rng, 8 * bytes + 1) * scd_rng_below(&rng, 2));
			ranges[i] = scd_range_of_network(networks[i], bytes, bits[i]);
		}
		scd_arena_init(&arena, 4096, 1u << 20);
		set = scd_rangeset_new(ranges, count, &arena);
		assert_non_null(set);
		for (unsigned i = 0; i < 60; i++) {
			bool expected = false;

			random_bytes(&rng, address, bytes);
			for (size_t j = 0; j < count; j++)
				expected |= in_network(address, networks[j], bits[j]);
			assert_int_equal(scd_rangeset_has(set, scd_wide_of_bytes(address, bytes)), expected);
		}
		scd_arena_done(&arena);
	}
}

static void test_rangeset__holds_the_ends_of_all_numbers(void **state)
{
	static const struct scd_range all[] = { { { 0, 0 }, { UINT64_MAX, UINT64_MAX } }, { { 0, 5 }, { 0, 5 } } };
	static const struct scd_range ends[] = { { { UINT64_MAX, UINT64_MAX }, { UINT64_MAX, UINT64_MAX } },
		                                 { { 0, 0 }, { 0, 0 } },
		                                 { { 0, UINT64_MAX }, { 0, UINT64_MAX } },
		                                 { { 1, 0 }, { 1, 0 } } };
	const struct scd_rangeset *set;
	struct scd_arena arena;

	(void)state;
	scd_arena_init(&arena, 4096, 1u << 20);
	set = scd_rangeset_new(all, SCD_COUNT(all), &arena);
	assert_true(scd_rangeset_has(set, (struct scd_wide){ UINT64_MAX, UINT64_MAX }));
	assert_true(scd_rangeset_has(set, (struct scd_wide){ 0, 0 }));
	set = scd_rangeset_new(ends, SCD_COUNT(ends), &arena);
	assert_true(scd_rangeset_has(set, (struct scd_wide){ UINT64_MAX, UINT64_MAX }));
	assert_true(scd_rangeset_has(set, (struct scd_wide){ 0, UINT64_MAX }));
	assert_true(scd_rangeset_has(set, (struct scd_wide){ 1, 0 }));
	assert_false(scd_rangeset_has(set, (struct scd_wide){ 1, 1 }));
	assert_false(scd_rangeset_has(set, (struct scd_wide){ 0, 1 }));
	assert_false(scd_rangeset_has(scd_rangeset_new(NULL, 0, &arena), (struct scd_wide){ 0, 0 }));
	scd_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rangeset__has_what_a_linear_scan_has),
		cmocka_unit_test(test_rangeset__holds_the_ends_of_all_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
