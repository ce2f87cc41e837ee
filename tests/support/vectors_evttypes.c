/*
 * Vectors of static event types: evttypes, evttypes_equal, evttypes_resolvable.
 */
#include <errno.h>
#include <string.h>

#include "engine/condition.h"
#include "seccheckd/base/limits.h"
#include "tests/support/vectors.h"

/* False, and the case has failed, when it does not parse; *ret_resolved false when the kinds cannot be told. */
static bool kinds_of(struct vectors_case *c, const char *key, struct scd_kind_set *ret_kinds, bool *ret_resolved)
{
	struct scd__compile_error compile_error = { 0 };
	struct scd_ast_error error;
	const struct scd_ast *ast;
	struct scd_str text;

	if (!vectors_get_str(c, key, &text))
		return false;
	if (scd_ast_parse(text, SCD_LIMIT_PARSE_DEPTH, c->arena, &ast, &error) < 0)
		return vectors_fail(c, "does not parse: %s", error.what);
	*ret_resolved = scd__condition_kinds(ast, ret_kinds, &compile_error) == 0;
	return true;
}

/* What two sets differ in, one name of it. */
static bool same_kinds(struct vectors_case *c, const struct scd_kind_set *expected, const struct scd_kind_set *got)
{
	for (unsigned kind = 0; kind < SCD_KIND_COUNT; kind++)
		if (scd_kind_set_has(expected, kind) != scd_kind_set_has(got, kind))
			return vectors_fail(c, "'" SCD_STR_FMT "' should%s be among them",
			                    SCD_STR_ARG(scd_kind_name(kind)),
			                    scd_kind_set_has(expected, kind) ? "" : " not");
	return true;
}

static bool add_names(struct vectors_case *c, const json_t *names, struct scd_kind_set *kinds)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		struct scd_str name = vectors_decode(c, json_array_get(names, i));
		int kind = scd_kind_find(name, 0);

		if (kind < 0)
			return vectors_fail(c, "there is no event type " SCD_STR_FMT, SCD_STR_ARG(name));
		for (; kind >= 0; kind = scd_kind_find(name, (unsigned)kind + 1))
			scd_kind_set_add(kinds, (unsigned)kind);
	}
	return true;
}

bool vectors_evttypes(struct vectors_case *c)
{
	const json_t *types = json_object_get(c->json, "evttypes"), *include = json_object_get(types, "include");
	struct scd_kind_set expected = { { 0 } }, got;
	bool resolved;

	if (!kinds_of(c, "condition", &got, &resolved))
		return false;
	if (!resolved)
		return vectors_fail(c, "cannot be told");
	if (!add_names(c, include ? include : json_object_get(types, "exclude"), &expected))
		return false;
	if (!include)
		scd_kind_set_invert(&expected);
	return same_kinds(c, &expected, &got);
}

bool vectors_evttypes_equal(struct vectors_case *c)
{
	struct scd_kind_set a, b;
	bool a_resolved, b_resolved;

	if (!kinds_of(c, "a", &a, &a_resolved) || !kinds_of(c, "b", &b, &b_resolved))
		return false;
	return (a_resolved && b_resolved && same_kinds(c, &a, &b)) || vectors_fail(c, " (of a and b)");
}

bool vectors_evttypes_resolvable(struct vectors_case *c)
{
	struct scd_kind_set kinds;
	bool accept, resolved;

	return vectors_get_bool(c, "accept", &accept) && kinds_of(c, "condition", &kinds, &resolved) &&
	       vectors_expect_bool(c, "resolvable", accept, resolved);
}
