/*
 * String constants to canonical form and back.
 */
#include "tests/support/rng.h"
#include "tests/unit/lang/fixture.h"

static void test_escape__quotes_only_what_needs_it(void **state)
{
	static const struct scd_str rows[][2] = {
		{ SCD_STR_INIT(""), SCD_STR_INIT("") },
		{ SCD_STR_INIT("abc"), SCD_STR_INIT("abc") },
		{ SCD_STR_INIT("/a(b),[c]"), SCD_STR_INIT("/a(b),[c]") },
		{ SCD_STR_INIT("\xff\v\x01\x7f"), SCD_STR_INIT("\xff\v\x01\x7f") },
		{ SCD_STR_INIT(" "), SCD_STR_INIT("\" \"") },
		{ SCD_STR_INIT("a=b"), SCD_STR_INIT("\"a=b\"") },
		{ SCD_STR_INIT("it's"), SCD_STR_INIT("\"it's\"") },
		{ SCD_STR_INIT("\""), SCD_STR_INIT("\"\\\"\"") },
		{ SCD_STR_INIT("\\"), SCD_STR_INIT("\"\\\\\"") },
		{ SCD_STR_INIT("\b\f\n\r\t"), SCD_STR_INIT("\"\\b\\f\\n\\r\\t\"") },
		{ SCD_STR_INIT("a\0b"), SCD_STR_INIT("\"a\0b\"") },
		{ SCD_STR_INIT("a b/"), SCD_STR_INIT("\"a b/\"") },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scd_str text;

		assert_int_equal(scd_ast_escape(rows[i][0], *state, &text), 0);
		assert_true(scd_str_eq(text, rows[i][1]));
	}
}

static void test_unescape__decodes_what_stands_between_quotes(void **state)
{
	static const struct scd_str rows[][2] = {
		{ SCD_STR_INIT("''"), SCD_STR_INIT("") },
		{ SCD_STR_INIT("\"abc\""), SCD_STR_INIT("abc") },
		{ SCD_STR_INIT("'\"'"), SCD_STR_INIT("\"") },
		{ SCD_STR_INIT("\"'\""), SCD_STR_INIT("'") },
		{ SCD_STR_INIT("'\\''"), SCD_STR_INIT("'") },
		{ SCD_STR_INIT("\"\\\"\""), SCD_STR_INIT("\"") },
		{ SCD_STR_INIT("'\\b\\f\\n\\r\\t'"), SCD_STR_INIT("\b\f\n\r\t") },
		{ SCD_STR_INIT("'\\\\\\/'"), SCD_STR_INIT("\\/") },
		{ SCD_STR_INIT("'a\\ b'"), SCD_STR_INIT("a\\b") },
		{ SCD_STR_INIT("'\\x00\\xfF\\x4a'"), SCD_STR_INIT("\0\xffJ") },
		{ SCD_STR_INIT("'\\x414'"), SCD_STR_INIT("A4") },
		{ SCD_STR_INIT("'\n'"), SCD_STR_INIT("\n") },
		{ SCD_STR_INIT("'a'b'"), SCD_STR_INIT("a'b") },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scd_str text;

		assert_int_equal(scd_ast_unescape(rows[i][0], *state, &text), 0);
		assert_true(scd_str_eq(text, rows[i][1]));
	}
}

static void test_unescape__refuses_bad_escapes_and_what_is_no_literal(void **state)
{
	static const struct scd_str rows[] = {
		SCD_STR_INIT(""),          SCD_STR_INIT("'"),       SCD_STR_INIT("a"),       SCD_STR_INIT("abc"),
		SCD_STR_INIT("'abc\""),    SCD_STR_INIT("'abc"),    SCD_STR_INIT("abc'"),    SCD_STR_INIT("'\\q'"),
		SCD_STR_INIT("'\\\"'"),    SCD_STR_INIT("\"\\'\""), SCD_STR_INIT("'\\'"),    SCD_STR_INIT("'\\x'"),
		SCD_STR_INIT("'\\x4'"),    SCD_STR_INIT("'\\x4g'"), SCD_STR_INIT("'\\xg4'"), SCD_STR_INIT("'\\x+1'"),
		SCD_STR_INIT("'\\X41'"),   SCD_STR_INIT("'\\N'"),   SCD_STR_INIT("'\\0'"),   SCD_STR_INIT("'\\\0'"),
		SCD_STR_INIT("'\\u0041'"), SCD_STR_INIT("'a\\\n'"),
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scd_str text = SCD_STR("untouched");

		assert_int_equal(scd_ast_unescape(rows[i], *state, &text), -EINVAL);
		assert_true(scd_str_is(text, "untouched"));
	}
}

static void test_escape__comes_back_from_random_bytes(void **state)
{
	struct scd_rng rng = scd_rng_start("escape");

	for (unsigned i = 0; i < 20000; i++) {
		char bytes[24] = "";
		struct scd_str text = { bytes, scd_rng_below(&rng, sizeof(bytes)) };
		struct scd_str escaped, back;

		for (size_t j = 0; j < text.len; j++)
			bytes[j] = (char)(scd_rng_below(&rng, 2) ? "\\\"' =\b\n\f"[scd_rng_below(&rng, 8)]
			                                         : (int)scd_rng_below(&rng, 256));
		assert_int_equal(scd_ast_escape(text, *state, &escaped), 0);
		if (scd_str_eq(text, escaped))
			continue;
		assert_int_equal(scd_ast_unescape(escaped, *state, &back), 0);
		assert_true(scd_str_eq(text, back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LANG_TEST(test_escape__quotes_only_what_needs_it),
		LANG_TEST(test_unescape__decodes_what_stands_between_quotes),
		LANG_TEST(test_unescape__refuses_bad_escapes_and_what_is_no_literal),
		LANG_TEST(test_escape__comes_back_from_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
