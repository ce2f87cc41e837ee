/*
 * Vectors of names of rules: rule_name_wildcard, sanitize_rule_name.
 */
#include "seccheckd/engine/ruleset.h"
#include "tests/support/vectors.h"

bool vectors_rule_name_wildcard(struct vectors_case *c)
{
	struct scd_str pattern, name;
	bool match;

	return vectors_get_str(c, "pattern", &pattern) && vectors_get_str(c, "name", &name) &&
	       vectors_get_bool(c, "match", &match) &&
	       vectors_expect_bool(c, "match", match, scd_rule_name_matches(pattern, name));
}

bool vectors_sanitize_rule_name(struct vectors_case *c)
{
	struct scd_str input, expected, got;

	if (!vectors_get_str(c, "input", &input) || !vectors_get_str(c, "expect", &expected))
		return false;
	if (scd_rule_name_sanitize(input, c->arena, &got) < 0)
		return vectors_fail(c, "no memory");
	return vectors_expect_str(c, "sanitized", expected, got);
}
