/*
 * Times as text, checked against the C library's calendar.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "tests/support/rng.h"

static void test_clock_format__has_nine_digits_and_the_suffix(void **state)
{
	static const struct {
		int64_t ns;
		const char *suffix, *iso8601, *time;
	} rows[] = {
		{ 0, "Z", "1970-01-01T00:00:00.000000000Z", "00:00:00.000000000" },
		{ 1, "+0000", "1970-01-01T00:00:00.000000001+0000", "00:00:00.000000001" },
		{ -1, "Z", "1969-12-31T23:59:59.999999999Z", "23:59:59.999999999" },
		{ 951782400000000000, "Z", "2000-02-29T00:00:00.000000000Z", "00:00:00.000000000" },
		{ 4107542399999999999, "Z", "2100-02-28T23:59:59.999999999Z", "23:59:59.999999999" },
		{ 4107542400000000000, "Z", "2100-03-01T00:00:00.000000000Z", "00:00:00.000000000" },
		{ 1769848200123456789, "Z", "2026-01-31T08:30:00.123456789Z", "08:30:00.123456789" },
		{ INT64_MAX, "Z", "2262-04-11T23:47:16.854775807Z", "23:47:16.854775807" },
		{ INT64_MIN, "Z", "1677-09-21T00:12:43.145224192Z", "00:12:43.145224192" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		char text[SCD_CLOCK_TEXT_BYTES];

		scd_clock_format_iso8601(rows[i].ns, rows[i].suffix, text);
		assert_string_equal(text, rows[i].iso8601);
		scd_clock_format_time(rows[i].ns, text);
		assert_string_equal(text, rows[i].time);
	}
}

static void test_clock_format__agrees_with_gmtime(void **state)
{
	struct scd_rng rng = scd_rng_start("clock");

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		int64_t ns = (int64_t)scd_rng_next(&rng);
		time_t seconds = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
		char text[SCD_CLOCK_TEXT_BYTES], expected[SCD_CLOCK_TEXT_BYTES];
		struct tm tm;

		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
		scd_clock_format_iso8601(ns, "", text);
		assert_memory_equal(text, expected, strlen(expected));
	}
}

static void test_clock__runs_forward_and_knows_the_century(void **state)
{
	int64_t before = scd_clock_mono_ns();

	(void)state;
	assert_true(scd_clock_mono_ns() >= before);
	assert_true(scd_clock_wall_ns() > 1600000000000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_format__has_nine_digits_and_the_suffix),
		cmocka_unit_test(test_clock_format__agrees_with_gmtime),
		cmocka_unit_test(test_clock__runs_forward_and_knows_the_century),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
