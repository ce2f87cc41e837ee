/*
 * Our own vectors, tests/data/vectors/, and the runner itself: what it says of cases that fail and of files that are
 * none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/vectors.h"

static void test_own_vectors__all_pass(void **state)
{
	struct vectors_totals totals = { 0 };
	glob_t files;

	(void)state;
	assert_int_equal(glob(SCD_SOURCE_DIR "/tests/data/vectors/?*.jsonl", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		assert_int_equal(vectors_run_file(files.gl_pathv[i], stdout, &totals), 0);
	globfree(&files);
	vectors_print_totals(&totals, stdout);
	assert_int_equal(totals.failed, 0);
	assert_int_equal(totals.skipped, 0);
	assert_true(totals.passed > 50);
}

/* Runs the text as a file of vectors; the output is the caller's to free. */
static char *run_text(const char *text, struct vectors_totals *totals)
{
	char path[] = "/tmp/vectors-XXXXXX";
	char *output = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&output, &len);
	int fd = mkstemp(path);

	assert_non_null(out);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(vectors_run_file(path, out, totals), 0);
	fclose(out);
	unlink(path);
	return output;
}

static const struct {
	const char *name;
	const char *line;
	const char *said; /* NULL: it passes */
} lines[] = {
	{ "a case that passes", "{\"id\":\"x\",\"kind\":\"parse\",\"input\":\"a\",\"accept\":true}", NULL },
	{ "an acceptance that is none", "{\"id\":\"x\",\"kind\":\"parse\",\"input\":\"a b\",\"accept\":true}",
	  "FAIL x: \"a b\" is refused: unexpected token after 'a', expecting 'or', 'and'\n" },
	{ "a refusal that is none", "{\"id\":\"x\",\"kind\":\"parse\",\"input\":\"a\",\"accept\":false}",
	  "FAIL x: expected a refusal, was accepted\n" },
	{ "another reason",
	  "{\"id\":\"x\",\"kind\":\"parse\",\"input\":\"(a\",\"accept\":false,\"error\":\"too deep\"}",
	  "FAIL x: error: expected \"too deep\", got \"expected a ')' token\"\n" },
	{ "another text", "{\"id\":\"x\",\"kind\":\"ast\",\"input\":\"(a)\",\"canonical\":\"(a)\"}",
	  "FAIL x: canonical: expected \"(a)\", got \"a\"\n" },
	{ "trees that differ", "{\"id\":\"x\",\"kind\":\"ast_equal\",\"a\":\"a\",\"b\":\"b\",\"equal\":true}",
	  "FAIL x: equal: expected true, got false\n" },
	{ "other places",
	  "{\"id\":\"x\",\"kind\":\"ast_positions\",\"input\":\"a\",\"nodes\":[[\"identifier\",1,1,2]]}",
	  "FAIL x: nodes: expected \"identifier 1 1 2; \", got \"identifier 0 1 1; \"\n" },
	{ "another escape", "{\"id\":\"x\",\"kind\":\"escape\",\"input\":\"a\",\"expect\":\"\\\"a\\\"\"}",
	  "FAIL x: escaped: expected \"\"a\"\", got \"a\"\n" },
	{ "bytes that cannot be printed", "{\"id\":\"x\",\"kind\":\"unescape\",\"input\":\"'\\\\n'\",\"expect\":\"\"}",
	  "FAIL x: unescaped: expected \"\", got \"\\x0a\"\n" },
	{ "a missing key", "{\"id\":\"x\",\"kind\":\"parse\",\"accept\":true}",
	  "FAIL x: the case has no string 'input'\n" },
	{ "no kind", "{\"id\":\"x\"}", "FAIL x: the case has no kind\n" },
};

static void test_run_file__says_in_a_line_why_a_case_failed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct vectors_totals totals = { 0 };
		char *output = run_text(lines[i].line, &totals);

		assert_string_equal(output, lines[i].said ? lines[i].said : "");
		assert_int_equal(totals.passed, lines[i].said ? 0 : 1);
		assert_int_equal(totals.failed, lines[i].said ? 1 : 0);
		free(output);
	}
}

static void test_run_file__counts_kinds_it_does_not_know_and_goes_on_after_a_bad_line(void **state)
{
	struct vectors_totals totals = { 0 };
	char *output = run_text("{\"id\":\"x\",\"kind\":\"no such kind\"}\n\n{\n"
	                        "{\"id\":\"y\",\"kind\":\"ast\",\"input\":\"a\",\"canonical\":\"a\"}\n",
	                        &totals);

	(void)state;
	assert_int_equal(totals.skipped, 1);
	assert_int_equal(totals.failed, 1);
	assert_int_equal(totals.passed, 1);
	assert_non_null(strstr(output, ":3: "));
	free(output);
}

static void test_run_file__fails_without_a_file(void **state)
{
	struct vectors_totals totals = { 0 };

	(void)state;
	assert_int_equal(vectors_run_file("/nonexistent/vectors.jsonl", stdout, &totals), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_vectors__all_pass),
		cmocka_unit_test(test_run_file__says_in_a_line_why_a_case_failed),
		cmocka_unit_test(test_run_file__counts_kinds_it_does_not_know_and_goes_on_after_a_bad_line),
		cmocka_unit_test(test_run_file__fails_without_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
