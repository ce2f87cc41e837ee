/*
 * Conditions to jump programs.
 *
 * Compiled backwards: a node is given the two places to go on to and returns where it begins, so that every jump is
 * known when it is written. The last child of an `and` goes on to the place for true; each child before it goes on to
 * the child behind it.
 *
 * On the way back up, every subtree leaves what has to hold for it to be true (gate.h), or under a `not`, false.
 *
 * Macros are compiled in place, each use anew, because each use goes on to other places. Macros of macros grow
 * exponentially, so the number of checks is capped, also of those that can never hold and leave no node, and the
 * nesting too.
 */
#include <errno.h>

#include "engine/gate.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"

/* One condition being compiled. */
struct compiler {
	struct scd__build *build;
	struct scd__compile_error *error;
	const struct scd__macro_item *inside; /* the macro whose text is being compiled; NULL: the rule's own */
	unsigned depth;
	size_t checks_left;
	bool negated; /* below an odd number of `not` */
	struct scd__gates gates;
	uint32_t cost; /* of the gate that was compiled last */
};

static int compile(struct compiler *compiler, const struct scd_ast *node, int32_t on_true, int32_t on_false,
                   int32_t *ret_entry);

struct scd__macro_item *scd__macro_get(const struct scd__build *build, struct scd_str name)
{
	return scd_strmap_get(&build->collection->macros.by_name, name);
}

static int add_node(struct compiler *compiler, struct scd__node node, int32_t *ret_entry)
{
	struct scd_ruleset *set = compiler->build->set;
	struct scd__node *nodes = scd_array_grow_in(&set->arena, set->nodes, set->node_count, &set->node_room,
	                                            sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	set->nodes = nodes;
	set->nodes[set->node_count] = node;
	*ret_entry = (int32_t)set->node_count++;
	return 0;
}

static int compile_check(struct compiler *compiler, const struct scd_ast *node, int32_t on_true, int32_t on_false,
                         int32_t *ret_entry)
{
	uint32_t predicate;
	if (compiler->checks_left-- == 0)
		return -E2BIG;
	int result = scd__predicate_new(compiler->build, node, &predicate, compiler->error);
	if (result < 0)
		return result;
	bool never = compiler->build->set->predicates[predicate].never;
	compiler->cost = compiler->negated ? SCD__GATE_OPEN : 0;
	if (!never && !compiler->negated)
		result = scd__gate_push(&compiler->gates, compiler->build->set, predicate, &compiler->cost);
	*ret_entry = on_false;
	if (never || result < 0)
		return result;
	return add_node(compiler, (struct scd__node){ predicate, on_true, on_false }, ret_entry);
}

static int compile_children(struct compiler *compiler, const struct scd_ast *node, int32_t on_true, int32_t on_false,
                            int32_t *ret_entry)
{
	struct scd__gates *gates = &compiler->gates;
	bool is_and = node->kind == SCD_AST_AND, choose = is_and != compiler->negated;
	int32_t entry = is_and ? on_true : on_false;
	uint32_t cost = choose ? SCD__GATE_OPEN : 0;
	size_t from = gates->count;
	for (size_t i = node->child_count; i-- > 0;) {
		size_t at = gates->count;
		int result = compile(compiler, node->children[i], is_and ? entry : on_true, is_and ? on_false : entry,
		                     &entry);
		if (result < 0)
			return result;
		cost = choose ? scd__gate_choose(gates, from, at, cost, compiler->cost)
		              : scd__gate_unite(gates, from, cost, compiler->cost);
	}
	compiler->cost = cost;
	*ret_entry = entry;
	return 0;
}

static int compile_macro(struct compiler *compiler, const struct scd_ast *node, int32_t on_true, int32_t on_false,
                         int32_t *ret_entry)
{
	const struct scd__macro_item *outer = compiler->inside;
	struct scd__macro_item *macro = scd__macro_get(compiler->build, node->text);
	if (!macro || (outer && macro->index >= outer->visibility))
		return scd__compile_fail(compiler->error, SCD_DIAG_ERR_COMPILE_CONDITION, node,
		                         "define the macro before it is used; a check of a field needs an operator",
		                         "Undefined macro '" SCD_STR_FMT "' used in filter.", SCD_STR_ARG(node->text));
	if (macro->busy)
		return scd__compile_fail(compiler->error, SCD_DIAG_ERR_COMPILE_CONDITION, node, NULL,
		                         "reference loop in macro '" SCD_STR_FMT "'", SCD_STR_ARG(node->text));
	if (!macro->ast)
		return -ECANCELED;
	macro->busy = true;
	compiler->inside = macro;
	int result = compile(compiler, macro->ast, on_true, on_false, ret_entry);
	if (result == -EINVAL && !compiler->error->macro)
		compiler->error->macro = macro;
	compiler->inside = outer;
	macro->busy = false;
	return result;
}

static int compile_not(struct compiler *compiler, const struct scd_ast *node, int32_t on_true, int32_t on_false,
                       int32_t *ret_entry)
{
	compiler->negated = !compiler->negated;
	int result = compile(compiler, node->children[0], on_false, on_true, ret_entry);
	compiler->negated = !compiler->negated;
	return result;
}

static int compile(struct compiler *compiler, const struct scd_ast *node, int32_t on_true, int32_t on_false,
                   int32_t *ret_entry)
{
	int result;
	if (++compiler->depth > SCD_LIMIT_RULE_PARSE_DEPTH)
		return scd__compile_fail(compiler->error, SCD_DIAG_ERR_COMPILE_CONDITION, node, NULL,
		                         "exceeded max depth limit of %u", SCD_LIMIT_RULE_PARSE_DEPTH);
	switch (node->kind) {
	case SCD_AST_AND:
	case SCD_AST_OR: result = compile_children(compiler, node, on_true, on_false, ret_entry); break;
	case SCD_AST_NOT: result = compile_not(compiler, node, on_true, on_false, ret_entry); break;
	case SCD_AST_IDENTIFIER: result = compile_macro(compiler, node, on_true, on_false, ret_entry); break;
	default: result = compile_check(compiler, node, on_true, on_false, ret_entry); break;
	}
	compiler->depth--;
	return result;
}

int scd__program_new(struct scd__build *build, const struct scd_ast *condition, int32_t *ret_entry,
                     struct scd__gate *ret_gate, struct scd__compile_error *ret_error)
{
	struct compiler compiler = { .build = build, .error = ret_error, .gates.arena = &build->scratch };
	compiler.checks_left = SCD_LIMIT_CONDITION_NODES;
	int result = compile(&compiler, condition, SCD__MATCH, SCD__NO, ret_entry);
	return result < 0 ? result : scd__gate_keep(&compiler.gates, compiler.cost, &build->set->arena, ret_gate);
}
