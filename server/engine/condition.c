/*
 * A condition by itself is a set of one rule that looks at every kind of event.
 */
#include "engine/condition.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/needles.h"
#include "seccheckd/base/limits.h"

#define CHUNK_BYTES 4096u

struct scd__condition {
	struct scd_evaluator *evaluator;
};

static int fill_set(struct scd_ruleset *set, const struct scd_ast *ast, const struct scd_field_table *fields,
                    struct scd__compile_error *error)
{
	struct scd__collection collection = { 0 };
	struct scd__build build = { .collection = &collection, .set = set };
	scd_arena_init(&build.scratch, CHUNK_BYTES, SCD_LIMIT_RULESET_BYTES);
	scd__exprs_init(&build.exprs, &set->arena, fields);
	scd_strmap_init(&build.predicate_by_key);
	set->rules = scd_arena_zalloc(&set->arena, 1, sizeof(*set->rules));
	set->entries = scd_arena_zalloc(&set->arena, 1, sizeof(*set->entries));
	set->gates = scd_arena_zalloc(&set->arena, 1, sizeof(*set->gates));
	int r = set->rules && set->entries && set->gates ? 0 : -ENOMEM;
	if (r == 0)
		r = scd__program_new(&build, ast, set->entries, set->gates, error);
	if (r == 0)
		r = scd__needles_build(set);
	set->rule_count = 1;
	set->slot_count = build.exprs.count;
	scd_strmap_done(&build.predicate_by_key);
	scd__exprs_done(&build.exprs);
	scd_arena_done(&build.scratch);
	return r;
}

int scd__condition_new(const struct scd_ast *ast, const struct scd_field_table *fields,
                       struct scd__condition **ret_condition, struct scd__compile_error *ret_error)
{
	struct scd__condition *condition = calloc(1, sizeof(*condition));
	struct scd_ruleset *set = calloc(1, sizeof(*set));
	int r = -ENOMEM;
	if (set) {
		atomic_init(&set->refs, 1);
		scd_arena_init(&set->arena, CHUNK_BYTES, SCD_LIMIT_RULESET_BYTES);
		r = fill_set(set, ast, fields, ret_error);
	}
	if (condition && r == 0)
		condition->evaluator = scd_evaluator_new(set);
	scd_ruleset_unref(&set);
	if (r == 0 && (!condition || !condition->evaluator))
		r = -ENOMEM;
	if (r == 0)
		*ret_condition = condition;
	else
		free(condition);
	return r;
}

void scd__condition_free(struct scd__condition **condition)
{
	if (!*condition)
		return;
	scd_evaluator_free(&(*condition)->evaluator);
	free(*condition);
	*condition = NULL;
}

bool scd__condition_holds(struct scd__condition *condition, const struct scd_view *view)
{
	return scd__evaluator_matches(condition->evaluator, 0, view);
}

int scd__condition_kinds(const struct scd_ast *ast, struct scd_kind_set *ret_kinds,
                         struct scd__compile_error *ret_error)
{
	struct scd__collection collection = { 0 };
	const struct scd__build build = { .collection = &collection };
	return scd__static_kinds(&build, ast, ret_kinds, ret_error);
}
