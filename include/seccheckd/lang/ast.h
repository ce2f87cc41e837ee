/*
 * Conditions as trees.
 *
 * The language is Falco's (libsinsp filter/parser), whole; this module knows no field and no type. Trees are
 * immutable once parsed and live in the arena that was given to the parser. Canonical text and structural equality
 * are defined on them; both recurse as deep as the tree is, so whoever joins trees keeps them shallow.
 */
#ifndef SECCHECKD_LANG_AST_H
#define SECCHECKD_LANG_AST_H

#include "seccheckd/base/arena.h"

enum scd_ast_kind {
	SCD_AST_AND,              /* children: 1.. */
	SCD_AST_OR,               /* children: 1.. */
	SCD_AST_NOT,              /* children: 1 */
	SCD_AST_IDENTIFIER,       /* text: a macro's name, standing as a whole check */
	SCD_AST_VALUE,            /* text: a constant */
	SCD_AST_LIST,             /* values: constants */
	SCD_AST_UNARY,            /* op "exists"; children: left */
	SCD_AST_BINARY,           /* op; children: left, right */
	SCD_AST_FIELD,            /* text: name; arg */
	SCD_AST_TRANSFORMER,      /* text: name; children: arguments; arg: what stands in brackets after it */
	SCD_AST_TRANSFORMER_LIST, /* children: a list of values among a transformer's arguments */
};

struct scd_ast_pos {
	uint32_t offset; /* bytes from the start of the text */
	uint32_t line;   /* from 1 */
	uint32_t column; /* from 1, in bytes */
};

struct scd_ast {
	enum scd_ast_kind kind;
	struct scd_ast_pos pos;
	struct scd_str text;
	bool has_arg; /* FIELD, TRANSFORMER: `[arg]` was there */
	bool is_val;  /* FIELD on the right: written as val(field) */
	struct scd_str arg;
	struct scd_str op; /* "==" as written; with a modifier "== oneof", one blank between */
	const struct scd_ast *const *children;
	size_t child_count;
	const struct scd_str *values; /* LIST */
	size_t value_count;
};

struct scd_ast_error {
	struct scd_ast_pos pos;
	char what[256]; /* Falco's wording */
};

/*
 * Parses a whole text. max_depth is SCD_LIMIT_PARSE_DEPTH or SCD_LIMIT_RULE_PARSE_DEPTH. The text is copied where
 * needed: it may go away.
 * -EINVAL with *ret_error, -ENOMEM at the arena's cap.
 */
int scd_ast_parse(struct scd_str text, unsigned max_depth, struct scd_arena *arena, const struct scd_ast **ret_ast,
                  struct scd_ast_error *ret_error);

/*
 * Parses one field or transformer at the start of text, as it stands on the left of an operator, and says how much of
 * the text it took: output formats and exceptions name fields so. -EINVAL also when none starts there.
 */
int scd_ast_parse_side(struct scd_str text, unsigned max_depth, struct scd_arena *arena, const struct scd_ast **ret_ast,
                       size_t *ret_len, struct scd_ast_error *ret_error);

/*
 * Canonical text: what `describe` prints. Equal trees have equal texts. It is Falco's, and cannot always be read back:
 * empty constants and such with parentheses or commas stand in it without quotes. -ENOMEM.
 */
int scd_ast_print(const struct scd_ast *ast, struct scd_arena *arena, struct scd_str *ret_text);

/* Same shape, names, operators and constants; positions do not count. */
bool scd_ast_equal(const struct scd_ast *a, const struct scd_ast *b);

/*
 * String constants: `text` with the quotes that the canonical form needs (as it is when it needs none), and back:
 * unescape takes a quoted literal including its quotes. The result is in the arena, or a part of the argument when
 * nothing had to be changed. -EINVAL (unescape: no literal, bad escape), -ENOMEM.
 */
int scd_ast_escape(struct scd_str text, struct scd_arena *arena, struct scd_str *ret_text);
int scd_ast_unescape(struct scd_str literal, struct scd_arena *arena, struct scd_str *ret_text);

#endif
