/*
 * The sides of a check the slow and obvious way: fields by their getters, transformers by the book.
 */
#ifndef SCD_TESTS_SUPPORT_NAIVE_SIDE_H
#define SCD_TESTS_SUPPORT_NAIVE_SIDE_H

#include "seccheckd/engine/field.h"
#include "seccheckd/lang/ast.h"

/* The value of a field or transformer; false: missing. *ret_any_of: it stands for several values at once. */
bool naive_side(const struct scd_ast *node, const struct scd_view *view, struct scd_value *ret_value, bool *ret_any_of);

/*
 * Whether a whole text matches a pattern of literals, `\c`, `.`, each of them perhaps with a `*` behind it. A byte that
 * is no UTF-8 counts as one character.
 */
bool naive_regex(struct scd_str pattern, struct scd_str text);

#endif
