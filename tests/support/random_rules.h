/*
 * Rule files at random, and what the naive evaluator needs of them: lists, macros and rules over all fields, with
 * every operator that is evaluated.
 *
 * Constants are drawn from a pool of values that fields really had, whole or changed a little, so that comparisons
 * hold and nearly hold.
 */
#ifndef SCD_TESTS_SUPPORT_RANDOM_RULES_H
#define SCD_TESTS_SUPPORT_RANDOM_RULES_H

#include "seccheckd/base/buf.h"
#include "tests/support/naive_eval.h"
#include "tests/support/rng.h"

#define RANDOM_POOL_SIZE     512
#define RANDOM_RULE_COUNT    12
#define RANDOM_MACRO_COUNT   4
#define RANDOM_LISTS_AT_MOST 32

/* Constants as rules write them, before they are quoted. */
struct random_pool {
	struct scd_str texts[RANDOM_POOL_SIZE], numbers[RANDOM_POOL_SIZE], addresses[RANDOM_POOL_SIZE];
	size_t text_count, number_count, address_count;
};

/* A field with an argument as its table asks for; false when the draw was none. Its texts are in the arena. */
bool random_field(struct scd_rng *rng, struct scd_arena *arena, struct scd_field_use *ret_use,
                  struct scd_str *ret_written);

/* Remembers what a field had. */
void random_pool_add(struct random_pool *pool, const struct scd_value *value, struct scd_arena *arena);

struct random_rules {
	struct scd_buf yaml;
	struct naive_names names;
	struct scd_str texts[RANDOM_RULE_COUNT]; /* conditions, as in the file */
	const struct scd_ast *conditions[RANDOM_RULE_COUNT];
	struct naive_macro macros[RANDOM_MACRO_COUNT];
	struct naive_list lists[RANDOM_LISTS_AT_MOST];
};

/* How much of it: at most the counts above, and how deep conditions may be nested. */
struct random_extent {
	size_t macro_count, rule_count;
	unsigned depth;
};

/* All of it is in the arena but the YAML's buffer, which done frees. extent: NULL for as much as there is room for. */
void random_rules_make(struct scd_rng *rng, const struct random_pool *pool, struct scd_arena *arena,
                       const struct random_extent *extent, struct random_rules *ret_rules);
void random_rules_done(struct random_rules *rules);

#endif
