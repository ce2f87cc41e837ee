/*
 * Spans: comparison, search, numbers and UTF-8, with NUL bytes and empty spans wherever they are allowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/str.h"
#include "tests/support/rng.h"

static const struct scd_str nothing = { NULL, 0 };

static void test_str_eq__compares_bytes_and_ignores_where_empty_spans_point(void **state)
{
	(void)state;
	assert_true(scd_str_eq(SCD_STR("a\0b"), SCD_STR("a\0b")));
	assert_false(scd_str_eq(SCD_STR("a\0b"), SCD_STR("a\0c")));
	assert_false(scd_str_eq(SCD_STR("ab"), SCD_STR("abc")));
	assert_true(scd_str_eq(nothing, SCD_STR("")));
	assert_true(scd_str_is(SCD_STR("word"), "word"));
	assert_false(scd_str_is(SCD_STR("word\0"), "word"));
	assert_true(scd_str_is(nothing, ""));
	assert_true(scd_str_eq(scd_str_from(NULL), nothing));
}

static void test_str_compare__puts_a_prefix_before_its_continuation(void **state)
{
	static const struct {
		struct scd_str a, b;
		int sign;
	} rows[] = {
		{ SCD_STR_INIT("a"), SCD_STR_INIT("b"), -1 },    { SCD_STR_INIT("a"), SCD_STR_INIT("ab"), -1 },
		{ SCD_STR_INIT(""), SCD_STR_INIT("\0"), -1 },    { SCD_STR_INIT("\x7f"), SCD_STR_INIT("\xff"), -1 },
		{ SCD_STR_INIT("abc"), SCD_STR_INIT("abc"), 0 }, { { NULL, 0 }, SCD_STR_INIT(""), 0 },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		int there = scd_str_compare(rows[i].a, rows[i].b);
		int back = scd_str_compare(rows[i].b, rows[i].a);

		assert_int_equal((there > 0) - (there < 0), rows[i].sign);
		assert_int_equal((back > 0) - (back < 0), -rows[i].sign);
	}
}

static void test_str_search__finds_at_both_ends_and_nothing_past_them(void **state)
{
	static const struct {
		const char *name;
		struct scd_str text, part;
		bool starts, ends, contains, icontains;
	} rows[] = {
		{ "whole", SCD_STR_INIT("xmrig"), SCD_STR_INIT("xmrig"), true, true, true, true },
		{ "start", SCD_STR_INIT("xmrig"), SCD_STR_INIT("xm"), true, false, true, true },
		{ "end", SCD_STR_INIT("xmrig"), SCD_STR_INIT("rig"), false, true, true, true },
		{ "middle", SCD_STR_INIT("xmrig"), SCD_STR_INIT("mri"), false, false, true, true },
		{ "longer than the text", SCD_STR_INIT("xm"), SCD_STR_INIT("xmrig"), false, false, false, false },
		{ "other case", SCD_STR_INIT("XmRiG"), SCD_STR_INIT("mri"), false, false, false, true },
		{ "only ASCII is folded", SCD_STR_INIT("\xc3\x84"), SCD_STR_INIT("\xc3\xa4"), false, false, false,
		  false },
		{ "neighbours of the letters", SCD_STR_INIT("[@"), SCD_STR_INIT("{`"), false, false, false, false },
		{ "behind a NUL", SCD_STR_INIT("a\0b"), SCD_STR_INIT("\0b"), false, true, true, true },
		{ "empty part", SCD_STR_INIT("xm"), { NULL, 0 }, true, true, true, true },
		{ "empty text", { NULL, 0 }, SCD_STR_INIT("x"), false, false, false, false },
		{ "both empty", { NULL, 0 }, { NULL, 0 }, true, true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		bool right = scd_str_starts_with(rows[i].text, rows[i].part) == rows[i].starts &&
		             scd_str_ends_with(rows[i].text, rows[i].part) == rows[i].ends &&
		             scd_str_contains(rows[i].text, rows[i].part) == rows[i].contains &&
		             scd_str_icontains(rows[i].text, rows[i].part) == rows[i].icontains;

		if (!right)
			fail_msg("%s", rows[i].name);
	}
}

static void test_str_trim__takes_blanks_from_both_ends_only(void **state)
{
	(void)state;
	assert_true(scd_str_is(scd_str_trim(SCD_STR(" \t\r\n a b \n")), "a b"));
	assert_true(scd_str_is(scd_str_trim(SCD_STR("a")), "a"));
	assert_int_equal(scd_str_trim(SCD_STR(" \n ")).len, 0);
	assert_int_equal(scd_str_trim(nothing).len, 0);
}

static void test_str_basename__is_what_follows_the_last_slash(void **state)
{
	(void)state;
	assert_true(scd_str_is(scd_str_basename(SCD_STR("/usr/bin/env")), "env"));
	assert_true(scd_str_is(scd_str_basename(SCD_STR("env")), "env"));
	assert_true(scd_str_is(scd_str_basename(SCD_STR("/usr/bin/")), ""));
	assert_true(scd_str_is(scd_str_basename(SCD_STR("/")), ""));
	assert_true(scd_str_is(scd_str_basename(nothing), ""));
}

static void test_str_to_i64__reads_whole_numbers_up_to_the_limits(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "+7", 0, 7 },
		{ "0012", 0, 12 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-", -EINVAL, 0 },
		{ "+-1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "99999999999999999999999x", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		int64_t value = 4711;

		if (scd_str_to_i64(scd_str_from(rows[i].text), &value) != rows[i].result)
			fail_msg("result of '%s'", rows[i].text);
		assert_int_equal(value, rows[i].result == 0 ? rows[i].value : 4711);
	}
}

static void test_str_to_u64__takes_no_sign(void **state)
{
	uint64_t value = 1;

	(void)state;
	assert_int_equal(scd_str_to_u64(SCD_STR("18446744073709551615"), &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(scd_str_to_u64(SCD_STR("18446744073709551616"), &value), -ERANGE);
	assert_int_equal(scd_str_to_u64(SCD_STR("36893488147419103232"), &value), -ERANGE);
	assert_int_equal(scd_str_to_u64(SCD_STR("+1"), &value), -EINVAL);
	assert_int_equal(scd_str_to_u64(SCD_STR("-1"), &value), -EINVAL);
	assert_int_equal(scd_str_to_u64(nothing, &value), -EINVAL);
	assert_true(value == UINT64_MAX);
}

/* What scd_str_icontains says, byte by byte. */
static bool naive_icontains(struct scd_str text, struct scd_str needle)
{
	for (size_t i = 0; i + needle.len <= text.len; i++) {
		size_t same = 0;

		while (same < needle.len &&
		       tolower((unsigned char)text.data[i + same]) == tolower((unsigned char)needle.data[same]))
			same++;
		if (same == needle.len)
			return true;
	}
	return false;
}

/* Few different letters, so that there are many beginnings; as long as two windows, so that some lie across them. */
static void test_str_icontains__agrees_with_a_search_byte_by_byte(void **state)
{
	enum { TEXT = 9000, NEEDLE = 1500 };
	struct scd_rng rng = scd_rng_start("str_icontains");
	static char text[TEXT], needle[NEEDLE];
	size_t found = 0;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct scd_str t = { text, scd_rng_below(&rng, TEXT) };
		struct scd_str n = { needle, scd_rng_below(&rng, round % 2 ? NEEDLE : 12) };

		for (size_t i = 0; i < t.len; i++)
			text[i] = "aAbB@["[scd_rng_below(&rng, 6)];
		for (size_t i = 0; i < n.len; i++)
			needle[i] = "aAbB@["[scd_rng_below(&rng, 6)];
		if (round % 4 == 1 && n.len <= t.len)
			memcpy(text + scd_rng_below(&rng, t.len - n.len + 1), needle, n.len);
		found += naive_icontains(t, n);
		assert_int_equal(scd_str_icontains(t, n), naive_icontains(t, n));
	}
	assert_in_range(found, 500, 1900);
}

/* With a needle of a's and a b behind them, a search that starts anew at each byte would look at a hundred million. */
static void test_str_icontains__finds_the_needle_at_every_place_of_a_window(void **state)
{
	static char text[5000], needle[256];

	(void)state;
	memset(text, 'A', sizeof(text));
	memset(needle, 'a', sizeof(needle));
	needle[254] = 'B';
	for (size_t at = 3800; at < 4200; at++) {
		struct scd_str hay = { text, sizeof(text) };

		text[at] = 'b';
		assert_true(scd_str_icontains(hay, (struct scd_str){ needle, 255 }));
		assert_true(scd_str_icontains((struct scd_str){ text, at + 1 }, (struct scd_str){ needle, 255 }));
		assert_false(scd_str_icontains((struct scd_str){ text, at }, (struct scd_str){ needle, 255 }));
		text[at] = 'A';
	}
}

static void test_str_next_nul__takes_one_text_after_the_other(void **state)
{
	struct scd_str rest = SCD_STR("a\0\0bc\0last"), text = { NULL, 0 };
	static const char *const expected[] = { "a", "", "bc", "last" };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(expected); i++) {
		assert_true(scd_str_next_nul(&rest, &text));
		assert_true(scd_str_is(text, expected[i]));
	}
	assert_false(scd_str_next_nul(&rest, &text));
	assert_true(scd_str_is(text, "last"));
	rest = (struct scd_str){ NULL, 0 };
	assert_false(scd_str_next_nul(&rest, &text));
	rest = SCD_STR("x\0");
	assert_true(scd_str_next_nul(&rest, &text) && scd_str_is(text, "x"));
	assert_false(scd_str_next_nul(&rest, &text));
}

static void test_str_utf8_length__knows_the_edges_of_every_form(void **state)
{
	static const struct {
		const char *name;
		struct scd_str text;
		size_t length;
	} rows[] = {
		{ "empty", { NULL, 0 }, 0 },
		{ "NUL", SCD_STR_INIT("\0"), 1 },
		{ "U+007F", SCD_STR_INIT("\x7f"), 1 },
		{ "lone continuation", SCD_STR_INIT("\x80"), 0 },
		{ "overlong, two bytes", SCD_STR_INIT("\xc1\xbf"), 0 },
		{ "U+0080", SCD_STR_INIT("\xc2\x80"), 2 },
		{ "U+07FF", SCD_STR_INIT("\xdf\xbf"), 2 },
		{ "cut, two bytes", SCD_STR_INIT("\xc3"), 0 },
		{ "overlong, three bytes", SCD_STR_INIT("\xe0\x9f\xbf"), 0 },
		{ "U+0800", SCD_STR_INIT("\xe0\xa0\x80"), 3 },
		{ "U+D7FF", SCD_STR_INIT("\xed\x9f\xbf"), 3 },
		{ "surrogate", SCD_STR_INIT("\xed\xa0\x80"), 0 },
		{ "U+FFFF", SCD_STR_INIT("\xef\xbf\xbf"), 3 },
		{ "cut, three bytes", SCD_STR_INIT("\xe2\x82"), 0 },
		{ "bad third byte", SCD_STR_INIT("\xe2\x82(rest"), 0 },
		{ "overlong, four bytes", SCD_STR_INIT("\xf0\x8f\xbf\xbf"), 0 },
		{ "U+10000", SCD_STR_INIT("\xf0\x90\x80\x80"), 4 },
		{ "U+10FFFF", SCD_STR_INIT("\xf4\x8f\xbf\xbf"), 4 },
		{ "over U+10FFFF", SCD_STR_INIT("\xf4\x90\x80\x80"), 0 },
		{ "no lead byte", SCD_STR_INIT("\xf5\x80\x80\x80"), 0 },
		{ "only the first counts", SCD_STR_INIT("\xc3\xa4\xff"), 2 },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		if (scd_str_utf8_length(rows[i].text) != rows[i].length)
			fail_msg("%s", rows[i].name);
	}
}

static void test_str_utf8_code_point__decodes_every_form(void **state)
{
	static const struct {
		struct scd_str text;
		uint32_t code_point;
	} rows[] = {
		{ SCD_STR_INIT("\0"), 0 },
		{ SCD_STR_INIT("\x7f"), 0x7f },
		{ SCD_STR_INIT("\xc2\x80"), 0x80 },
		{ SCD_STR_INIT("\xdf\xbf"), 0x7ff },
		{ SCD_STR_INIT("\xe0\xa0\x80"), 0x800 },
		{ SCD_STR_INIT("\xef\xbf\xbf"), 0xffff },
		{ SCD_STR_INIT("\xf0\x90\x80\x80"), 0x10000 },
		{ SCD_STR_INIT("\xf4\x8f\xbf\xbf"), 0x10ffff },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		assert_int_equal(scd_str_utf8_code_point(rows[i].text), rows[i].code_point);
}

static void test_str_steers_display__knows_the_edges_of_every_range(void **state)
{
	static const uint32_t steering[] = { 0,      0x1b,   0x1f,   0x7f,   0x80,   0x9b,   0x9f,  0x61c,
		                             0x200e, 0x200f, 0x2028, 0x202a, 0x202e, 0x2066, 0x2069 };
	static const uint32_t plain[] = { ' ',    '~',    0xa0,   0x61b,  0x61d,  0x200d,
		                          0x2010, 0x2027, 0x202f, 0x2065, 0x206a, 0x1f600 };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(steering); i++)
		assert_true(scd_str_steers_display(steering[i]));
	for (size_t i = 0; i < SCD_COUNT(plain); i++)
		assert_false(scd_str_steers_display(plain[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_str_eq__compares_bytes_and_ignores_where_empty_spans_point),
		cmocka_unit_test(test_str_compare__puts_a_prefix_before_its_continuation),
		cmocka_unit_test(test_str_search__finds_at_both_ends_and_nothing_past_them),
		cmocka_unit_test(test_str_trim__takes_blanks_from_both_ends_only),
		cmocka_unit_test(test_str_basename__is_what_follows_the_last_slash),
		cmocka_unit_test(test_str_to_i64__reads_whole_numbers_up_to_the_limits),
		cmocka_unit_test(test_str_to_u64__takes_no_sign),
		cmocka_unit_test(test_str_icontains__agrees_with_a_search_byte_by_byte),
		cmocka_unit_test(test_str_icontains__finds_the_needle_at_every_place_of_a_window),
		cmocka_unit_test(test_str_next_nul__takes_one_text_after_the_other),
		cmocka_unit_test(test_str_utf8_length__knows_the_edges_of_every_form),
		cmocka_unit_test(test_str_utf8_code_point__decodes_every_form),
		cmocka_unit_test(test_str_steers_display__knows_the_edges_of_every_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
