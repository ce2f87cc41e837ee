/*
 * The set of strings against a linear scan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seccheckd/index/strset.h"
#include "tests/support/rng.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int make_arena(void **state)
{
	static struct scd_arena arena;

	scd_arena_init(&arena, 4096, (size_t)256 << 20);
	*state = &arena;
	return 0;
}

static int drop_arena(void **state)
{
	scd_arena_done(*state);
	return 0;
}

static void test_strset__has_nothing_when_it_is_empty(void **state)
{
	const struct scd_strset *set = scd_strset_new(NULL, 0, *state);

	assert_non_null(set);
	assert_false(scd_strset_has(set, SCD_STR("")));
	assert_false(scd_strset_has(set, (struct scd_str){ NULL, 0 }));
	assert_false(scd_strset_has(set, SCD_STR("a")));
}

static void test_strset__has_the_empty_string_only_as_a_member(void **state)
{
	static const struct scd_str with[] = { SCD_STR_INIT(""), SCD_STR_INIT("a") };
	static const struct scd_str without[] = { SCD_STR_INIT("a") };

	assert_true(scd_strset_has(scd_strset_new(with, 2, *state), (struct scd_str){ NULL, 0 }));
	assert_false(scd_strset_has(scd_strset_new(without, 1, *state), SCD_STR("")));
}

static void test_strset__tells_texts_apart_by_every_byte_and_by_length(void **state)
{
	static const struct scd_str members[] = {
		SCD_STR_INIT("a"),     SCD_STR_INIT("a\0"),  SCD_STR_INIT("xmrig"),
		SCD_STR_INIT("xmrig"), SCD_STR_INIT("\xff"), SCD_STR_INIT("/usr/bin/xmrig"),
	};
	static const struct scd_str others[] = {
		SCD_STR_INIT("A"), SCD_STR_INIT("a\0\0"),  SCD_STR_INIT("xmri"),
		SCD_STR_INIT(""),  SCD_STR_INIT("xmrig "), SCD_STR_INIT("/usr/bin/xmrig/and/something/longer"),
	};
	const struct scd_strset *set = scd_strset_new(members, COUNT_OF(members), *state);

	for (size_t i = 0; i < COUNT_OF(members); i++)
		assert_true(scd_strset_has(set, members[i]));
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(scd_strset_has(set, others[i]));
}

static void test_strset__does_not_keep_the_array_it_was_made_from(void **state)
{
	struct scd_str members[] = { SCD_STR_INIT("a"), SCD_STR_INIT("b") };
	const struct scd_strset *set = scd_strset_new(members, 2, *state);

	memset(members, 0, sizeof(members));
	assert_true(scd_strset_has(set, SCD_STR("a")));
	assert_true(scd_strset_has(set, SCD_STR("b")));
}

/* One to three letters of three: members and texts meet often. */
static struct scd_str random_word(struct scd_rng *rng, char *bytes)
{
	size_t len = 1 + scd_rng_below(rng, 3);

	for (size_t i = 0; i < len; i++)
		bytes[i] = "abc"[scd_rng_below(rng, 3)];
	return (struct scd_str){ bytes, len };
}

static bool scan(const struct scd_str *members, size_t count, struct scd_str text)
{
	for (size_t i = 0; i < count; i++) {
		if (scd_str_eq(members[i], text))
			return true;
	}
	return false;
}

static void test_strset__agrees_with_a_linear_scan(void **state)
{
	struct scd_rng rng = scd_rng_start("strset");

	for (unsigned round = 0; round < 2000; round++) {
		size_t count = scd_rng_below(&rng, 20);
		struct scd_str members[20];
		char bytes[20][3], text[3];
		const struct scd_strset *set;

		for (size_t i = 0; i < count; i++)
			members[i] = random_word(&rng, bytes[i]);
		set = scd_strset_new(members, count, *state);
		for (unsigned i = 0; i < 40; i++) {
			struct scd_str word = random_word(&rng, text);

			assert_int_equal(scd_strset_has(set, word), scan(members, count, word));
		}
	}
}

static void test_strset__finds_each_of_many_members(void **state)
{
	enum { MANY = 200000 };
	struct scd_str *members = scd_arena_zalloc(*state, MANY, sizeof(*members));
	const struct scd_strset *set;

	for (unsigned i = 0; i < MANY; i++)
		members[i] = scd_arena_printf(*state, "10.%u.%u", i / 1000, i % 1000);
	set = scd_strset_new(members, MANY, *state);
	for (unsigned i = 0; i < MANY; i++)
		assert_true(scd_strset_has(set, members[i]));
	assert_false(scd_strset_has(set, SCD_STR("10.200.0")));
}

static void test_strset__is_null_without_memory(void **state)
{
	static const struct scd_str members[] = { SCD_STR_INIT("a"), SCD_STR_INIT("b"), SCD_STR_INIT("c") };
	unsigned failures = 0;

	(void)state;
	for (size_t max_bytes = 16;; max_bytes += 16) {
		const struct scd_strset *set;
		struct scd_arena arena;

		scd_arena_init(&arena, 32, max_bytes);
		set = scd_strset_new(members, COUNT_OF(members), &arena);
		scd_arena_done(&arena);
		if (set)
			break;
		failures++;
	}
	assert_true(failures > 3);
}

#define STRSET_TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, drop_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRSET_TEST(test_strset__has_nothing_when_it_is_empty),
		STRSET_TEST(test_strset__has_the_empty_string_only_as_a_member),
		STRSET_TEST(test_strset__tells_texts_apart_by_every_byte_and_by_length),
		STRSET_TEST(test_strset__does_not_keep_the_array_it_was_made_from),
		STRSET_TEST(test_strset__agrees_with_a_linear_scan),
		STRSET_TEST(test_strset__finds_each_of_many_members),
		STRSET_TEST(test_strset__is_null_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
