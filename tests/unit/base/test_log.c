/*
 * The log, with standard error turned into a pipe: one read gives exactly what one write wrote, as the pipe is a
 * packet pipe (O_DIRECT).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/log.h"

static int saved_stderr = -1;
static int log_pipe = -1;

static int setup(void **state)
{
	int ends[2];

	(void)state;
	if (pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	log_pipe = ends[0];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(log_pipe);
	scd_log_set_level(SCD_LOG_INFO);
	return 0;
}

/* What one write(2) wrote; empty if nothing was. */
static const char *next_write(void)
{
	static char text[2 * PIPE_BUF];
	ssize_t got = read(log_pipe, text, sizeof(text) - 1);

	text[got < 0 ? 0 : got] = '\0';
	return text;
}

#define TIME_LENGTH strlen("2026-01-31T08:30:00.123Z ")

static void test_log__writes_time_level_and_message_with_one_write(void **state)
{
	const char *line;

	(void)state;
	scd_log(SCD_LOG_WARNING, "%d connections", 3);
	line = next_write();
	assert_string_equal(line + TIME_LENGTH, "warning 3 connections\n");
	assert_int_equal(line[4], '-');
	assert_int_equal(line[10], 'T');
	assert_int_equal(line[19], '.');
	assert_int_equal(line[23], 'Z');
	assert_string_equal(next_write(), "");
}

static void test_log__shows_control_characters_and_broken_utf8_as_hex(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "two\nlines", "two\\x0alines" },
		{ "\x1b[31mred", "\\x1b[31mred" },
		{ "tab\there", "tab\\x09here" },
		{ "\x7f", "\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "c1 \xc2\x9b end", "c1 \\xc2\\x9b end" },
		{ "bidi \xe2\x80\xae end", "bidi \\xe2\\x80\\xae end" },
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "cut \xe2\x82", "cut \\xe2\\x82" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		const char *line;

		scd_log(SCD_LOG_ERROR, "%s", rows[i].text);
		line = next_write() + TIME_LENGTH + strlen("error ");
		assert_int_equal(strlen(line), strlen(rows[i].shown) + 1);
		assert_memory_equal(line, rows[i].shown, strlen(rows[i].shown));
	}
}

static void test_log__cuts_a_long_line_to_what_a_pipe_writes_at_once(void **state)
{
	char longer[3 * PIPE_BUF];
	const char *line;

	(void)state;
	for (unsigned odd = 0; odd < 4; odd++) {
		memset(longer, '\n', sizeof(longer) - 1);
		memset(longer, 'a', odd);
		longer[sizeof(longer) - 1] = '\0';
		scd_log(SCD_LOG_INFO, "%s", longer);
		line = next_write();
		assert_in_range(strlen(line), PIPE_BUF - 4, PIPE_BUF);
		assert_string_equal(line + strlen(line) - 5, "\\x0a\n");
		assert_string_equal(next_write(), "");
	}
}

static void test_log_set_level__silences_what_is_less_urgent(void **state)
{
	(void)state;
	scd_log(SCD_LOG_DEBUG, "hidden");
	assert_string_equal(next_write(), "");
	scd_log_set_level(SCD_LOG_DEBUG);
	scd_log(SCD_LOG_DEBUG, "shown");
	assert_string_equal(next_write() + TIME_LENGTH, "debug shown\n");
	scd_log_set_level(SCD_LOG_ERROR);
	scd_log(SCD_LOG_WARNING, "hidden");
	assert_string_equal(next_write(), "");
}

static void test_log__keeps_errno_and_accepts_a_closed_reader(void **state)
{
	(void)state;
	close(STDERR_FILENO);
	errno = ENOTTY;
	scd_log(SCD_LOG_ERROR, "nobody hears this");
	assert_int_equal(errno, ENOTTY);
}

/* A write that waits for the reader would wait for ever here: the alarm ends the program then. */
static void test_log__drops_and_counts_what_finds_no_room(void **state)
{
	const uint64_t count = 1000;
	char expected[64];
	uint64_t shown = 0;

	(void)state;
	assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, O_DIRECT), 0);
	alarm(30);
	for (uint64_t i = 0; i < count; i++)
		scd_log(SCD_LOG_INFO, "flood");
	alarm(0);
	while (next_write()[0])
		shown++;
	assert_in_range(shown, 1, count - 1);
	scd_log(SCD_LOG_INFO, "again");
	snprintf(expected, sizeof(expected), "info (lines lost: %" PRIu64 ") again\n", count - shown);
	assert_string_equal(next_write() + TIME_LENGTH, expected);
	scd_log(SCD_LOG_INFO, "and on");
	assert_string_equal(next_write() + TIME_LENGTH, "info and on\n");
}

static void test_log_level_parse__knows_the_words_of_falco(void **state)
{
	static const struct {
		const char *word;
		int result;
		enum scd_log_level level;
	} rows[] = {
		{ "emergency", 0, SCD_LOG_ERROR },  { "alert", 0, SCD_LOG_ERROR },
		{ "critical", 0, SCD_LOG_ERROR },   { "error", 0, SCD_LOG_ERROR },
		{ "warning", 0, SCD_LOG_WARNING },  { "notice", 0, SCD_LOG_NOTICE },
		{ "info", 0, SCD_LOG_INFO },        { "informational", 0, SCD_LOG_INFO },
		{ "DEBUG", 0, SCD_LOG_DEBUG },      { "", -EINVAL, SCD_LOG_ERROR },
		{ "warn", -EINVAL, SCD_LOG_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		enum scd_log_level level = SCD_LOG_ERROR;

		assert_int_equal(scd_log_level_parse(rows[i].word, &level), rows[i].result);
		assert_int_equal(level, rows[i].level);
	}
}

/* Whatever second it is now, it is not the one in the gate. */
static void leave_second(struct scd_log_gate *gate)
{
	gate->second--;
}

static void test_log_gated__lets_a_burst_pass_and_later_tells_the_rest(void **state)
{
	struct scd_log_gate gate = SCD_LOG_GATE(0);
	unsigned shown = 0;

	(void)state;
	/* With a burst of none nothing passes, and the rest is still counted when the second changes under the test. */
	for (unsigned i = 0; i < 10; i++)
		scd_log_gated(&gate, SCD_LOG_WARNING, "flood");
	assert_string_equal(next_write(), "");
	gate.burst = 1000;
	gate.left_out = 10;
	leave_second(&gate);
	scd_log_gated(&gate, SCD_LOG_WARNING, "flood");
	assert_string_equal(next_write() + TIME_LENGTH, "warning (similar lines left out: 10) flood\n");
	for (unsigned i = 0; i < 500; i++) {
		scd_log_gated(&gate, SCD_LOG_WARNING, "flood");
		shown += strcmp(next_write() + TIME_LENGTH, "warning flood\n") == 0;
	}
	assert_int_equal(shown, 500);
}

static void test_log_gated__limits_lines_in_a_second(void **state)
{
	struct scd_log_gate gate = SCD_LOG_GATE(5);
	unsigned shown = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		scd_log_gated(&gate, SCD_LOG_WARNING, "flood");
		shown += next_write()[0] != '\0';
	}
	/* The loop may see a second or two change. */
	assert_in_range(shown, 5, 50);
	assert_true(gate.left_out > 0);
}

static void test_log_gated__does_not_count_lines_below_the_level(void **state)
{
	struct scd_log_gate gate = SCD_LOG_GATE(1);

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		scd_log_gated(&gate, SCD_LOG_DEBUG, "hidden");
	assert_int_equal(gate.in_second, 0);
	assert_int_equal(gate.left_out, 0);
}

#define with_pipe(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_pipe(test_log__writes_time_level_and_message_with_one_write),
		with_pipe(test_log__shows_control_characters_and_broken_utf8_as_hex),
		with_pipe(test_log__cuts_a_long_line_to_what_a_pipe_writes_at_once),
		with_pipe(test_log_set_level__silences_what_is_less_urgent),
		with_pipe(test_log__keeps_errno_and_accepts_a_closed_reader),
		with_pipe(test_log__drops_and_counts_what_finds_no_room),
		with_pipe(test_log_gated__lets_a_burst_pass_and_later_tells_the_rest),
		with_pipe(test_log_gated__limits_lines_in_a_second),
		with_pipe(test_log_gated__does_not_count_lines_below_the_level),
		cmocka_unit_test(test_log_level_parse__knows_the_words_of_falco),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
