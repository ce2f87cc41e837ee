/*
 * Sides of checks at random: fields, and transformers over them and over constants.
 */
#ifndef SCD_TESTS_SUPPORT_RANDOM_SIDES_H
#define SCD_TESTS_SUPPORT_RANDOM_SIDES_H

#include "tests/support/random_rules.h"

struct random_side {
	struct scd_str text; /* as conditions have it */
	enum scd_type type;
	bool is_list;
	struct scd_str field; /* the name of the field that stands alone; empty for a transformer */
	bool no_rhs;          /* may not be compared with another field */
};

/* depth: how deep transformers may be nested, 0 for fields alone. */
struct random_side random_side(struct scd_rng *rng, struct scd_arena *arena, unsigned depth);

/* The same for the right side of a check; false when none came that fits. */
bool random_right_side(struct scd_rng *rng, struct scd_arena *arena, const struct random_side *left,
                       struct random_side *ret_side);

/* A pattern that a text matches, or nearly: literals, `\c`, `.`, some of them with a `*`. */
struct scd_str random_regex(struct scd_rng *rng, struct scd_arena *arena, struct scd_str text);

#endif
