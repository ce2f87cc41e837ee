/*
 * Which event kinds a condition can be true for (SPEC 2.8), from its checks of evt.type and evt.num alone.
 *
 * Negations are pushed to the leaves (De Morgan); a check of another field can be true for every kind, negated or
 * not. Events are numbered from 1, so a check of evt.num may be true of none or of all. The result is what a rule's
 * buckets are made from: a rule is not looked at for events of other kinds. A macro is analysed once for each sign, so
 * that macros of macros cost no more than their texts.
 */
#include <errno.h>
#include <string.h>

#include "engine/program.h"

struct analysis {
	const struct scd__build *build;
	struct scd__compile_error *error;
};

static int analyse(const struct analysis *a, const struct scd_ast *node, bool negated, struct scd_kind_set *ret_kinds);

/* Kinds that names mean. */

static void add_kinds_named(struct scd_kind_set *kinds, struct scd_str name)
{
	for (int kind = scd_kind_find(name, 0); kind >= 0; kind = scd_kind_find(name, (unsigned)kind + 1))
		scd_kind_set_add(kinds, (unsigned)kind);
}

/* What is no system call has no syscall.type. */
static void leave_syscalls(struct scd_kind_set *kinds)
{
	struct scd_kind_set syscalls = { 0 };
	for (unsigned kind = 0; kind < SCD_KIND_SYSCALL_COUNT; kind++)
		scd_kind_set_add(&syscalls, kind);
	scd_kind_set_intersect(kinds, &syscalls);
}

void scd__check_kinds(const struct scd_ast *check, struct scd_kind_set *ret_kinds)
{
	const struct scd_str *names = NULL;
	size_t count = 0;
	scd__check_constants(check, &names, &count);
	memset(ret_kinds, 0, sizeof(*ret_kinds));
	for (size_t i = 0; i < count; i++)
		add_kinds_named(ret_kinds, names[i]);
	if (scd_str_is(check->op, "!="))
		scd_kind_set_invert(ret_kinds);
	if (scd_str_is(check->children[0]->text, "syscall.type"))
		leave_syscalls(ret_kinds);
}

/* evt.num. */

/* Whether some number from 1 on compares so with the constant, and whether some does not. False: nobody can tell. */
static bool judge_number(struct scd_str op, struct scd_str constant, bool *ret_can_hold, bool *ret_can_fail)
{
	uint64_t number;
	if (scd_str_to_u64(constant, &number) < 0)
		return false;
	bool is_lowest = number <= 1, is_none = number == 0;
	if (scd_str_is(op, "=") || scd_str_is(op, "==") || scd_str_is(op, "in") || scd_str_is(op, "intersects")) {
		*ret_can_hold = !is_none;
		*ret_can_fail = true;
	} else if (scd_str_is(op, "!=")) {
		*ret_can_hold = true;
		*ret_can_fail = !is_none;
	} else if (scd_str_is(op, "<") || scd_str_is(op, ">=")) {
		bool less = scd_str_is(op, "<");
		*ret_can_hold = !less || !is_lowest;
		*ret_can_fail = less || !is_lowest;
	} else if (scd_str_is(op, "<=") || scd_str_is(op, ">")) {
		bool less = scd_str_is(op, "<=");
		*ret_can_hold = !less || !is_none;
		*ret_can_fail = less || !is_none;
	} else {
		return false;
	}
	return true;
}

/* A list of constants holds if one does. */
static bool number_check_can(const struct scd_ast *check, bool negated)
{
	const struct scd_str *texts = NULL;
	size_t count = 0;
	bool can_hold = false, can_fail = true;
	if (!scd__check_constants(check, &texts, &count))
		return true;
	for (size_t i = 0; i < count; i++) {
		bool one_can_hold, one_can_fail;
		if (!judge_number(check->op, texts[i], &one_can_hold, &one_can_fail))
			return true;
		can_hold |= one_can_hold;
		can_fail &= one_can_fail;
	}
	return negated ? can_fail : can_hold;
}

/* Leaves. */

static bool is_plain_field(const struct scd_ast *node, const char *name)
{
	return node->kind == SCD_AST_FIELD && !node->has_arg && scd_str_is(node->text, name);
}

static bool mentions(const struct scd_ast *node, const char *name)
{
	bool found = is_plain_field(node, name);
	for (size_t i = 0; i < node->child_count && !found; i++)
		found = mentions(node->children[i], name);
	return found;
}

static bool is_side(const struct scd_ast *node)
{
	return node->kind == SCD_AST_FIELD || node->kind == SCD_AST_TRANSFORMER;
}

/* evt.type stands alone on the left, and constants stand on its right. */
static int refuse_unresolvable(const struct analysis *a, const struct scd_ast *check)
{
	const struct scd_ast *left = check->children[0];
	const struct scd_ast *right = check->child_count > 1 ? check->children[1] : left;
	bool alone = is_plain_field(left, "evt.type");
	if (!alone && mentions(left, "evt.type"))
		return scd__compile_fail(a->error, SCD_DIAG_ERR_COMPILE_CONDITION, left, NULL,
		                         "event types cannot be told from transformers on 'evt.type'");
	if (right == left || !is_side(right) || (!alone && !mentions(right, "evt.type")))
		return 0;
	return scd__compile_fail(a->error, SCD_DIAG_ERR_COMPILE_CONDITION, right, NULL,
	                         "event types cannot be told from comparisons of 'evt.type' with fields");
}

/* `evt.type exists` is true of all. */
static int analyse_check(const struct analysis *a, const struct scd_ast *check, bool negated,
                         struct scd_kind_set *ret_kinds)
{
	const struct scd_ast *left = check->children[0];
	bool all = true;
	int r = refuse_unresolvable(a, check);
	if (r < 0)
		return r;
	if (scd__is_kind_check(check)) {
		scd__check_kinds(check, ret_kinds);
		if (negated)
			scd_kind_set_invert(ret_kinds);
		return 0;
	}
	if (check->kind == SCD_AST_UNARY && is_plain_field(left, "evt.type"))
		all = !negated;
	else if (check->kind == SCD_AST_BINARY && is_plain_field(left, "evt.num"))
		all = number_check_can(check, negated);
	memset(ret_kinds, 0, sizeof(*ret_kinds));
	if (all)
		scd_kind_set_fill(ret_kinds);
	return 0;
}

/* Trees. */

/* and: what all children allow; or: what one allows. A negated `and` is an `or` of negations. */
static int analyse_children(const struct analysis *a, const struct scd_ast *node, bool negated,
                            struct scd_kind_set *ret_kinds)
{
	bool intersect = (node->kind == SCD_AST_AND) != negated;
	memset(ret_kinds, 0, sizeof(*ret_kinds));
	if (intersect)
		scd_kind_set_fill(ret_kinds);
	for (size_t i = 0; i < node->child_count; i++) {
		struct scd_kind_set child;
		int r = analyse(a, node->children[i], negated, &child);
		if (r < 0)
			return r;
		if (intersect)
			scd_kind_set_intersect(ret_kinds, &child);
		else
			scd_kind_set_unite(ret_kinds, &child);
	}
	return 0;
}

static int analyse_macro(const struct analysis *a, struct scd__macro_item *macro, bool negated,
                         struct scd_kind_set *ret_kinds)
{
	if (!macro->kinds_known[negated]) {
		int r = analyse(a, macro->ast, negated, &macro->kinds[negated]);
		if (r == -EINVAL && !a->error->macro)
			a->error->macro = macro;
		if (r < 0)
			return r;
		macro->kinds_known[negated] = true;
	}
	*ret_kinds = macro->kinds[negated];
	return 0;
}

static int analyse(const struct analysis *a, const struct scd_ast *node, bool negated, struct scd_kind_set *ret_kinds)
{
	switch (node->kind) {
	case SCD_AST_AND:
	case SCD_AST_OR: return analyse_children(a, node, negated, ret_kinds);
	case SCD_AST_NOT: return analyse(a, node->children[0], !negated, ret_kinds);
	case SCD_AST_IDENTIFIER: return analyse_macro(a, scd__macro_get(a->build, node->text), negated, ret_kinds);
	default: return analyse_check(a, node, negated, ret_kinds);
	}
}

int scd__static_kinds(const struct scd__build *build, const struct scd_ast *condition, struct scd_kind_set *ret_kinds,
                      struct scd__compile_error *ret_error)
{
	struct analysis a = { build, ret_error };
	return analyse(&a, condition, false, ret_kinds);
}
