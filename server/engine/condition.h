/*
 * One condition by itself, over the fields of a table: compiled and run as a rule's is. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_CONDITION_H
#define SCD_SERVER_ENGINE_CONDITION_H

#include "engine/program.h"
#include "seccheckd/engine/eval.h"

struct scd__condition;

/* fields NULL: the catalogue. The tree may go away. -EINVAL with the reason, -ENOMEM, -E2BIG. */
int scd__condition_new(const struct scd_ast *ast, const struct scd_field_table *fields,
                       struct scd__condition **ret_condition, struct scd__compile_error *ret_error);
void scd__condition_free(struct scd__condition **condition);

bool scd__condition_holds(struct scd__condition *condition, const struct scd_view *view);

/* The kinds of scd__static_kinds for a condition without macros. */
int scd__condition_kinds(const struct scd_ast *ast, struct scd_kind_set *ret_kinds,
                         struct scd__compile_error *ret_error);

#endif
