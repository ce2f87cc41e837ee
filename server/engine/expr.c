/*
 * Making expressions from trees, and their values.
 *
 * Two nodes are one expression when their keys are equal: a field's name and argument, a constant's text, or the name
 * of a transformer with the slots of its arguments.
 */
#include "engine/expr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/program.h"
#include "engine/transform.h"
#include "seccheckd/base/array.h"

#define INVALID(error, node, ...) scd__compile_fail(error, SCD_DIAG_ERR_COMPILE_CONDITION, node, NULL, __VA_ARGS__)

int scd__compile_fail(struct scd__compile_error *error, enum scd_diag_code code, const struct scd_ast *node,
                      const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
	error->code = code;
	error->offset = node->pos.offset;
	error->hint = hint;
	return -EINVAL;
}

void scd__exprs_init(struct scd__exprs *exprs, struct scd_arena *arena, const struct scd_field_table *fields)
{
	*exprs = (struct scd__exprs){ .arena = arena, .fields = fields };
	scd_strmap_init(&exprs->by_key);
}

void scd__exprs_done(struct scd__exprs *exprs)
{
	scd_strmap_done(&exprs->by_key);
}

/* Making. */

struct scd_str scd__key_join(struct scd_arena *arena, const struct scd_str *parts, size_t count)
{
	size_t len = 0, at = 0;
	for (size_t i = 0; i < count; i++)
		len += parts[i].len;
	char *key = scd_arena_alloc(arena, len);
	for (size_t i = 0; i < count && key; i++) {
		if (parts[i].len > 0)
			memcpy(key + at, parts[i].data, parts[i].len);
		at += parts[i].len;
	}
	return (struct scd_str){ key, key ? len : 0 };
}

/* The expression of this key, a copy of `made` with a slot of its own if there was none. */
static int intern(struct scd__exprs *exprs, struct scd_str key, const struct scd__expr *made,
                  const struct scd__expr **ret_expr)
{
	struct scd__expr *expr = scd_strmap_get(&exprs->by_key, key);
	if (!expr) {
		expr = key.data ? scd_arena_alloc(exprs->arena, sizeof(*expr)) : NULL;
		if (!expr || scd_strmap_put(&exprs->by_key, key, expr) < 0)
			return -ENOMEM;
		*expr = *made;
		expr->slot = exprs->count++;
	}
	*ret_expr = expr;
	return 0;
}

static int resolve(const struct scd__exprs *exprs, const struct scd_ast *node, struct scd_field_use *ret_use,
                   struct scd_error *err)
{
	struct scd_str name = scd_arena_dup(exprs->arena, node->text), arg = scd_arena_dup(exprs->arena, node->arg);
	if (!name.data || !arg.data)
		return -ENOMEM;
	if (exprs->fields)
		return exprs->fields->resolve(exprs->fields->user, name, node->has_arg, arg, ret_use, err);
	return scd_field_resolve(name, node->has_arg, arg, ret_use, err);
}

static int field_new(struct scd__exprs *exprs, const struct scd_ast *node, const struct scd__expr **ret_expr,
                     struct scd__compile_error *error)
{
	struct scd_error err = { 0 };
	struct scd__expr field = { .kind = SCD__EXPR_FIELD };
	struct scd_str parts[] = { node->text, node->has_arg ? SCD_STR("[") : SCD_STR(""), node->arg };
	struct scd_str key = scd__key_join(exprs->arena, parts, node->has_arg ? 3 : 1);
	int r = resolve(exprs, node, &field.use, &err);
	if (r == -ENOMEM)
		return r;
	error->is_unknown_name = r == -ENOENT;
	if (r < 0)
		return INVALID(error, node, "%s", err.what);
	field.type = field.use.type;
	field.is_list = (field.use.field->flags & SCD_FIELD_LIST) != 0;
	field.is_any_of = field.use.is_any_of;
	field.never = !field.use.field->get;
	field.no_rhs = (field.use.field->flags & SCD_FIELD_NO_RHS) != 0;
	return intern(exprs, key, &field, ret_expr);
}

static int constant_new(struct scd__exprs *exprs, const struct scd_ast *node, const struct scd__expr **ret_expr)
{
	struct scd_str parts[] = { SCD_STR("'"), node->text };
	struct scd_str key = scd__key_join(exprs->arena, parts, SCD_COUNT(parts));
	struct scd__expr constant = { .kind = SCD__EXPR_CONSTANT, .type = SCD_TYPE_STRING };
	if (!key.data)
		return -ENOMEM;
	constant.constant = (struct scd_value){ .type = SCD_TYPE_STRING, .text = { key.data + 1, key.len - 1 } };
	return intern(exprs, key, &constant, ret_expr);
}

/* The children of a node, and what of them is true of the whole. */
static int make_args(struct scd__exprs *exprs, const struct scd_ast *node, struct scd__expr *whole,
                     struct scd__compile_error *error)
{
	const struct scd__expr **args = scd_arena_zalloc(exprs->arena, node->child_count + 1,
	                                                 sizeof(struct scd__expr *));
	if (!args)
		return -ENOMEM;
	for (size_t i = 0; i < node->child_count; i++) {
		int r = scd__expr_new(exprs, node->children[i], &args[i], error);
		if (r < 0)
			return r;
		if (args[i]->kind == SCD__EXPR_FIELD && args[i]->use.field->flags & SCD_FIELD_NO_TRANSFORMER)
			return INVALID(error, node->children[i],
			               "field '" SCD_STR_FMT "' does not support transformers",
			               SCD_STR_ARG(args[i]->use.field->name));
		whole->never |= args[i]->never;
		whole->no_rhs |= args[i]->no_rhs;
	}
	whole->args = args;
	whole->arg_count = node->child_count;
	return 0;
}

/* `name`, the slots of the arguments as bytes, `[x`. */
static struct scd_str call_key(const struct scd__exprs *exprs, struct scd_str name, const struct scd__expr *call)
{
	size_t slot_bytes = call->arg_count * sizeof(call->slot), at = name.len + 1;
	char *key = scd_arena_alloc(exprs->arena, at + slot_bytes + 2);
	if (!key)
		return (struct scd_str){ NULL, 0 };
	memcpy(key, name.data, name.len);
	key[name.len] = '(';
	for (size_t i = 0; i < call->arg_count; i++, at += sizeof(call->slot))
		memcpy(key + at, &call->args[i]->slot, sizeof(call->slot));
	key[at] = call->has_option ? '[' : ')';
	key[at + 1] = call->option;
	return (struct scd_str){ key, at + 2 };
}

static int list_new(struct scd__exprs *exprs, const struct scd_ast *node, const struct scd__expr **ret_expr,
                    struct scd__compile_error *error)
{
	struct scd__expr list = { .kind = SCD__EXPR_LIST, .type = SCD_TYPE_STRING, .is_list = true };
	int r = make_args(exprs, node, &list, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.arg_count; i++) {
		if (list.args[i]->is_list)
			return INVALID(error, node->children[i], "a list of a transformer has single values in it");
		if (!scd_type_is_text(list.args[i]->type))
			list.type = SCD_TYPE_DYN;
	}
	return intern(exprs, call_key(exprs, SCD_STR(""), &list), &list, ret_expr);
}

static int call_new(struct scd__exprs *exprs, const struct scd_ast *node, const struct scd__expr **ret_expr,
                    struct scd__compile_error *error)
{
	struct scd_error err = { 0 };
	struct scd__expr call = { .kind = SCD__EXPR_CALL, .transformer = scd__transformer_find(node->text) };
	int r = make_args(exprs, node, &call, error);
	if (r < 0)
		return r;
	if (!call.transformer)
		return INVALID(error, node, "unknown transformer '" SCD_STR_FMT "'", SCD_STR_ARG(node->text));
	r = scd__transformer_check(&call, node, &err);
	if (r < 0)
		return INVALID(error, node, "%s", err.what);
	return intern(exprs, call_key(exprs, node->text, &call), &call, ret_expr);
}

int scd__expr_new(struct scd__exprs *exprs, const struct scd_ast *node, const struct scd__expr **ret_expr,
                  struct scd__compile_error *error)
{
	switch (node->kind) {
	case SCD_AST_FIELD: return field_new(exprs, node, ret_expr, error);
	case SCD_AST_VALUE: return constant_new(exprs, node, ret_expr);
	case SCD_AST_TRANSFORMER_LIST: return list_new(exprs, node, ret_expr, error);
	default: return call_new(exprs, node, ret_expr, error);
	}
}

bool scd__expr_reads_env(const struct scd__expr *expr)
{
	bool reads = expr->kind == SCD__EXPR_FIELD && scd__field_reads_env(&expr->use);
	for (size_t i = 0; i < expr->arg_count && !reads; i++)
		reads = scd__expr_reads_env(expr->args[i]);
	return reads;
}

/* Values. */

/* False when one is missing. */
static bool get_args(const struct scd__expr *expr, struct scd__memo *memo, const struct scd_view *view,
                     struct scd_value *args)
{
	for (size_t i = 0; i < expr->arg_count; i++) {
		const struct scd_value *value = scd__expr_value(expr->args[i], memo, view, &args[i]);
		if (!value)
			return false;
		if (value != &args[i])
			args[i] = *value;
	}
	return true;
}

static bool apply(const struct scd__expr *expr, const struct scd_value *args, const struct scd_view *view,
                  struct scd_value *ret_value)
{
	if (expr->kind == SCD__EXPR_CALL)
		return scd__transformer_apply(expr, args, view, ret_value);
	*ret_value = (struct scd_value){ .type = expr->type, .is_list = true };
	ret_value->list.items = args;
	ret_value->list.count = expr->arg_count;
	return true;
}

/* A call that met the end of the arena may have gone on with less: its value does not count. */
static bool compute_from_args(const struct scd__expr *expr, struct scd__memo *memo, const struct scd_view *view,
                              struct scd_value *ret_value)
{
	struct scd_value *args = scd_arena_zalloc(view->scratch, expr->arg_count + 1, sizeof(*args));
	size_t refused = view->scratch->refused_count;
	if (args && !get_args(expr, memo, view, args))
		return false;
	bool present = args && apply(expr, args, view, ret_value);
	if (args && view->scratch->refused_count == refused)
		return present;
	if (view->losses)
		view->losses->exhausted++;
	return false;
}

static bool compute(const struct scd__expr *expr, struct scd__memo *memo, const struct scd_view *view,
                    struct scd_value *ret_value)
{
	switch (expr->kind) {
	case SCD__EXPR_FIELD: return scd_field_get(&expr->use, view, ret_value);
	case SCD__EXPR_CONSTANT: *ret_value = expr->constant; return true;
	case SCD__EXPR_LIST:
	case SCD__EXPR_CALL: break;
	}
	return compute_from_args(expr, memo, view, ret_value);
}

const struct scd_value *scd__expr_value(const struct scd__expr *expr, struct scd__memo *memo,
                                        const struct scd_view *view, struct scd_value *room)
{
	struct scd__memo_slot *slot = memo ? &memo->slots[expr->slot] : NULL;
	if (!slot)
		return compute(expr, NULL, view, room) ? room : NULL;
	if (slot->epoch != memo->epoch) {
		slot->present = compute(expr, memo, view, &slot->value);
		slot->epoch = memo->epoch;
	}
	return slot->present ? &slot->value : NULL;
}
