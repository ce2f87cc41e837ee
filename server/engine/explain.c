/*
 * Conditions as clauses, and their truths.
 *
 * The tree follows the one that was parsed, with a macro's tree below its name. A check asks for its predicate as the
 * program of the rule did, and gets the same one; what its sides read are expressions of the set in the same way. So
 * nothing here is evaluated twice, and nothing otherwise than rules are.
 *
 * Exceptions are text behind the condition (expand.c): `(COND) and not (A) and not (B)`. So the last children of the
 * root belong to those of the rule's exceptions that have values, in this order.
 */
#include "seccheckd/engine/explain.h"

#include <errno.h>

#include "engine/program.h"
#include "seccheckd/base/limits.h"

struct maker {
	struct scd__build *build;
	uint32_t count;
	unsigned depth;
};

static int make(struct maker *maker, const struct scd_ast *node, const struct scd_clause **ret_clause);

static struct scd_clause *new_clause(struct maker *maker, enum scd_clause_kind kind, size_t child_count)
{
	struct scd_arena *arena = &maker->build->set->arena;
	struct scd_clause *clause = scd_arena_zalloc(arena, 1, sizeof(*clause));

	if (!clause)
		return NULL;
	clause->kind = kind;
	clause->number = maker->count++;
	clause->child_count = child_count;
	clause->children = scd_arena_zalloc(arena, child_count + 1, sizeof(void *));
	return clause->children ? clause : NULL;
}

static int make_children(struct maker *maker, const struct scd_ast *node, enum scd_clause_kind kind,
                         const struct scd_clause **ret_clause)
{
	struct scd_clause *clause = new_clause(maker, kind, node->child_count);
	int r = clause ? 0 : -ENOMEM;

	for (size_t i = 0; i < node->child_count && r == 0; i++)
		r = make(maker, node->children[i], &clause->children[i]);
	*ret_clause = clause;
	return r;
}

/* A clause with a name and one child. */
static int make_named(struct maker *maker, enum scd_clause_kind kind, struct scd_str name, const struct scd_ast *inner,
                      const struct scd_clause **ret_clause)
{
	struct scd_clause *clause = new_clause(maker, kind, 1);

	if (!clause)
		return -ENOMEM;
	clause->text = scd_arena_dup(&maker->build->set->arena, name);
	*ret_clause = clause;
	return clause->text.data ? make(maker, inner, &clause->children[0]) : -ENOMEM;
}

static size_t count_sides(const struct scd_ast *node)
{
	size_t count = node->kind == SCD_AST_FIELD || node->kind == SCD_AST_TRANSFORMER;

	for (size_t i = 0; i < node->child_count; i++)
		count += count_sides(node->children[i]);
	return count;
}

/* What stands on a side of a check, and what that is made from. */
static int add_sides(struct maker *maker, const struct scd_ast *node, struct scd_clause_side *sides, size_t *count)
{
	struct scd_arena *arena = &maker->build->set->arena;
	struct scd__compile_error ignored = { 0 };
	int r = 0;

	if (node->kind == SCD_AST_FIELD || node->kind == SCD_AST_TRANSFORMER) {
		struct scd_clause_side *side = &sides[(*count)++];
		struct scd_ast shown = *node;

		shown.is_val = false;
		r = scd_ast_print(&shown, arena, &side->text);
		if (r == 0)
			r = scd__expr_new(&maker->build->exprs, node, &side->expr, &ignored);
	}
	for (size_t i = 0; i < node->child_count && r == 0; i++)
		r = add_sides(maker, node->children[i], sides, count);
	return r;
}

static int make_check(struct maker *maker, const struct scd_ast *check, const struct scd_clause **ret_clause)
{
	struct scd_arena *arena = &maker->build->set->arena;
	struct scd_clause *clause = new_clause(maker, SCD_CLAUSE_CHECK, 0);
	struct scd_clause_side *sides = scd_arena_zalloc(arena, count_sides(check) + 1, sizeof(*sides));
	struct scd__compile_error ignored = { 0 };
	int r = clause && sides ? scd__predicate_new(maker->build, check, &clause->predicate, &ignored) : -ENOMEM;

	if (r == 0)
		r = scd_ast_print(check, arena, &clause->text);
	for (size_t i = 0; i < check->child_count && r == 0; i++)
		r = add_sides(maker, check->children[i], sides, &clause->side_count);
	if (r == 0)
		clause->sides = sides;
	*ret_clause = clause;
	return r;
}

static int make_by_kind(struct maker *maker, const struct scd_ast *node, const struct scd_clause **ret_clause)
{
	const struct scd__macro_item *macro;

	switch (node->kind) {
	case SCD_AST_AND:
	case SCD_AST_OR:
		if (node->child_count == 1)
			return make(maker, node->children[0], ret_clause);
		return make_children(maker, node, node->kind == SCD_AST_AND ? SCD_CLAUSE_AND : SCD_CLAUSE_OR,
		                     ret_clause);
	case SCD_AST_NOT: return make_children(maker, node, SCD_CLAUSE_NOT, ret_clause);
	case SCD_AST_IDENTIFIER:
		macro = scd__macro_get(maker->build, node->text);
		return make_named(maker, SCD_CLAUSE_MACRO, macro->name, macro->ast, ret_clause);
	default: return make_check(maker, node, ret_clause);
	}
}

/* The condition compiled, so its macros exist and do not go round. */
static int make(struct maker *maker, const struct scd_ast *node, const struct scd_clause **ret_clause)
{
	int r;

	if (maker->count >= SCD_LIMIT_CONDITION_NODES || ++maker->depth > SCD_LIMIT_RULE_PARSE_DEPTH)
		return -E2BIG;
	r = make_by_kind(maker, node, ret_clause);
	maker->depth--;
	return r;
}

/* `not (A)` of an exception. */
static int make_exception(struct maker *maker, const struct scd__exception *exception, const struct scd_ast *node,
                          const struct scd_clause **ret_clause)
{
	struct scd_clause *clause = new_clause(maker, SCD_CLAUSE_NOT, 1);

	if (!clause)
		return -ENOMEM;
	*ret_clause = clause;
	return make_named(maker, SCD_CLAUSE_EXCEPTION, exception->name, node->children[0], &clause->children[0]);
}

static size_t count_exceptions(const struct scd__exceptions *exceptions)
{
	size_t count = 0;

	for (size_t i = 0; i < exceptions->count; i++)
		count += exceptions->items[i].value_count > 0;
	return count;
}

/* A root with exceptions behind the condition. */
static int make_with_exceptions(struct maker *maker, const struct scd__rule_item *item,
                                const struct scd_clause **ret_clause)
{
	const struct scd_ast *root = item->ast;
	struct scd_clause *clause = new_clause(maker, SCD_CLAUSE_AND, root->child_count);
	int r = clause ? make(maker, root->children[0], &clause->children[0]) : -ENOMEM;
	size_t at = 1;

	for (size_t i = 0; i < item->exceptions.count && r == 0; i++) {
		const struct scd__exception *exception = &item->exceptions.items[i];

		if (exception->value_count == 0)
			continue;
		r = make_exception(maker, exception, root->children[at], &clause->children[at]);
		at++;
	}
	*ret_clause = clause;
	return r;
}

int scd__clauses_new(struct scd__build *build, const struct scd__rule_item *item, struct scd_rule *rule)
{
	size_t exception_count = count_exceptions(&item->exceptions);
	struct maker maker = { .build = build };
	const struct scd_clause *clauses = NULL;
	int r;

	if (exception_count > 0 && item->ast->kind == SCD_AST_AND && item->ast->child_count == exception_count + 1)
		r = make_with_exceptions(&maker, item, &clauses);
	else
		r = make(&maker, item->ast, &clauses);
	if (r < 0)
		return r == -E2BIG ? 0 : r;
	rule->clauses = clauses;
	rule->clause_count = maker.count;
	return 0;
}

/* Truths. */

const char *scd_truth_name(enum scd_truth truth)
{
	static const char *const names[] = { "false", "true", "absent" };

	return names[truth];
}

struct judge {
	struct scd_evaluator *evaluator;
	const struct scd_view *view;
	enum scd_truth *truths;
};

static enum scd_truth judge_check(const struct judge *judge, const struct scd_clause *clause)
{
	if (scd__evaluator_holds(judge->evaluator, clause->predicate, judge->view))
		return SCD_TRUTH_TRUE;
	return scd__evaluator_misses(judge->evaluator, clause->predicate, judge->view) ? SCD_TRUTH_ABSENT
	                                                                               : SCD_TRUTH_FALSE;
}

static bool judge_clause(const struct judge *judge, const struct scd_clause *clause)
{
	enum scd_truth truth = SCD_TRUTH_FALSE;
	size_t held = 0;

	for (size_t i = 0; i < clause->child_count; i++)
		held += judge_clause(judge, clause->children[i]);
	switch (clause->kind) {
	case SCD_CLAUSE_AND: truth = held == clause->child_count; break;
	case SCD_CLAUSE_NOT: truth = held == 0; break;
	case SCD_CLAUSE_CHECK: truth = judge_check(judge, clause); break;
	default: truth = held > 0; break;
	}
	judge->truths[clause->number] = truth;
	return truth == SCD_TRUTH_TRUE;
}

bool scd_evaluator_explain(struct scd_evaluator *evaluator, const struct scd_rule *rule, const struct scd_view *view,
                           enum scd_truth *ret_truths)
{
	struct judge judge = { .evaluator = evaluator, .view = view };

	judge.truths = ret_truths;
	scd__evaluator_begin(evaluator);
	return judge_clause(&judge, rule->clauses);
}

bool scd_evaluator_side(struct scd_evaluator *evaluator, const struct scd_clause_side *side,
                        const struct scd_view *view, struct scd_value *ret_value)
{
	const struct scd_value *value = scd__evaluator_value(evaluator, side->expr, view);

	if (value)
		*ret_value = *value;
	return value != NULL;
}
