/*
 * What stands on a side of a comparison: a field, a constant, or a transformer over them. Inside server/engine only.
 *
 *     toupper(join("-", (proc.name, "x")))       CALL toupper
 *                                                  CALL join
 *                                                    CONSTANT "-"
 *                                                    LIST
 *                                                      FIELD proc.name
 *                                                      CONSTANT "x"
 *
 * Expressions are typed when they are made, and immutable. Each has a slot, in which its value of the current event is
 * remembered; what reads the same is one expression, whoever asks.
 */
#ifndef SCD_SERVER_ENGINE_EXPR_H
#define SCD_SERVER_ENGINE_EXPR_H

#include "seccheckd/base/strmap.h"
#include "seccheckd/engine/diag.h"
#include "seccheckd/engine/field.h"
#include "seccheckd/lang/ast.h"

struct scd__macro_item;
struct scd__transformer;

/* What went wrong in a condition, and at which byte of its text. */
struct scd__compile_error {
	enum scd_diag_code code;
	size_t offset;
	bool is_unknown_name;                /* a field or an event type that does not exist */
	const struct scd__macro_item *macro; /* whose text it is in; NULL: the rule's own */
	char what[512];
	const char *hint; /* static text, or NULL */
};

/* Fills a compile error and returns -EINVAL. */
int scd__compile_fail(struct scd__compile_error *error, enum scd_diag_code code, const struct scd_ast *node,
                      const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));

enum scd__expr_kind {
	SCD__EXPR_FIELD,
	SCD__EXPR_CONSTANT, /* a text among the arguments of a transformer */
	SCD__EXPR_LIST,     /* the same: several of the others, of any types */
	SCD__EXPR_CALL,
};

struct scd__expr {
	enum scd__expr_kind kind;
	uint32_t slot;
	enum scd_type type; /* of a list, of its items; DYN: a LIST with others than texts */
	bool is_list;
	bool is_any_of; /* the value is a list, and comparisons hold if they hold for one item (SCD_FIELD_ANY_OF) */
	bool never;     /* always missing: a field in it has no source here */
	bool no_rhs;    /* may not be compared with another field */

	struct scd_field_use use;                   /* FIELD */
	struct scd_value constant;                  /* CONSTANT */
	const struct scd__transformer *transformer; /* CALL */
	const struct scd__expr *const *args;        /* CALL, LIST */
	size_t arg_count;
	bool has_option; /* CALL: `[x]` behind it */
	char option;
};

/* Texts as one, in the arena; data NULL without memory. They may have any bytes in them. */
struct scd_str scd__key_join(struct scd_arena *arena, const struct scd_str *parts, size_t count);

/* Where expressions are made. */
struct scd__exprs {
	struct scd_arena *arena;              /* where they live */
	const struct scd_field_table *fields; /* NULL: the catalogue */
	struct scd_strmap by_key;
	uint32_t count; /* slots given out */
};

void scd__exprs_init(struct scd__exprs *exprs, struct scd_arena *arena, const struct scd_field_table *fields);
void scd__exprs_done(struct scd__exprs *exprs); /* expressions stay */

/* -EINVAL with the reason, -ENOMEM. */
int scd__expr_new(struct scd__exprs *exprs, const struct scd_ast *node, const struct scd__expr **ret_expr,
                  struct scd__compile_error *error);

/* Whether its value is, or is made from, an environment. */
bool scd__expr_reads_env(const struct scd__expr *expr);

/* Values of the current event: those whose slot has the epoch of the event. */
struct scd__memo {
	uint32_t epoch;
	struct scd__memo_slot {
		uint32_t epoch;
		bool present;
		struct scd_value value;
	} * slots;
};

/*
 * The value for an event, or NULL: missing, as is every call of which an argument is. It is in the memo, or, where memo
 * is NULL, in *room; what it points to lives as long as the event. Made texts are cut as those of fields are.
 */
const struct scd_value *scd__expr_value(const struct scd__expr *expr, struct scd__memo *memo,
                                        const struct scd_view *view, struct scd_value *room);

#endif
