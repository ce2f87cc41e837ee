/*
 * The id map against a plain array: random ids, and ids as somebody chooses them who wants them to collide.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/idmap.h"
#include "tests/support/rng.h"

static void test_idmap__is_empty_at_first_and_after_done(void **state)
{
	struct scd_idmap map;
	uint32_t value = 7;

	(void)state;
	scd_idmap_init(&map);
	assert_false(scd_idmap_get(&map, 0, &value));
	assert_false(scd_idmap_remove(&map, 0));
	assert_int_equal(scd_idmap_put(&map, 0, 1), 0);
	scd_idmap_done(&map);
	assert_false(scd_idmap_get(&map, 0, &value));
	assert_int_equal(value, 7);
	assert_int_equal(scd_idmap_put(&map, 0, 2), 0);
	assert_true(scd_idmap_get(&map, 0, &value));
	assert_int_equal(value, 2);
	scd_idmap_done(&map);
}

static void test_idmap_put__replaces_and_counts_once(void **state)
{
	struct scd_idmap map;
	uint32_t value;

	(void)state;
	scd_idmap_init(&map);
	assert_int_equal(scd_idmap_put(&map, UINT64_MAX, 1), 0);
	assert_int_equal(scd_idmap_put(&map, UINT64_MAX, UINT32_MAX), 0);
	assert_int_equal(map.count, 1);
	assert_true(scd_idmap_get(&map, UINT64_MAX, &value));
	assert_true(value == UINT32_MAX);
	assert_true(scd_idmap_remove(&map, UINT64_MAX));
	assert_false(scd_idmap_remove(&map, UINT64_MAX));
	assert_int_equal(map.count, 0);
	scd_idmap_done(&map);
}

static void test_idmap_init__seeds_every_map_differently(void **state)
{
	struct scd_idmap a, b;

	(void)state;
	scd_idmap_init(&a);
	scd_idmap_init(&b);
	assert_true(a.seed != b.seed);
}

/* Families of keys: which key is the i-th one. */
static uint64_t key_small(uint64_t i)
{
	return i;
}

static uint64_t key_high_bits(uint64_t i)
{
	return i << 48;
}

static uint64_t key_page_stride(uint64_t i)
{
	return i * 4096;
}

static uint64_t key_one_bit(uint64_t i)
{
	return (uint64_t)1 << i % 64 ^ i / 64 * 0x123456789abcdef1u;
}

static uint64_t key_inverse_of_factor(uint64_t i)
{
	return i * 0xf1de83e19937733du; /* the inverse of the hash's first factor modulo 2^64 */
}

static uint64_t key_random(uint64_t i)
{
	struct scd_rng rng = { .state = i };

	return scd_rng_next(&rng);
}

static uint64_t (*const families[])(uint64_t) = {
	key_small, key_high_bits, key_page_stride, key_one_bit, key_inverse_of_factor, key_random,
};

#define KEYS   600u
#define ABSENT UINT64_MAX

/* One random operation on the map and on the model, an array of values by key number. */
static void churn_once(struct scd_rng *rng, struct scd_idmap *map, uint64_t *model, size_t keys,
                       uint64_t (*family)(uint64_t), unsigned puts_in_ten)
{
	size_t i = scd_rng_below(rng, keys);

	if (scd_rng_below(rng, 10) < puts_in_ten) {
		model[i] = (uint32_t)scd_rng_next(rng);
		assert_int_equal(scd_idmap_put(map, family(i), (uint32_t)model[i]), 0);
	} else {
		assert_int_equal(scd_idmap_remove(map, family(i)), model[i] != ABSENT);
		model[i] = ABSENT;
	}
}

static void assert_same(const struct scd_idmap *map, const uint64_t *model, size_t keys, uint64_t (*family)(uint64_t))
{
	size_t count = 0;

	for (size_t i = 0; i < keys; i++) {
		uint32_t value = 0;
		bool there = scd_idmap_get(map, family(i), &value);

		assert_int_equal(there, model[i] != ABSENT);
		if (there)
			assert_int_equal(value, model[i]);
		count += there;
	}
	assert_int_equal(map->count, count);
}

static void test_idmap__agrees_with_an_array_under_churn(void **state)
{
	struct scd_rng rng = scd_rng_start("idmap");

	(void)state;
	for (size_t f = 0; f < SCD_COUNT(families); f++) {
		uint64_t model[KEYS];
		struct scd_idmap map;

		memset(model, 0xff, sizeof(model));
		scd_idmap_init(&map);
		for (unsigned round = 0; round < 60; round++) {
			for (unsigned i = 0; i < 300; i++)
				churn_once(&rng, &map, model, KEYS, families[f], round % 3 == 2 ? 2 : 7);
			assert_same(&map, model, KEYS, families[f]);
		}
		scd_idmap_done(&map);
	}
}

/* A map of 16 slots, up to 12 of them taken: most runs of slots meet others or wrap around the end. */
static void test_idmap__agrees_with_an_array_when_tiny_and_full(void **state)
{
	struct scd_rng rng = scd_rng_start("tiny idmap");

	(void)state;
	for (unsigned map_nr = 0; map_nr < 1000; map_nr++) {
		uint64_t model[KEYS];
		struct scd_idmap map;

		memset(model, 0xff, sizeof(model));
		scd_idmap_init(&map);
		for (unsigned i = 0; i < 200; i++) {
			churn_once(&rng, &map, model, 12, key_small, 8);
			assert_same(&map, model, 12, key_small);
		}
		assert_int_equal(map.room, 16);
		scd_idmap_done(&map);
	}
}

static void test_idmap__keeps_its_size_under_endless_churn(void **state)
{
	struct scd_idmap map;

	(void)state;
	scd_idmap_init(&map);
	for (uint64_t i = 0; i < 100000; i++) {
		assert_int_equal(scd_idmap_put(&map, i, 0), 0);
		if (i >= 100)
			assert_true(scd_idmap_remove(&map, i - 100));
	}
	assert_int_equal(map.count, 100);
	assert_true(map.room <= 256);
	scd_idmap_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idmap__is_empty_at_first_and_after_done),
		cmocka_unit_test(test_idmap_put__replaces_and_counts_once),
		cmocka_unit_test(test_idmap_init__seeds_every_map_differently),
		cmocka_unit_test(test_idmap__agrees_with_an_array_under_churn),
		cmocka_unit_test(test_idmap__agrees_with_an_array_when_tiny_and_full),
		cmocka_unit_test(test_idmap__keeps_its_size_under_endless_churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
