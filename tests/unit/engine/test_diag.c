/*
 * Findings of a load: kept, counted, printed like a compiler's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/engine/diag.h"

static struct scd_diags diags;

static int set_up(void **state)
{
	(void)state;
	scd_diags_init(&diags);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scd_diags_done(&diags);
	return 0;
}

/* Valid until the next call. */
static const char *print(void)
{
	static char *text;
	size_t size;
	free(text);
	FILE *stream = open_memstream(&text, &size);
	assert_non_null(stream);
	scd_diags_print(&diags, stream);
	fclose(stream);
	return text;
}

static void test_print__leaves_out_what_is_not_known(void **state)
{
	(void)state;
	static const struct {
		enum scd_diag_code code;
		const char *file;
		unsigned line, column;
		const char *item, *hint, *what, *text;
	} rows[] = {
		{ SCD_DIAG_ERR_COMPILE_CONDITION, "rules.yaml", 12, 9, "rule 'R'", "it is proc.name", "no such field",
		  "rules.yaml:12:9: error LOAD_ERR_COMPILE_CONDITION: rule 'R': no such field\n  hint: it is "
		  "proc.name\n" },
		{ SCD_DIAG_UNUSED_MACRO, "rules.yaml", 3, 0, "macro 'm'", NULL, "is not used",
		  "rules.yaml:3: warning LOAD_UNUSED_MACRO: macro 'm': is not used\n" },
		{ SCD_DIAG_ERR_FILE_READ, "rules.yaml", 0, 4, NULL, NULL, "no such file",
		  "rules.yaml: error LOAD_ERR_FILE_READ: no such file\n" },
		{ SCD_DIAG_UNKNOWN_KEY, NULL, 7, 1, NULL, NULL, "Unknown key 'x'",
		  "warning LOAD_UNKNOWN_KEY: Unknown key 'x'\n" },
		{ SCD_DIAG_UNKNOWN_ITEM, "a\nb", 1, 1, "rule 'x\ty'", "z\r", "w\n",
		  "a b:1:1: warning LOAD_UNKNOWN_ITEM: rule 'x y': w \n  hint: z \n" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scd_diags_init(&diags);
		scd_diags_add(&diags, rows[i].code, rows[i].file, rows[i].line, rows[i].column, rows[i].item,
		              rows[i].hint, "%s", rows[i].what);
		assert_string_equal(print(), rows[i].text);
		scd_diags_done(&diags);
	}
}

static void test_add__copies_its_texts(void **state)
{
	(void)state;
	char file[] = "a.yaml", item[] = "rule 'x'", hint[] = "do this";
	scd_diags_add(&diags, SCD_DIAG_ERR_VALIDATE, file, 1, 2, item, hint, "%s %d", "number", 3);
	memset(file, '#', sizeof(file) - 1);
	memset(item, '#', sizeof(item) - 1);
	memset(hint, '#', sizeof(hint) - 1);
	assert_int_equal(diags.count, 1);
	assert_string_equal(diags.items[0].file, "a.yaml");
	assert_string_equal(diags.items[0].item, "rule 'x'");
	assert_string_equal(diags.items[0].hint, "do this");
	assert_string_equal(diags.items[0].what, "number 3");
}

static void test_add__counts_what_it_does_not_keep(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1500; i++)
		scd_diags_add(&diags, i % 2 ? SCD_DIAG_UNKNOWN_KEY : SCD_DIAG_ERR_VALIDATE, "f", i + 1, 0, NULL, NULL,
		              "n");
	assert_int_equal(diags.count, 1000);
	assert_int_equal(diags.left_out, 500);
	assert_int_equal(diags.error_count, 750);
	assert_int_equal(diags.items[999].line, 1000);
	const char *end = strstr(print(), "f:1000: ");
	assert_non_null(end);
	assert_non_null(strstr(end, "\n500 more findings are not shown\n"));
}

static void test_add__cuts_long_texts(void **state)
{
	(void)state;
	char *text = malloc(100000);
	assert_non_null(text);
	memset(text, 'x', 99999);
	text[99999] = '\0';
	scd_diags_add(&diags, SCD_DIAG_ERR_VALIDATE, text, 1, 1, text, text, "%s", text);
	assert_true(strlen(diags.items[0].what) < 4096);
	assert_true(strlen(diags.items[0].item) < 4096);
	assert_true(strlen(diags.items[0].hint) < 4096);
	assert_true(strlen(diags.items[0].file) < 4096);
	free(text);
}

static void test_codes__are_falcos_and_errors_are_told_apart(void **state)
{
	(void)state;
	for (int code = 0; code < SCD_DIAG_COUNT; code++) {
		const char *name = scd_diag_code_name((enum scd_diag_code)code);
		assert_int_equal(strncmp(name, "LOAD_", 5), 0);
		assert_int_equal(scd_diag_is_error((enum scd_diag_code)code), strncmp(name, "LOAD_ERR_", 9) == 0);
	}
	assert_true(scd_diag_is_error(SCD_DIAG_ERR_VALIDATE));
	assert_false(scd_diag_is_error(SCD_DIAG_COMPILE_CONDITION));
}

static void test_done__accepts_an_empty_list(void **state)
{
	(void)state;
	assert_string_equal(print(), "");
	scd_diags_done(&diags);
	scd_diags_done(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		cmocka_unit_test(test_print__leaves_out_what_is_not_known),
		TEST(test_add__copies_its_texts),
		TEST(test_add__counts_what_it_does_not_keep),
		TEST(test_add__cuts_long_texts),
		TEST(test_codes__are_falcos_and_errors_are_told_apart),
		TEST(test_done__accepts_an_empty_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
