/*
 * Vectors of the grammar: parse, ast, ast_equal, ast_positions, escape, unescape, escape_roundtrip.
 */
#include <errno.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/lang/ast.h"
#include "tests/support/vectors.h"

static bool parse_text(struct vectors_case *c, struct scd_str text, const struct scd_ast **ret_ast)
{
	struct scd_ast_error error;
	int r = scd_ast_parse(text, SCD_LIMIT_PARSE_DEPTH, c->arena, ret_ast, &error);

	if (r == 0)
		return true;
	vectors_quote(c->why, text);
	return vectors_fail(c, " is refused: %s", r == -EINVAL ? error.what : strerror(-r));
}

static bool parse_key(struct vectors_case *c, const char *key, const struct scd_ast **ret_ast)
{
	struct scd_str text;

	return vectors_get_str(c, key, &text) && parse_text(c, text, ret_ast);
}

/* `input`, or `unit` `count` times. */
static bool get_input(struct vectors_case *c, struct scd_str *ret_text)
{
	const json_t *repeat = json_object_get(c->json, "input_repeat");
	struct scd_str unit = vectors_decode(c, json_object_get(repeat, "unit"));
	size_t count = (size_t)json_integer_value(json_object_get(repeat, "count"));
	char *text;

	if (!repeat)
		return vectors_get_str(c, "input", ret_text);
	text = scd_arena_alloc(c->arena, unit.len * count);
	if (!text || unit.len == 0)
		return vectors_fail(c, "the case repeats nothing, or too much");
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * unit.len, unit.data, unit.len);
	*ret_text = (struct scd_str){ text, unit.len * count };
	return true;
}

/* A space on both ends; then every space a line feed; then every space a tab. All must be accepted as well. */
static bool blank_variants_pass(struct vectors_case *c, struct scd_str input)
{
	static const char blanks[] = { ' ', '\n', '\t' };
	const struct scd_ast *ast;

	for (size_t i = 0; i < sizeof(blanks); i++) {
		struct scd_str text = scd_arena_printf(c->arena, " " SCD_STR_FMT " ", SCD_STR_ARG(input));
		char *copy = scd_arena_alloc(c->arena, text.len);

		for (size_t j = 0; copy && j < text.len; j++)
			copy[j] = text.data[j] == ' ' ? blanks[i] : text.data[j];
		if (!copy || !parse_text(c, (struct scd_str){ copy, text.len }, &ast))
			return false;
	}
	return true;
}

/* The input is refused, for the reason that the case gives, if it gives one. */
static bool is_refused(struct vectors_case *c, struct scd_str input)
{
	const char *reason = json_string_value(json_object_get(c->json, "error"));
	struct scd_ast_error error;
	const struct scd_ast *ast;
	int r = scd_ast_parse(input, SCD_LIMIT_PARSE_DEPTH, c->arena, &ast, &error);

	if (r == 0)
		return vectors_fail(c, "expected a refusal, was accepted");
	if (r != -EINVAL)
		return vectors_fail(c, "expected a refusal, got: %s", strerror(-r));
	if (!reason || strstr(error.what, reason))
		return true;
	return vectors_expect_str(c, "error", scd_str_from(reason), scd_str_from(error.what));
}

bool vectors_parse(struct vectors_case *c)
{
	const struct scd_ast *ast;
	struct scd_str input;
	bool accept;

	if (!get_input(c, &input) || !vectors_get_bool(c, "accept", &accept))
		return false;
	if (!accept)
		return is_refused(c, input);
	return parse_text(c, input, &ast) && (!vectors_flag(c, "ws_variants") || blank_variants_pass(c, input));
}

bool vectors_ast(struct vectors_case *c)
{
	const struct scd_ast *ast;
	struct scd_str expected, got;

	if (!parse_key(c, "input", &ast) || !vectors_get_str(c, "canonical", &expected))
		return false;
	if (scd_ast_print(ast, c->arena, &got) < 0)
		return vectors_fail(c, "no memory to print");
	return vectors_expect_str(c, "canonical", expected, got);
}

bool vectors_ast_equal(struct vectors_case *c)
{
	const struct scd_ast *a, *b;
	bool equal;

	return parse_key(c, "a", &a) && parse_key(c, "b", &b) && vectors_get_bool(c, "equal", &equal) &&
	       vectors_expect_bool(c, "equal", equal, scd_ast_equal(a, b));
}

static const char *kind_name(enum scd_ast_kind kind)
{
	switch (kind) {
	case SCD_AST_AND: return "and";
	case SCD_AST_OR: return "or";
	case SCD_AST_NOT: return "not";
	case SCD_AST_IDENTIFIER: return "identifier";
	case SCD_AST_VALUE: return "value";
	case SCD_AST_LIST: return "list";
	case SCD_AST_UNARY: return "unary";
	case SCD_AST_BINARY: return "binary";
	case SCD_AST_FIELD: return "field";
	case SCD_AST_TRANSFORMER: return "transformer";
	case SCD_AST_TRANSFORMER_LIST: return "transformer_list";
	}
	return "?";
}

/* `kind offset line column; `, the node before its children. */
static void put_position(struct scd_buf *buf, const struct scd_ast *ast)
{
	scd_buf_printf(buf, "%s %u %u %u; ", kind_name(ast->kind), ast->pos.offset, ast->pos.line, ast->pos.column);
	for (size_t i = 0; i < ast->child_count; i++)
		put_position(buf, ast->children[i]);
}

static void put_expected_position(struct scd_buf *buf, const json_t *node)
{
	const char *kind = json_string_value(json_array_get(node, 0));

	scd_buf_append_str(buf, scd_str_from(kind));
	for (size_t i = 1; i < json_array_size(node); i++)
		scd_buf_printf(buf, " %lld", (long long)json_integer_value(json_array_get(node, i)));
	scd_buf_append_str(buf, SCD_STR("; "));
}

bool vectors_ast_positions(struct vectors_case *c)
{
	const json_t *nodes = json_object_get(c->json, "nodes");
	struct scd_buf expected, got;
	const struct scd_ast *ast;
	bool pass;

	if (!parse_key(c, "input", &ast))
		return false;
	scd_buf_init(&expected, 1u << 20);
	scd_buf_init(&got, 1u << 20);
	for (size_t i = 0; i < json_array_size(nodes); i++)
		put_expected_position(&expected, json_array_get(nodes, i));
	put_position(&got, ast);
	pass = vectors_expect_str(c, "nodes", scd_buf_str(&expected), scd_buf_str(&got));
	scd_buf_done(&expected);
	scd_buf_done(&got);
	return pass;
}

bool vectors_escape(struct vectors_case *c)
{
	struct scd_str input, expected, got;

	if (!vectors_get_str(c, "input", &input) || !vectors_get_str(c, "expect", &expected))
		return false;
	if (scd_ast_escape(input, c->arena, &got) < 0)
		return vectors_fail(c, "no memory to escape");
	return vectors_expect_str(c, "escaped", expected, got);
}

bool vectors_unescape(struct vectors_case *c)
{
	struct scd_str input, expected, got;
	int r;

	if (!vectors_get_str(c, "input", &input))
		return false;
	r = scd_ast_unescape(input, c->arena, &got);
	if (vectors_flag(c, "error"))
		return r == -EINVAL || vectors_fail(c, "expected a refusal, got %d", r);
	if (r < 0)
		return vectors_fail(c, "is refused: %d", r);
	return vectors_get_str(c, "expect", &expected) && vectors_expect_str(c, "unescaped", expected, got);
}

bool vectors_escape_roundtrip(struct vectors_case *c)
{
	struct scd_str input, escaped, got;

	if (!vectors_get_str(c, "input", &input))
		return false;
	if (scd_ast_escape(input, c->arena, &escaped) < 0)
		return vectors_fail(c, "no memory to escape");
	if (escaped.len == 0 || escaped.data[0] != '"')
		return vectors_expect_str(c, "needs no quotes, but", input, escaped);
	if (scd_ast_unescape(escaped, c->arena, &got) < 0)
		return vectors_fail(c, "the escaped form is refused");
	return vectors_expect_str(c, "round trip", input, got);
}
