/*
 * What the files of the parser share: its state, the tokens, the nodes.
 *
 *    lexer.c      tokens: what can be read at the cursor
 *    parser.c     the grammar; and, or, not, parentheses
 *    check.c      a check: its operator decides what may follow
 *    operand.c    both sides of a check: fields, transformers, constants, lists
 *    node.c       nodes and the arrays that grow while they are parsed
 *
 * There is no list of tokens: what a text means depends on where it stands (`and` may be a macro's name, `oneof` a
 * constant), so the grammar asks at each place for what may come there.
 *
 * Failure is sticky: the first one is kept in `status` and `error`, and everything above returns NULL. A NULL without
 * a status means "nothing of that kind here", in the functions that say so.
 */
#ifndef SCD_SERVER_LANG_PARSER_H
#define SCD_SERVER_LANG_PARSER_H

#include "seccheckd/lang/ast.h"

struct scd__parser {
	struct scd_str text;    /* in the arena: nodes borrow from it */
	struct scd_ast_pos pos; /* the cursor */
	struct scd_str token;   /* the last one that was read; of a quoted constant its value */
	struct scd_arena *arena;
	unsigned depth; /* productions that are open now */
	unsigned max_depth;
	int status; /* 0, -EINVAL (error is set), -ENOMEM */
	struct scd_ast_error error;
};

/* Records the first failure, at the cursor (fail) or at pos (fail_at); returns NULL. */
const void *scd__fail(struct scd__parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
const void *scd__fail_at(struct scd__parser *p, struct scd_ast_pos pos, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
const void *scd__fail_memory(struct scd__parser *p);

/*
 * Around each production, so that the stack is bounded by max_depth. enter is false, and the parse has failed, when it
 * is too deep. A production that fails need not leave.
 */
bool scd__enter(struct scd__parser *p);
void scd__leave(struct scd__parser *p);

/*
 * Tokens. Each moves the cursor over one and stores it in `token`, or returns false and changes nothing. blank reads
 * any number of blanks and leaves `token` alone; word is literal followed by at least one blank, which is read too.
 * quoted also fails the parse when there is a literal with a bad escape, and returns false then.
 */
bool scd__lex_blank(struct scd__parser *p);
bool scd__lex_literal(struct scd__parser *p, const char *literal);
bool scd__lex_word(struct scd__parser *p, const char *word);
bool scd__lex_identifier(struct scd__parser *p);
bool scd__lex_field_name(struct scd__parser *p);
bool scd__lex_bracket_text(struct scd__parser *p); /* ARGBARE */
bool scd__lex_number(struct scd__parser *p);
bool scd__lex_bare(struct scd__parser *p);
bool scd__lex_quoted(struct scd__parser *p);

/* What is at the cursor, without reading it; the identifier is empty if there is none. */
bool scd__peek_literal(const struct scd__parser *p, const char *literal);
struct scd_str scd__peek_identifier(const struct scd__parser *p);

/* Growing arrays. Pushing a NULL node, as a failed production returns it, is false. */
struct scd__node_array {
	const struct scd_ast **items;
	size_t count, room;
};
struct scd__str_array {
	struct scd_str *items;
	size_t count, room;
};
bool scd__push_node(struct scd__parser *p, struct scd__node_array *array, const struct scd_ast *node);
bool scd__push_str(struct scd__parser *p, struct scd__str_array *array, struct scd_str text);

/* Nodes; NULL and a failed parse when there is no memory. The leaf takes `token` as its text. */
struct scd_ast *scd__node(struct scd__parser *p, enum scd_ast_kind kind, struct scd_ast_pos pos);
struct scd_ast *scd__node_leaf(struct scd__parser *p, enum scd_ast_kind kind, struct scd_ast_pos pos);
struct scd_ast *scd__node_branch(struct scd__parser *p, enum scd_ast_kind kind, struct scd_ast_pos pos,
                                 const struct scd__node_array *children);

/* Productions of check.c: a check without parentheses around it. */
const struct scd_ast *scd__parse_check(struct scd__parser *p);

/* Productions of operand.c. lhs: NULL without a status when neither a field nor a transformer starts here. */
const struct scd_ast *scd__parse_lhs(struct scd__parser *p);
const struct scd_ast *scd__parse_number_operand(struct scd__parser *p); /* NUMBER or rhs */
const struct scd_ast *scd__parse_string_operand(struct scd__parser *p); /* string or rhs */
const struct scd_ast *scd__parse_list_operand(struct scd__parser *p);   /* list, rhs or IDENT */
const struct scd_ast *scd__parse_plain_list(struct scd__parser *p);     /* list or IDENT */

#endif
