/*
 * A field of a vector is a row of a table of fields, made when a condition names it; its getter finds the case behind
 * the view, and the value by the whole text that named it.
 */
#include "tests/support/vectors_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"

static const struct {
	const char *name;
	enum scd_type type;
} loose_types[] = {
	{ "numeric", SCD_TYPE_INT64 },
};

bool vectors_type(const char *name, enum scd_type *ret_type, bool *ret_list)
{
	struct scd_str text = scd_str_from(name);

	*ret_list = scd_str_ends_with(text, SCD_STR("[]"));
	if (*ret_list)
		text.len -= 2;
	for (unsigned i = 0; i < SCD_TYPE_COUNT; i++) {
		*ret_type = (enum scd_type)i;
		if (scd_str_is(text, scd_type_name(*ret_type)))
			return true;
	}
	*ret_type = loose_types[0].type;
	return scd_str_is(text, loose_types[0].name);
}

static bool single_value(struct vectors_case *c, const json_t *json, enum scd_type type, struct scd_value *ret_value)
{
	*ret_value = (struct scd_value){ .type = type };
	if (json_is_string(json)) {
		struct scd_str text = vectors_decode(c, json);

		if (type == SCD_TYPE_IPADDR || type == SCD_TYPE_IPNET)
			return scd_ip_parse(text, &ret_value->ip) == 0;
		ret_value->text = text;
		return true;
	}
	if (type == SCD_TYPE_BOOL)
		ret_value->boolean = json_is_true(json);
	else if (type == SCD_TYPE_DOUBLE)
		ret_value->real = json_number_value(json);
	else if (scd_type_is_signed(type))
		ret_value->i64 = json_integer_value(json);
	else
		ret_value->u64 = (uint64_t)json_integer_value(json);
	return !json_is_null(json);
}

bool vectors_value(struct vectors_case *c, const json_t *json, enum scd_type type, struct scd_value *ret_value)
{
	struct scd_value *items;
	size_t count = json_array_size(json);

	if (!json)
		return false;
	if (!json_is_array(json))
		return single_value(c, json, type, ret_value);
	items = scd_arena_zalloc(c->arena, count + 1, sizeof(*items));
	if (!items)
		abort();
	for (size_t i = 0; i < count; i++)
		single_value(c, json_array_get(json, i), type, &items[i]);
	*ret_value = (struct scd_value){ .type = type, .is_list = true };
	ret_value->list.items = items;
	ret_value->list.count = count;
	return true;
}

static bool get(const struct scd_view *view, const struct scd_field_arg *arg, struct scd_value *ret_value)
{
	const struct vectors_fields *fields = (const struct vectors_fields *)(const void *)view;
	struct scd_str name = arg->text;
	enum scd_type type;
	bool is_list;
	const char *key = scd_arena_dup(fields->c->arena, name).data;

	return vectors_type(json_string_value(json_object_get(fields->types, key)), &type, &is_list) &&
	       vectors_value(fields->c, json_object_get(fields->values, key), type, ret_value);
}

static bool is_any_of(const struct vectors_fields *fields, struct scd_str name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(fields->any_of, i, item)
	{
		if (scd_str_is(name, json_string_value(item)))
			return true;
	}
	return false;
}

/* A field of the catalogue keeps its flags; the case says what it is. */
static int resolve_own(const struct vectors_fields *fields, struct scd_str written, struct scd_str name, bool has_arg,
                       struct scd_str arg, struct scd_field_use *ret_use)
{
	const char *type_name = json_string_value(json_object_get(fields->types, written.data));
	struct scd_field *field = scd_arena_zalloc(fields->c->arena, 1, sizeof(*field));
	struct scd_field_use known = { 0 };
	bool is_list;

	if (!field || !vectors_type(type_name, &field->type, &is_list))
		return -EINVAL;
	if (scd_field_resolve(name, has_arg, arg, &known, NULL) == 0)
		field->flags = known.field->flags & ~(unsigned)(SCD_FIELD_LIST | SCD_FIELD_ANY_OF);
	if (is_list)
		field->flags |= SCD_FIELD_LIST;
	field->name = written;
	field->get = get;
	*ret_use = (struct scd_field_use){ .field = field, .type = field->type };
	ret_use->arg = (struct scd_field_arg){ .present = true, .text = written };
	ret_use->is_any_of = is_any_of(fields, written);
	return 0;
}

static int resolve(void *user, struct scd_str name, bool has_arg, struct scd_str arg, struct scd_field_use *ret_use,
                   struct scd_error *err)
{
	const struct vectors_fields *fields = user;
	struct scd_str written = name;

	if (has_arg)
		written = scd_arena_printf(fields->c->arena, SCD_STR_FMT "[" SCD_STR_FMT "]", SCD_STR_ARG(name),
		                           SCD_STR_ARG(arg));
	if (json_object_get(fields->types, written.data))
		return resolve_own(fields, written, name, has_arg, arg, ret_use);
	return scd_field_resolve(name, has_arg, arg, ret_use, err);
}

void vectors_fields_init(struct vectors_fields *fields, struct vectors_case *c)
{
	const char *kind;
	int found = -1;

	*fields = (struct vectors_fields){ .c = c };
	fields->table = (struct scd_field_table){ resolve, fields };
	fields->values = json_object_get(c->json, "fields");
	fields->types = json_object_get(c->json, "types");
	fields->any_of = json_object_get(c->json, "any_of_values");
	fields->view.event = &fields->event;
	fields->view.scratch = c->arena;
	kind = json_string_value(json_object_get(fields->values, "evt.type"));
	if (kind)
		found = scd_kind_find(scd_str_from(kind), 0);
	fields->event.kind = found < 0 ? SCD_KIND_NONE : (uint16_t)found;
}

bool vectors_compile(struct vectors_fields *fields, struct scd_str text, struct scd__condition **ret_condition,
                     struct scd__compile_error *ret_error)
{
	struct scd_ast_error error;
	const struct scd_ast *ast;
	int r = scd_ast_parse(text, SCD_LIMIT_PARSE_DEPTH, fields->c->arena, &ast, &error);

	*ret_condition = NULL;
	if (r == -EINVAL) {
		snprintf(ret_error->what, sizeof(ret_error->what), "%s", error.what);
		return true;
	}
	if (r == 0)
		r = scd__condition_new(ast, &fields->table, ret_condition, ret_error);
	return r == 0 || r == -EINVAL || vectors_fail(fields->c, "cannot compile: %s", strerror(-r));
}
