/*
 * Command lines: which flags and operands come out of which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"

#define WORDS_MAX 12

static const struct scd__flag flags[] = {
	{ .name = "path", .letter = 'p', .value = "PATH", .help = "A path." },
	{ .name = "pattern", .value = "TEXT", .help = "A text." },
	{ .name = "quiet", .letter = 'q', .help = "Less." },
	{ .name = "loud", .letter = 'l', .help = "More." },
};

static const struct scd__command command = {
	.name = "test",
	.summary = "Tests.",
	.operands = "FILE...",
	.operands_min = 1,
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.examples = "  none\n",
};

/* What was parsed, as one text: `path=x quiet | a b`. */
static void describe(const struct scd__args *args, struct scd_buf *text)
{
	for (size_t i = 0; i < args->count; i++) {
		scd_buf_printf(text, "%s", args->items[i].flag->name);
		if (args->items[i].value)
			scd_buf_printf(text, "=%s", args->items[i].value);
		scd_buf_append_char(text, ' ');
	}
	scd_buf_append_char(text, '|');
	for (size_t i = 0; i < args->operand_count; i++)
		scd_buf_printf(text, " %s", args->operands[i]);
}

static const struct row {
	const char *name;
	const char *words[WORDS_MAX];
	const char *expected; /* NULL: refused */
} rows[] = {
	{ "an operand", { "a" }, "| a" },
	{ "operands", { "a", "b", "c" }, "| a b c" },
	{ "a value behind its flag", { "--path", "x", "a" }, "path=x | a" },
	{ "a value joined", { "--path=x", "a" }, "path=x | a" },
	{ "a value with a sign in it", { "--path=x=y", "a" }, "path=x=y | a" },
	{ "a letter", { "-p", "x", "a" }, "path=x | a" },
	{ "a letter with its value", { "-px", "a" }, "path=x | a" },
	{ "letters together", { "-qlq", "a" }, "quiet loud quiet | a" },
	{ "letters and a value", { "-qpx", "a" }, "quiet path=x | a" },
	{ "flags behind operands", { "a", "--quiet", "b", "-p", "x" }, "quiet path=x | a b" },
	{ "flags again", { "-p", "x", "--path", "y", "-pz", "a" }, "path=x path=y path=z | a" },
	{ "only operands behind --", { "--", "--quiet", "-p" }, "| --quiet -p" },
	{ "a dash is an operand", { "-" }, "| -" },
	{ "an abbreviation", { "--qu", "a" }, "quiet | a" },
	{ "a value that looks like a flag", { "--path", "--quiet", "a" }, "path=--quiet | a" },
	{ "an ambiguous abbreviation", { "--pa", "x", "a" }, NULL },
	{ "no operand", { "--quiet" }, NULL },
	{ "no operand behind --", { "--" }, NULL },
	{ "an unknown flag", { "--qiuet", "a" }, NULL },
	{ "an unknown letter", { "-x", "a" }, NULL },
	{ "an unknown letter among others", { "-qxl", "a" }, NULL },
	{ "a missing value", { "a", "--path" }, NULL },
	{ "a missing value of a letter", { "a", "-p" }, NULL },
	{ "an empty value", { "--path=", "a" }, NULL },
	{ "a value too many", { "--quiet=x", "a" }, NULL },
};

/* What args borrows lives until the next call. */
static bool parse(const char *const *words, struct scd__args *args, int *status)
{
	static char copies[WORDS_MAX][32];
	static char *argv[WORDS_MAX + 2] = { "test" };
	int argc = 1;

	for (size_t i = 0; i < WORDS_MAX && words[i]; i++) {
		snprintf(copies[i], sizeof(copies[i]), "%s", words[i]);
		argv[argc++] = copies[i];
	}
	argv[argc] = NULL;
	return scd__args_parse(&command, argc, argv, args, status);
}

static void test_parse__takes_flags_and_operands(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd__args args;
		struct scd_buf text;
		int status = -1;

		scd_buf_init(&text, 4096);
		if (parse(rows[i].words, &args, &status)) {
			describe(&args, &text);
			scd__args_done(&args);
			if (!rows[i].expected || strcmp(text.data, rows[i].expected) != 0)
				fail_msg("%s: %s", rows[i].name, text.data);
		} else if (rows[i].expected || status != SCD__EXIT_USAGE) {
			fail_msg("%s: refused with %d", rows[i].name, status);
		}
		scd_buf_done(&text);
	}
}

static void test_value__is_the_last_one(void **state)
{
	struct scd__args args;
	int status;

	(void)state;
	assert_true(parse((const char *[WORDS_MAX]){ "-p", "x", "-q", "-p", "y", "a" }, &args, &status));
	assert_string_equal(scd__args_value(&args, "path"), "y");
	assert_null(scd__args_value(&args, "pattern"));
	assert_null(scd__args_value(&args, "quiet"));
	assert_true(scd__args_has(&args, "quiet"));
	assert_true(scd__args_has(&args, "path"));
	assert_false(scd__args_has(&args, "loud"));
	scd__args_done(&args);
	scd__args_done(&args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse__takes_flags_and_operands),
		cmocka_unit_test(test_value__is_the_last_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
