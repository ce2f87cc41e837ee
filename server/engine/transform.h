/*
 * Transformers: what they take, and what they make of it (SPEC 2.5). Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_TRANSFORM_H
#define SCD_SERVER_ENGINE_TRANSFORM_H

#include "engine/expr.h"

/* NULL: there is none of that name. */
const struct scd__transformer *scd__transformer_find(struct scd_str name);

/*
 * Holds the arguments of a call, and what stands in brackets behind it in the tree, against what its transformer takes;
 * sets type, is_list and option. -EINVAL with the reason.
 */
int scd__transformer_check(struct scd__expr *call, const struct scd_ast *node, struct scd_error *err);

/* The value of a call from those of its arguments, none of which is missing. False: none. */
bool scd__transformer_apply(const struct scd__expr *call, const struct scd_value *args, const struct scd_view *view,
                            struct scd_value *ret_value);

/*
 * Options as getopt(3) finds them in words, short ones only (getopt.c): each option and each value is one text of the
 * list. With `option`, the value that it has last instead, which is its own letter if it takes none; false if it
 * does not occur.
 */
bool scd__getopt_list(const struct scd_value *words, struct scd_str options, struct scd_arena *scratch,
                      struct scd_value *ret_value);
bool scd__getopt_value(const struct scd_value *words, struct scd_str options, char option, struct scd_value *ret_value);

#endif
