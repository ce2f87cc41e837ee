/*
 * Errors for people: what is kept, what is cut, how it is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/error.h"

static void test_error_set__returns_its_code_also_without_an_object(void **state)
{
	struct scd_error err = { 0 };

	(void)state;
	assert_int_equal(scd_error_set(NULL, -EINVAL, "nobody reads %s", "this"), -EINVAL);
	scd_error_at(NULL, "file", 1, 2);
	scd_error_hint(NULL, "hint");
	assert_int_equal(scd_error_set(&err, -ENOENT, "no list '%s'", "pools"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.what, "no list 'pools'");
}

static void test_error_set__clears_place_and_hint_of_an_earlier_error(void **state)
{
	struct scd_error err = { 0 };

	(void)state;
	scd_error_set(&err, -EINVAL, "first");
	scd_error_at(&err, "rules.yaml", 3, 4);
	scd_error_hint(&err, "try again");
	scd_error_set(&err, -EINVAL, "second");
	assert_string_equal(err.file, "");
	assert_int_equal(err.line, 0);
	assert_int_equal(err.column, 0);
	assert_string_equal(err.hint, "");
}

static void test_error_set__may_use_the_text_that_it_replaces(void **state)
{
	struct scd_error err = { 0 };

	(void)state;
	scd_error_set(&err, -EINVAL, "unexpected ')'");
	scd_error_set(&err, err.code, "rule 'x': %s", err.what);
	scd_error_hint(&err, "remove it");
	scd_error_hint(&err, "%s, or open a parenthesis", err.hint);
	assert_string_equal(err.what, "rule 'x': unexpected ')'");
	assert_string_equal(err.hint, "remove it, or open a parenthesis");
}

static void test_error_set__cuts_texts_to_the_room_there_is(void **state)
{
	struct scd_error err = { 0 };
	char longer[2000];

	(void)state;
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	scd_error_set(&err, -EINVAL, "%s", longer);
	scd_error_at(&err, longer, 1, 1);
	scd_error_hint(&err, "%s", longer);
	assert_int_equal(strlen(err.what), sizeof(err.what) - 1);
	assert_int_equal(strlen(err.file), sizeof(err.file) - 1);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
}

static void test_error_at__without_a_file_keeps_the_file(void **state)
{
	struct scd_error err = { 0 };

	(void)state;
	scd_error_set(&err, -EINVAL, "what");
	scd_error_at(&err, "a.yaml", 1, 2);
	scd_error_at(&err, NULL, 5, 6);
	assert_string_equal(err.file, "a.yaml");
	assert_int_equal(err.line, 5);
	assert_int_equal(err.column, 6);
}

static void test_error_print__leaves_out_what_is_not_known(void **state)
{
	static const struct {
		const char *file;
		unsigned line, column;
		const char *hint, *text;
	} rows[] = {
		{ "a.yaml", 3, 7, "", "a.yaml:3:7: wrong\n" },
		{ "a.yaml", 3, 0, "", "a.yaml:3: wrong\n" },
		{ "a.yaml", 0, 0, "do this", "a.yaml: wrong\n  hint: do this\n" },
		{ NULL, 3, 7, "", "3:7: wrong\n" },
		{ NULL, 0, 0, "", "wrong\n" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_error err;
		char *text = NULL;
		size_t bytes;
		FILE *stream = open_memstream(&text, &bytes);

		scd_error_set(&err, -EINVAL, "wrong");
		scd_error_at(&err, rows[i].file, rows[i].line, rows[i].column);
		scd_error_hint(&err, "%s", rows[i].hint);
		scd_error_print(&err, stream);
		fclose(stream);
		assert_string_equal(text, rows[i].text);
		free(text);
	}
}

/* A file may be called, and have in it, what makes a terminal write elsewhere. */
static void test_error_print__shows_what_would_steer_a_terminal(void **state)
{
	struct scd_error err;
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	(void)state;
	scd_error_set(&err, -EINVAL, "no '\x1b]0;x\a\xc2\x9b\xe2\x80\xae\xff' but \xc3\xa9");
	scd_error_at(&err, "\x1b[2Ja\nb", 1, 0);
	scd_error_hint(&err, "\r%s", "x");
	scd_error_print(&err, stream);
	fclose(stream);
	assert_string_equal(text, "\\x1b[2Ja\\x0ab:1: no '\\x1b]0;x\\x07\\xc2\\x9b\\xe2\\x80\\xae\\xff' but \xc3\xa9\n"
	                          "  hint: \\x0dx\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_set__returns_its_code_also_without_an_object),
		cmocka_unit_test(test_error_set__clears_place_and_hint_of_an_earlier_error),
		cmocka_unit_test(test_error_set__may_use_the_text_that_it_replaces),
		cmocka_unit_test(test_error_set__cuts_texts_to_the_room_there_is),
		cmocka_unit_test(test_error_at__without_a_file_keeps_the_file),
		cmocka_unit_test(test_error_print__shows_what_would_steer_a_terminal),
		cmocka_unit_test(test_error_print__leaves_out_what_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
