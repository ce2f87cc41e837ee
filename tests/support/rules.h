/*
 * Rule sets for tests: load a text, judge one event.
 */
#ifndef SCD_TESTS_SUPPORT_RULES_H
#define SCD_TESTS_SUPPORT_RULES_H

#include "seccheckd/engine/eval.h"

/*
 * Loads one text under the name "test.yaml". Returns the set, or NULL with the reasons in diags (init'ed by the
 * caller).
 */
struct scd_ruleset *rules_load(const char *yaml, struct scd_diags *diags);

/* One rule "R" with this condition, priority WARNING and an output without fields. */
struct scd_ruleset *rules_load_condition(const char *condition, struct scd_diags *diags);

/* Applies the event to the sandbox and runs the rules. Number of matches. */
size_t rules_run(struct scd_ruleset *set, struct scd_sandbox *sandbox, const struct scd_event *event);

#endif
