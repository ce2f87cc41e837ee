/*
 * Macros into trees.
 */
#include "engine/resolve.h"

#include <errno.h>

#include "seccheckd/base/limits.h"

#define NODES_MAX (8 * (size_t)SCD_LIMIT_CONDITION_NODES) /* that limit is of checks, of which each has a few nodes */

struct copier {
	scd__macro_tree_fn *macro;
	void *user;
	struct scd_arena *arena;
	size_t nodes;
	unsigned depth;
};

static int copy(struct copier *copier, const struct scd_ast *ast, const struct scd_ast **ret_ast);

static int copy_text(struct copier *copier, struct scd_str *text)
{
	if (!text->data)
		return 0;
	*text = scd_arena_dup(copier->arena, *text);
	return text->data ? 0 : -ENOMEM;
}

static int copy_texts(struct copier *copier, struct scd_ast *node)
{
	struct scd_str *values = scd_arena_zalloc(copier->arena, node->value_count + 1, sizeof(*values));
	int r = values ? copy_text(copier, &node->text) : -ENOMEM;

	if (r == 0)
		r = copy_text(copier, &node->arg);
	if (r == 0)
		r = copy_text(copier, &node->op);
	for (size_t i = 0; i < node->value_count && r == 0; i++) {
		values[i] = node->values[i];
		r = copy_text(copier, &values[i]);
	}
	node->values = values;
	return r;
}

static int copy_children(struct copier *copier, struct scd_ast *node)
{
	const struct scd_ast **children = scd_arena_zalloc(copier->arena, node->child_count + 1, sizeof(void *));
	int r = children ? 0 : -ENOMEM;

	for (size_t i = 0; i < node->child_count && r == 0; i++)
		r = copy(copier, node->children[i], &children[i]);
	node->children = children;
	return r;
}

static int copy_node(struct copier *copier, const struct scd_ast *ast, const struct scd_ast **ret_ast)
{
	struct scd_ast *node = scd_arena_zalloc(copier->arena, 1, sizeof(*node));
	int r;

	if (!node)
		return -ENOMEM;
	*node = *ast;
	r = copy_texts(copier, node);
	if (r == 0)
		r = copy_children(copier, node);
	*ret_ast = node;
	return r;
}

static int copy(struct copier *copier, const struct scd_ast *ast, const struct scd_ast **ret_ast)
{
	const struct scd_ast *macro = NULL;
	int r;

	if (++copier->nodes > NODES_MAX || ++copier->depth > SCD_LIMIT_RULE_PARSE_DEPTH)
		return -E2BIG;
	if (ast->kind == SCD_AST_IDENTIFIER)
		macro = copier->macro(copier->user, ast->text);
	r = macro ? copy(copier, macro, ret_ast) : copy_node(copier, ast, ret_ast);
	copier->depth--;
	return r;
}

int scd__resolve_macros(const struct scd_ast *ast, scd__macro_tree_fn *macro, void *user, struct scd_arena *arena,
                        const struct scd_ast **ret_ast)
{
	struct copier copier = { .macro = macro, .user = user, .arena = arena };

	return copy(&copier, ast, ret_ast);
}
