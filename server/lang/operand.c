/*
 * Both sides of a check: fields, transformers, constants, lists. The grammar is in parser.c.
 *
 * The constants of a list are spans in one array, not nodes, so that a list of a million items costs sixteen bytes an
 * item besides its text.
 */
#include <stdio.h>
#include <string.h>

#include "lang/parser.h"
#include "seccheckd/base/array.h"

/* With the parenthesis, as they are recognised. */
static const char *const transformers[] = {
	"tolower(", "toupper(", "b64(", "basename(", "len(", "join(", "concat(", "getopt(",
};

static const struct scd_ast *parse_transformer(struct scd__parser *p, struct scd_ast_pos pos);

/* Names a transformer and its "("; `token` is the name alone then. */
static bool lex_transformer(struct scd__parser *p)
{
	for (size_t i = 0; i < SCD_COUNT(transformers); i++) {
		if (scd__lex_literal(p, transformers[i])) {
			p->token.len--;
			return true;
		}
	}
	return false;
}

/* `what: 'val', 'tolower', …` */
static const void *fail_no_field(struct scd__parser *p, const char *what)
{
	char names[128] = "'val'";
	size_t len = strlen(names);

	for (size_t i = 0; i < SCD_COUNT(transformers) && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, ", '%.*s'", (int)strlen(transformers[i]) - 1,
		                        transformers[i]);
	return scd__fail(p, "expected %s or a field with a valid transformer: %s", what, names);
}

/* The optional `[…]`, with no blank before it. */
static bool parse_bracket(struct scd__parser *p, struct scd_ast *node)
{
	if (!scd__lex_literal(p, "["))
		return true;
	if (!scd__lex_quoted(p) && !scd__lex_bracket_text(p)) {
		scd__fail(p, "expected a valid field argument: a quoted string or a bare string");
		return false;
	}
	node->has_arg = true;
	node->arg = p->token;
	if (!scd__lex_literal(p, "]")) {
		scd__fail(p, "expected a ']' token");
		return false;
	}
	return true;
}

/* What follows the name of a field, which is `token`. */
static const struct scd_ast *parse_field(struct scd__parser *p, struct scd_ast_pos pos, bool is_val)
{
	struct scd_ast *field;

	if (!scd__enter(p))
		return NULL;
	field = scd__node(p, SCD_AST_FIELD, pos);
	if (!field)
		return NULL;
	field->text = p->token;
	field->is_val = is_val;
	if (!parse_bracket(p, field))
		return NULL;
	scd__leave(p);
	return field;
}

const struct scd_ast *scd__parse_lhs(struct scd__parser *p)
{
	struct scd_ast_pos pos = p->pos;

	if (scd__lex_field_name(p))
		return parse_field(p, pos, false);
	if (lex_transformer(p))
		return parse_transformer(p, pos);
	return NULL;
}

/* One of a list among the arguments of a transformer. */
static const struct scd_ast *parse_element(struct scd__parser *p)
{
	struct scd_ast_pos pos = p->pos;
	const struct scd_ast *node = scd__parse_lhs(p);

	if (node || p->status < 0)
		return node;
	if (scd__lex_quoted(p) || scd__lex_number(p))
		return scd__node_leaf(p, SCD_AST_VALUE, pos);
	return scd__fail(p, "expected transformer list argument: field, transformer, quoted string, or number");
}

/* `one { "," one }`, blanks around each. */
static bool parse_sequence(struct scd__parser *p, const struct scd_ast *(*parse_one)(struct scd__parser *p),
                           struct scd__node_array *ret_nodes)
{
	do {
		scd__lex_blank(p);
		if (!scd__push_node(p, ret_nodes, parse_one(p)))
			return false;
		scd__lex_blank(p);
	} while (scd__lex_literal(p, ","));
	return true;
}

/* What follows the "(" of a list of elements. */
static const struct scd_ast *parse_elements(struct scd__parser *p, struct scd_ast_pos pos)
{
	struct scd__node_array elements = { 0 };

	scd__lex_blank(p);
	if (!scd__lex_literal(p, ")")) {
		if (!parse_sequence(p, parse_element, &elements))
			return NULL;
		if (!scd__lex_literal(p, ")"))
			return scd__fail(p, "expected ')'");
	}
	return scd__node_branch(p, SCD_AST_TRANSFORMER_LIST, pos, &elements);
}

/* One argument of a transformer. A number goes first: no field starts with a digit. */
static const struct scd_ast *parse_argument(struct scd__parser *p)
{
	struct scd_ast_pos pos = p->pos;
	const struct scd_ast *node;

	if (!scd__enter(p))
		return NULL;
	if (scd__lex_number(p) || scd__lex_quoted(p))
		node = scd__node_leaf(p, SCD_AST_VALUE, pos);
	else if (scd__lex_literal(p, "("))
		node = parse_elements(p, pos);
	else
		node = scd__parse_lhs(p);
	if (!node)
		return scd__fail(p, "expected field transformer argument: "
		                    "field, transformer, quoted string, number, or transformer list");
	scd__leave(p);
	return node;
}

/* What follows the "(" of a transformer, whose name is `token`. */
static const struct scd_ast *parse_transformer(struct scd__parser *p, struct scd_ast_pos pos)
{
	struct scd__node_array arguments = { 0 };
	struct scd_str name = p->token;
	struct scd_ast *node;

	if (!scd__enter(p) || !parse_sequence(p, parse_argument, &arguments))
		return NULL;
	if (!scd__lex_literal(p, ")"))
		return scd__fail(p, "expected a ')' token closing the transformer");
	node = scd__node_branch(p, SCD_AST_TRANSFORMER, pos, &arguments);
	if (!node)
		return NULL;
	node->text = name;
	if (!parse_bracket(p, node))
		return NULL;
	scd__leave(p);
	return node;
}

/* What follows "val(". */
static const struct scd_ast *parse_val(struct scd__parser *p, struct scd_ast_pos pos)
{
	const struct scd_ast *field;

	scd__lex_blank(p);
	if (!scd__lex_field_name(p))
		return scd__fail(p, "expected a field within 'val' transformer");
	field = parse_field(p, pos, true);
	if (!field)
		return NULL;
	scd__lex_blank(p);
	if (!scd__lex_literal(p, ")"))
		return scd__fail(p, "expected a ')' token closing the transformer");
	return field;
}

/* rhs, or NULL without a status. */
static const struct scd_ast *parse_rhs(struct scd__parser *p)
{
	struct scd_ast_pos pos = p->pos;
	const struct scd_ast *node = NULL;

	if (!scd__enter(p))
		return NULL;
	if (scd__lex_literal(p, "val("))
		node = parse_val(p, pos);
	else if (lex_transformer(p))
		node = parse_transformer(p, pos);
	scd__leave(p);
	return node;
}

/* A constant or rhs; what names the constant in the error. */
static const struct scd_ast *parse_operand(struct scd__parser *p, bool (*lex_constant)(struct scd__parser *p),
                                           const char *what)
{
	struct scd_ast_pos pos;
	const struct scd_ast *node;

	if (!scd__enter(p))
		return NULL;
	scd__lex_blank(p);
	pos = p->pos;
	node = parse_rhs(p);
	if (!node && p->status == 0) {
		if (!lex_constant(p))
			return fail_no_field(p, what);
		node = scd__node_leaf(p, SCD_AST_VALUE, pos);
	}
	scd__leave(p);
	return node;
}

static bool lex_string(struct scd__parser *p)
{
	return scd__lex_quoted(p) || scd__lex_bare(p);
}

const struct scd_ast *scd__parse_number_operand(struct scd__parser *p)
{
	return parse_operand(p, scd__lex_number, "a number value");
}

const struct scd_ast *scd__parse_string_operand(struct scd__parser *p)
{
	return parse_operand(p, lex_string, "a string value");
}

/* `[ string { "," string } ]`: what stands in the parentheses of a list. */
static bool parse_strings(struct scd__parser *p, struct scd__str_array *ret_strings)
{
	scd__lex_blank(p);
	if (!lex_string(p))
		return true;
	while (scd__push_str(p, ret_strings, p->token)) {
		scd__lex_blank(p);
		if (!scd__lex_literal(p, ","))
			return true;
		scd__lex_blank(p);
		if (!lex_string(p)) {
			scd__fail(p, "expected a string value");
			return false;
		}
	}
	return false;
}

/* A list, or NULL without a status. */
static const struct scd_ast *parse_list(struct scd__parser *p)
{
	struct scd__str_array strings = { 0 };
	struct scd_ast_pos pos = p->pos;
	struct scd_ast *list;

	if (!scd__lex_literal(p, "("))
		return NULL;
	if (!scd__enter(p) || !parse_strings(p, &strings))
		return NULL;
	if (!scd__lex_literal(p, ")"))
		return scd__fail(p, "expected a ')' token");
	scd__leave(p);
	list = scd__node(p, SCD_AST_LIST, pos);
	if (!list)
		return NULL;
	list->values = strings.items;
	list->value_count = strings.count;
	return list;
}

const struct scd_ast *scd__parse_plain_list(struct scd__parser *p)
{
	struct scd_ast_pos pos = p->pos;
	const struct scd_ast *node;

	if (!scd__enter(p))
		return NULL;
	node = parse_list(p);
	if (!node && p->status == 0) {
		if (!scd__lex_identifier(p))
			return scd__fail(p, "expected a list or an identifier");
		node = scd__node_leaf(p, SCD_AST_VALUE, pos);
	}
	scd__leave(p);
	return node;
}

const struct scd_ast *scd__parse_list_operand(struct scd__parser *p)
{
	scd__lex_blank(p);
	if (scd__peek_literal(p, "("))
		return scd__parse_plain_list(p);
	return parse_operand(p, scd__lex_identifier, "a list, an identifier,");
}
