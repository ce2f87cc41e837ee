/*
 * Depth, size and memory: what is bounded, and how the parser behaves at the bound.
 */
#include "tests/unit/lang/fixture.h"

#define LIST_ITEMS 1000000u

/* What can be nested, and how often it fits a depth of 100 and of 1000. */
static const struct nesting {
	const char *open, *middle, *close, *tail;
	size_t fit_100, fit_1000;
} nestings[] = {
	{ "(", "a", ")", "", 19, 199 },
	{ "(", "a.b = c", ")", "", 18, 198 },
	{ "not(", "a", ")", "", 23, 248 },
	{ "a and (", "b", ")", "", 19, 199 },
	{ "a or(", "b", ")", "", 47, 497 },
	{ "tolower(", "a.b", ")", " exists", 47, 497 },
	{ "concat(a.b, ", "c.d", ")", " = e", 47, 497 },
};

static char *put(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	return out + len;
}

/* open and close count times, middle between them, then tail. */
static struct scd_str nest(struct scd_arena *arena, const struct nesting *n, size_t count)
{
	size_t len = count * (strlen(n->open) + strlen(n->close)) + strlen(n->middle) + strlen(n->tail);
	char *text = scd_arena_alloc(arena, len);
	char *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		at = put(at, n->open);
	at = put(at, n->middle);
	for (size_t i = 0; i < count; i++)
		at = put(at, n->close);
	put(at, n->tail);
	return (struct scd_str){ text, len };
}

static void check_fits(struct scd_arena *arena, struct scd_str text, unsigned max_depth, bool fits)
{
	const struct scd_ast *ast;
	struct scd_ast_error error;
	char expected[64];
	int r = scd_ast_parse(text, max_depth, arena, &ast, &error);

	assert_int_equal(r, fits ? 0 : -EINVAL);
	if (fits)
		return;
	snprintf(expected, sizeof(expected), "exceeded max depth limit of %u", max_depth);
	assert_string_equal(error.what, expected);
}

static void test_parse__stops_at_the_depth_limit(void **state)
{
	for (size_t i = 0; i < COUNT_OF(nestings); i++) {
		const struct nesting *n = &nestings[i];

		check_fits(*state, nest(*state, n, n->fit_100), SCD_LIMIT_PARSE_DEPTH, true);
		check_fits(*state, nest(*state, n, n->fit_100 + 1), SCD_LIMIT_PARSE_DEPTH, false);
		check_fits(*state, nest(*state, n, n->fit_1000), SCD_LIMIT_RULE_PARSE_DEPTH, true);
		check_fits(*state, nest(*state, n, n->fit_1000 + 1), SCD_LIMIT_RULE_PARSE_DEPTH, false);
		check_fits(*state, nest(*state, n, 100000), SCD_LIMIT_RULE_PARSE_DEPTH, false);
	}
}

static void test_parse__does_not_nest_for_a_row_of_nots(void **state)
{
	static const struct nesting even = { "not ", "a", "", "", 0, 0 };
	struct scd_ast_error error;

	assert_string_equal(print(*state, try_parse(*state, nest(*state, &even, 100000), &error)), "a");
	assert_string_equal(print(*state, try_parse(*state, nest(*state, &even, 100001), &error)), "not a");
}

static void test_parse__does_not_nest_for_a_row_of_ands(void **state)
{
	static const struct nesting row = { "a and ", "a", "", "", 0, 0 };
	struct scd_ast_error error;
	const struct scd_ast *ast = try_parse(*state, nest(*state, &row, 100000), &error);

	assert_int_equal(ast->kind, SCD_AST_AND);
	assert_int_equal(ast->child_count, 100001);
}

/* Texts of the deepest trees there are go through everything that recurses. */
static void test_print_and_equal__reach_as_deep_as_the_parser(void **state)
{
	for (size_t i = 0; i < COUNT_OF(nestings); i++) {
		struct scd_str text = nest(*state, &nestings[i], nestings[i].fit_1000);
		const struct scd_ast *a, *b;
		struct scd_ast_error error;

		assert_int_equal(scd_ast_parse(text, SCD_LIMIT_RULE_PARSE_DEPTH, *state, &a, &error), 0);
		assert_int_equal(scd_ast_parse(text, SCD_LIMIT_RULE_PARSE_DEPTH, *state, &b, &error), 0);
		assert_true(scd_ast_equal(a, b));
		assert_string_equal(print(*state, a), print(*state, b));
	}
}

static void test_parse__takes_a_list_of_a_million_items_in_proportional_memory(void **state)
{
	static const char head[] = "fd.sip in (";
	struct scd_arena *arena = *state;
	char *text = malloc(sizeof(head) + LIST_ITEMS * 16);
	char *at = text;
	struct scd_ast_error error;
	const struct scd_ast *ast;

	assert_non_null(text);
	at = put(at, head);
	for (unsigned i = 0; i < LIST_ITEMS; i++)
		at += snprintf(at, 16, i % 3 ? "%s%u" : "%s'%u'", i ? ", " : "", i);
	at = put(at, ")");
	ast = try_parse(arena, (struct scd_str){ text, (size_t)(at - text) }, &error);
	free(text);
	assert_non_null(ast);
	assert_int_equal(ast->children[1]->value_count, LIST_ITEMS);
	assert_true(scd_str_is(ast->children[1]->values[999999], "999999"));
	assert_true(arena->used_bytes < 16 * LIST_ITEMS + 4 * sizeof(struct scd_str) * LIST_ITEMS);
}

static void test_parse__refuses_a_text_over_the_limit_without_reading_it(void **state)
{
	static const char one = 'a';
	struct scd_str huge = { &one, (size_t)SCD_LIMIT_CONDITION_BYTES + 1 };
	struct scd_ast_error error = { .what = "" };

	assert_null(try_parse(*state, huge, &error));
	assert_string_equal(error.what, "filter input string is longer than 67108864 bytes");
}

/* The n-th allocation fails, for every n: the arena grows by one step at a time until the text fits. */
static void test_parse__fails_cleanly_wherever_memory_ends(void **state)
{
	static const char text[] = "not a and (b.c in (d, 'e\\n', f, g, h) or tolower(i.j[k])[l] = oneof (m)) and "
	                           "join(',', (n.o, 'p')) > len(q.r) and s.t != val(u.v)";
	unsigned failures = 0;

	(void)state;
	for (size_t max_bytes = 16;; max_bytes += 16) {
		const struct scd_ast *ast = NULL;
		struct scd_ast_error error;
		struct scd_arena arena;
		int r;

		scd_arena_init(&arena, 32, max_bytes);
		r = scd_ast_parse(scd_str_from(text), SCD_LIMIT_PARSE_DEPTH, &arena, &ast, &error);
		assert_true((r == 0) == (ast != NULL));
		scd_arena_done(&arena);
		if (r == 0)
			break;
		assert_int_equal(r, -ENOMEM);
		failures++;
	}
	assert_true(failures > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LANG_TEST(test_parse__stops_at_the_depth_limit),
		LANG_TEST(test_parse__does_not_nest_for_a_row_of_nots),
		LANG_TEST(test_parse__does_not_nest_for_a_row_of_ands),
		LANG_TEST(test_print_and_equal__reach_as_deep_as_the_parser),
		LANG_TEST(test_parse__takes_a_list_of_a_million_items_in_proportional_memory),
		LANG_TEST(test_parse__refuses_a_text_over_the_limit_without_reading_it),
		LANG_TEST(test_parse__fails_cleanly_wherever_memory_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
