/*
 * Explanations of rules for people and programs: what `rules explain` prints, and why a test of `rules test` failed.
 *
 *   init → (explain → distance, text, brief, json …)… → done
 */
#ifndef SCD_SERVER_CLI_RULES_CLAUSES_H
#define SCD_SERVER_CLI_RULES_CLAUSES_H

#include <jansson.h>

#include "seccheckd/base/buf.h"
#include "seccheckd/engine/explain.h"

struct scd__explainer {
	struct scd_evaluator *evaluator;
	enum scd_truth *truths; /* room for the rule with most clauses */

	/* What was explained last. */
	const struct scd_rule *rule;
	const struct scd_view *view;
	bool holds;
};

/* For rules of a set that keeps clauses. -ENOMEM. */
int scd__explainer_init(struct scd__explainer *explainer, struct scd_ruleset *set);
void scd__explainer_done(struct scd__explainer *explainer);

/* Judges a rule that has clauses. What the functions below say is valid as long as the view. */
void scd__explain(struct scd__explainer *explainer, const struct scd_rule *rule, const struct scd_view *view);

/* How many checks would have to turn out otherwise for the condition to hold; 0: it holds. */
size_t scd__explained_distance(const struct scd__explainer *explainer);

/* Equal for events for which all clauses have the same truths. */
uint64_t scd__explained_pattern(const struct scd__explainer *explainer);

/*
 * Lines: the truth of each clause, what it says, and the values that it read, where they are others than on the line
 * above.
 */
void scd__explained_text(const struct scd__explainer *explainer, struct scd_buf *text);

/* Of a condition that does not hold, one line without its end: which of its parts do not, and what they read. */
void scd__explained_brief(const struct scd__explainer *explainer, struct scd_buf *text);

/* The tree: `kind`, `truth`, `name` or `text`, `fields`, `children`. */
json_t *scd__explained_json(const struct scd__explainer *explainer);

/* A text of a sandbox or a rule file for a terminal: nothing that steers it, no more than so many bytes. */
void scd__put_shown(struct scd_buf *out, struct scd_str text, size_t max_bytes);

#endif
