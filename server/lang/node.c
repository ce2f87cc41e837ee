/*
 * Nodes, and the arrays of children and constants that grow while a list is parsed. An array doubles; the old block
 * stays in the arena, so that n items cost at most about three times their own size and no more than linear time.
 */
#include <errno.h>
#include <stdio.h>

#include "lang/parser.h"
#include "seccheckd/base/array.h"

static const void *vfail_at(struct scd__parser *p, struct scd_ast_pos pos, const char *format, va_list args)
{
	if (p->status == 0) {
		p->status = -EINVAL;
		p->error.pos = pos;
		vsnprintf(p->error.what, sizeof(p->error.what), format, args);
	}
	return NULL;
}

const void *scd__fail_at(struct scd__parser *p, struct scd_ast_pos pos, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfail_at(p, pos, format, args);
	va_end(args);
	return NULL;
}

const void *scd__fail(struct scd__parser *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfail_at(p, p->pos, format, args);
	va_end(args);
	return NULL;
}

const void *scd__fail_memory(struct scd__parser *p)
{
	if (p->status == 0)
		p->status = -ENOMEM;
	return NULL;
}

bool scd__push_node(struct scd__parser *p, struct scd__node_array *array, const struct scd_ast *node)
{
	const struct scd_ast **items;

	if (!node)
		return false;
	items = scd_array_grow_in(p->arena, array->items, array->count, &array->room, sizeof(const struct scd_ast *));
	if (!items) {
		scd__fail_memory(p);
		return false;
	}
	array->items = items;
	array->items[array->count++] = node;
	return true;
}

bool scd__push_str(struct scd__parser *p, struct scd__str_array *array, struct scd_str text)
{
	struct scd_str *items = scd_array_grow_in(p->arena, array->items, array->count, &array->room, sizeof(*items));

	if (!items) {
		scd__fail_memory(p);
		return false;
	}
	array->items = items;
	array->items[array->count++] = text;
	return true;
}

struct scd_ast *scd__node(struct scd__parser *p, enum scd_ast_kind kind, struct scd_ast_pos pos)
{
	struct scd_ast *node = scd_arena_zalloc(p->arena, 1, sizeof(*node));

	if (!node) {
		scd__fail_memory(p);
		return NULL;
	}
	node->kind = kind;
	node->pos = pos;
	return node;
}

struct scd_ast *scd__node_leaf(struct scd__parser *p, enum scd_ast_kind kind, struct scd_ast_pos pos)
{
	struct scd_ast *node = scd__node(p, kind, pos);

	if (node)
		node->text = p->token;
	return node;
}

struct scd_ast *scd__node_branch(struct scd__parser *p, enum scd_ast_kind kind, struct scd_ast_pos pos,
                                 const struct scd__node_array *children)
{
	struct scd_ast *node = scd__node(p, kind, pos);

	if (node) {
		node->children = children->items;
		node->child_count = children->count;
	}
	return node;
}
