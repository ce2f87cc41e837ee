/*
 * A walk over a tree that notes names.
 */
#include "seccheckd/engine/details.h"

#include <errno.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/lang/ast.h"

int scd_names_add(struct scd_names *names, struct scd_str name, struct scd_arena *arena)
{
	size_t at = 0, end = names->count;
	struct scd_str *items;

	while (at < end) {
		size_t middle = at + (end - at) / 2;

		if (scd_str_compare(names->items[middle], name) < 0)
			at = middle + 1;
		else
			end = middle;
	}
	if (at < names->count && scd_str_eq(names->items[at], name))
		return 0;
	items = scd_array_grow_in(arena, names->items, names->count, &names->room, sizeof(*items));
	if (!items)
		return -ENOMEM;
	names->items = items;
	memmove(items + at + 1, items + at, (names->count++ - at) * sizeof(*items));
	items[at] = name;
	return 0;
}

struct walk {
	struct scd_details *details;
	const struct scd_known *known;
	struct scd_arena *arena;
	bool exhausted;
};

static void note(struct walk *walk, struct scd_names *names, struct scd_str name)
{
	walk->exhausted |= scd_names_add(names, name, walk->arena) < 0;
}

static void note_if(struct walk *walk, struct scd_names *names, scd_is_known_fn *is_known, struct scd_str name)
{
	if (is_known && is_known(walk->known->user, name))
		note(walk, names, name);
}

static void note_field(struct walk *walk, const struct scd_ast *node)
{
	struct scd_str name = node->text;

	if (node->has_arg)
		name = scd_arena_printf(walk->arena, SCD_STR_FMT "[" SCD_STR_FMT "]", SCD_STR_ARG(node->text),
		                        SCD_STR_ARG(node->arg));
	walk->exhausted |= !name.data;
	if (name.data)
		note(walk, &walk->details->fields, name);
	if (node->is_val)
		note(walk, &walk->details->transformers, SCD_STR("val"));
}

static void visit(struct walk *walk, const struct scd_ast *node, bool is_right)
{
	struct scd_details *details = walk->details;

	switch (node->kind) {
	case SCD_AST_IDENTIFIER: note_if(walk, &details->macros, walk->known->is_macro, node->text); break;
	case SCD_AST_FIELD: note_field(walk, node); break;
	case SCD_AST_TRANSFORMER: note(walk, &details->transformers, node->text); break;
	case SCD_AST_UNARY:
	case SCD_AST_BINARY: note(walk, &details->operators, node->op); break;
	case SCD_AST_VALUE:
		if (is_right)
			note_if(walk, &details->lists, walk->known->is_list, node->text);
		break;
	default: break;
	}
	for (size_t i = 0; i < node->value_count; i++)
		note_if(walk, &details->lists, walk->known->is_list, node->values[i]);
	for (size_t i = 0; i < node->child_count; i++)
		visit(walk, node->children[i], node->kind == SCD_AST_BINARY && i == 1);
}

int scd_details_add(struct scd_details *details, const struct scd_ast *ast, const struct scd_known *known,
                    struct scd_arena *arena)
{
	static const struct scd_known nothing = { 0 };
	struct walk walk = { .details = details, .known = known ? known : &nothing, .arena = arena };

	visit(&walk, ast, false);
	return walk.exhausted ? -ENOMEM : 0;
}
