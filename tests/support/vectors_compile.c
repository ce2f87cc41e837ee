/*
 * Vectors of the type check and of warnings: compile, condition_warning.
 */
#include <errno.h>

#include "engine/warn.h"
#include "seccheckd/base/limits.h"
#include "tests/support/vectors_fields.h"

struct counts {
	size_t compile, other;
};

static void count_warning(void *user, enum scd_diag_code code, size_t offset, const char *text)
{
	struct counts *counts = user;

	(void)offset;
	(void)text;
	if (code == SCD_DIAG_COMPILE_CONDITION)
		counts->compile++;
	else
		counts->other++;
}

static bool count_warnings(struct vectors_case *c, struct scd_str text, struct counts *ret_counts)
{
	struct scd_ast_error error;
	const struct scd_ast *ast;

	*ret_counts = (struct counts){ 0 };
	if (scd_ast_parse(text, SCD_LIMIT_PARSE_DEPTH, c->arena, &ast, &error) < 0)
		return vectors_fail(c, "does not parse: %s", error.what);
	scd__warn_condition(ast, count_warning, ret_counts);
	return true;
}

static bool warns_as_often(struct vectors_case *c, struct scd_str text)
{
	const json_t *expected = json_object_get(c->json, "warnings");
	struct counts counts;

	if (!json_is_integer(expected))
		return true;
	if (!count_warnings(c, text, &counts))
		return false;
	return (json_int_t)counts.compile == json_integer_value(expected) ||
	       vectors_fail(c, "expected %lld warnings, got %zu", (long long)json_integer_value(expected),
	                    counts.compile);
}

bool vectors_compile_check(struct vectors_case *c)
{
	struct scd__compile_error error = { 0 };
	struct scd__condition *condition;
	struct vectors_fields fields;
	struct scd_str text;
	bool accept, accepted;

	if (!vectors_get_str(c, "condition", &text) || !vectors_get_bool(c, "accept", &accept))
		return false;
	vectors_fields_init(&fields, c);
	if (!vectors_compile(&fields, text, &condition, &error))
		return false;
	accepted = condition != NULL;
	scd__condition_free(&condition);
	if (accepted != accept)
		return vectors_fail(c, "expected %s, but: %s", accept ? "to be accepted" : "a refusal",
		                    accepted ? "accepted" : error.what);
	return !accepted || warns_as_often(c, text);
}

bool vectors_condition_warning(struct vectors_case *c)
{
	struct counts counts;
	struct scd_str text;
	bool warns;

	return vectors_get_str(c, "condition", &text) && vectors_get_bool(c, "warns", &warns) &&
	       count_warnings(c, text, &counts) && vectors_expect_bool(c, "warns", warns, counts.other > 0);
}
