/*
 * Vectors of output strings: format, format_compile.
 */
#include <stdlib.h>
#include <string.h>

#include "seccheckd/engine/format.h"
#include "tests/support/vectors.h"
#include "tests/support/vectors_fields.h"

#define TEXT_BYTES (1u << 20)

/* False: the case has no format. *ret_format NULL: it is refused, with the reason. */
static bool compile(struct vectors_case *c, struct vectors_fields *fields, const struct scd_format **ret_format,
                    struct scd_error *err)
{
	struct scd_str text;

	if (!vectors_get_str(c, "format", &text))
		return false;
	vectors_fields_init(fields, c);
	if (scd_format_new_over(text, &fields->table, c->arena, ret_format, err) < 0)
		*ret_format = NULL;
	return true;
}

bool vectors_format_compile(struct vectors_case *c)
{
	struct scd_error err = { 0 };
	const struct scd_format *format;
	struct vectors_fields fields;
	bool accept;

	if (!vectors_get_bool(c, "accept", &accept) || !compile(c, &fields, &format, &err))
		return false;
	if (accept && !format)
		return vectors_fail(c, "is refused: %s", err.what);
	return vectors_expect_bool(c, "accept", accept, format != NULL);
}

/* A value as a member of an alert's output_fields. */
static json_t *to_json(const struct scd_value *value)
{
	struct scd_buf text;
	json_t *json;

	if (!value->is_list && value->type == SCD_TYPE_BOOL)
		return json_boolean(value->boolean);
	if (!value->is_list && scd_type_is_signed(value->type))
		return json_integer(value->i64);
	if (!value->is_list && scd_type_is_unsigned(value->type))
		return json_integer((json_int_t)value->u64);
	scd_buf_init(&text, TEXT_BYTES);
	scd_format_value(value, &text);
	json = json_stringn(text.data ? text.data : "", text.len);
	scd_buf_done(&text);
	return json;
}

/* All fields with their names; those that transformers make only if the case wants them. */
static json_t *fields_of(struct vectors_case *c, const struct scd_format *format, const struct scd_view *view)
{
	bool transformed = vectors_flag(c, "resolve_transformed");
	json_t *object = json_object();

	for (size_t i = 0; i < scd_format_field_count(format); i++) {
		struct scd_str name = scd_arena_dup(c->arena, scd_format_field_name(format, i));
		struct scd_value value;
		bool present = scd_format_field_value(format, i, view, &value);

		if (scd_format_field_is_transformed(format, i) && !transformed)
			continue;
		json_object_set_new(object, name.data, present ? to_json(&value) : json_null());
	}
	return object;
}

/* `values` are texts, also those of numbers; more may be there. */
static bool check_values(struct vectors_case *c, const struct scd_format *format, const struct scd_view *view)
{
	json_t *object = fields_of(c, format, view);
	const json_t *expected;
	const char *name;
	bool pass = true;

	json_object_foreach(json_object_get(c->json, "values"), name, expected)
	{
		const json_t *value = json_object_get(object, name);
		char number[32] = "";
		const char *got = json_is_string(value) ? json_string_value(value) : number;

		if (json_is_integer(value))
			snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		pass = pass && (value || vectors_fail(c, "there is no value %s", name)) &&
		       vectors_expect_str(c, name, scd_str_from(json_string_value(expected)), scd_str_from(got));
	}
	json_decref(object);
	return pass;
}

/* One of the vectors says "text" of a case that upstream runs in JSON; its id tells. */
static bool is_json(const struct vectors_case *c)
{
	const char *mode = json_string_value(json_object_get(c->json, "mode"));
	const char *id = json_string_value(json_object_get(c->json, "id"));

	return (mode && strcmp(mode, "json") == 0) || (id && strstr(id, "_json/"));
}

static bool check_json(struct vectors_case *c, const struct scd_format *format, const struct scd_view *view)
{
	json_t *object = fields_of(c, format, view);
	char *text = json_object_size(object) ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : strdup("null");
	struct scd_str expected;
	bool pass = vectors_get_str(c, "expect", &expected) &&
	            vectors_expect_str(c, "json", expected, scd_str_from(text));

	free(text);
	json_decref(object);
	return pass;
}

static bool check_text(struct vectors_case *c, const struct scd_format *format, const struct scd_view *view)
{
	struct scd_str expected;
	struct scd_buf text;
	bool ok, pass;

	if (!vectors_get_str(c, "expect", &expected) || !vectors_get_bool(c, "ok", &ok))
		return false;
	scd_buf_init(&text, TEXT_BYTES);
	pass = vectors_expect_bool(c, "ok", ok, scd_format_render_present(format, view, NULL, NULL, &text)) &&
	       vectors_expect_str(c, "text", expected, scd_buf_str(&text));
	scd_buf_done(&text);
	return pass;
}

/* The case with the types of its fields, which are those of its values. */
static json_t *with_types(const json_t *json)
{
	json_t *copy = json_deep_copy(json), *types = json_object();
	const json_t *value;
	const char *name;

	json_object_foreach(json_object_get(copy, "fields"), name, value)
	{
		json_object_set_new(types, name, json_string(json_is_integer(value) ? "INT64" : "CHARBUF"));
	}
	json_object_set_new(copy, "types", types);
	return copy;
}

static bool run(struct vectors_case *c)
{
	struct scd_error err = { 0 };
	const struct scd_format *format;
	struct vectors_fields fields;

	if (!compile(c, &fields, &format, &err))
		return false;
	if (!format)
		return vectors_fail(c, "is refused: %s", err.what);
	return (is_json(c) ? check_json(c, format, &fields.view) : check_text(c, format, &fields.view)) &&
	       check_values(c, format, &fields.view);
}

bool vectors_format(struct vectors_case *c)
{
	json_t *json = with_types(c->json);
	struct vectors_case typed = *c;
	bool pass;

	typed.json = json;
	pass = run(&typed);
	json_decref(json);
	return pass;
}
