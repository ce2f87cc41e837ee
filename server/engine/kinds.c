/*
 * Which event kinds a condition can be true for (SPEC 2.8), from its checks of evt.type alone.
 *
 * Negations are pushed to the leaves (De Morgan); a check of another field can be true for every kind, negated or
 * not. The result is what a rule's buckets are made from: a rule is not looked at for events of other kinds. A macro
 * is analysed once for each sign, so that macros of macros cost no more than their texts.
 */
#include <string.h>

#include "engine/program.h"

static void analyse(const struct scd__build *build, const struct scd_ast *node, bool negated,
                    struct scd_kind_set *ret_kinds);

/* and: what all children allow; or: what one allows. A negated `and` is an `or` of negations. */
static void analyse_children(const struct scd__build *build, const struct scd_ast *node, bool negated,
                             struct scd_kind_set *ret_kinds)
{
	bool intersect = (node->kind == SCD_AST_AND) != negated;
	memset(ret_kinds, 0, sizeof(*ret_kinds));
	if (intersect)
		scd_kind_set_fill(ret_kinds);
	for (size_t i = 0; i < node->child_count; i++) {
		struct scd_kind_set child;
		analyse(build, node->children[i], negated, &child);
		if (intersect)
			scd_kind_set_intersect(ret_kinds, &child);
		else
			scd_kind_set_unite(ret_kinds, &child);
	}
}

static void analyse_macro(const struct scd__build *build, struct scd__macro_item *macro, bool negated,
                          struct scd_kind_set *ret_kinds)
{
	if (!macro->kinds_known[negated]) {
		analyse(build, macro->ast, negated, &macro->kinds[negated]);
		macro->kinds_known[negated] = true;
	}
	*ret_kinds = macro->kinds[negated];
}

static void analyse(const struct scd__build *build, const struct scd_ast *node, bool negated,
                    struct scd_kind_set *ret_kinds)
{
	switch (node->kind) {
	case SCD_AST_AND:
	case SCD_AST_OR: analyse_children(build, node, negated, ret_kinds); return;
	case SCD_AST_NOT: analyse(build, node->children[0], !negated, ret_kinds); return;
	case SCD_AST_IDENTIFIER: analyse_macro(build, scd__macro_get(build, node->text), negated, ret_kinds); return;
	default: break;
	}
	if (node->kind != SCD_AST_BINARY || !scd__check_kinds(node, ret_kinds))
		scd_kind_set_fill(ret_kinds);
	else if (negated)
		scd_kind_set_invert(ret_kinds);
}

void scd__static_kinds(const struct scd__build *build, const struct scd_ast *condition, struct scd_kind_set *ret_kinds)
{
	analyse(build, condition, false, ret_kinds);
}
