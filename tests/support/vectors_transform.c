/*
 * Vectors of transformers: each value, or the list of all, through one of them.
 */
#include <stdlib.h>

#include "seccheckd/base/limits.h"
#include "tests/support/vectors_fields.h"

#define FIELD_NAME "test.value"

/* A field that has the value which is to be transformed. */
static bool field_of(struct vectors_fields *fields, struct vectors_case *c, const json_t *value)
{
	const char *type = json_string_value(json_object_get(c->json, "type"));
	struct scd_str name = scd_arena_printf(c->arena, "%s%s", type, vectors_flag(c, "list") ? "[]" : "");
	json_t *types = json_pack("{s:s}", FIELD_NAME, name.data), *values = json_pack("{s:O}", FIELD_NAME, value);

	vectors_fields_init(fields, c);
	fields->types = types;
	fields->values = values;
	return types && values;
}

static void release(struct vectors_fields *fields)
{
	json_decref((json_t *)(uintptr_t)fields->types);
	json_decref((json_t *)(uintptr_t)fields->values);
}

/* The transformer over the field, as a rule has it. */
static const struct scd__expr *make_expr(struct vectors_fields *fields, struct scd_str transformer)
{
	struct scd_str text = scd_arena_printf(fields->c->arena, SCD_STR_FMT "(" FIELD_NAME ")",
	                                       SCD_STR_ARG(transformer));
	struct scd__compile_error error = { 0 };
	const struct scd__expr *expr = NULL;
	struct scd_ast_error parse_error;
	const struct scd_ast *ast;
	struct scd__exprs exprs;
	size_t len;

	if (scd_ast_parse_side(text, SCD_LIMIT_PARSE_DEPTH, fields->c->arena, &ast, &len, &parse_error) < 0) {
		vectors_fail(fields->c, "does not parse: %s", parse_error.what);
		return NULL;
	}
	scd__exprs_init(&exprs, fields->c->arena, &fields->table);
	if (scd__expr_new(&exprs, ast, &expr, &error) < 0)
		vectors_fail(fields->c, "is refused: %s", error.what);
	scd__exprs_done(&exprs);
	return expr;
}

static bool single_is(struct vectors_case *c, const struct scd_value *value, const json_t *expected)
{
	if (json_is_integer(expected))
		return (json_int_t)value->u64 == json_integer_value(expected) ||
		       vectors_fail(c, "expected %lld, got %llu", (long long)json_integer_value(expected),
		                    (unsigned long long)value->u64);
	return vectors_expect_str(c, "result", vectors_decode(c, expected), value->text);
}

/* expected is an array for a list, else one value. */
static bool result_is(struct vectors_case *c, const struct scd__expr *expr, const struct scd_value *value,
                      const json_t *expected)
{
	const char *type = json_string_value(json_object_get(c->json, "result_type"));

	if (!value)
		return vectors_fail(c, "there is no result");
	if (!scd_str_is(scd_str_from(type), scd_type_name(expr->type)))
		return vectors_fail(c, "expected a %s, got a %s", type, scd_type_name(expr->type));
	if (!value->is_list)
		return single_is(c, value, json_is_array(expected) ? json_array_get(expected, 0) : expected);
	if (value->list.count != json_array_size(expected))
		return vectors_fail(c, "expected %zu values, got %zu", json_array_size(expected), value->list.count);
	for (size_t i = 0; i < value->list.count; i++)
		if (!single_is(c, &value->list.items[i], json_array_get(expected, i)))
			return false;
	return true;
}

static bool transform_one(struct vectors_case *c, struct scd_str transformer, const json_t *value,
                          const json_t *expected)
{
	const struct scd__expr *expr;
	struct vectors_fields fields;
	struct scd_value room;
	bool pass;

	if (!field_of(&fields, c, value))
		abort();
	expr = make_expr(&fields, transformer);
	pass = expr && result_is(c, expr, scd__expr_value(expr, NULL, &fields.view, &room), expected);
	release(&fields);
	return pass;
}

bool vectors_transform(struct vectors_case *c)
{
	const json_t *values = json_object_get(c->json, "values"), *expected = json_object_get(c->json, "expect");
	struct scd_str transformer;

	if (!vectors_get_str(c, "transformer", &transformer))
		return false;
	if (vectors_flag(c, "list"))
		return transform_one(c, transformer, values, expected);
	for (size_t i = 0; i < json_array_size(values); i++)
		if (!transform_one(c, transformer, json_array_get(values, i), json_array_get(expected, i)))
			return false;
	return json_array_size(values) > 0 || vectors_fail(c, "the case has no values");
}
