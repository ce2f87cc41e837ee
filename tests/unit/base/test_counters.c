/*
 * Counters in the log: what is told and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/counters.h"
#include "seccheckd/base/log.h"

/* What the call writes to standard error, without the time. Valid until the next call. */
static const char *logged_when(const char *who, const struct scd_counter *counters, size_t count, bool asked)
{
	static char text[PIPE_BUF + 1];
	int saved = dup(STDERR_FILENO), ends[2];
	ssize_t len;

	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	dup2(ends[1], STDERR_FILENO);
	scd_counters_log(who, counters, count, asked);
	dup2(saved, STDERR_FILENO);
	len = read(ends[0], text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = '\0';
	close(saved);
	close(ends[0]);
	close(ends[1]);
	return *text ? strchr(text, ' ') + 1 : text;
}

static const char *logged(const char *who, const struct scd_counter *counters, size_t count)
{
	return logged_when(who, counters, count, false);
}

static void test_counters_log__answers_whatever_the_level_is(void **state)
{
	const struct scd_counter row = { "few", "", 3 };

	(void)state;
	scd_log_set_level(SCD_LOG_ERROR);
	assert_string_equal(logged_when("net", &row, 1, false), "");
	assert_string_equal(logged_when("net", &row, 1, true), "info net: few 3\n");
	scd_log_set_level(SCD_LOG_INFO);
}

static void test_counters_log__tells_those_that_are_not_zero_in_one_line(void **state)
{
	const struct scd_counter rows[] = {
		{ "none", "", 0 },          { "few", "", 3 },  { "nothing", "", 0 },
		{ "many", "", UINT64_MAX }, { "zero", "", 0 },
	};

	(void)state;
	assert_string_equal(logged("net", rows, SCD_COUNT(rows)), "info net: few 3, many 18446744073709551615\n");
}

static void test_counters_log__says_nothing_of_nothing(void **state)
{
	const struct scd_counter rows[] = { { "none", "", 0 }, { "nothing", "", 0 } };

	(void)state;
	assert_string_equal(logged("net", rows, SCD_COUNT(rows)), "");
	assert_string_equal(logged("net", rows, 0), "");
}

static void test_counters_log__cuts_a_line_that_is_too_long(void **state)
{
	struct scd_counter rows[500];
	const char *line;

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		rows[i] = (struct scd_counter){ "a_counter", "", i + 1 };
	line = logged("many", rows, SCD_COUNT(rows));
	assert_int_equal(strncmp(line, "info many: a_counter 1, a_counter 2, ", 37), 0);
	assert_in_range(strlen(line), 3000, PIPE_BUF);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters_log__tells_those_that_are_not_zero_in_one_line),
		cmocka_unit_test(test_counters_log__answers_whatever_the_level_is),
		cmocka_unit_test(test_counters_log__says_nothing_of_nothing),
		cmocka_unit_test(test_counters_log__cuts_a_line_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
