/*
 * Canonical texts, and where the nodes of a tree stand.
 */
#include "seccheckd/base/buf.h"
#include "tests/unit/lang/fixture.h"

static const struct {
	const char *text;
	const char *canonical; /* NULL: the text itself */
} rows[] = {
	/* clang-format off */
	{ "a", NULL },
	{ " a ", "a" },
	{ "((a))", "a" },
	{ "a and b", "(a and b)" },
	{ "a or b", "(a or b)" },
	{ "a and b and c", "(a and b and c)" },
	{ "(a and b) and c", "((a and b) and c)" },
	{ "a and (b and c)", "(a and (b and c))" },
	{ "a or b and c", "(a or (b and c))" },
	{ "a and b or c", "((a and b) or c)" },
	{ "(a or b) and c", "((a or b) and c)" },
	{ "a or b and c or d", "(a or (b and c) or d)" },
	{ "a and(b)or(c)", "((a and b) or c)" },
	{ "a and(b or c)and d", "(a and (b or c) and d)" },
	{ "not a", NULL },
	{ "not(a)", "not a" },
	{ "not not a", "a" },
	{ "not not not a", "not a" },
	{ "not not(a)", "a" },
	{ "not (not a)", "not not a" },
	{ "not a and b", "(not a and b)" },
	{ "not (a and b)", "not (a and b)" },
	{ "not a or not b", "(not a or not b)" },
	{ "not a.b = c", "not a.b = c" },
	{ "a.b exists", NULL },
	{ "not a.b exists", NULL },
	{ "a.b=c", "a.b = c" },
	{ "a.b==c", "a.b == c" },
	{ "a.b != c", NULL },
	{ "a.b\nglob\tc*", "a.b glob c*" },
	{ "a.b > 0x1F", NULL },
	{ "a.b > -1.50", NULL },
	{ "a.b = 'c'", "a.b = c" },
	{ "a.b = 'c d'", "a.b = \"c d\"" },
	{ "a.b = ''", "a.b = " },
	{ "a.b = '\"'", "a.b = \"\\\"\"" },
	{ "a.b = \"'\"", NULL },
	{ "a.b = '='", "a.b = \"=\"" },
	{ "a.b = '('", "a.b = (" },
	{ "a.b = 'c,d'", "a.b = c,d" },
	{ "a.b = \"\\n\\t\\r\\b\\f\"", NULL },
	{ "a.b = '\\x41\\/'", "a.b = A/" },
	{ "a.b = '\\x20'", "a.b = \" \"" },
	{ "a.b = '\\xff'", "a.b = \xff" },
	{ "a.b = '\\ '", "a.b = \"\\\\\"" },
	{ "a.b = c\\d", "a.b = \"c\\\\d\"" },
	{ "a.b = '\v'", "a.b = \v" },
	{ "a.b = val(c.d)", NULL },
	{ "a.b = val( c.d[e] )", "a.b = val(c.d[e])" },
	{ "a.b = c.d", NULL },
	{ "a.b in ()", NULL },
	{ "a.b in(c,'d e' ,f)", "a.b in (c, \"d e\", f)" },
	{ "a.b in ('')", "a.b in ()" },
	{ "a.b in c", NULL },
	{ "a.b in val(c.d)", NULL },
	{ "a.b pmatch (/c, /d)", NULL },
	{ "a.b = oneof (c, d)", NULL },
	{ "a.b\n!=  anyof\t( c )", "a.b != anyof (c)" },
	{ "a.b startswith allof c", NULL },
	{ "a.b = oneof", NULL },
	{ "a.b[0] = c", NULL },
	{ "a.b[''] = c", "a.b[\"\"] = c" },
	{ "a.b['c d'] = e", "a.b[\"c d\"] = e" },
	{ "a.b['c'] = d", "a.b[c] = d" },
	{ "tolower(a.b) = c", NULL },
	{ "tolower( toupper( a.b ) ) = c", "tolower(toupper(a.b)) = c" },
	{ "concat(a.b , 'c d', 1) = e", "concat(a.b,\"c d\",1) = e" },
	{ "join(',', (a.b, 'c')) = d", "join(,,(a.b,c)) = d" },
	{ "join(\"\", ()) = d", "join(,()) = d" },
	{ "getopt(a.b, \"c:\")['c'] = d", "getopt(a.b,c:)[c] = d" },
	{ "a.b > len(c.d)", NULL },
	/* clang-format on */
};

static void test_print__writes_the_canonical_text(void **state)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *expected = rows[i].canonical ? rows[i].canonical : rows[i].text;

		assert_string_equal(print(*state, parse(*state, rows[i].text)), expected);
	}
}

static void test_print__gives_equal_trees_equal_texts(void **state)
{
	const struct scd_ast *a = parse(*state, "(a.b='c d'or(d))and not\ne");
	const struct scd_ast *b = parse(*state, "(a.b = \"c d\" or d) and not e");

	assert_true(scd_ast_equal(a, b));
	assert_string_equal(print(*state, a), print(*state, b));
}

static void test_print__fails_without_memory(void **state)
{
	const struct scd_ast *ast = parse(*state, "a and b");
	struct scd_str text = SCD_STR("untouched");
	struct scd_arena tiny;

	scd_arena_init(&tiny, 64, 8);
	assert_int_equal(scd_ast_print(ast, &tiny, &text), -ENOMEM);
	assert_true(scd_str_is(text, "untouched"));
	scd_arena_done(&tiny);
}

/* `kind@offset` or `kind@offset:line:column`, a node before its children. */
static void put_positions(struct scd_buf *buf, const struct scd_ast *ast)
{
	static const char *const names[] = {
		[SCD_AST_AND] = "and",
		[SCD_AST_OR] = "or",
		[SCD_AST_NOT] = "not",
		[SCD_AST_IDENTIFIER] = "macro",
		[SCD_AST_VALUE] = "value",
		[SCD_AST_LIST] = "list",
		[SCD_AST_UNARY] = "unary",
		[SCD_AST_BINARY] = "binary",
		[SCD_AST_FIELD] = "field",
		[SCD_AST_TRANSFORMER] = "transf",
		[SCD_AST_TRANSFORMER_LIST] = "elements",
	};

	scd_buf_printf(buf, "%s%s@%u", buf->len > 0 ? " " : "", names[ast->kind], ast->pos.offset);
	if (ast->pos.line > 1)
		scd_buf_printf(buf, ":%u:%u", ast->pos.line, ast->pos.column);
	else
		assert_int_equal(ast->pos.column, ast->pos.offset + 1);
	for (size_t i = 0; i < ast->child_count; i++)
		put_positions(buf, ast->children[i]);
}

static const struct {
	const char *text;
	const char *positions;
} places[] = {
	/* clang-format off */
	{ "a", "macro@0" },
	{ "  a", "macro@2" },
	{ "(a)", "macro@1" },
	{ "a and b", "and@0 macro@0 macro@6" },
	{ "a and(b)", "and@0 macro@0 macro@6" },
	{ "( a and b )", "and@2 macro@2 macro@8" },
	{ "a or b and c", "or@0 macro@0 and@5 macro@5 macro@11" },
	{ " a and b", "and@1 macro@1 macro@7" },
	{ " a or b", "or@0 macro@1 macro@6" },
	{ "not a", "not@0 macro@4" },
	{ "not(a)", "not@0 macro@4" },
	{ "not not not a", "not@0 macro@12" },
	{ "a and not b", "and@0 macro@0 not@6 macro@10" },
	{ "a.b exists", "unary@0 field@0" },
	{ "a.b = c", "binary@0 field@0 value@6" },
	{ "a.b = 'c'", "binary@0 field@0 value@6" },
	{ "a.b in ( c )", "binary@0 field@0 list@7" },
	{ "a.b in c", "binary@0 field@0 value@7" },
	{ "a.b = oneof (c)", "binary@0 field@0 list@12" },
	{ "a.b =  val( c.d )", "binary@0 field@0 field@7" },
	{ "a.b > len( c.d )", "binary@0 field@0 transf@6 field@11" },
	{ "join( ',', ( a.b, 1 )) = c", "binary@0 transf@0 value@6 elements@11 field@13 value@18 value@25" },
	{ "a\nand\n  b", "and@0 macro@0 macro@8:3:3" },
	{ "a.b =\n'c\nd'\nor e", "or@0 binary@0 field@0 value@6:2:1 macro@15:4:4" },
	/* clang-format on */
};

static void test_parse__records_where_each_node_starts(void **state)
{
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct scd_buf buf;

		scd_buf_init(&buf, 4096);
		put_positions(&buf, parse(*state, places[i].text));
		assert_string_equal(buf.data, places[i].positions);
		scd_buf_done(&buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LANG_TEST(test_print__writes_the_canonical_text),
		LANG_TEST(test_print__gives_equal_trees_equal_texts),
		LANG_TEST(test_print__fails_without_memory),
		LANG_TEST(test_parse__records_where_each_node_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
