/*
 * What the grammar accepts and what it does not, one line each.
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

static const char *const accepted_sides[] = {
	/* clang-format off */
	"a.b[c] exists",
	"a.b[0] = c",
	"a.b[c.d/e] = f",
	"a.b[,()=] exists",
	"a.b['c d'] exists",
	"a.b[\"[c]\"] exists",
	"a.b[''] exists",
	"a.b[c]exists",
	"a.b[c]=d",
	"tolower(a.b) = c",
	"toupper(a.b) = c",
	"b64(a.b) = c",
	"basename(a.b) = c",
	"len(a.b) > 1",
	"join(a.b) = c",
	"concat(a.b) = c",
	"getopt(a.b) = c",
	"tolower( a.b ) = c",
	"tolower(\na.b\n)=c",
	"tolower(a.b)exists",
	"tolower(a.b[c]) = d",
	"tolower(a.b)[c] = d",
	"tolower(a.b)['c d'] = d",
	"tolower(toupper(b64(a.b))) = c",
	"concat(a.b, c.d) = e",
	"concat(a.b,c.d,'e',1) = f",
	"concat('a', \"b\") = ab",
	"concat(1, 0x2, -3.5) = c",
	"join(',', (a.b, c.d)) = e",
	"join(',', ()) = ''",
	"join(',', ( )) = ''",
	"join(',', ('a', 1, len(a.b))) = c",
	"join(',', ( a.b , c.d )) = e",
	"getopt(a.b, \"c:\")[c] = d",
	"len((a.b)) > 0",
	"len(()) = 0",
	"a.b = val(c.d)",
	"a.b = val( c.d )",
	"a.b = val(c.d[e])",
	"a.b=val(c.d)and e",
	"a.b contains val(c.d)",
	"a.b > val(c.d)",
	"a.b in val(c.d)",
	"a.b intersects val(c.d)",
	"a.b pmatch val(c.d)",
	"a.b = tolower(c.d)",
	"a.b > len(c.d)",
	"a.b in tolower(c.d)",
	"a.b in(tolower)",
	"a.b = join(',', (c.d))",
	"a.b = tolower",
	"a.b = val",
	"a.b = len and c",
	"tolower.b = c",
	"val.b = c",
	/* clang-format on */
};

static const char *const refused_sides[] = {
	/* clang-format off */
	"a.b[] = c",
	"a.b[ = c",
	"a.b[c = d",
	"a.b[c d] = e",
	"a.b[ c] = d",
	"a.b[c ] = d",
	"a.b [c] = d",
	"a.b[c]d = e",
	"a.b[c][d] = e",
	"a.b[[c]] = d",
	"a.b['c] = d",
	"a.b['\\q'] = d",
	"a[b] = c",
	"tolower (a.b) = c",
	"tolower() = c",
	"tolower( ) = c",
	"tolower(a) = c",
	"tolower(a.b = c",
	"tolower(a.b, = c",
	"tolower(a.b,) = c",
	"tolower(,a.b) = c",
	"tolower(a.b c.d) = e",
	"tolower(a.b) ",
	"tolower(a.b) and c",
	"tolower(a.b) [c] = d",
	"tolower(a.b [c]) = d",
	"tolower(bare) = c",
	"tolower(val(a.b)) = c",
	"TOLOWER(a.b) = c",
	"lower(a.b) = c",
	"a.tolower(b.c) = d",
	"val(a.b) = c",
	"val(a.b) exists",
	"join(',', (a.b) = c",
	"join(',', (a.b,)) = c",
	"join(',', (,a.b)) = c",
	"join(',', (a.b c.d)) = e",
	"join(',', ((a.b))) = c",
	"join(',', (bare)) = c",
	"a.b = val (c.d)",
	"a.b = val(c)",
	"a.b = val()",
	"a.b = val('c')",
	"a.b = val(c.d, e.f)",
	"a.b = val(val(c.d))",
	"a.b = val(tolower(c.d))",
	"a.b = val(c.d",
	"a.b = val(c.d)[e]",
	"a.b = tolower (c.d)",
	"a.b = tolower(c)",
	"a.b = (tolower(c.d))",
	"a.b = nosuch(c.d)",
	"a.b exists tolower(c.d)",
	/* clang-format on */
};

static void accept_all(struct scd_arena *arena, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		parse(arena, texts[i]);
}

static void refuse_all(struct scd_arena *arena, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct scd_ast_error error = { .what = "" };

		if (try_parse(arena, scd_str_from(texts[i]), &error))
			fail_msg("`%s` is accepted", texts[i]);
		assert_true(error.what[0] != '\0');
		assert_true(error.pos.offset <= strlen(texts[i]));
	}
}

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

static void test_parse__takes_fields_and_transformers_as_sides(void **state)
{
	accept_all(*state, accepted_sides, COUNT_OF(accepted_sides));
	refuse_all(*state, refused_sides, COUNT_OF(refused_sides));
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

static void test_parse_side__reads_one_field_or_transformer_and_tells_its_length(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: refused */
		const char *canonical;
	} rows[] = {
		{ "proc.name", 9, "proc.name" },
		{ "proc.name and", 9, "proc.name" },
		{ "proc.nameand", 12, "proc.nameand" },
		{ "proc.name.", 9, "proc.name" },
		{ "proc.aname[2]: %x", 13, "proc.aname[2]" },
		{ "toupper( proc.name )x", 20, "toupper(proc.name)" },
		{ "getopt(proc.args, 'c')[c] rest", 25, "getopt(proc.args,c)[c]" },
		{ "", 0, NULL },
		{ " proc.name", 0, NULL },
		{ "proc", 0, NULL },
		{ "proc.name[", 0, NULL },
		{ "toupper(proc", 0, NULL },
		{ "val(proc.name)", 0, NULL },
		{ "'proc.name'", 0, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct scd_ast *ast = NULL;
		struct scd_ast_error error;
		size_t len = 0;
		int r = scd_ast_parse_side(scd_str_from(rows[i].text), SCD_LIMIT_PARSE_DEPTH, *state, &ast, &len,
		                           &error);

		assert_int_equal(r, rows[i].len > 0 ? 0 : -EINVAL);
		assert_int_equal(len, rows[i].len);
		if (r == 0)
			assert_string_equal(print(*state, ast), rows[i].canonical);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LANG_TEST(test_parse__joins_checks_with_and_or_not),
		LANG_TEST(test_parse__compares_fields_with_constants),
		LANG_TEST(test_parse__takes_lists_behind_list_operators),
		LANG_TEST(test_parse__takes_a_modifier_only_before_a_list),
		LANG_TEST(test_parse__takes_fields_and_transformers_as_sides),
		LANG_TEST(test_parse__ends_a_quoted_constant_at_a_nul_byte_but_not_a_bare_one),
		LANG_TEST(test_parse__keeps_nothing_of_the_text_it_was_given),
		LANG_TEST(test_parse_side__reads_one_field_or_transformer_and_tells_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
