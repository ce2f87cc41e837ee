/*
 * Structural equality: the same kinds, names, operators, arguments and constants in the same order. `=` and `==` are
 * two operators here, and so are `a and b` and `b and a` two trees. Recurses as deep as the shallower tree is.
 */
#include "seccheckd/lang/ast.h"

static bool same_values(const struct scd_ast *a, const struct scd_ast *b)
{
	if (a->value_count != b->value_count)
		return false;
	for (size_t i = 0; i < a->value_count; i++) {
		if (!scd_str_eq(a->values[i], b->values[i]))
			return false;
	}
	return true;
}

static bool same_children(const struct scd_ast *a, const struct scd_ast *b)
{
	if (a->child_count != b->child_count)
		return false;
	for (size_t i = 0; i < a->child_count; i++) {
		if (!scd_ast_equal(a->children[i], b->children[i]))
			return false;
	}
	return true;
}

bool scd_ast_equal(const struct scd_ast *a, const struct scd_ast *b)
{
	return a->kind == b->kind && a->has_arg == b->has_arg && a->is_val == b->is_val &&
	       scd_str_eq(a->text, b->text) && scd_str_eq(a->arg, b->arg) && scd_str_eq(a->op, b->op) &&
	       same_values(a, b) && same_children(a, b);
}
