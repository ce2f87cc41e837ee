/*
 * Regular expressions: RE2's POSIX syntax, over the whole text, on bytes that may be no UTF-8.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "seccheckd/base/array.h"
#include "seccheckd/index/regex.h"

static bool matches(const char *pattern, struct scd_str text)
{
	struct scd_error err;
	struct scd_regex *regex;
	struct scd_arena scratch;
	bool result;

	scd_arena_init(&scratch, 4096, 1u << 20);
	if (scd_regex_new(scd_str_from(pattern), &regex, &err) < 0)
		fail_msg("%s: %s", pattern, err.what);
	result = scd_regex_matches(regex, text, &scratch);
	scd_regex_free(&regex);
	assert_null(regex);
	scd_arena_done(&scratch);
	return result;
}

static void test_regex__matches_whole_texts_only(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool expected;
	} rows[] = {
		{ "syscall", "syscall", true },
		{ "yscal", "syscall", false },
		{ "yscal.*", "syscall", false },
		{ ".*yscal.*", "syscall", true },
		{ "^syscall$", "syscall", true },
		{ "a|ab", "ab", true },
		{ "", "", true },
		{ "", "a", false },
		{ "[[:alpha:]]+", "abc", true },
		{ "[a-c]{3}", "abc", true },
		{ "(/tmp|/var/tmp)/.*", "/tmp/x", true },
		{ "\\.so\\.[0-9]+", ".so.6", true },
		{ "a.c", "a\nc", false },
		{ "A", "a", false },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		if (matches(rows[i].pattern, scd_str_from(rows[i].text)) != rows[i].expected)
			fail_msg("%s on %s is not %d", rows[i].pattern, rows[i].text, rows[i].expected);
	}
}

static void test_regex__takes_each_bad_byte_for_one_replacement_character(void **state)
{
	(void)state;
	assert_true(matches("/p./q.", SCD_STR("/p\xff/q\xff")));
	assert_false(matches("/p./q", SCD_STR("/p\xff/q\xff")));
	assert_true(matches("\xef\xbf\xbd{2}", SCD_STR("\xc3\xff")));
	assert_true(matches(".", SCD_STR("\xc3\xa9")));
	assert_true(matches("a.b", SCD_STR("a\0b")));
}

static void test_regex__refuses_what_posix_has_not(void **state)
{
	static const char *const patterns[] = { "\\d", "\\w+", "(?i)a", "(", "[", "*", "(a)\\1", "a{2000}", "\xff" };
	struct scd_regex *regex = NULL;
	struct scd_error err;

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(patterns); i++) {
		if (scd_regex_new(scd_str_from(patterns[i]), &regex, &err) != -EINVAL)
			fail_msg("%s is accepted", patterns[i]);
		assert_non_null(strstr(err.what, "invalid regular expression: "));
	}
	assert_null(regex);
}

static void test_regex__refuses_a_pattern_that_needs_too_much_memory(void **state)
{
	struct scd_regex *regex = NULL;
	struct scd_error err;
	char pattern[252];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = ".{1000}"[i % 7];
	assert_int_equal(scd_regex_new((struct scd_str){ pattern, sizeof(pattern) }, &regex, &err), -EINVAL);
	assert_non_null(strstr(err.what, "too large"));
}

static void test_regex__takes_its_share_of_memory_and_matches_as_before(void **state)
{
	static const struct scd_str patterns[] = { SCD_STR_INIT("(a|b)*a(a|b){8}"), SCD_STR_INIT("x+[0-9a-f]{4}y?") };
	static const struct scd_str texts[] = { SCD_STR_INIT("ababababababab"), SCD_STR_INIT("bbbbbbbbbbbbb"),
		                                SCD_STR_INIT("xx01efy"), SCD_STR_INIT("") };
	struct scd_arena scratch;

	(void)state;
	scd_arena_init(&scratch, 4096, 1u << 20);
	for (size_t i = 0; i < SCD_COUNT(patterns); i++) {
		struct scd_regex *whole, *small;
		struct scd_error err;

		assert_int_equal(scd_regex_new(patterns[i], &whole, &err), 0);
		assert_int_equal(scd_regex_new(patterns[i], &small, &err), 0);
		assert_int_equal(scd_regex_limit(small, 8192, &err), 0);
		for (size_t j = 0; j < SCD_COUNT(texts); j++)
			assert_int_equal(scd_regex_matches(small, texts[j], &scratch),
			                 scd_regex_matches(whole, texts[j], &scratch));
		assert_int_equal(scd_regex_limit(small, 64, &err), -EINVAL);
		assert_true(scd_str_eq(scd_regex_pattern(small), patterns[i]));
		scd_regex_free(&whole);
		scd_regex_free(&small);
	}
	scd_arena_done(&scratch);
}

/* What backtracking would take years for; and more states than there is memory to remember. */
static void test_regex__takes_linear_time(void **state)
{
	static char text[65536];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(matches("(a*)*(a*)*(a|aa)*b", (struct scd_str){ text, sizeof(text) }));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + (i * i / 7) % 2);
	text[sizeof(text) - 1] = 'c';
	assert_false(matches("(a|b)*a(a|b){18}", (struct scd_str){ text, sizeof(text) }));
}

/* Both took seconds for a text of 64 KiB: a thousand states at each byte; and more steps than any pattern needs. */
static void test_regex__costs_no_more_than_its_work(void **state)
{
	static char text[65536];
	struct scd_regex *regex;
	struct scd_error err;
	uint32_t random = 1;
	clock_t begin = clock();

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		random = random * 1103515245u + 12345u;
		text[i] = (char)('a' + (random >> 16) % 2);
	}
	assert_false(matches(".*a.{300}c.*", (struct scd_str){ text, sizeof(text) }));
	assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 0.4);
	assert_int_equal(scd_regex_new(SCD_STR(".*(a|b)[^c]{999}[^c]{999}c"), &regex, &err), -EINVAL);
	assert_non_null(strstr(err.what, "steps"));
}

/* Head and tail stay, with a mark between them. */
static void test_regex__sees_the_ends_of_a_long_text(void **state)
{
	static char text[65536];
	struct scd_str all = { text, sizeof(text) };

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "head", 4);
	memcpy(text + sizeof(text) - 4, "tail", 4);
	assert_true(matches("head(.|(.{200}|y))*tail", all));
	assert_true(matches("head[^<]*<[.]{3}>[^<]*tail(y{500})?", all));
	assert_true(matches("headx*tail", all));
}

static void test_regex__does_not_match_without_scratch(void **state)
{
	static char text[8192];
	struct scd_error err;
	struct scd_regex *regex;
	struct scd_arena scratch;

	(void)state;
	memset(text, 0xff, sizeof(text));
	scd_arena_init(&scratch, 512, 4096);
	assert_int_equal(scd_regex_new(SCD_STR(".*"), &regex, &err), 0);
	assert_false(scd_regex_matches(regex, (struct scd_str){ text, sizeof(text) }, &scratch));
	assert_true(scd_regex_matches(regex, (struct scd_str){ text, 100 }, &scratch));
	scd_regex_free(&regex);
	scd_regex_free(&regex);
	scd_arena_done(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regex__matches_whole_texts_only),
		cmocka_unit_test(test_regex__takes_each_bad_byte_for_one_replacement_character),
		cmocka_unit_test(test_regex__refuses_what_posix_has_not),
		cmocka_unit_test(test_regex__refuses_a_pattern_that_needs_too_much_memory),
		cmocka_unit_test(test_regex__takes_its_share_of_memory_and_matches_as_before),
		cmocka_unit_test(test_regex__takes_linear_time),
		cmocka_unit_test(test_regex__costs_no_more_than_its_work),
		cmocka_unit_test(test_regex__sees_the_ends_of_a_long_text),
		cmocka_unit_test(test_regex__does_not_match_without_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
