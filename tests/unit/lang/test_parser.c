/*
 * Which conditions the grammar accepts and which it does not, one line each.
 */
#include "tests/unit/lang/fixture.h"

static const char *const accepted_joins[] = {
	/* clang-format off */
	"a",
	" a ",
	"\t\r\n\ba\b",
	"a1_B",
	"a and b",
	"a or b",
	"a and b or c and d",
	"a  and\n\tb",
	"a and(b)",
	"a or(b)",
	"a and (b)",
	"a and ( b )",
	"(a)and b",
	"(a)or(b)",
	"(a)and(b)or(c)",
	"a and b and(c)or(d)",
	"a or(b) or c",
	"a and(b) and c",
	"a and(b) or c",
	"((((a))))",
	"( a )",
	"not a",
	"not\ta",
	"not\na",
	"not(a)",
	"not (a)",
	"not ( a )",
	"not not a",
	"not not(a)",
	"not (not a)",
	"a and not b",
	"a and not(b)",
	"a and(not b)",
	"a or not not not b",
	"(not a)and not(not(b))",
	/* words of the language are names of macros where a name is wanted */
	"and",
	"or",
	"not",
	"exists",
	"in",
	"val",
	"len",
	"a and and",
	"a or or",
	"a and not",
	"not not",
	"and and and",
	"notb",
	"not_b",
	"android and orange or andy",
	/* clang-format on */
};

static const char *const refused_joins[] = {
	/* clang-format off */
	"",
	" ",
	"a or(b) and c",
	"()",
	"( )",
	"(a",
	"a)",
	"(a))",
	"((a)",
	"a b",
	"a, b",
	"aand b",
	"a andb",
	"a orb",
	"a and",
	"a or",
	"a and ",
	"a and or b",
	"a or and b",
	"and a",
	"or a",
	"a not b",
	"(a)b",
	"(a)(b)",
	"a(b)",
	"not()",
	"not(a",
	"a AND b",
	"NOT a",
	"a && b",
	"a || b",
	"!a",
	"1",
	"_a",
	"-a",
	"\"a\"",
	"'a'",
	"a;",
	"a # comment",
	"a.b",
	"a.b and c",
	"\va",
	"a\f",
	"\xc3\xa9",
	/* clang-format on */
};

static const char *const accepted_checks[] = {
	/* clang-format off */
	"a.b exists",
	"a.b\texists",
	"a.b exists and c",
	"a.b existsand c",
	"(a.b exists)or(c)",
	"a.b.c.d exists",
	"a.b_1 exists",
	"a.b = c",
	"a.b=c",
	"a.b =c",
	"a.b= c",
	"a.b\n=\nc",
	"a.b == c",
	"a.b==c",
	"a.b != c",
	"a.b!=c",
	"a.b = c.d",
	"a.b = not",
	"a.b = and",
	"a.b = and and c",
	"a.b = exists",
	"a.b = -",
	"a.b = /",
	"a.b = !c",
	"a.b = c[d]",
	"a.b = [",
	"a.b = \\",
	"a.b = *",
	"a.b = <NA>",
	"a.b = \xc3\xa9",
	"a.b = c\bd",
	"a.b = ''",
	"a.b = \"\"",
	"a.b = 'c d'",
	"a.b = \"c d\"",
	"a.b = '('",
	"a.b = 'c'and d",
	"a.b='c'or(d)",
	"a.b = \"c'd\"",
	"a.b = 'c\"d'",
	"a.b = \"\\\"\"",
	"a.b = '\\''",
	"a.b = '\n'",
	"a.b glob c*",
	"a.b glob\tc",
	"a.b glob\nc",
	"a.b glob 'c'",
	"a.b iglob c",
	"a.b contains c",
	"a.b icontains c",
	"a.b bcontains 00ff",
	"a.b startswith c",
	"a.b bstartswith 00ff",
	"a.b endswith c",
	"a.b regex ^c.*$",
	"a.b regex '(c|d)'",
	"a.b < 1",
	"a.b<1",
	"a.b <=1",
	"a.b > 1",
	"a.b >= 1",
	"a.b > +1",
	"a.b > -1",
	"a.b > 1.",
	"a.b > 1.5",
	"a.b > 1.5e+10",
	"a.b > 1e-1",
	"a.b > 0x1F",
	"a.b > 0Xa",
	"a.b > 007",
	"a.b > 1and c",
	"a.b > 1or(c)",
	/* clang-format on */
};

static const char *const refused_checks[] = {
	/* clang-format off */
	"a.b",
	"a.b =",
	"a.b = ",
	"a.b ==",
	"a.b ===",
	"a.b = = c",
	"a.b !==",
	"a.b ! = c",
	"a.b <> c",
	"a.b =! c d",
	"a.b is c",
	"a.b EXISTS",
	"a.b Exists",
	"a.b exists c",
	"exists a.b",
	"a .b = c",
	"a. b = c",
	"a.1 = c",
	"a.b. = c",
	"a.b.1 = c",
	"a..b = c",
	".a = c",
	"1.b = c",
	"a-b.c = d",
	"a = b",
	"'a.b' = c",
	"a.b = c d",
	"a.b = c=d",
	"a.b = <=",
	"a.b = c,d",
	"a.b = (c)",
	"a.b = )",
	"a.b = c'd'",
	"a.b = 'c'd",
	"a.b = 'c''d'",
	"a.b = 'c",
	"a.b = \"c",
	"a.b = 'c\"",
	"a.b = '",
	"a.b = '\\'",
	"a.b = '\\\\'",
	"a.b = \"\\q\"",
	"a.b = \"\\'\"",
	"a.b = '\\\"'",
	"a.b = \"\\x4\"",
	"a.b = \"\\xg0\"",
	"a.b = \v",
	"a.b globc",
	"a.b glob",
	"a.b glob ",
	"a.b glob'c'",
	"a.b glob\vc",
	"a.b contains(c)",
	"a.b contains (c)",
	"a.b CONTAINS c",
	"a.b notcontains c",
	"a.b startswithc",
	"a.b regex",
	"a.b < c",
	"a.b < 'c'",
	"a.b < '1'",
	"a.b < (1)",
	"a.b <",
	"a.b > 0x",
	"a.b > 0xg",
	"a.b > 1e5",
	"a.b > 1.5.5",
	"a.b > .5",
	"a.b > + 1",
	"a.b > --1",
	"a.b => 1",
	"a.b =< 1)",
	/* clang-format on */
};

static const char *const accepted_lists[] = {
	/* clang-format off */
	"a.b in ()",
	"a.b in ( )",
	"a.b in (c)",
	"a.b in(c)",
	"a.b in (c,d)",
	"a.b in ( c , d )",
	"a.b in\n(\nc\n,\nd\n)",
	"a.b in (c, 'd e', \"f\")",
	"a.b in ('')",
	"a.b in (c)and d",
	"a.b in (c.d)",
	"a.b in (and, or, not, in)",
	"a.b in (1, -2, 0x3)",
	"a.b in (a/b, [c], *)",
	"a.b in c",
	"a.b inc",
	"a.b in c and d",
	"a.b intersects (c)",
	"a.b intersects(c)",
	"a.b intersects c",
	"a.b pmatch (/c, /d)",
	"a.b pmatch c",
	/* clang-format on */
};

static const char *const refused_lists[] = {
	/* clang-format off */
	"a.b in",
	"a.b in ",
	"a.b in (",
	"a.b in )",
	"a.b in (c",
	"a.b in (c,",
	"a.b in (c,)",
	"a.b in (,)",
	"a.b in (,c)",
	"a.b in (c,,d)",
	"a.b in (c d)",
	"a.b in (c) d",
	"a.b in ((c))",
	"a.b in (c, (d))",
	"a.b in [c]",
	"a.b in 'c'",
	"a.b in 1",
	"a.b in c.d",
	"a.b in (c=d)",
	"a.b in ('c' 'd')",
	"a.b in ('c)",
	"a.b in (\"\\q\")",
	"a.b in (c, \"\\q\")",
	"a.b in (val(c.d))",
	"a.b in (c, tolower(c.d))",
	"a.b IN (c)",
	"a.b not in (c)",
	/* clang-format on */
};

static const char *const accepted_modifiers[] = {
	/* clang-format off */
	"a.b = oneof (c)",
	"a.b == anyof (c)",
	"a.b != allof (c, d)",
	"a.b = oneof ()",
	"a.b = oneof\n(c)",
	"a.b =\toneof\t(c)",
	"a.b =  oneof  ( c )",
	"a.b glob oneof (c)",
	"a.b iglob oneof (c)",
	"a.b contains oneof (c)",
	"a.b icontains oneof (c)",
	"a.b bcontains oneof (00)",
	"a.b startswith oneof (c)",
	"a.b bstartswith oneof (00)",
	"a.b endswith oneof (c)",
	"a.b regex oneof (c)",
	"a.b = oneof c",
	"a.b = oneof oneof",
	"a.b = oneof andy",
	"a.b = oneof notc",
	"a.b = oneof (c)and d",
	/* the word is the constant */
	"a.b = oneof",
	"a.b = anyof and c",
	"a.b = anyof or c",
	"a.b = anyof and(c)",
	"(a.b = allof)",
	"a.b = 'oneof'",
	"a.b =oneof",
	"a.b=oneof and c",
	"a.b = oneofc",
	"a.b contains allof",
	"a.b = oneof\nand c",
	/* clang-format on */
};

static const char *const refused_modifiers[] = {
	/* clang-format off */
	"a.b =oneof (c)",
	"a.b==oneof (c)",
	"a.b = oneof(c)",
	"a.b = oneof(c) and d",
	"a.b = ONEOF (c)",
	"a.b = oneof (c,)",
	"a.b = oneof (c",
	"a.b = oneof 'c'",
	"a.b = oneof 1",
	"a.b = oneof c.d",
	"a.b = oneof val(c.d)",
	"a.b = oneof tolower(c.d)",
	"a.b = oneof (val(c.d))",
	"a.b = oneof and",
	"a.b = oneof not c",
	"a.b = oneof and_c",
	"a.b = oneof c d",
	"a.b = noneof (c)",
	"a.b < oneof (1)",
	"a.b in oneof (c)",
	"a.b pmatch oneof (c)",
	"a.b exists oneof (c)",
	"a.b oneof (c)",
	/* clang-format on */
};

static void test_parse__joins_checks_with_and_or_not(void **state)
{
	accept_all(*state, accepted_joins, COUNT_OF(accepted_joins));
	refuse_all(*state, refused_joins, COUNT_OF(refused_joins));
}

static void test_parse__compares_fields_with_constants(void **state)
{
	accept_all(*state, accepted_checks, COUNT_OF(accepted_checks));
	refuse_all(*state, refused_checks, COUNT_OF(refused_checks));
}

static void test_parse__takes_lists_behind_list_operators(void **state)
{
	accept_all(*state, accepted_lists, COUNT_OF(accepted_lists));
	refuse_all(*state, refused_lists, COUNT_OF(refused_lists));
}

static void test_parse__takes_a_modifier_only_before_a_list(void **state)
{
	accept_all(*state, accepted_modifiers, COUNT_OF(accepted_modifiers));
	refuse_all(*state, refused_modifiers, COUNT_OF(refused_modifiers));
}

static void test_parse__ends_a_quoted_constant_at_a_nul_byte_but_not_a_bare_one(void **state)
{
	struct scd_ast_error error = { .what = "" };
	const struct scd_ast *ast;

	assert_null(try_parse(*state, SCD_STR("a.b = 'c\0'"), &error));
	ast = try_parse(*state, SCD_STR("a.b = c\0d"), &error);
	assert_non_null(ast);
	assert_true(scd_str_eq(ast->children[1]->text, SCD_STR("c\0d")));
}

static void test_parse__keeps_nothing_of_the_text_it_was_given(void **state)
{
	char text[] = "a.b in (c, 'd e') and tolower(f.g)[h] = \"i\\n\"";
	struct scd_ast_error error;
	const struct scd_ast *ast = try_parse(*state, scd_str_from(text), &error);

	assert_non_null(ast);
	memset(text, 'x', sizeof(text));
	assert_string_equal(print(*state, ast), "(a.b in (c, \"d e\") and tolower(f.g)[h] = \"i\\n\")");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LANG_TEST(test_parse__joins_checks_with_and_or_not),
		LANG_TEST(test_parse__compares_fields_with_constants),
		LANG_TEST(test_parse__takes_lists_behind_list_operators),
		LANG_TEST(test_parse__takes_a_modifier_only_before_a_list),
		LANG_TEST(test_parse__ends_a_quoted_constant_at_a_nul_byte_but_not_a_bare_one),
		LANG_TEST(test_parse__keeps_nothing_of_the_text_it_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
