/*
 * Evaluation of one event against a rule set.
 *
 * An evaluator is what one thread needs to run a rule set: memory for the event's field values and for the results of
 * predicates, each computed at most once per event however many rules ask. No allocation while evaluating.
 */
#ifndef SECCHECKD_ENGINE_EVAL_H
#define SECCHECKD_ENGINE_EVAL_H

#include "seccheckd/engine/field.h"
#include "seccheckd/engine/ruleset.h"

struct scd_evaluator;

/* Takes a reference on the set. NULL on exhaustion. */
struct scd_evaluator *scd_evaluator_new(struct scd_ruleset *set);
void scd_evaluator_free(struct scd_evaluator **evaluator);

/*
 * Called once per matching rule, in the order of definition, after all rules have looked at the event; rule and view
 * are valid during the call.
 */
typedef void scd_match_fn(void *user, const struct scd_rule *rule, const struct scd_view *view);

/* Returns the number of matches. Rules are found by view->event->kind. */
size_t scd_evaluator_run(struct scd_evaluator *evaluator, const struct scd_view *view, scd_match_fn *on_match,
                         void *user);

#endif
