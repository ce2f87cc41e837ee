/*
 * The language of conditions, and its upper half: how checks are joined.
 *
 *    a.name = cat and not (trusted or fd.name startswith /tmp/) and evt.type in (open, openat)
 *
 * A condition is checks of fields and names of macros, joined by `and`, `or`, `not` and parentheses. `not` binds
 * closest, then `and`, then `or`. Blanks stand between words; line breaks are blanks. Case matters. The whole text
 * has to be read. { } is repetition, [ ] an option, "" is literal text:
 *
 *    expr      = or
 *    or        = and { "or"  ( BLANK and | "(" or ")" ) }
 *    and       = not { "and" ( BLANK not | "(" or ")" ) }
 *    not       = { "not" BLANK } ( "not(" or ")" | check )            two nots are none
 *    check     = "(" or ")" | lhs condition | IDENT                   IDENT is a macro; check.c, from here on
 *    condition = "exists"
 *              | ( "<=" | "<" | ">=" | ">" ) ( NUMBER | rhs )
 *              | STROP BLANK MODIFIER BLANK ( list | IDENT )
 *              | STROP ( rhs | QUOTED | BARE )
 *              | ( "intersects" | "in" | "pmatch" ) ( list | rhs | IDENT )
 *    STROP     = "==" | "=" | "!=" | ( "glob" | "iglob" | "contains" | "icontains" | "bcontains" | "startswith"
 *              | "bstartswith" | "endswith" | "regex" ) BLANK
 *    MODIFIER  = "oneof" | "anyof" | "allof"
 *
 *    lhs       = field | transf                                       operand.c, from here on
 *    rhs       = "val(" field ")" | transf
 *    field     = FIELDNAME [ "[" ( QUOTED | ARGBARE ) "]" ]           no blank before or inside the brackets
 *    transf    = TNAME "(" targ { "," targ } ")" [ "[" ( QUOTED | ARGBARE ) "]" ]
 *    targ      = NUMBER | QUOTED | "(" [ element { "," element } ] ")" | transf | field
 *    element   = field | transf | QUOTED | NUMBER
 *    list      = "(" [ string { "," string } ] ")"
 *    string    = QUOTED | BARE
 *
 *    BLANK     = one or more of space, tab, backspace, CR, LF          lexer.c, from here on
 *    IDENT     = [a-zA-Z]+[a-zA-Z0-9_]*
 *    FIELDNAME = IDENT(\.IDENT)+                                       the dot is what makes it a field
 *    NUMBER    = 0[xX][0-9a-fA-F]+ | [+-]?[0-9]+\.?[0-9]*([eE][+-][0-9]+)?
 *    QUOTED    = "…" or '…' with the escapes of escape.c
 *    BARE      = [^()"'[:space:]=,]+
 *    ARGBARE   = [^][\"'[:space:]]+
 *    TNAME     = tolower | toupper | b64 | basename | len | join | concat | getopt
 *
 * What follows from it, and surprises:
 *    - `and`, `or` and `not` need a blank or a parenthesis behind them, and nothing before: `(a)and b`,
 *      `a.b existsand c`. An identifier reaches as far as it can: `aand b` is an error.
 *    - `or(b)` takes the parentheses alone as its side, so that an `and` cannot follow: `a or(b) and c` is an error,
 *      `a or (b) and c` is none.
 *    - Symbols, `exists` and the list operators need no blank: `a.b =x`, `a.b in(x)`.
 *    - A modifier is one only if a list or an identifier follows that is neither `and`, `or` nor `not`; else it is the
 *      constant: `a.b = anyof and c`. As in Falco, `and_x` counts as `and` there.
 *    - On the right, a field without val() is the constant of its name; an identifier where a list belongs is a
 *      constant too (the names of lists have been replaced before the parser runs).
 *
 * One function for each production, recursive descent. A blank may stand wherever two tokens meet, unless the grammar
 * says otherwise. Each open production counts towards the depth limit, so that a level of parentheses costs five, as
 * in Falco. Positions are those of the first byte, but for `and` and `or`, which start where their production does,
 * before blanks at the start of the text.
 *
 * The parser knows no field, no type and no macro: those are the compiler's.
 */
#include "lang/parser.h"

#include <errno.h>

#include "seccheckd/base/limits.h"

/* A token in an error message is cut to this, so that the message fits its room. */
#define TOKEN_SHOWN_BYTES 160u

bool scd__enter(struct scd__parser *p)
{
	p->depth++;
	if (p->depth < p->max_depth)
		return true;
	scd__fail(p, "exceeded max depth limit of %u", p->max_depth);
	return false;
}

void scd__leave(struct scd__parser *p)
{
	p->depth--;
}

/* `and` and `or`: the same production but for the word and what stands between two of them. */
struct chain {
	const char *word;
	enum scd_ast_kind kind;
	const struct scd_ast *(*parse_operand)(struct scd__parser *p);
};

static const struct scd_ast *parse_not(struct scd__parser *p);
static const struct scd_ast *parse_chain(struct scd__parser *p, const struct chain *chain);

static const struct scd_ast *parse_and(struct scd__parser *p)
{
	static const struct chain and_chain = { "and", SCD_AST_AND, parse_not };

	return parse_chain(p, &and_chain);
}

static const struct scd_ast *parse_or(struct scd__parser *p)
{
	static const struct chain or_chain = { "or", SCD_AST_OR, parse_and };

	return parse_chain(p, &or_chain);
}

/* What follows a "(" that was read. */
static const struct scd_ast *parse_embedded(struct scd__parser *p)
{
	const struct scd_ast *node;

	if (!scd__enter(p))
		return NULL;
	scd__lex_blank(p);
	node = parse_or(p);
	if (!node)
		return NULL;
	scd__lex_blank(p);
	if (!scd__lex_literal(p, ")"))
		return scd__fail(p, "expected a ')' token");
	scd__leave(p);
	return node;
}

/* What follows the word of the chain. */
static const struct scd_ast *parse_next(struct scd__parser *p, const struct chain *chain)
{
	if (scd__lex_blank(p))
		return chain->parse_operand(p);
	if (scd__lex_literal(p, "("))
		return parse_embedded(p);
	return scd__fail(p, "expected blank or '(' after '%s'", chain->word);
}

static const struct scd_ast *parse_chain(struct scd__parser *p, const struct chain *chain)
{
	struct scd__node_array children = { 0 };
	struct scd_ast_pos pos = p->pos;
	const struct scd_ast *child;

	if (!scd__enter(p))
		return NULL;
	scd__lex_blank(p);
	child = chain->parse_operand(p);
	scd__lex_blank(p);
	while (child && scd__lex_literal(p, chain->word)) {
		if (!scd__push_node(p, &children, child))
			return NULL;
		child = parse_next(p, chain);
		scd__lex_blank(p);
	}
	scd__leave(p);
	if (children.count == 0)
		return child;
	return scd__push_node(p, &children, child) ? scd__node_branch(p, chain->kind, pos, &children) : NULL;
}

/* The production `check`; its second and third form are in check.c. */
static const struct scd_ast *parse_primary(struct scd__parser *p)
{
	const struct scd_ast *node;

	if (!scd__enter(p))
		return NULL;
	node = scd__lex_literal(p, "(") ? parse_embedded(p) : scd__parse_check(p);
	scd__leave(p);
	return node;
}

static const struct scd_ast *negate(struct scd__parser *p, struct scd_ast_pos pos, const struct scd_ast *child)
{
	struct scd__node_array children = { 0 };

	return scd__push_node(p, &children, child) ? scd__node_branch(p, SCD_AST_NOT, pos, &children) : NULL;
}

static const struct scd_ast *parse_not(struct scd__parser *p)
{
	struct scd_ast_pos pos = p->pos;
	const struct scd_ast *child;
	bool negated = false;

	if (!scd__enter(p))
		return NULL;
	while (scd__lex_word(p, "not"))
		negated = !negated;
	if (scd__lex_literal(p, "not(")) {
		negated = !negated;
		child = parse_embedded(p);
	} else {
		child = parse_primary(p);
	}
	scd__leave(p);
	return negated ? negate(p, pos, child) : child;
}

/* The whole text, or a failure. */
static const struct scd_ast *parse_whole(struct scd__parser *p)
{
	const struct scd_ast *node = parse_or(p);

	if (node && p->pos.offset < p->text.len)
		return scd__fail(p, "unexpected token after '%.*s', expecting 'or', 'and'",
		                 (int)(p->token.len < TOKEN_SHOWN_BYTES ? p->token.len : TOKEN_SHOWN_BYTES),
		                 p->token.data);
	return node;
}

/* A parser at the start of text, of which it keeps a copy. */
static int start(struct scd__parser *p, struct scd_str text, unsigned max_depth, struct scd_arena *arena)
{
	*p = (struct scd__parser){ .pos = { .line = 1, .column = 1 }, .arena = arena, .max_depth = max_depth };
	p->text = text.len <= SCD_LIMIT_CONDITION_BYTES ? scd_arena_dup(arena, text) : text;
	if (text.len == 0)
		scd__fail(p, "filter input string is empty");
	else if (text.len > SCD_LIMIT_CONDITION_BYTES)
		scd__fail(p, "filter input string is longer than %u bytes", SCD_LIMIT_CONDITION_BYTES);
	else if (!p->text.data)
		scd__fail_memory(p);
	return p->status;
}

static int finish(const struct scd__parser *p, const struct scd_ast *ast, const struct scd_ast **ret_ast,
                  struct scd_ast_error *ret_error)
{
	if (p->status == 0)
		*ret_ast = ast;
	if (p->status == -EINVAL)
		*ret_error = p->error;
	return p->status;
}

int scd_ast_parse(struct scd_str text, unsigned max_depth, struct scd_arena *arena, const struct scd_ast **ret_ast,
                  struct scd_ast_error *ret_error)
{
	struct scd__parser p;
	const struct scd_ast *ast = NULL;

	if (start(&p, text, max_depth, arena) == 0)
		ast = parse_whole(&p);
	return finish(&p, ast, ret_ast, ret_error);
}

int scd_ast_parse_side(struct scd_str text, unsigned max_depth, struct scd_arena *arena, const struct scd_ast **ret_ast,
                       size_t *ret_len, struct scd_ast_error *ret_error)
{
	struct scd__parser p;
	const struct scd_ast *ast = NULL;

	if (start(&p, text, max_depth, arena) == 0)
		ast = scd__parse_lhs(&p);
	if (!ast && p.status == 0)
		scd__fail(&p, "expected a field or a transformer");
	if (p.status == 0)
		*ret_len = p.pos.offset;
	return finish(&p, ast, ret_ast, ret_error);
}
