/*
 * Vectors of conditions over values: eval.
 */
#include "tests/support/vectors_fields.h"

bool vectors_eval(struct vectors_case *c)
{
	struct scd__compile_error error = { 0 };
	struct scd__condition *condition;
	struct vectors_fields fields;
	struct scd_str text;
	bool expected, got;

	if (!vectors_get_str(c, "condition", &text) || !vectors_get_bool(c, "expect", &expected))
		return false;
	/* What is decoded of a condition are its escapes, which stand for bytes anyway. */
	vectors_fields_init(&fields, c);
	if (!vectors_compile(&fields, text, &condition, &error))
		return false;
	if (!condition)
		return vectors_fail(c, "does not compile: %s", error.what);
	got = scd__condition_holds(condition, &fields.view);
	scd__condition_free(&condition);
	return vectors_expect_bool(c, "condition", expected, got);
}
