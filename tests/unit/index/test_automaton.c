/*
 * Many needles at once against looking for each of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/index/automaton.h"
#include "tests/support/rng.h"

enum { MOST = 200, WORDS = (MOST + 63) / 64 };

static bool has(const uint64_t *found, uint32_t id)
{
	return found[id / 64] >> (id % 64) & 1;
}

static const struct scd_automaton *make(const struct scd_str *needles, size_t count, bool fold, struct scd_arena *arena,
                                        uint32_t *ret_ids)
{
	const struct scd_automaton *automaton = scd_automaton_new(needles, count, fold, arena, ret_ids);

	assert_non_null(automaton);
	assert_int_equal(scd_automaton_words(automaton), (scd_automaton_count(automaton) + 63) / 64);
	for (size_t i = 0; i < count; i++)
		assert_true(ret_ids[i] < scd_automaton_count(automaton));
	return automaton;
}

/* Each needle is found if and only if it is in the text. */
static void compare(const struct scd_automaton *automaton, const struct scd_str *needles, const uint32_t *ids,
                    size_t count, bool fold, struct scd_str text)
{
	uint64_t found[WORDS] = { 0 };
	uint32_t in_a_row[MOST];
	struct scd_hits hits = { found, in_a_row, 0 };
	size_t bits = 0;

	scd_automaton_find(automaton, text, &hits);
	for (size_t i = 0; i < count; i++) {
		bool expected = fold ? scd_str_icontains(text, needles[i]) : scd_str_contains(text, needles[i]);

		if (has(found, ids[i]) != expected)
			fail_msg("'" SCD_STR_FMT "' in '" SCD_STR_FMT "' is not %d", SCD_STR_ARG(needles[i]),
			         SCD_STR_ARG(text), expected);
	}
	for (size_t i = 0; i < WORDS; i++)
		bits += (size_t)__builtin_popcountll(found[i]);
	assert_int_equal(hits.count, bits);
	for (size_t i = 0; i < hits.count; i++)
		assert_true(has(found, in_a_row[i]));
	scd_hits_clear(&hits);
	for (size_t i = 0; i < WORDS; i++)
		assert_int_equal(found[i], 0);
	assert_int_equal(hits.count, 0);
}

static void test_automaton__finds_needles_within_needles(void **state)
{
	static const struct scd_str needles[] = { SCD_STR_INIT("he"),   SCD_STR_INIT("she"), SCD_STR_INIT("his"),
		                                  SCD_STR_INIT("hers"), SCD_STR_INIT("e"),   SCD_STR_INIT("ers\0x") };
	static const struct scd_str texts[] = { SCD_STR_INIT("ushers"), SCD_STR_INIT("hishe"),   SCD_STR_INIT(""),
		                                SCD_STR_INIT("h"),      SCD_STR_INIT("hers\0x"), SCD_STR_INIT("HERS") };
	uint32_t ids[SCD_COUNT(needles)];
	struct scd_arena arena;

	(void)state;
	scd_arena_init(&arena, 4096, 1u << 20);
	for (unsigned fold = 0; fold < 2; fold++) {
		const struct scd_automaton *automaton = make(needles, SCD_COUNT(needles), fold, &arena, ids);

		for (size_t i = 0; i < SCD_COUNT(texts); i++)
			compare(automaton, needles, ids, SCD_COUNT(needles), fold, texts[i]);
	}
	scd_arena_done(&arena);
}

static void test_automaton__gives_equal_needles_one_number(void **state)
{
	static const struct scd_str needles[] = { SCD_STR_INIT("a"), SCD_STR_INIT("A"), SCD_STR_INIT("a") };
	struct scd_arena arena;
	uint32_t ids[3];

	(void)state;
	scd_arena_init(&arena, 4096, 1u << 20);
	assert_int_equal(scd_automaton_count(make(needles, 3, false, &arena, ids)), 2);
	assert_int_equal(ids[0], ids[2]);
	assert_int_not_equal(ids[0], ids[1]);
	assert_int_equal(scd_automaton_count(make(needles, 3, true, &arena, ids)), 1);
	assert_int_equal(scd_automaton_count(make(needles, 0, true, &arena, ids)), 0);
	scd_arena_done(&arena);
}

static struct scd_str random_text(struct scd_rng *rng, struct scd_arena *arena, size_t least, size_t most)
{
	static const char letters[] = "aaabAB\xe4\0";
	size_t len = least + scd_rng_below(rng, most - least + 1);
	char *text = scd_arena_alloc(arena, len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = letters[scd_rng_below(rng, sizeof(letters) - 1)];
	return (struct scd_str){ text, len };
}

static void test_automaton__finds_what_a_search_for_each_finds(void **state)
{
	struct scd_rng rng = scd_rng_start("automaton");
	struct scd_str needles[MOST];
	uint32_t ids[MOST];

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		size_t count = 1 + scd_rng_below(&rng, MOST);
		bool fold = scd_rng_below(&rng, 2);
		const struct scd_automaton *automaton;
		struct scd_arena arena;

		scd_arena_init(&arena, 65536, 16u << 20);
		for (size_t i = 0; i < count; i++)
			needles[i] = random_text(&rng, &arena, 1, 1 + scd_rng_below(&rng, 8));
		automaton = make(needles, count, fold, &arena, ids);
		for (unsigned i = 0; i < 20; i++)
			compare(automaton, needles, ids, count, fold, random_text(&rng, &arena, 0, 40));
		scd_arena_done(&arena);
	}
}

static struct scd_str backwards(struct scd_str text, struct scd_arena *arena)
{
	char *copy = scd_arena_alloc(arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		copy[i] = text.data[text.len - 1 - i];
	return (struct scd_str){ copy, text.len };
}

static bool is_at_edge(struct scd_str text, struct scd_str needle, bool is_end, bool fold)
{
	struct scd_str edge = { is_end ? text.data + text.len - needle.len : text.data, needle.len };

	if (needle.len > text.len)
		return false;
	return fold ? scd_str_icontains(edge, needle) : scd_str_eq(edge, needle);
}

/* Beginnings, and ends of needles that were given backwards. */
static void compare_edge(const struct scd_automaton *automaton, const struct scd_str *needles, const uint32_t *ids,
                         size_t count, bool fold, bool is_end, struct scd_str text)
{
	uint32_t found[MOST];
	size_t found_count = scd_automaton_find_edge(automaton, text, is_end, found);

	assert_in_range(found_count, 0, 8); /* the longest needle */
	for (size_t i = 0; i < count; i++) {
		bool has = false;

		for (size_t j = 0; j < found_count; j++)
			has |= found[j] == ids[i];
		if (has != is_at_edge(text, needles[i], is_end, fold))
			fail_msg("'" SCD_STR_FMT "' at the edge %d of '" SCD_STR_FMT "' is %d", SCD_STR_ARG(needles[i]),
			         is_end, SCD_STR_ARG(text), has);
	}
}

static void test_automaton__finds_what_a_text_begins_and_ends_with(void **state)
{
	struct scd_rng rng = scd_rng_start("automaton edges");
	struct scd_str needles[MOST], reversed[MOST];
	uint32_t ids[MOST];

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		size_t count = 1 + scd_rng_below(&rng, MOST);
		bool fold = scd_rng_below(&rng, 2), is_end = scd_rng_below(&rng, 2);
		const struct scd_automaton *automaton;
		struct scd_arena arena;

		scd_arena_init(&arena, 65536, 16u << 20);
		for (size_t i = 0; i < count; i++) {
			needles[i] = random_text(&rng, &arena, 1, 1 + scd_rng_below(&rng, 8));
			reversed[i] = is_end ? backwards(needles[i], &arena) : needles[i];
		}
		automaton = make(reversed, count, fold, &arena, ids);
		for (unsigned i = 0; i < 20; i++)
			compare_edge(automaton, needles, ids, count, fold, is_end, random_text(&rng, &arena, 0, 12));
		scd_arena_done(&arena);
	}
}

/* At each byte, as many needles end as there are; told once, that is no more work than one. */
static void test_automaton__takes_linear_time_where_all_needles_end_everywhere(void **state)
{
	static char letters[65536 * 16];
	struct scd_str needles[MOST];
	uint64_t found[WORDS] = { 0 };
	uint32_t ids[MOST], in_a_row[MOST];
	struct scd_hits hits = { found, in_a_row, 0 };
	struct scd_arena arena;
	const struct scd_automaton *automaton;

	(void)state;
	memset(letters, 'a', sizeof(letters));
	scd_arena_init(&arena, 65536, 16u << 20);
	for (size_t i = 0; i < MOST; i++)
		needles[i] = (struct scd_str){ letters, i + 1 };
	automaton = make(needles, MOST, false, &arena, ids);
	for (unsigned i = 0; i < 50; i++)
		scd_automaton_find(automaton, (struct scd_str){ letters, sizeof(letters) }, &hits);
	for (size_t i = 0; i < MOST; i++)
		assert_true(has(found, ids[i]));
	scd_arena_done(&arena);
}

static void test_automaton__is_none_without_memory(void **state)
{
	struct scd_str needle = SCD_STR("0123456789abcdef0123456789abcdef");
	struct scd_arena arena;
	uint32_t id;

	(void)state;
	scd_arena_init(&arena, 64, 64);
	assert_null(scd_automaton_new(&needle, 1, false, &arena, &id));
	scd_arena_done(&arena);
	scd_arena_init(&arena, 1400, 1500);
	assert_null(scd_automaton_new(&needle, 1, false, &arena, &id));
	scd_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_automaton__finds_needles_within_needles),
		cmocka_unit_test(test_automaton__gives_equal_needles_one_number),
		cmocka_unit_test(test_automaton__finds_what_a_search_for_each_finds),
		cmocka_unit_test(test_automaton__finds_what_a_text_begins_and_ends_with),
		cmocka_unit_test(test_automaton__takes_linear_time_where_all_needles_end_everywhere),
		cmocka_unit_test(test_automaton__is_none_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
