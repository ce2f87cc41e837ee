/*
 * YAML trees: what a document becomes, what is refused and where, and the limits.
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
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/yaml.h"

static struct scd_yaml *read_str(struct scd_str text)
{
	struct scd_yaml *yaml = NULL;
	struct scd_error err = { 0 };

	if (scd_yaml_read_text(text, "text", &yaml, &err) < 0)
		fail_msg("%u:%u: %s", err.line, err.column, err.what);
	return yaml;
}

static struct scd_yaml *read_text(const char *text)
{
	return read_str(scd_str_from(text));
}

/* Appends the tree in flow style, each node with its place: `[1:3 a@1:4, {…}]`. */
static void dump(struct scd_buf *out, const struct scd_yaml_node *node)
{
	static const char marks[] = { [SCD_YAML_PLAIN] = 'p', [SCD_YAML_QUOTED] = 'q', [SCD_YAML_BLOCK] = 'b' };

	if (!node) {
		scd_buf_append_str(out, SCD_STR("null"));
		return;
	}
	if (node->kind == SCD_YAML_SCALAR) {
		scd_buf_printf(out, "%c(", marks[node->style]);
		scd_buf_append_str(out, node->text);
		scd_buf_printf(out, ")%u:%u", node->line, node->column);
		return;
	}
	scd_buf_append_str(out, node->kind == SCD_YAML_MAP ? SCD_STR("{") : SCD_STR("["));
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind == SCD_YAML_MAP) {
			dump(out, node->keys[i]);
			scd_buf_append_char(out, '=');
		}
		dump(out, node->items[i]);
		scd_buf_append_char(out, ' ');
	}
	scd_buf_printf(out, "%c%u:%u", node->kind == SCD_YAML_MAP ? '}' : ']', node->line, node->column);
}

static void test_yaml_read__builds_the_tree_with_places(void **state)
{
	static const struct {
		const char *name, *text, *tree;
	} rows[] = {
		{ "nothing", "", "" },
		{ "only a comment", "# nothing\n", "" },
		{ "plain scalar", "word", "p(word)1:1 | " },
		{ "empty document", "---\n", "null | " },
		{ "null documents", "~\n---\n# nothing\n---\nnull\n", "null | null | null | " },
		{ "quoted null", "'null'", "q(null)1:1 | " },
		{ "documents", "a\n---\n- b\n...\n---\nc\n", "p(a)1:1 | [p(b)3:3 ]3:1 | p(c)6:1 | " },
		{ "block collections", "- a: 1\n  b:\n    - x\n    -\n",
		  "[{p(a)1:3=p(1)1:6 p(b)2:3=[p(x)3:7 p()4:6 ]3:5 }1:3 ]1:1 | " },
		{ "flow collections", "{a: [1, '2'], b: {}, ? c}",
		  "{p(a)1:2=[p(1)1:6 q(2)1:9 ]1:5 p(b)1:15={}1:18 p(c)1:24=p()1:25 }1:1 | " },
		{ "sequence under its key", "a:\n- 1\n- 2\n", "{p(a)1:1=[p(1)2:3 p(2)3:3 ]2:1 }1:1 | " },
		{ "styles", "- plain\n- 'it''s'\n- \"a\\tb\"\n- |\n  lit\n- >-\n  fol\n  ded\n",
		  "[p(plain)1:3 q(it's)2:3 q(a\tb)3:3 b(lit\n)4:3 b(fol ded)6:3 ]1:1 | " },
		{ "columns are bytes", "{\"\xc3\xa4\xe2\x82\xac\": x}",
		  "{q(\xc3\xa4\xe2\x82\xac)1:2=p(x)1:11 }1:1 | " },
		{ "no column for a byte order mark",
		  "\xef\xbb\xbf"
		  "a: b",
		  "{p(a)1:1=p(b)1:4 }1:1 | " },
		{ "lines end at LF only", "- \"a\xe2\x80\xa8z\" # \xe2\x80\xa9 \xc2\x85\n- b\r\n- c",
		  "[q(a\xe2\x80\xa8z)1:3 p(b)2:3 p(c)3:3 ]1:1 | " },
		{ "alias", "- &x [1]\n- *x\n- &x 2\n- *x\n", "[[p(1)1:7 ]1:3 [p(1)1:7 ]1:3 p(2)3:3 p(2)3:3 ]1:1 | " },
		{ "alias as a key", "{&k a: 1, *k : 2}", "{p(a)1:2=p(1)1:8 p(a)1:2=p(2)1:16 }1:1 | " },
		{ "anchor on an inner node of the same name", "&a [&a 1, *a]", "[p(1)1:5 p(1)1:5 ]1:1 | " },
		{ "merge keys mean nothing", "{<<: {a: 1}}", "{p(<<)1:2={p(a)1:7=p(1)1:10 }1:6 }1:1 | " },
		{ "tagged text", "- !!str 1\n- ! 2\n- !!int 3\n- !other 4\n",
		  "[q(1)1:3 q(2)2:3 p(3)3:3 p(4)4:3 ]1:1 | " },
		{ "same key twice", "{a: 1, a: 2}", "{p(a)1:2=p(1)1:5 p(a)1:8=p(2)1:11 }1:1 | " },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_yaml *yaml = read_text(rows[i].text);
		struct scd_buf out;

		scd_buf_init(&out, 4096);
		for (size_t d = 0; d < scd_yaml_document_count(yaml); d++) {
			dump(&out, scd_yaml_root(yaml, d));
			scd_buf_append_str(&out, SCD_STR(" | "));
		}
		if (!scd_str_is(scd_buf_str(&out), rows[i].tree))
			fail_msg("%s: %s", rows[i].name, out.data);
		assert_null(scd_yaml_root(yaml, scd_yaml_document_count(yaml)));
		scd_buf_done(&out);
		scd_yaml_free(&yaml);
		assert_null(yaml);
		scd_yaml_free(&yaml);
	}
}

static void test_yaml_source__is_what_places_count_in(void **state)
{
	struct scd_yaml *yaml = read_text("\xef\xbb\xbf- a\n- b\n");

	(void)state;
	assert_true(scd_str_is(scd_yaml_source(yaml), "- a\n- b\n"));
	assert_int_equal(scd_yaml_root(yaml, 0)->items[1]->offset, 6);
	scd_yaml_free(&yaml);
}

static void test_yaml_read__keeps_nul_bytes_of_escapes(void **state)
{
	struct scd_yaml *yaml = read_text("\"a\\0b\"");

	(void)state;
	assert_int_equal(scd_yaml_root(yaml, 0)->text.len, 3);
	assert_memory_equal(scd_yaml_root(yaml, 0)->text.data, "a\0b", 4);
	scd_yaml_free(&yaml);
}

static void test_yaml_read__says_where_and_what_is_wrong(void **state)
{
	static const struct {
		struct scd_str text;
		int code;
		unsigned line, column;
		const char *what, *hint;
	} rows[] = {
		{ SCD_STR_INIT("a: [\n b: c\n"), -EINVAL, 3, 1, "did not find expected ',' or ']'",
		  "while parsing a flow sequence that began at line 1" },
		{ SCD_STR_INIT("a: b\n  c: d\n"), -EINVAL, 2, 4, "mapping values are not allowed in this context", "" },
		{ SCD_STR_INIT("a: 'b\n"), -EINVAL, 2, 1, "found unexpected end of stream",
		  "while scanning a quoted scalar that began at line 1" },
		{ SCD_STR_INIT("a:\n\t- b\n"), -EINVAL, 2, 1, "found character that cannot start any token",
		  "while scanning for the next token that began at line 2" },
		{ SCD_STR_INIT("\xc3\xa4: \"\\q\"\n"), -EINVAL, 1, 6, "found unknown escape character",
		  "while parsing a quoted scalar that began at line 1" },
		{ SCD_STR_INIT("a: b\nc: \xff\n"), -EINVAL, 2, 4, "invalid leading UTF-8 octet",
		  "the file must be UTF-8 without control characters" },
		{ SCD_STR_INIT("# \xe2\x82(\n"), -EINVAL, 1, 5, "invalid trailing UTF-8 octet",
		  "the file must be UTF-8 without control characters" },
		{ SCD_STR_INIT("a: \xe2\x82"), -EINVAL, 1, 4, "incomplete UTF-8 octet sequence",
		  "the file must be UTF-8 without control characters" },
		{ SCD_STR_INIT("a: b\0c"), -EINVAL, 1, 5, "control characters are not allowed",
		  "the file must be UTF-8 without control characters" },
		{ SCD_STR_INIT("\xff\xfe"
		               "a\0"),
		  -EINVAL, 1, 1, "invalid leading UTF-8 octet", "the file must be UTF-8 without control characters" },
		{ SCD_STR_INIT("a: 1\n[b]: 2\n"), -EINVAL, 2, 1, "the key of a map must be a scalar", "" },
		{ SCD_STR_INIT("{x: 1, {}: 2}\n"), -EINVAL, 1, 8, "the key of a map must be a scalar", "" },
		{ SCD_STR_INIT("- &a [1]\n- {*a : 2}\n"), -EINVAL, 2, 4, "the key of a map must be a scalar", "" },
		{ SCD_STR_INIT("- &a 1\n- *b\n"), -EINVAL, 2, 3, "the alias has no anchor before it in this document",
		  "" },
		{ SCD_STR_INIT("- &a 1\n---\n- *a\n"), -EINVAL, 3, 3,
		  "the alias has no anchor before it in this document", "" },
		{ SCD_STR_INIT("&a [1, *a]\n"), -EINVAL, 1, 8, "the alias stands inside the node that it refers to",
		  "" },
		{ SCD_STR_INIT("&a {x: {y: [*a]}}\n"), -EINVAL, 1, 13,
		  "the alias stands inside the node that it refers to", "" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_yaml *yaml = NULL;
		struct scd_error err = { 0 };

		assert_int_equal(scd_yaml_read_text(rows[i].text, "rules.yaml", &yaml, &err), rows[i].code);
		assert_null(yaml);
		if (err.line != rows[i].line || err.column != rows[i].column)
			fail_msg("row %zu: %u:%u: %s", i, err.line, err.column, err.what);
		assert_int_equal(err.code, rows[i].code);
		assert_string_equal(err.file, "rules.yaml");
		assert_string_equal(err.what, rows[i].what);
		assert_string_equal(err.hint, rows[i].hint);
	}
}

static int result_of(const struct scd_buf *text, struct scd_error *err)
{
	struct scd_yaml *yaml = NULL;
	int r = scd_yaml_read_text(scd_buf_str(text), "text", &yaml, err);

	assert_false(text->failed);
	assert_int_equal(yaml == NULL, r < 0);
	scd_yaml_free(&yaml);
	return r;
}

static void append_times(struct scd_buf *text, const char *piece, unsigned times)
{
	while (times--)
		scd_buf_append_str(text, scd_str_from(piece));
}

static void test_yaml_read__stops_at_the_depth_limit(void **state)
{
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		struct scd_error err = { 0 };
		struct scd_buf text;

		scd_buf_init(&text, 4096);
		append_times(&text, "[", SCD_LIMIT_YAML_DEPTH + over);
		append_times(&text, "]", SCD_LIMIT_YAML_DEPTH + over);
		assert_int_equal(result_of(&text, &err), over ? -E2BIG : 0);
		assert_int_equal(err.column, over ? SCD_LIMIT_YAML_DEPTH + 1 : 0);
		scd_buf_done(&text);
	}
}

/* Each line is one level deeper than the one before, all by aliases: no line is nested in the text. */
static void test_yaml_read__counts_the_depth_behind_aliases(void **state)
{
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		struct scd_error err = { 0 };
		struct scd_buf text;
		unsigned levels = SCD_LIMIT_YAML_DEPTH - 1 + over; /* the sequence of the lines is one more */

		scd_buf_init(&text, 4096);
		scd_buf_append_str(&text, SCD_STR("- &a1 []\n"));
		for (unsigned i = 2; i <= levels; i++)
			scd_buf_printf(&text, "- &a%u [*a%u]\n", i, i - 1);
		assert_int_equal(result_of(&text, &err), over ? -E2BIG : 0);
		assert_int_equal(err.line, over ? levels : 0);
		scd_buf_done(&text);
	}
}

/* An anchored tree of 20 levels, and an alias to it under as many levels as the limit leaves, and one more. */
static void test_yaml_read__adds_the_depth_of_an_anchored_tree(void **state)
{
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		unsigned levels = SCD_LIMIT_YAML_DEPTH - 1 - 20 + over;
		struct scd_error err = { 0 };
		struct scd_buf text;

		scd_buf_init(&text, 4096);
		scd_buf_append_str(&text, SCD_STR("- &a "));
		append_times(&text, "[", 20);
		append_times(&text, "]", 20);
		scd_buf_append_str(&text, SCD_STR("\n- "));
		append_times(&text, "[", levels);
		scd_buf_append_str(&text, SCD_STR("*a"));
		append_times(&text, "]", levels);
		assert_int_equal(result_of(&text, &err), over ? -E2BIG : 0);
		assert_int_equal(err.line, over ? 2 : 0);
		scd_buf_done(&text);
	}
}

/* One anchored sequence of 1,000 nodes, aliases to it, and scalars, in a sequence: exactly the limit, and one more. */
static void test_yaml_read__counts_each_use_of_an_anchor(void **state)
{
	unsigned aliases = SCD_LIMIT_YAML_NODES / 1000 - 2;

	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		struct scd_error err = { 0 };
		struct scd_buf text;

		scd_buf_init(&text, 1u << 20);
		scd_buf_append_str(&text, SCD_STR("- &a ["));
		append_times(&text, "x,", 999);
		scd_buf_append_str(&text, SCD_STR("]\n"));
		append_times(&text, "- *a\n", aliases);
		append_times(&text, "- y\n", 999 + over);
		assert_int_equal(result_of(&text, &err), over ? -E2BIG : 0);
		assert_int_equal(err.line, over ? 1 + aliases + 1000 : 0);
		scd_buf_done(&text);
	}
}

static void test_yaml_read__refuses_a_billion_laughs(void **state)
{
	struct scd_error err = { 0 };
	struct scd_buf text;

	(void)state;
	scd_buf_init(&text, 1u << 16);
	scd_buf_append_str(&text, SCD_STR("l0: &l0 lol\n"));
	for (unsigned i = 1; i < 10; i++) {
		scd_buf_printf(&text, "l%u: &l%u [", i, i);
		for (unsigned k = 0; k < 10; k++)
			scd_buf_printf(&text, "*l%u,", i - 1);
		scd_buf_append_str(&text, SCD_STR("]\n"));
	}
	assert_int_equal(result_of(&text, &err), -E2BIG);
	assert_string_equal(err.what, "the file has, or its aliases expand to, too many nodes");
	scd_buf_done(&text);
}

static void test_yaml_read__refuses_a_text_over_the_cap(void **state)
{
	struct scd_yaml *yaml = NULL;
	struct scd_error err = { 0 };

	(void)state;
	assert_int_equal(scd_yaml_read_text((struct scd_str){ "never read", SCD_LIMIT_RULE_FILE_BYTES + 1 }, "text",
	                                    &yaml, &err),
	                 -EFBIG);
	assert_null(yaml);
}

static void test_yaml_get__finds_the_last_of_equal_keys(void **state)
{
	struct scd_yaml *yaml = read_text("{a: 1, b: 2, a: 3, \"n\\0l\": 4}");
	const struct scd_yaml_node *map = scd_yaml_root(yaml, 0);

	(void)state;
	assert_true(scd_str_is(scd_yaml_get(map, "a")->text, "3"));
	assert_true(scd_str_is(scd_yaml_get(map, "b")->text, "2"));
	assert_null(scd_yaml_get(map, "c"));
	assert_null(scd_yaml_get(map, "n"));
	assert_null(scd_yaml_get(map->items[0], "a"));
	assert_null(scd_yaml_get(NULL, "a"));
	scd_yaml_free(&yaml);
}

static void test_yaml_is_null__accepts_plain_words_only(void **state)
{
	static const struct {
		const char *text;
		bool is_null;
	} rows[] = {
		{ "[]", false },    { "[~]", true },       { "[null]", true }, { "[Null]", true },
		{ "[NULL]", true }, { "[nULL]", false },   { "['']", false },  { "[\"null\"]", false },
		{ "[0]", false },   { "[!!str ]", false }, { "[[]]", false },  { "[{}]", false },
		{ "[nul]", false },
	};
	struct scd_yaml *yaml = read_text("a:\n");

	(void)state;
	assert_true(scd_yaml_is_null(scd_yaml_get(scd_yaml_root(yaml, 0), "a")));
	scd_yaml_free(&yaml);
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		const struct scd_yaml_node *root;

		yaml = read_text(rows[i].text);
		root = scd_yaml_root(yaml, 0);
		if (scd_yaml_is_null(root->count ? root->items[0] : root) != rows[i].is_null)
			fail_msg("%s", rows[i].text);
		scd_yaml_free(&yaml);
	}
}

static void test_yaml_bool__knows_the_words_in_three_cases(void **state)
{
	static const char *const yes[] = { "y",    "Y",    "yes", "Yes", "YES", "true",
		                           "True", "TRUE", "on",  "On",  "ON",  "'yes'" };
	static const char *const no[] = { "n",     "N",     "no",  "No",  "NO",  "false",
		                          "False", "FALSE", "off", "Off", "OFF", "\"off\"" };
	static const char *const neither[] = { "yES", "tRUE", "1", "0", "''", "[]", "{}", "t", "truee", "nO" };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(yes) + SCD_COUNT(no) + SCD_COUNT(neither); i++) {
		size_t k = i < SCD_COUNT(yes)                   ? i
		           : i < SCD_COUNT(yes) + SCD_COUNT(no) ? i - SCD_COUNT(yes)
		                                                : i - SCD_COUNT(yes) - SCD_COUNT(no);
		int expected = i < SCD_COUNT(yes) + SCD_COUNT(no) ? 0 : -EINVAL;
		const char *word = i < SCD_COUNT(yes) ? yes[k] : expected == 0 ? no[k] : neither[k];
		struct scd_yaml *yaml = read_text(word);
		bool value = i >= SCD_COUNT(yes);

		if (scd_yaml_bool(scd_yaml_root(yaml, 0), &value) != expected)
			fail_msg("%s", word);
		assert_int_equal(value, i < SCD_COUNT(yes) || expected < 0);
		scd_yaml_free(&yaml);
	}
}

static void test_yaml_free__accepts_what_is_not_there(void **state)
{
	struct scd_yaml *none = NULL;

	(void)state;
	scd_yaml_free(NULL);
	scd_yaml_free(&none);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_read__builds_the_tree_with_places),
		cmocka_unit_test(test_yaml_source__is_what_places_count_in),
		cmocka_unit_test(test_yaml_read__keeps_nul_bytes_of_escapes),
		cmocka_unit_test(test_yaml_read__says_where_and_what_is_wrong),
		cmocka_unit_test(test_yaml_read__stops_at_the_depth_limit),
		cmocka_unit_test(test_yaml_read__counts_the_depth_behind_aliases),
		cmocka_unit_test(test_yaml_read__adds_the_depth_of_an_anchored_tree),
		cmocka_unit_test(test_yaml_read__counts_each_use_of_an_anchor),
		cmocka_unit_test(test_yaml_read__refuses_a_billion_laughs),
		cmocka_unit_test(test_yaml_read__refuses_a_text_over_the_cap),
		cmocka_unit_test(test_yaml_get__finds_the_last_of_equal_keys),
		cmocka_unit_test(test_yaml_is_null__accepts_plain_words_only),
		cmocka_unit_test(test_yaml_bool__knows_the_words_in_three_cases),
		cmocka_unit_test(test_yaml_free__accepts_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
