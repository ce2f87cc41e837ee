/*
 * What the parser says of a text that it refuses, and where.
 */
#include "tests/unit/lang/fixture.h"

#define NO_CHECK   "expected a '(' token, a field check, or an identifier"
#define NO_CLOSE   "expected a ')' token"
#define NO_BRACKET "expected a ']' token"
#define NO_ARG     "expected a valid field argument: a quoted string or a bare string"
#define NAMES      "'val', 'tolower', 'toupper', 'b64', 'basename', 'len', 'join', 'concat', 'getopt'"
#define NO_STRING  "expected a string value or a field with a valid transformer: " NAMES
#define NO_NUMBER  "expected a number value or a field with a valid transformer: " NAMES
#define NO_LIST    "expected a list, an identifier, or a field with a valid transformer: " NAMES
#define NO_TRANSF  "expected a ')' token closing the transformer"
#define NO_ARGUMENT                             \
	"expected field transformer argument: " \
	"field, transformer, quoted string, number, or transformer list"
#define NO_ELEMENT "expected transformer list argument: field, transformer, quoted string, or number"
#define NO_OPERATOR                                                                                                    \
	"expected a valid check operator: one of 'exists', '<=', '<', '>=', '>', '==', '=', '!=', 'glob', 'iglob', "   \
	"'contains', 'icontains', 'bcontains', 'startswith', 'bstartswith', 'endswith', 'regex', 'intersects', 'in', " \
	"'pmatch'"
#define AFTER(token) "unexpected token after '" token "', expecting 'or', 'and'"

static const struct {
	const char *text;
	unsigned offset; /* the line is 1, the column offset + 1 */
	const char *what;
} rows[] = {
	/* clang-format off */
	{ "", 0, "filter input string is empty" },
	{ " ", 1, NO_CHECK },
	{ "1", 0, NO_CHECK },
	{ "()", 1, NO_CHECK },
	{ "( )", 2, NO_CHECK },
	{ "a and ", 6, NO_CHECK },
	{ "a and (", 7, NO_CHECK },
	{ "not !a", 4, NO_CHECK },
	{ "(a", 2, NO_CLOSE },
	{ "(a ", 3, NO_CLOSE },
	{ "(a b)", 3, NO_CLOSE },
	{ "not(a", 5, NO_CLOSE },
	{ "a and(b", 7, NO_CLOSE },
	{ "a and", 5, "expected blank or '(' after 'and'" },
	{ "a andb", 5, "expected blank or '(' after 'and'" },
	{ "a or", 4, "expected blank or '(' after 'or'" },
	{ "a or'b'", 4, "expected blank or '(' after 'or'" },
	{ "a b", 2, AFTER("a") },
	{ "a)", 1, AFTER("a") },
	{ "(a) b", 4, AFTER(")") },
	{ "and a", 4, AFTER("and") },
	{ "a or(b) and c", 8, AFTER(")") },
	{ "a.b exists c", 11, AFTER("exists") },
	{ "a.b = c d", 8, AFTER("c") },
	{ "a.b = 'c d' e", 12, AFTER("c d") },
	{ "a.b = 'c'd", 9, AFTER("c") },
	{ "a.b = \"c\\\"d\" e", 13, AFTER("c\"d") },
	{ "a.b in (c) d", 11, AFTER(")") },
	{ "a.b in c d", 9, AFTER("c") },
	{ "a.b > 1x", 7, AFTER("1") },
	{ "a.b > 0x", 7, AFTER("0") },
	{ "a.b = val(c.d) e", 15, AFTER(")") },
	{ "a.b = val(c.d)[e]", 14, AFTER(")") },
	{ "a.b = oneof (c) d", 16, AFTER(")") },
	{ "a.b =oneof (c)", 11, AFTER("oneof") },
	{ "a.b = oneof(c)", 11, AFTER("oneof") },
	{ "a.b", 3, NO_OPERATOR },
	{ "a.b ", 4, NO_OPERATOR },
	{ "a.b is c", 4, NO_OPERATOR },
	{ "a.b globc", 4, NO_OPERATOR },
	{ "a.b.1 = c", 3, NO_OPERATOR },
	{ "a.b [c] = d", 4, NO_OPERATOR },
	{ "tolower(a.b) and c", 13, NO_OPERATOR },
	{ "a.b =", 5, NO_STRING },
	{ "a.b = ", 6, NO_STRING },
	{ "a.b = (c)", 6, NO_STRING },
	{ "a.b = 'c", 6, NO_STRING },
	{ "a.b = '\\'", 6, NO_STRING },
	{ "a.b glob )", 9, NO_STRING },
	{ "a.b contains (c)", 13, NO_STRING },
	{ "a.b <", 5, NO_NUMBER },
	{ "a.b < c", 6, NO_NUMBER },
	{ "a.b >= '1'", 7, NO_NUMBER },
	{ "a.b in", 6, NO_LIST },
	{ "a.b in 'c'", 7, NO_LIST },
	{ "a.b intersects 1", 15, NO_LIST },
	{ "a.b in (", 8, NO_CLOSE },
	{ "a.b in (,c)", 8, NO_CLOSE },
	{ "a.b in (c d)", 10, NO_CLOSE },
	{ "a.b in (c", 9, NO_CLOSE },
	{ "a.b in ('c)", 8, NO_CLOSE },
	{ "a.b in (c,)", 10, "expected a string value" },
	{ "a.b in (c, ,d)", 11, "expected a string value" },
	{ "a.b in (c, (d))", 11, "expected a string value" },
	{ "a.b = oneof (c,)", 15, "expected a string value" },
	{ "a.b[] = c", 4, NO_ARG },
	{ "a.b['c] = d", 4, NO_ARG },
	{ "a.b[c = d", 5, NO_BRACKET },
	{ "a.b[ c] = d", 4, NO_ARG },
	{ "a.b[c ] = d", 5, NO_BRACKET },
	{ "a.b['c' = d", 7, NO_BRACKET },
	{ "tolower(a.b)[c = d", 14, NO_BRACKET },
	{ "tolower()", 8, NO_ARGUMENT },
	{ "tolower(a) = b", 8, NO_ARGUMENT },
	{ "concat(a.b,) = c", 11, NO_ARGUMENT },
	{ "tolower(a.b", 11, NO_TRANSF },
	{ "tolower(a.b = c", 12, NO_TRANSF },
	{ "tolower(b64(a.b) = c", 17, NO_TRANSF },
	{ "join(',', (a.b = c", 15, "expected ')'" },
	{ "join(',', (a)) = c", 11, NO_ELEMENT },
	{ "join(',', (a.b,)) = c", 15, NO_ELEMENT },
	{ "a.b = val(c)", 10, "expected a field within 'val' transformer" },
	{ "a.b = val(c.d", 13, NO_TRANSF },
	{ "a.b = val(c.d, e.f)", 13, NO_TRANSF },
	/* a bad escape is shown at its backslash, also as the first of a list */
	{ "a.b = \"c\\qd\"", 8, "unsupported string escape sequence: \\q" },
	{ "a.b = \"\\\xff\"", 7, "unsupported string escape sequence: \\\xff" },
	{ "a.b = '\\\"'", 7, "invalid \\\" escape in '-quoted string" },
	{ "a.b = \"\\'\"", 7, "invalid \\' escape in \"-quoted string" },
	{ "a.b = '\\x4'", 7, "truncated hex char escape sequence" },
	{ "a.b = '\\x4g'", 7, "invalid hex char escape sequence: 4g" },
	{ "a.b in ('\\q')", 9, "unsupported string escape sequence: \\q" },
	{ "a.b in (c, '\\q')", 12, "unsupported string escape sequence: \\q" },
	{ "a.b['\\q'] = c", 5, "unsupported string escape sequence: \\q" },
	{ "join('\\q', ()) = c", 6, "unsupported string escape sequence: \\q" },
	/* clang-format on */
};

static void test_parse__says_what_was_expected_and_where(void **state)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scd_ast_error error = { .what = "" };

		if (try_parse(*state, scd_str_from(rows[i].text), &error))
			fail_msg("`%s` is accepted", rows[i].text);
		if (strcmp(error.what, rows[i].what) != 0 || error.pos.offset != rows[i].offset)
			fail_msg("`%s`: at %u: %s", rows[i].text, error.pos.offset, error.what);
		assert_int_equal(error.pos.line, 1);
		assert_int_equal(error.pos.column, rows[i].offset + 1);
	}
}

static void test_parse__counts_lines_at_each_cr_and_lf(void **state)
{
	static const struct {
		const char *text;
		unsigned offset, line, column;
	} places[] = {
		{ "a\nb", 2, 2, 1 },
		{ "a and\n\n  !b", 9, 3, 3 },
		{ "a\rb", 2, 2, 1 },
		{ "a\r\nb", 3, 3, 1 },
		{ "a.b = 'c\nd' e", 12, 2, 4 },
		{ "a.b = 'c\n\\q'", 9, 2, 1 },
		{ "a and\n(b or\n", 12, 3, 1 },
	};

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct scd_ast_error error = { .what = "" };

		assert_null(try_parse(*state, scd_str_from(places[i].text), &error));
		assert_int_equal(error.pos.offset, places[i].offset);
		assert_int_equal(error.pos.line, places[i].line);
		assert_int_equal(error.pos.column, places[i].column);
	}
}

static void test_parse__cuts_a_long_token_and_keeps_the_rest_of_the_message(void **state)
{
	struct scd_ast_error error = { .what = "" };
	char text[4096];

	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 3, " b", 3);
	assert_null(try_parse(*state, scd_str_from(text), &error));
	assert_non_null(strstr(error.what, "unexpected token after 'aaaa"));
	assert_non_null(strstr(error.what, "aaaa', expecting 'or', 'and'"));
}

static void test_parse__leaves_its_results_alone_when_it_fails(void **state)
{
	const struct scd_ast *ast = (const struct scd_ast *)state;
	struct scd_ast_error error;
	size_t len = 42;

	assert_int_equal(scd_ast_parse(SCD_STR("a b"), 100, *state, &ast, &error), -EINVAL);
	assert_int_equal(scd_ast_parse_side(SCD_STR("a b"), 100, *state, &ast, &len, &error), -EINVAL);
	assert_ptr_equal(ast, (const struct scd_ast *)state);
	assert_int_equal(len, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LANG_TEST(test_parse__says_what_was_expected_and_where),
		LANG_TEST(test_parse__counts_lines_at_each_cr_and_lf),
		LANG_TEST(test_parse__cuts_a_long_token_and_keeps_the_rest_of_the_message),
		LANG_TEST(test_parse__leaves_its_results_alone_when_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
