/*
 * Structural equality.
 */
#include "tests/unit/lang/fixture.h"

/* Each of another structure than all the others. */
static const char *const different[] = {
	/* clang-format off */
	"a",
	"b",
	"not a",
	"not (not a)",
	"a and b",
	"b and a",
	"a or b",
	"a and b and c",
	"(a and b) and c",
	"a and (b and c)",
	"not (a and b)",
	"not a and b",
	"a.b exists",
	"a.c exists",
	"a.b[c] exists",
	"a.b[d] exists",
	"a.b[''] exists",
	"a.b = c",
	"a.b = d",
	"a.b == c",
	"a.b != c",
	"a.b = c.d",
	"a.b = val(c.d)",
	"a.b = val(c.d[e])",
	"a.b in c",
	"a.b in (c)",
	"a.b in (c, d)",
	"a.b in (d, c)",
	"a.b in ('c, d')",
	"a.b in (cd)",
	"a.b in ()",
	"a.b in ('')",
	"a.b intersects (c)",
	"a.b = oneof (c)",
	"a.b == oneof (c)",
	"a.b = anyof (c)",
	"a.b = oneof c",
	"tolower(a.b) = c",
	"toupper(a.b) = c",
	"tolower(a.b)[c] = c",
	"tolower(toupper(a.b)) = c",
	"concat(a.b, c.d) = c",
	"concat(a.b, 'c.d') = c",
	"concat((a.b, c.d)) = c",
	"a.b > 1",
	"a.b > 1.0",
	"a.b >= 1",
	/* clang-format on */
};

static void test_equal__tells_structures_apart(void **state)
{
	const struct scd_ast *trees[COUNT_OF(different)];

	for (size_t i = 0; i < COUNT_OF(different); i++)
		trees[i] = parse(*state, different[i]);
	for (size_t i = 0; i < COUNT_OF(different); i++) {
		for (size_t j = 0; j < COUNT_OF(different); j++) {
			if (scd_ast_equal(trees[i], trees[j]) != (i == j))
				fail_msg("`%s` and `%s`", different[i], different[j]);
		}
	}
}

static void test_equal__ignores_blanks_quotes_and_parentheses_that_change_nothing(void **state)
{
	static const char *const same[][2] = {
		{ "a and b", "  (a)\nand ( b )" },
		{ "not a", "not(a)" },
		{ "a", "not not a" },
		{ "a.b = c", "a.b='c'" },
		{ "a.b = c", "a.b = \"\\x63\"" },
		{ "a.b in (c, d)", "a.b in(c,'d')" },
		{ "a.b = oneof (c)", "a.b =\toneof  ( c )" },
		{ "a.b[c] exists", "a.b['c'] exists" },
		{ "concat(a.b,1) = c", "concat( a.b , '1' ) = c" },
	};

	for (size_t i = 0; i < COUNT_OF(same); i++)
		assert_true(scd_ast_equal(parse(*state, same[i][0]), parse(*state, same[i][1])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LANG_TEST(test_equal__tells_structures_apart),
		LANG_TEST(test_equal__ignores_blanks_quotes_and_parentheses_that_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
