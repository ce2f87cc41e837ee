/*
 * The program's command line, as a user meets it: help, versions, and what it says to a mistake.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "tests/support/run.h"

#define ARGS_MAX 8

static const struct row {
	const char *name;
	const char *args[ARGS_MAX];
	int status;
	const char *out, *err; /* a text that has to be there; NULL: nothing may be */
} rows[] = {
	{ "no command", { NULL }, 2, NULL, "usage: seccheckd COMMAND" },
	{ "help", { "--help" }, 0, "usage: seccheckd COMMAND", NULL },
	{ "help, short", { "-h" }, 0, "usage: seccheckd COMMAND", NULL },
	{ "version", { "version" }, 0, "seccheckd 0.", NULL },
	{ "version as an option", { "--version" }, 0, "falco engine 0.63.0\nplugin container 0.4.0\n", NULL },
	{ "unknown command", { "launch" }, 2, NULL, "unknown command 'launch'\ntry 'seccheckd --help'\n" },
	{ "mistyped command", { "replya", "x" }, 2, NULL, "unknown command 'replya', did you mean 'replay'?\n" },
	{ "unknown option of all", { "--verbose" }, 2, NULL, "unknown option '--verbose'\n" },
	{ "option before the command",
	  { "--rules", "x", "replay", "y" },
	  2,
	  NULL,
	  "unknown option '--rules'\noptions come after the command: seccheckd COMMAND [OPTION]...\n" },
	{ "help as a command", { "help" }, 0, "usage: seccheckd COMMAND", NULL },
	{ "help of a command", { "help", "replay" }, 0, "usage: seccheckd replay [OPTION]... TRACE...\n", NULL },
	{ "help of a command of rules",
	  { "help", "rules", "check" },
	  0,
	  "usage: seccheckd rules check [OPTION]... PATH...\n",
	  NULL },
	{ "help of help", { "help", "--help" }, 0, "usage: seccheckd COMMAND", NULL },
	{ "help of no command", { "help", "replya" }, 2, NULL, "unknown command 'replya', did you mean 'replay'?\n" },
	{ "ambiguous option",
	  { "serve", "--l", "x" },
	  2,
	  NULL,
	  "seccheckd serve: ambiguous option '--l': '--listen' or '--log-level'?\n" },
	{ "help of serve", { "serve", "--help" }, 0, "usage: seccheckd serve [OPTION]...\n", NULL },
	{ "help of replay", { "replay", "-h" }, 0, "usage: seccheckd replay [OPTION]... TRACE...\n", NULL },
	{ "help of record", { "record", "--help" }, 0, "usage: seccheckd record [OPTION]...\n", NULL },
	{ "help of send", { "send", "-h" }, 0, "usage: seccheckd send [OPTION]... TRACE...\n", NULL },
	{ "help of version", { "version", "--help" }, 0, "usage: seccheckd version [OPTION]...\n", NULL },
	{ "help among other things", { "replay", "x", "--help" }, 0, "Options:\n", NULL },
	{ "help shows the keys",
	  { "serve", "--help" },
	  0,
	  "\n  control_plane.timeout_ms: a whole number from 1 to 600000",
	  NULL },
	{ "help shows examples", { "replay", "--help" }, 0, "\nExamples:\n  seccheckd replay ", NULL },
	{ "unknown option",
	  { "replay", "--rulez", "x", "y" },
	  2,
	  NULL,
	  "seccheckd replay: unknown option '--rulez', did you mean '--rules'?\ntry 'seccheckd replay --help'\n" },
	{ "unknown option with a value",
	  { "serve", "--lisen=/x" },
	  2,
	  NULL,
	  "unknown option '--lisen', did you mean '--listen'?" },
	{ "unknown option, nothing near", { "version", "--zebra" }, 2, NULL, "unknown option '--zebra'\n" },
	{ "unknown letter", { "replay", "-q", "x" }, 2, NULL, "unknown option '-q'\n" },
	{ "option without its value", { "replay", "x", "--rules" }, 2, NULL, "--rules needs a PATH\n" },
	{ "letter without its value", { "serve", "-c" }, 2, NULL, "--config needs a FILE\n" },
	{ "empty value", { "serve", "--listen", "" }, 2, NULL, "--listen needs a PATH, not an empty text\n" },
	{ "value for an option without", { "replay", "--stats=1", "x" }, 2, NULL, "--stats takes no value\n" },
	{ "value for help", { "replay", "--help=1" }, 2, NULL, "--help takes no value\n" },
	{ "missing argument", { "replay", "--stats" }, 2, NULL, "seccheckd replay: TRACE... is missing\n" },
	{ "argument too many", { "version", "now" }, 2, NULL, "seccheckd version: unexpected argument 'now'\n" },
	{ "arguments of serve", { "serve", "--listen", "/x", "trace" }, 2, NULL, "unexpected argument 'trace'\n" },
	{ "impossible level",
	  { "serve", "--listen", "/x", "--log-level", "loud" },
	  2,
	  NULL,
	  "--log-level 'loud': log_level has an unknown value; write one of emergency, alert, critical, error, " },
	{ "impossible URL",
	  { "serve", "--listen", "/x", "--control-plane", "here" },
	  2,
	  NULL,
	  "--control-plane 'here': control_plane.url is not a URL that seccheckd can post to" },
	{ "URL of a socket without a request",
	  { "serve", "--listen", "/x", "--control-plane", "http+unix:///run/x.sock" },
	  2,
	  NULL,
	  "--control-plane 'http+unix:///run/x.sock': 'http+unix:///run/x.sock' cannot be sent to: there is no" },
	{ "nothing to listen on",
	  { "serve" },
	  2,
	  NULL,
	  "seccheckd serve: there is no socket to listen on: give --listen PATH" },
};

static void run_row(struct run *run, const char *const *args)
{
	const char *argv[ARGS_MAX + 2] = { RUN_SECCHECKD };

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 1] = args[i];
	run_program(run, &(struct run_options){ .argv = argv });
}

static bool is_as_expected(const struct run_text *text, const char *expected)
{
	return expected ? strstr(text->data, expected) != NULL : text->len == 0;
}

static void test_usage__is_answered_as_documented(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct run run;

		run_row(&run, rows[i].args);
		if (run.status != rows[i].status || !is_as_expected(&run.out, rows[i].out) ||
		    !is_as_expected(&run.err, rows[i].err))
			fail_msg("%s: status %d, out: %s, err: %s", rows[i].name, run.status, run.out.data,
			         run.err.data);
		run_done(&run);
	}
}

static const char *const commands[] = { "serve", "replay", "show", "version" };

static void test_help__is_at_most_80_columns_wide(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(commands); i++) {
		struct run run;

		run_row(&run, (const char *[ARGS_MAX]){ commands[i], "--help" });
		for (const char *line = run.out.data; *line; line += strcspn(line, "\n") + 1)
			assert_true(strcspn(line, "\n") <= 80);
		run_done(&run);
	}
}

/* A file of the source tree. */
static char *read_source(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	if (!file)
		fail_msg("cannot open %s", path);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

/* Every option that a help text names has a place in the manual, as `--NAME`. */
static void assert_documented(const char *manual, const char *help)
{
	for (const char *at = help; (at = strstr(at, " --")); at++) {
		char quoted[64];

		snprintf(quoted, sizeof(quoted), "`%.*s", (int)strspn(at + 1, "-abcdefghijklmnopqrstuvwxyz"), at + 1);
		if (!strstr(manual, quoted))
			fail_msg("docs/commands.md does not have %s", quoted);
	}
}

static void test_help__agrees_with_the_manual(void **state)
{
	char *manual = read_source(SCD_SOURCE_DIR "/docs/commands.md");

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(commands); i++) {
		char heading[64];
		struct run run;

		snprintf(heading, sizeof(heading), "\n## seccheckd %s\n", commands[i]);
		assert_non_null(strstr(manual, heading));
		run_row(&run, (const char *[ARGS_MAX]){ commands[i], "--help" });
		assert_documented(manual, run.out.data);
		run_done(&run);
	}
	free(manual);
}

static void test_version__is_that_of_the_build_files_and_of_the_manual(void **state)
{
	char *manual = read_source(SCD_SOURCE_DIR "/docs/commands.md");
	struct run run;

	(void)state;
	run_row(&run, (const char *[ARGS_MAX]){ "version" });
	assert_int_equal(strncmp(run.out.data, "seccheckd " SCD_VERSION "\n", strlen("seccheckd " SCD_VERSION "\n")),
	                 0);
	assert_non_null(strstr(manual, run.out.data));
	run_done(&run);
	free(manual);
}

static void test_output__that_cannot_be_written_is_a_failure(void **state)
{
	const char *const argv[] = { RUN_SECCHECKD, "--help", NULL };
	struct run run;

	(void)state;
	run_program(&run, &(struct run_options){ .argv = argv, .stdout_path = "/dev/full" });
	assert_int_equal(run.status, 1);
	assert_string_equal(run.err.data, "seccheckd: cannot write to standard output: No space left on device\n");
	run_done(&run);
	run_program(&run, &(struct run_options){ .argv = argv, .close_stdout = true });
	assert_int_equal(run.status, 1);
	assert_string_equal(run.err.data, "seccheckd: cannot write to standard output: Broken pipe\n");
	run_done(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage__is_answered_as_documented),
		cmocka_unit_test(test_help__is_at_most_80_columns_wide),
		cmocka_unit_test(test_help__agrees_with_the_manual),
		cmocka_unit_test(test_version__is_that_of_the_build_files_and_of_the_manual),
		cmocka_unit_test(test_output__that_cannot_be_written_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
