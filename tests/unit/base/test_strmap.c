/*
 * The string map against a plain array.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/strmap.h"
#include "tests/support/rng.h"

static void test_strmap_get__finds_nothing_in_an_empty_map(void **state)
{
	struct scd_strmap map;

	(void)state;
	scd_strmap_init(&map);
	assert_null(scd_strmap_get(&map, SCD_STR("a")));
	assert_null(scd_strmap_get(&map, (struct scd_str){ NULL, 0 }));
	scd_strmap_done(&map);
	scd_strmap_done(&map);
}

static void test_strmap_put__tells_keys_apart_by_every_byte_and_by_length(void **state)
{
	static const struct scd_str keys[] = {
		SCD_STR_INIT(""),   SCD_STR_INIT("\0"),  SCD_STR_INIT("\0\0"),
		SCD_STR_INIT("a"),  SCD_STR_INIT("a\0"), SCD_STR_INIT("a\0b"),
		SCD_STR_INIT("ab"), SCD_STR_INIT("b"),   SCD_STR_INIT("\xff"),
	};
	struct scd_strmap map;
	int values[SCD_COUNT(keys)];

	(void)state;
	scd_strmap_init(&map);
	for (size_t i = 0; i < SCD_COUNT(keys); i++)
		assert_int_equal(scd_strmap_put(&map, keys[i], &values[i]), 0);
	for (size_t i = 0; i < SCD_COUNT(keys); i++)
		assert_ptr_equal(scd_strmap_get(&map, keys[i]), &values[i]);
	assert_ptr_equal(scd_strmap_get(&map, (struct scd_str){ NULL, 0 }), &values[0]);
	assert_null(scd_strmap_get(&map, SCD_STR("c")));
	scd_strmap_done(&map);
}

static void test_strmap_put__replaces_the_value_of_a_key_that_is_there(void **state)
{
	struct scd_strmap map;
	int first, second;

	(void)state;
	scd_strmap_init(&map);
	assert_int_equal(scd_strmap_put(&map, SCD_STR("rule"), &first), 0);
	assert_int_equal(scd_strmap_put(&map, SCD_STR("rule"), &second), 0);
	assert_int_equal(map.count, 1);
	assert_ptr_equal(scd_strmap_get(&map, SCD_STR("rule")), &second);
	scd_strmap_done(&map);
}

#define KEYS 20000

static void test_strmap__agrees_with_an_array_over_many_keys(void **state)
{
	static char texts[KEYS][8];
	static void *values[KEYS];
	struct scd_rng rng = scd_rng_start("strmap");
	struct scd_strmap map;
	size_t count = 0;

	(void)state;
	memset(values, 0, sizeof(values));
	scd_strmap_init(&map);
	for (size_t i = 0; i < KEYS; i++)
		snprintf(texts[i], sizeof(texts[i]), "k%zu", i);
	for (size_t round = 0; round < 3 * KEYS; round++) {
		size_t i = scd_rng_below(&rng, KEYS);

		count += values[i] == NULL;
		values[i] = &texts[scd_rng_below(&rng, KEYS)];
		assert_int_equal(scd_strmap_put(&map, scd_str_from(texts[i]), values[i]), 0);
		i = scd_rng_below(&rng, KEYS);
		assert_ptr_equal(scd_strmap_get(&map, scd_str_from(texts[i])), values[i]);
	}
	assert_int_equal(map.count, count);
	for (size_t i = 0; i < KEYS; i++)
		assert_ptr_equal(scd_strmap_get(&map, scd_str_from(texts[i])), values[i]);
	scd_strmap_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strmap_get__finds_nothing_in_an_empty_map),
		cmocka_unit_test(test_strmap_put__tells_keys_apart_by_every_byte_and_by_length),
		cmocka_unit_test(test_strmap_put__replaces_the_value_of_a_key_that_is_there),
		cmocka_unit_test(test_strmap__agrees_with_an_array_over_many_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
