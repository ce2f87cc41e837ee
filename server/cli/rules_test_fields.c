/*
 * Events as maps from fields to values.
 *
 * A field of the table is a copy of the catalogue's row with another getter. That gets the argument of the field's use
 * and finds the row beside it; and the event behind the view.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules_test.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/config/suggest.h"
#include "seccheckd/lang/ast.h"

/* Reading. */

static bool refuse_value(struct scd__test_file *file, const struct scd_yaml_node *node, enum scd_type type,
                         struct scd__test_errors *errors)
{
	static const char *const wanted[SCD_TYPE_COUNT] = {
		[SCD_TYPE_BOOL] = "true or false",
		[SCD_TYPE_DOUBLE] = "a number",
		[SCD_TYPE_PORT] = "a port from 0 to 65535",
		[SCD_TYPE_IPADDR] = "an address, as 192.0.2.1 or 2001:db8::1",
		[SCD_TYPE_IPNET] = "an address, as 192.0.2.1 or 2001:db8::1",
	};
	const char *hint = wanted[type] ? wanted[type]
	                                : (scd_type_is_signed(type) ? "a whole number" : "a whole number from 0");

	scd__test_error(errors, file, node, hint, "'" SCD_STR_FMT "' is no value of type %s", SCD_STR_ARG(node->text),
	                scd_type_name(type));
	return false;
}

static bool parse_double(struct scd_str text, double *ret_real)
{
	char *end; /* texts of YAML end with a NUL */

	*ret_real = strtod(text.data, &end);
	return text.len > 0 && end == text.data + text.len;
}

static bool read_scalar(const struct scd_yaml_node *node, enum scd_type type, struct scd_value *ret_value)
{
	*ret_value = (struct scd_value){ .type = type, .text = node->text };
	switch (type) {
	case SCD_TYPE_BOOL: return scd_yaml_bool(node, &ret_value->boolean) == 0;
	case SCD_TYPE_DOUBLE: return parse_double(node->text, &ret_value->real);
	case SCD_TYPE_IPADDR:
	case SCD_TYPE_IPNET: return scd_ip_parse(node->text, &ret_value->ip) == 0;
	case SCD_TYPE_PORT: return scd_str_to_u64(node->text, &ret_value->u64) == 0 && ret_value->u64 <= UINT16_MAX;
	default: break;
	}
	if (scd_type_is_signed(type))
		return scd_str_to_i64(node->text, &ret_value->i64) == 0;
	return !scd_type_is_unsigned(type) || scd_str_to_u64(node->text, &ret_value->u64) == 0;
}

static bool read_one(struct scd__test_file *file, const struct scd_yaml_node *node, enum scd_type type,
                     struct scd__test_errors *errors, struct scd_value *ret_value)
{
	if (node->kind != SCD_YAML_SCALAR) {
		scd__test_error(errors, file, node, "", "a value of a field is a text, a number or a list of such");
		return false;
	}
	return read_scalar(node, type, ret_value) || refuse_value(file, node, type, errors);
}

static bool read_list(struct scd__test_file *file, const struct scd_yaml_node *node, enum scd_type type,
                      struct scd__test_errors *errors, struct scd_value *ret_value)
{
	bool is_sequence = node->kind == SCD_YAML_SEQUENCE, good = true;
	size_t count = is_sequence ? node->count : 1;
	struct scd_value *items = scd_arena_zalloc(&file->arena, count + 1, sizeof(*items));

	if (!items) {
		scd__test_error(errors, file, node, "", "out of memory");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		good &= read_one(file, is_sequence ? node->items[i] : node, type, errors, &items[i]);
	*ret_value = (struct scd_value){ .type = type, .is_list = true };
	ret_value->list.items = items;
	ret_value->list.count = count;
	return good;
}

static void unknown_field(struct scd__test_file *file, const struct scd_yaml_node *key, struct scd__test_errors *errors,
                          const char *why)
{
	const char *nearest = NULL, **names = calloc(scd_field_count() + 1, sizeof(*names));
	char hint[256] = "";

	for (size_t i = 0; names && i < scd_field_count(); i++)
		names[i] = scd_field_at(i)->name.data;
	if (names)
		nearest = scd_suggest_nearest(key->text, names, scd_field_count());
	if (nearest)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", nearest);
	free(names);
	scd__test_error(errors, file, key, nearest ? hint : "'seccheckd rules fields' prints the fields",
	                "'" SCD_STR_FMT "': %s", SCD_STR_ARG(key->text), why);
}

/* `proc.aname[2]` to the field and its argument. */
static bool read_name(struct scd__test_file *file, const struct scd_yaml_node *key, struct scd__test_errors *errors,
                      struct scd__test_field *field, struct scd_field_use *ret_use)
{
	struct scd_ast_error syntax;
	const struct scd_ast *side;
	struct scd_error err;
	size_t len;

	if (scd_ast_parse_side(key->text, SCD_LIMIT_PARSE_DEPTH, &file->arena, &side, &len, &syntax) < 0 ||
	    len != key->text.len || side->kind != SCD_AST_FIELD) {
		unknown_field(file, key, errors, "this is no field");
		return false;
	}
	if (scd_field_resolve(side->text, side->has_arg, side->arg, ret_use, &err) < 0) {
		unknown_field(file, key, errors, err.code == -ENOENT ? "there is no such field" : err.what);
		return false;
	}
	field->field = ret_use->field;
	field->has_arg = ret_use->arg.present;
	field->arg = ret_use->arg.text;
	return true;
}

static bool read_field(struct scd__test_file *file, const struct scd_yaml_node *key, const struct scd_yaml_node *node,
                       struct scd__test_errors *errors, struct scd__test_field *field)
{
	struct scd_field_use use = { 0 };

	if (!read_name(file, key, errors, field, &use))
		return false;
	field->is_missing = scd_yaml_is_null(node);
	if (field->is_missing)
		return true;
	if (use.is_any_of || (use.field->flags & SCD_FIELD_LIST))
		return read_list(file, node, use.type, errors, &field->value);
	return read_one(file, node, use.type, errors, &field->value);
}

bool scd__test_fields_read(struct scd__test_file *file, const struct scd_yaml_node *map,
                           struct scd__test_errors *errors, struct scd__test_fields *ret_fields)
{
	size_t count = map->kind == SCD_YAML_MAP ? map->count : 0;
	struct scd__test_field *items = scd_arena_zalloc(&file->arena, count + 1, sizeof(*items));
	bool good = items != NULL;

	if (map->kind != SCD_YAML_MAP) {
		scd__test_error(errors, file, map, "write {evt.type: execve, proc.name: sh}",
		                "an event is a map from fields to values");
		return false;
	}
	for (size_t i = 0; items && i < count; i++)
		good &= read_field(file, map->keys[i], map->items[i], errors, &items[i]);
	*ret_fields = (struct scd__test_fields){ items, items ? count : 0 };
	return good;
}

/* Looking up. */

/* The last one counts, as in a map of YAML. */
static const struct scd__test_field *find_in(const struct scd__test_fields *fields, struct scd_str name, bool has_arg,
                                             struct scd_str arg)
{
	for (size_t i = fields ? fields->count : 0; i > 0; i--) {
		const struct scd__test_field *field = &fields->items[i - 1];

		if (field->has_arg == has_arg && (!has_arg || scd_str_eq(field->arg, arg)) &&
		    scd_str_eq(field->field->name, name))
			return field;
	}
	return NULL;
}

/* NULL: missing. */
static const struct scd__test_field *find(const struct scd__test_event *event, struct scd_str name, bool has_arg,
                                          struct scd_str arg)
{
	const struct scd__test_field *field = find_in(&event->own, name, has_arg, arg);

	if (!field)
		field = find_in(event->defaults, name, has_arg, arg);
	return field && !field->is_missing ? field : NULL;
}

static bool refuse_kind(struct scd__test_file *file, const struct scd_yaml_node *map, struct scd_str name,
                        struct scd__test_errors *errors)
{
	const char *names[SCD_KIND_COUNT], *nearest;
	char hint[256] = "";
	size_t count = 0;

	for (unsigned kind = 0; kind < SCD_KIND_COUNT; kind++)
		if (scd_kind_name(kind).len > 0)
			names[count++] = scd_kind_name(kind).data;
	nearest = scd_suggest_nearest(name, names, count);
	if (nearest)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", nearest);
	scd__test_error(errors, file, map, hint, "there is no event type '" SCD_STR_FMT "'", SCD_STR_ARG(name));
	return false;
}

bool scd__test_event_kind(struct scd__test_file *file, const struct scd_yaml_node *map, struct scd__test_errors *errors,
                          struct scd__test_event *event)
{
	const struct scd__test_field *field = find(event, SCD_STR("evt.type"), false, SCD_STR(""));
	const struct scd_yaml_node *place = scd_yaml_get(map, "evt.type");
	int kind;

	if (!field) {
		scd__test_error(errors, file, map, "add evt.type: execve, or what it is, here or to the defaults",
		                "the event has no evt.type");
		return false;
	}
	kind = scd_kind_find(field->value.text, 0);
	if (kind < 0)
		return refuse_kind(file, place ? place : map, field->value.text, errors);
	event->kind = (uint16_t)kind;
	return true;
}

/* The table. */

/* proc.aname[2] of an event that only gives proc.aname: the second of them. */
static bool get_from_list(const struct scd__test_event *event, const struct scd_field_use *use,
                          struct scd_value *ret_value)
{
	const struct scd__test_field *all;

	if (!(use->field->flags & SCD_FIELD_ANY_OF) || !use->arg.is_number || use->arg.number == 0)
		return false;
	all = find(event, use->field->name, false, SCD_STR(""));
	if (!all || use->arg.number > all->value.list.count)
		return false;
	*ret_value = all->value.list.items[use->arg.number - 1];
	return true;
}

/* Every getter is given the argument of a use (scd_field_get). */
static bool get(const struct scd_view *view, const struct scd_field_arg *arg, struct scd_value *ret_value)
{
	const struct scd__test_event *event = ((const struct scd__test_view *)(const void *)view)->test_event;
	const char *inside = (const char *)arg - offsetof(struct scd_field_use, arg);
	const struct scd_field_use *use = (const struct scd_field_use *)(const void *)inside;
	const struct scd__test_field *field = find(event, use->field->name, arg->present, arg->text);

	if (!field)
		return get_from_list(event, use, ret_value);
	*ret_value = field->value;
	return true;
}

static struct scd_field *rows; /* of the catalogue, each with the getter above */

static int resolve(void *user, struct scd_str name, bool has_arg, struct scd_str arg, struct scd_field_use *ret_use,
                   struct scd_error *err)
{
	int r = scd_field_resolve(name, has_arg, arg, ret_use, err);

	(void)user;
	if (r == 0)
		ret_use->field = &rows[ret_use->field - scd_field_at(0)];
	return r;
}

const struct scd_field_table *scd__test_field_table(void)
{
	static const struct scd_field_table table = { resolve, NULL };

	if (!rows) {
		rows = calloc(scd_field_count(), sizeof(*rows));
		for (size_t i = 0; rows && i < scd_field_count(); i++) {
			rows[i] = *scd_field_at(i);
			rows[i].get = get;
		}
	}
	return rows ? &table : NULL;
}

void scd__test_view_init(struct scd__test_view *view, const struct scd__test_event *event, struct scd_arena *scratch)
{
	*view = (struct scd__test_view){ .test_event = event };
	view->event.kind = event->kind;
	view->view.event = &view->event;
	view->view.scratch = scratch;
}
