/*
 * A check: left side, operator, right side; or the name of a macro. The operators stand in one table, in the order in
 * which Falco tries them, with what each takes on its right.
 */
#include <stdio.h>
#include <string.h>

#include "lang/parser.h"
#include "seccheckd/base/array.h"

enum takes {
	TAKES_NOTHING,
	TAKES_NUMBER,
	TAKES_STRING, /* or, behind a modifier, a list */
	TAKES_LIST,
};

static const struct comparison {
	const char *text;
	enum takes takes;
	bool is_word; /* a blank must follow */
} comparisons[] = {
	{ "exists", TAKES_NOTHING, false },    { "<=", TAKES_NUMBER, false },
	{ "<", TAKES_NUMBER, false },          { ">=", TAKES_NUMBER, false },
	{ ">", TAKES_NUMBER, false },          { "==", TAKES_STRING, false },
	{ "=", TAKES_STRING, false },          { "!=", TAKES_STRING, false },
	{ "glob", TAKES_STRING, true },        { "iglob", TAKES_STRING, true },
	{ "contains", TAKES_STRING, true },    { "icontains", TAKES_STRING, true },
	{ "bcontains", TAKES_STRING, true },   { "startswith", TAKES_STRING, true },
	{ "bstartswith", TAKES_STRING, true }, { "endswith", TAKES_STRING, true },
	{ "regex", TAKES_STRING, true },       { "intersects", TAKES_LIST, false },
	{ "in", TAKES_LIST, false },           { "pmatch", TAKES_LIST, false },
};

static const struct comparison *lex_comparison(struct scd__parser *p)
{
	for (size_t i = 0; i < SCD_COUNT(comparisons); i++) {
		const struct comparison *c = &comparisons[i];

		if (c->is_word ? scd__lex_word(p, c->text) : scd__lex_literal(p, c->text))
			return c;
	}
	return NULL;
}

static const void *fail_no_comparison(struct scd__parser *p)
{
	char names[200] = "";
	size_t len = 0;

	for (size_t i = 0; i < SCD_COUNT(comparisons) && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s'%s'", i ? ", " : "", comparisons[i].text);
	return scd__fail(p, "expected a valid check operator: one of %s", names);
}

/* As Falco decides it: `and_x` passes for `and`. */
static bool is_boolean_word(struct scd_str word)
{
	static const char *const keywords[] = { "and", "or", "not" };

	for (size_t i = 0; i < SCD_COUNT(keywords); i++) {
		size_t len = strlen(keywords[i]);

		if (scd_str_starts_with(word, scd_str_from(keywords[i])) && (word.len == len || word.data[len] == '_'))
			return true;
	}
	return false;
}

/* Whether what stands at the cursor makes the word before it a modifier. */
static bool is_list_next(const struct scd__parser *p)
{
	struct scd_str word = scd__peek_identifier(p);

	return scd__peek_literal(p, "(") || (word.len > 0 && !is_boolean_word(word));
}

/* A modifier with its blank, or NULL and nothing read: the word is a constant then. */
static const char *lex_modifier(struct scd__parser *p)
{
	static const char *const modifiers[] = { "oneof", "anyof", "allof" };
	struct scd_ast_pos pos = p->pos;
	struct scd_str token = p->token;

	for (size_t i = 0; i < SCD_COUNT(modifiers); i++) {
		if (!scd__lex_word(p, modifiers[i]))
			continue;
		if (is_list_next(p))
			return modifiers[i];
		p->pos = pos;
		p->token = token;
	}
	return NULL;
}

/* The right side of an operator on strings; with a modifier, *op becomes `op modifier`. */
static const struct scd_ast *parse_string_side(struct scd__parser *p, const struct comparison *c, struct scd_str *op)
{
	bool had_blank = scd__lex_blank(p) || c->is_word;
	const char *modifier = had_blank ? lex_modifier(p) : NULL;

	if (!modifier)
		return scd__parse_string_operand(p);
	*op = scd_arena_printf(p->arena, "%s %s", c->text, modifier);
	return op->data ? scd__parse_plain_list(p) : scd__fail_memory(p);
}

static const struct scd_ast *parse_right_side(struct scd__parser *p, const struct comparison *c, struct scd_str *op)
{
	switch (c->takes) {
	case TAKES_NUMBER: return scd__parse_number_operand(p);
	case TAKES_STRING: return parse_string_side(p, c, op);
	case TAKES_LIST: return scd__parse_list_operand(p);
	case TAKES_NOTHING: break;
	}
	return NULL;
}

/* Everything behind the left side. */
static const struct scd_ast *parse_condition(struct scd__parser *p, const struct scd_ast *left)
{
	struct scd__node_array sides = { 0 };
	const struct comparison *c;
	struct scd_ast *check;
	struct scd_str op;

	if (!scd__enter(p) || !scd__push_node(p, &sides, left))
		return NULL;
	scd__lex_blank(p);
	c = lex_comparison(p);
	if (!c)
		return fail_no_comparison(p);
	op = scd_str_from(c->text);
	if (c->takes != TAKES_NOTHING && !scd__push_node(p, &sides, parse_right_side(p, c, &op)))
		return NULL;
	scd__leave(p);
	check = scd__node_branch(p, c->takes == TAKES_NOTHING ? SCD_AST_UNARY : SCD_AST_BINARY, left->pos, &sides);
	if (check)
		check->op = op;
	return check;
}

const struct scd_ast *scd__parse_check(struct scd__parser *p)
{
	struct scd_ast_pos pos = p->pos;
	const struct scd_ast *left = scd__parse_lhs(p);

	if (left)
		return parse_condition(p, left);
	if (p->status < 0)
		return NULL;
	if (scd__lex_identifier(p))
		return scd__node_leaf(p, SCD_AST_IDENTIFIER, pos);
	return scd__fail(p, "expected a '(' token, a field check, or an identifier");
}
