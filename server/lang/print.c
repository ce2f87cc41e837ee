/*
 * The canonical text of a tree:
 *
 *    (a and b)  (a or b)  not a  name            and, or, not, macro
 *    field op value   field exists               check
 *    field[arg]  val(field)  tolower(field)      sides; the arguments of a transformer are joined with ","
 *    (a, b)  (a,b)                               list of constants, list among a transformer's arguments
 *
 * Constants are escaped (escape.c). The tree is walked twice, to measure and to write. The walk recurses as deep as
 * the tree is, which the parser's depth limit bounds.
 */
#include <errno.h>

#include "lang/escape.h"
#include "seccheckd/lang/ast.h"

static void put_node(struct scd__sink *sink, const struct scd_ast *node);

static void put_children(struct scd__sink *sink, const struct scd_ast *node, struct scd_str separator)
{
	for (size_t i = 0; i < node->child_count; i++) {
		if (i > 0)
			scd__sink_put(sink, separator);
		put_node(sink, node->children[i]);
	}
}

/* The children in parentheses. */
static void put_group(struct scd__sink *sink, const struct scd_ast *node, struct scd_str separator)
{
	scd__sink_put_char(sink, '(');
	put_children(sink, node, separator);
	scd__sink_put_char(sink, ')');
}

static void put_list(struct scd__sink *sink, const struct scd_ast *node)
{
	scd__sink_put_char(sink, '(');
	for (size_t i = 0; i < node->value_count; i++) {
		if (i > 0)
			scd__sink_put(sink, SCD_STR(", "));
		scd__sink_put_escaped(sink, node->values[i]);
	}
	scd__sink_put_char(sink, ')');
}

static void put_bracket(struct scd__sink *sink, const struct scd_ast *node)
{
	if (!node->has_arg)
		return;
	scd__sink_put_char(sink, '[');
	if (node->arg.len == 0)
		scd__sink_put(sink, SCD_STR("\"\""));
	scd__sink_put_escaped(sink, node->arg);
	scd__sink_put_char(sink, ']');
}

static void put_field(struct scd__sink *sink, const struct scd_ast *node)
{
	if (node->is_val)
		scd__sink_put(sink, SCD_STR("val("));
	scd__sink_put(sink, node->text);
	put_bracket(sink, node);
	if (node->is_val)
		scd__sink_put_char(sink, ')');
}

static void put_transformer(struct scd__sink *sink, const struct scd_ast *node)
{
	scd__sink_put(sink, node->text);
	put_group(sink, node, SCD_STR(","));
	put_bracket(sink, node);
}

static void put_check(struct scd__sink *sink, const struct scd_ast *node)
{
	put_node(sink, node->children[0]);
	scd__sink_put_char(sink, ' ');
	scd__sink_put(sink, node->op);
	if (node->kind == SCD_AST_UNARY)
		return;
	scd__sink_put_char(sink, ' ');
	put_node(sink, node->children[1]);
}

static void put_node(struct scd__sink *sink, const struct scd_ast *node)
{
	switch (node->kind) {
	case SCD_AST_AND: put_group(sink, node, SCD_STR(" and ")); break;
	case SCD_AST_OR: put_group(sink, node, SCD_STR(" or ")); break;
	case SCD_AST_NOT:
		scd__sink_put(sink, SCD_STR("not "));
		put_node(sink, node->children[0]);
		break;
	case SCD_AST_IDENTIFIER: scd__sink_put(sink, node->text); break;
	case SCD_AST_VALUE: scd__sink_put_escaped(sink, node->text); break;
	case SCD_AST_LIST: put_list(sink, node); break;
	case SCD_AST_UNARY:
	case SCD_AST_BINARY: put_check(sink, node); break;
	case SCD_AST_FIELD: put_field(sink, node); break;
	case SCD_AST_TRANSFORMER: put_transformer(sink, node); break;
	case SCD_AST_TRANSFORMER_LIST: put_group(sink, node, SCD_STR(",")); break;
	}
}

int scd_ast_print(const struct scd_ast *ast, struct scd_arena *arena, struct scd_str *ret_text)
{
	struct scd__sink sink = { 0 };

	put_node(&sink, ast);
	sink.out = scd_arena_alloc(arena, sink.len);
	if (!sink.out)
		return -ENOMEM;
	sink.len = 0;
	put_node(&sink, ast);
	*ret_text = (struct scd_str){ sink.out, sink.len };
	return 0;
}
