/*
 * Shell patterns: a table, and the C library as the model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "seccheckd/index/glob.h"
#include "tests/support/rng.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool glob_matches(struct scd_str pattern, struct scd_str text, bool fold)
{
	struct scd_arena arena;
	const struct scd_glob *glob;
	bool matches;

	scd_arena_init(&arena, 4096, 0);
	glob = scd_glob_new(pattern, fold, &arena);
	assert_non_null(glob);
	matches = scd_glob_matches(glob, text);
	scd_arena_done(&arena);
	return matches;
}

static const struct {
	const char *pattern;
	const char *text;
	bool matches;
} rows[] = {
	/* clang-format off */
	{ "", "", true },
	{ "", "a", false },
	{ "a", "", false },
	{ "abc", "abc", true },
	{ "abc", "abd", false },
	{ "abc", "ab", false },
	{ "abc", "abcd", false },
	{ "?", "a", true },
	{ "?", "", false },
	{ "?", "ab", false },
	{ "a?c", "a/c", true },
	{ "*", "", true },
	{ "*", "a/b", true },
	{ "*", ".hidden", true },
	{ "**", "a", true },
	{ "a*", "a", true },
	{ "a*", "b", false },
	{ "*a", "bca", true },
	{ "*a", "bcab", false },
	{ "*a*", "bab", true },
	{ "a*c", "abbbc", true },
	{ "a*c", "abbbcd", false },
	{ "*.so.*", "lib.so.so.1", true },
	{ "a*b*c", "a-b-b-c", true },
	{ "a*b*c", "a-c-b", false },
	{ "*?", "", false },
	{ "*?", "a", true },
	{ "?*?", "a", false },
	{ "/etc/*", "/etc/passwd", true },
	{ "/etc/*", "/etc/a/b", true },
	{ "[abc]", "b", true },
	{ "[abc]", "d", false },
	{ "[abc]", "", false },
	{ "[a-c]x", "bx", true },
	{ "[a-c]", "d", false },
	{ "[c-a]", "b", false },
	{ "[a-a]", "a", true },
	{ "[!a-c]", "d", true },
	{ "[!a-c]", "b", false },
	{ "[^a]", "b", true },
	{ "[^a]", "a", false },
	{ "[!a]", "", false },
	{ "[]]", "]", true },
	{ "[]a]", "a", true },
	{ "[!]]", "a", true },
	{ "[!]]", "]", false },
	{ "[]-a]", "^", true },
	{ "[a-]", "-", true },
	{ "[-a]", "-", true },
	{ "[--0]", ".", true },
	{ "[a!]", "!", true },
	{ "[a^]", "^", true },
	{ "[/]", "/", true },
	{ "[*?]", "*", true },
	{ "[*?]", "a", false },
	{ "[\\]]", "]", true },
	{ "[\\a]", "a", true },
	{ "[\\a]", "\\", false },
	{ "[a\\-z]", "-", true },
	{ "[a\\-z]", "m", false },
	{ "[+-\\-]", ",", true },
	{ "[[]", "[", true },
	{ "[a", "[a", true },
	{ "[a", "a", false },
	{ "[", "[", true },
	{ "[]", "[]", true },
	{ "[!", "[!", true },
	{ "[!]", "[!]", true },
	{ "a[", "a[", true },
	{ "[[:alpha:]]", "x", true },
	{ "[[:alpha:]]", "1", false },
	{ "[[:alpha:]0]", "0", true },
	{ "[![:alpha:]]", "x", false },
	{ "[![:alpha:]]", "1", true },
	{ "[[:digit:][:upper:]]", "Z", true },
	{ "[[:alpha:]", "[:", true },
	{ "[[:alpha:]-z]", "-", true },
	{ "[:alpha:]", "p", true },
	{ "[:alpha:]", "x", false },
	{ "[[:nosuch:]]", "n", false },
	{ "[![:nosuch:]]", "n", false },
	{ "[[:nosuch:]a]", "a", false },
	{ "[a[:nosuch:]]", "a", true },
	{ "[[=a=]]", "a", true },
	{ "[[=a=]]", "=", false },
	{ "[[=]=]b]", "]", true },
	{ "[[.-.]]", "-", true },
	{ "[[.a.]-c]", "b", true },
	{ "[a-[.c.]]", "b", true },
	{ "\\*", "*", true },
	{ "\\*", "a", false },
	{ "\\a", "a", true },
	{ "\\\\", "\\", true },
	{ "\\[a]", "[a]", true },
	{ "a\\", "a\\", false },
	{ "a\\", "a", false },
	{ "*\\", "a\\", false },
	{ "[\\", "[\\", false },
	{ "[\xe0-\xff]", "\xf0", true },
	{ "?", "\xff", true },
	{ "??", "\xc3\xa9", true },
	/* clang-format on */
};

static void test_glob__matches_as_fnmatch(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scd_str pattern = scd_str_from(rows[i].pattern), text = scd_str_from(rows[i].text);

		if (glob_matches(pattern, text, false) != rows[i].matches)
			fail_msg("`%s` and `%s`", rows[i].pattern, rows[i].text);
		assert_int_equal(fnmatch(rows[i].pattern, rows[i].text, 0) == 0, rows[i].matches);
	}
}

static void test_glob__folds_ascii_letters_but_not_classes(void **state)
{
	static const struct {
		const char *pattern;
		const char *text;
		bool matches;
	} folded[] = {
		{ "AbC", "aBc", true },
		{ "\\A", "a", true },
		{ "[A]", "a", true },
		{ "[a]", "A", true },
		{ "[!a]", "A", false },
		{ "[A-Z]", "m", true },
		{ "[a-Z]", "M", true },
		{ "[Z-a]", "z", false },
		{ "[A-Z]", "_", false },
		{ "*MINER*", "xMrIgMiner1", true },
		{ "[[:upper:]]", "a", false },
		{ "[[=A=]]", "a", false },
		{ "\xc3\x89", "\xc3\xa9", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(folded); i++) {
		struct scd_str pattern = scd_str_from(folded[i].pattern), text = scd_str_from(folded[i].text);

		if (glob_matches(pattern, text, true) != folded[i].matches)
			fail_msg("`%s` and `%s`", folded[i].pattern, folded[i].text);
		assert_int_equal(fnmatch(folded[i].pattern, folded[i].text, FNM_CASEFOLD) == 0, folded[i].matches);
	}
}

static void test_glob__knows_every_class_of_the_c_locale(void **state)
{
	static const char *const names[] = { "alnum", "alpha", "blank", "cntrl", "digit", "graph",
		                             "lower", "print", "punct", "space", "upper", "xdigit" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char pattern[16];

		snprintf(pattern, sizeof(pattern), "[[:%s:]]", names[i]);
		for (unsigned byte = 1; byte < 256; byte++) {
			const char text[2] = { (char)byte, '\0' };

			assert_int_equal(glob_matches(scd_str_from(pattern), scd_str_from(text), false),
			                 fnmatch(pattern, text, 0) == 0);
		}
	}
}

static void test_glob__takes_a_nul_for_a_byte_like_any_other(void **state)
{
	(void)state;
	assert_true(glob_matches(SCD_STR("a?c"), SCD_STR("a\0c"), false));
	assert_true(glob_matches(SCD_STR("*c"), SCD_STR("a\0c"), false));
	assert_true(glob_matches(SCD_STR("a\0[!b]"), SCD_STR("a\0c"), false));
	assert_false(glob_matches(SCD_STR("a"), SCD_STR("a\0"), false));
	assert_true(glob_matches(SCD_STR("*"), (struct scd_str){ NULL, 0 }, false));
	assert_false(glob_matches((struct scd_str){ NULL, 0 }, SCD_STR("a"), false));
}

static void test_glob__takes_a_bracket_that_does_not_close_for_a_byte(void **state)
{
	static const char *const patterns[] = { "[", "[a", "[]", "[!", "[!]", "[a-", "[]a-", "[a-b", "[[:alpha:" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		struct scd_str pattern = scd_str_from(patterns[i]);

		assert_true(glob_matches(pattern, pattern, false));
		assert_false(glob_matches(pattern, SCD_STR("a"), false));
	}
}

/* What POSIX leaves undefined, and where fnmatch depends on the text. */
static bool is_undefined(const char *pattern)
{
	size_t len = strlen(pattern);

	return strstr(pattern, "[.") || strstr(pattern, "[=") || strstr(pattern, "-[:") ||
	       (len > 0 && pattern[len - 1] == '-');
}

static void put_random(struct scd_rng *rng, char *out, size_t max_len, const char *const *pieces, size_t count)
{
	size_t len = 0;

	for (uint64_t n = scd_rng_below(rng, 8); n > 0; n--) {
		const char *piece = pieces[scd_rng_below(rng, count)];

		if (len + strlen(piece) > max_len)
			break;
		memcpy(out + len, piece, strlen(piece));
		len += strlen(piece);
	}
	out[len] = '\0';
}

static void test_glob__agrees_with_fnmatch_on_random_patterns(void **state)
{
	static const char *const patterns[] = { "a", "b",  "A", "z",  "]",  "]",          "[",         "[",  "[!",
		                                "-", "\\", "*", "?",  "*",  "[:alpha:]",  "[:up",      "[^", "[a-",
		                                ":", "^",  "!", "ab", "/.", "[[:digit:]", "[[:nix:]]", "[b]" };
	static const char *const texts[] = {
		"a", "b", "A", "Z", "]", "[", "-", "\\", "*", "1", ":", "/", ".", "ab", "!"
	};
	struct scd_rng rng = scd_rng_start("glob");
	unsigned matches = 0;

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		bool fold = scd_rng_below(&rng, 2);
		char pattern[64], text[64];
		bool expected;

		put_random(&rng, pattern, sizeof(pattern) - 1, patterns, COUNT_OF(patterns));
		put_random(&rng, text, sizeof(text) - 1, texts, COUNT_OF(texts));
		if (is_undefined(pattern))
			continue;
		expected = fnmatch(pattern, text, fold ? FNM_CASEFOLD : 0) == 0;
		matches += expected;
		if (glob_matches(scd_str_from(pattern), scd_str_from(text), fold) != expected)
			fail_msg("`%s` and `%s`, fold %d: expected %d", pattern, text, fold, expected);
	}
	assert_true(matches > 1000);
}

static void test_glob__is_not_exponential_in_the_number_of_stars(void **state)
{
	enum { LEN = 100000 };
	char *text = malloc(LEN);
	char pattern[129] = "";

	(void)state;
	assert_non_null(text);
	memset(text, 'a', LEN);
	for (size_t i = 0; i < 64; i++)
		memcpy(pattern + 2 * i, "*a", 3);
	pattern[127] = 'b';
	assert_false(glob_matches(scd_str_from(pattern), (struct scd_str){ text, LEN }, false));
	text[LEN - 1] = 'b';
	assert_true(glob_matches(scd_str_from(pattern), (struct scd_str){ text, LEN }, false));
	free(text);
}

/* A text of 64 KiB against a pattern of 122 bytes took 16 s when each bracket was read to its end. */
static void test_glob__reads_a_bracket_once(void **state)
{
	enum { LEN = 65536, BRACKETS = 250 };
	char *text = malloc(LEN), pattern[BRACKETS + 4];
	clock_t begin = clock();

	(void)state;
	assert_non_null(text);
	memset(text, '[', LEN);
	memset(pattern, '[', sizeof(pattern));
	pattern[0] = '*';
	memcpy(pattern + BRACKETS, "\\]", 3);
	assert_false(glob_matches(scd_str_from(pattern), (struct scd_str){ text, LEN }, false));
	text[LEN - 1] = ']';
	assert_true(glob_matches(scd_str_from(pattern), (struct scd_str){ text, LEN }, false));
	assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 2);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob__matches_as_fnmatch),
		cmocka_unit_test(test_glob__folds_ascii_letters_but_not_classes),
		cmocka_unit_test(test_glob__knows_every_class_of_the_c_locale),
		cmocka_unit_test(test_glob__takes_a_nul_for_a_byte_like_any_other),
		cmocka_unit_test(test_glob__takes_a_bracket_that_does_not_close_for_a_byte),
		cmocka_unit_test(test_glob__agrees_with_fnmatch_on_random_patterns),
		cmocka_unit_test(test_glob__is_not_exponential_in_the_number_of_stars),
		cmocka_unit_test(test_glob__reads_a_bracket_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
