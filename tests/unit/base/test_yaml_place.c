/*
 * Places inside scalars: from an offset in the text back to a line and column of the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/yaml.h"
#include "tests/support/rng.h"

/* The value of the key c of a text that is a map, or of a file's first document. */
static struct scd_yaml *read_text(struct scd_str text)
{
	struct scd_yaml *yaml = NULL;
	struct scd_error err = { 0 };

	if (scd_yaml_read_text(text, "text", &yaml, &err) < 0)
		fail_msg("%u:%u: %s", err.line, err.column, err.what);
	return yaml;
}

static void test_yaml_place__follows_folds_and_styles(void **state)
{
	static const struct {
		const char *name, *text;
		size_t offset; /* in the value of c */
		unsigned line, column;
	} rows[] = {
		{ "plain, first byte", "c: a and b", 0, 1, 4 },
		{ "plain, last byte", "c: a and b", 6, 1, 10 },
		{ "plain, a blank", "c: a and b", 1, 1, 5 },
		{ "plain, the end", "c: a and b", 7, 1, 11 },
		{ "plain, far behind the end", "c: a and b", 700, 1, 11 },
		{ "plain, folded", "c: a and\n    b or\n   d", 6, 2, 5 },
		{ "plain, two folds", "c: a and\n    b or\n   d", 11, 3, 4 },
		{ "plain, on the next line", "c:\n   a", 0, 2, 4 },
		{ "folded", "c: >\n  a and\n  b or d\n", 6, 3, 3 },
		{ "folded, first byte", "c: >\n  a and\n  b or d\n", 0, 2, 3 },
		{ "folded, the blank of a fold", "c: >\n  a and\n  b or d\n", 5, 2, 8 },
		{ "folded, more indented lines", "c: >\n  a and\n    (b or\n      d)\n", 18, 4, 7 },
		{ "folded, header and comment", "c: >2- # why\n   a\n  b\n", 1, 2, 4 },
		{ "folded, a blank before all", "c: >2- # why\n   a\n  b\n", 0, 2, 1 },
		{ "folded, a line like a comment", "c: >\n  a\n  # b\n", 4, 3, 5 },
		{ "folded, blank lines", "c: >\n\n\n  a\n\n\n  b\n", 2, 4, 3 },
		{ "folded, the end", "c: >\n  a\n  b\n", 4, 3, 4 },
		{ "literal", "c: |\n  a\n  bc\n", 3, 3, 4 },
		{ "single quotes", "c: 'a\n  b'", 2, 2, 3 },
		{ "double quotes", "c: \"a\n\n  b\"", 2, 3, 3 },
		{ "empty", "c: ''", 0, 1, 5 },
		{ "properties", "c: !!str &x   'a b'", 2, 1, 18 },
		{ "properties and a comment", "c: &x # note\n  a b", 2, 2, 5 },
		{ "properties of a block", "c: &x >\n  a\n  b", 2, 3, 3 },
		{ "an alias leads to its anchor", "a: &x b d\nc: *x", 2, 1, 9 },
		{ "CRLF", "c: >\r\n  a and\r\n  b\r\n", 6, 3, 3 },
		{ "bytes, not characters", "\"\xc3\xa4\": 1\nc: \xe2\x82\xac b", 4, 2, 8 },
		{ "byte order mark",
		  "\xef\xbb\xbf"
		  "c: a b",
		  2, 1, 6 },
		{ "before an escape", "c: \"a \\x62 d\"", 0, 1, 5 },
		{ "an escape gives the node", "c: \"a \\x62 d\"", 4, 1, 4 },
		{ "a doubled quote gives the node", "c: 'it''s b'", 5, 1, 4 },
		{ "an escaped blank at the end of a line gives the node", "c: \"a \\\n  b\"", 2, 1, 4 },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_yaml *yaml = read_text(scd_str_from(rows[i].text));
		unsigned line = 0, column = 0;

		scd_yaml_place(yaml, scd_yaml_get(scd_yaml_root(yaml, 0), "c"), rows[i].offset, &line, &column);
		if (line != rows[i].line || column != rows[i].column)
			fail_msg("%s: %u:%u", rows[i].name, line, column);
		scd_yaml_free(&yaml);
	}
}

static char byte_at(struct scd_str source, unsigned line, unsigned column)
{
	const char *at = source.data, *end = source.data + source.len;

	while (--line) {
		at = memchr(at, '\n', (size_t)(end - at));
		assert_non_null(at);
		at++;
	}
	assert_true(column > 0 && column <= (size_t)(end - at));
	return at[column - 1];
}

/* At the place of every byte of the text that is no blank, the source has that byte. */
static void assert_places(const struct scd_yaml *yaml, const struct scd_yaml_node *scalar, struct scd_str source)
{
	for (size_t i = 0; i < scalar->text.len; i++) {
		unsigned line = 0, column = 0;

		scd_yaml_place(yaml, scalar, i, &line, &column);
		if (!strchr(" \n", scalar->text.data[i]))
			assert_int_equal(byte_at(source, line, column), scalar->text.data[i]);
	}
}

static void append_blanks(struct scd_rng *rng, struct scd_buf *text)
{
	switch (scd_rng_below(rng, 3)) {
	case 0: scd_buf_append_str(text, SCD_STR("\n   ")); break;
	case 1: scd_buf_append_str(text, SCD_STR("\n\n   ")); break;
	default: break;
	}
	scd_buf_append_char(text, ' ');
}

static void test_yaml_place__finds_every_byte_of_random_scalars(void **state)
{
	static const struct {
		const char *before, *after;
	} styles[] = {
		{ "c: ", "\n" },       { "c:\n   ", "\n" },       { "c: >\n   ", "\n" },
		{ "c: |\n   ", "\n" }, { "c: >3-\n    ", "\n" },  { "c: '", "'\n" },
		{ "c: \"", "\"\n" },   { "c: &a !b \"", "\"\n" }, { "c: &x >+\n   ", "\n" },
	};
	static const char *const words[] = { "and", "or",  "(proc.name",      "in", "(a,", "b))",
		                             "=",   "x#y", "\xc3\xa4\xc3\xb6" };
	struct scd_rng rng = scd_rng_start("yaml_place");

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		size_t style = scd_rng_below(&rng, SCD_COUNT(styles));
		struct scd_yaml *yaml;
		struct scd_buf text;

		scd_buf_init(&text, 4096);
		scd_buf_append_str(&text, scd_str_from(styles[style].before));
		scd_buf_append_str(&text, SCD_STR("start"));
		for (size_t words_left = scd_rng_below(&rng, 20); words_left; words_left--) {
			append_blanks(&rng, &text);
			scd_buf_append_str(&text, scd_str_from(words[scd_rng_below(&rng, SCD_COUNT(words))]));
		}
		scd_buf_append_str(&text, scd_str_from(styles[style].after));
		yaml = read_text(scd_buf_str(&text));
		assert_places(yaml, scd_yaml_get(scd_yaml_root(yaml, 0), "c"), scd_buf_str(&text));
		scd_yaml_free(&yaml);
		scd_buf_done(&text);
	}
}

static struct scd_str read_source(const char *path, struct scd_buf *buf)
{
	char chunk[4096];
	size_t got;
	FILE *file = fopen(path, "re");

	if (!file) {
		print_message("no %s\n", path);
		skip();
	}
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
		scd_buf_append(buf, chunk, got);
	fclose(file);
	return scd_buf_str(buf);
}

static void test_yaml_place__finds_every_byte_of_upstream_conditions(void **state)
{
	const struct scd_yaml_node *rules;
	size_t conditions = 0;
	struct scd_yaml *yaml;
	struct scd_str source;
	struct scd_buf buf;

	(void)state;
	scd_buf_init(&buf, 1u << 20);
	source = read_source(SCD_SOURCE_DIR "/../shared/falco/upstream/falco_rules.yaml", &buf);
	yaml = read_text(source);
	rules = scd_yaml_root(yaml, 0);
	for (size_t i = 0; i < rules->count; i++) {
		const struct scd_yaml_node *condition = scd_yaml_get(rules->items[i], "condition");

		if (!condition)
			continue;
		assert_places(yaml, condition, source);
		conditions++;
	}
	assert_true(conditions > 50);
	scd_yaml_free(&yaml);
	scd_buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_place__follows_folds_and_styles),
		cmocka_unit_test(test_yaml_place__finds_every_byte_of_random_scalars),
		cmocka_unit_test(test_yaml_place__finds_every_byte_of_upstream_conditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
