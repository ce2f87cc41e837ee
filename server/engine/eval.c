/*
 * Running the programs of the rules that can match an event (plan.h), in order of definition.
 *
 * Values and results are remembered for the event by an epoch number: what carries the number of the current event is
 * valid, and nothing has to be cleared between events. Matches are told when all rules have looked: what an alert
 * needs of the event's scratch memory cannot make a later rule blind.
 */
#include "seccheckd/engine/eval.h"

#include <stdlib.h>
#include <string.h>

#include "engine/needles.h"
#include "engine/plan.h"

struct predicate_state {
	uint32_t epoch;
	bool result;
};

/* What a value contains, of all that rules look for in it. */
struct needles_state {
	uint32_t epoch;
	struct scd_hits hits;
};

struct scd_evaluator {
	struct scd_ruleset *set;
	struct scd__memo memo; /* its epoch is that of the predicates, too */
	struct predicate_state *predicates;
	struct needles_state *needles; /* of each automaton */
	uint64_t *found_bits;          /* those of all of them, and their ids */
	uint32_t *found_ids;
	struct scd__candidates candidates; /* none between events */
	uint32_t *matched;                 /* the rules that the event matches so far */
};

static bool init_needles(struct scd_evaluator *evaluator)
{
	const struct scd_ruleset *set = evaluator->set;
	size_t words = 0, ids = 0;
	for (size_t i = 0; i < set->automaton_count; i++) {
		words += scd_automaton_words(set->automatons[i]);
		ids += scd_automaton_count(set->automatons[i]);
	}
	evaluator->needles = calloc(set->automaton_count + 1, sizeof(*evaluator->needles));
	evaluator->found_bits = calloc(words + 1, sizeof(*evaluator->found_bits));
	evaluator->found_ids = calloc(ids + 1, sizeof(*evaluator->found_ids));
	if (!evaluator->needles || !evaluator->found_bits || !evaluator->found_ids)
		return false;
	words = ids = 0;
	for (size_t i = 0; i < set->automaton_count; i++) {
		evaluator->needles[i].hits.bits = evaluator->found_bits + words;
		evaluator->needles[i].hits.ids = evaluator->found_ids + ids;
		words += scd_automaton_words(set->automatons[i]);
		ids += scd_automaton_count(set->automatons[i]);
	}
	return true;
}

struct scd_evaluator *scd_evaluator_new(struct scd_ruleset *set)
{
	struct scd_evaluator *evaluator = calloc(1, sizeof(*evaluator));
	if (!evaluator)
		return NULL;
	evaluator->set = scd_ruleset_ref(set);
	evaluator->memo.slots = calloc(set->slot_count + 1, sizeof(*evaluator->memo.slots));
	evaluator->predicates = calloc(set->predicate_count + 1, sizeof(*evaluator->predicates));
	evaluator->matched = calloc(set->rule_count + 1, sizeof(*evaluator->matched));
	bool made = scd__candidates_init(&evaluator->candidates, set->largest_plan) && init_needles(evaluator);
	if (!made || !evaluator->memo.slots || !evaluator->predicates || !evaluator->matched)
		scd_evaluator_free(&evaluator);
	return evaluator;
}

void scd_evaluator_free(struct scd_evaluator **evaluator)
{
	if (!*evaluator)
		return;
	scd_ruleset_unref(&(*evaluator)->set);
	free((*evaluator)->memo.slots);
	free((*evaluator)->predicates);
	free((*evaluator)->needles);
	free((*evaluator)->found_bits);
	free((*evaluator)->found_ids);
	scd__candidates_done(&(*evaluator)->candidates);
	free((*evaluator)->matched);
	free(*evaluator);
	*evaluator = NULL;
}

static void next_epoch(struct scd_evaluator *evaluator)
{
	if (++evaluator->memo.epoch != 0)
		return;
	memset(evaluator->memo.slots, 0, evaluator->set->slot_count * sizeof(*evaluator->memo.slots));
	memset(evaluator->predicates, 0, evaluator->set->predicate_count * sizeof(*evaluator->predicates));
	for (size_t i = 0; i < evaluator->set->automaton_count; i++)
		evaluator->needles[i].epoch = 0;
	evaluator->memo.epoch = 1;
}

const struct scd_hits *scd__evaluator_hits(struct scd_evaluator *evaluator, uint32_t automaton,
                                           const struct scd_value *value)
{
	struct needles_state *state = &evaluator->needles[automaton];
	if (state->epoch != evaluator->memo.epoch) {
		scd_hits_clear(&state->hits);
		scd__needles_find(evaluator->set->automatons[automaton], value, &state->hits);
		state->epoch = evaluator->memo.epoch;
	}
	return &state->hits;
}

/* What a missing value makes false. */
static bool compute(struct scd_evaluator *evaluator, const struct scd__predicate *predicate,
                    const struct scd_view *view)
{
	const struct scd_value *left, *right = NULL;
	if (predicate->op == SCD__OP_KIND)
		return scd_kind_set_has(&predicate->kinds, view->event->kind);
	left = scd__expr_value(predicate->left, &evaluator->memo, view, NULL);
	if (left && predicate->right)
		right = scd__expr_value(predicate->right, &evaluator->memo, view, NULL);
	if (!left || (predicate->right && !right))
		return false;
	if (predicate->needle_ids)
		return scd__needles_hold(predicate, scd__evaluator_hits(evaluator, predicate->automaton, left));
	return scd__predicate_holds(predicate, left, right, view->scratch);
}

static bool holds(struct scd_evaluator *evaluator, uint32_t index, const struct scd_view *view)
{
	struct predicate_state *state = &evaluator->predicates[index];
	if (state->epoch != evaluator->memo.epoch) {
		state->result = compute(evaluator, &evaluator->set->predicates[index], view);
		state->epoch = evaluator->memo.epoch;
	}
	return state->result;
}

static bool rule_matches(struct scd_evaluator *evaluator, uint32_t rule, const struct scd_view *view)
{
	int32_t at = evaluator->set->entries[rule];
	while (at >= 0) {
		const struct scd__node *node = &evaluator->set->nodes[at];
		at = holds(evaluator, node->predicate, view) ? node->on_true : node->on_false;
	}
	return at == SCD__MATCH;
}

/* Whether that was the last rule to look at. */
static bool note_match(struct scd_evaluator *evaluator, uint32_t rule, size_t *count)
{
	evaluator->matched[(*count)++] = rule;
	return evaluator->set->match_first;
}

static size_t run_all(struct scd_evaluator *evaluator, const struct scd__plan *plan, const struct scd_view *view)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->count; i++)
		if (rule_matches(evaluator, plan->rules[i], view) && note_match(evaluator, plan->rules[i], &count))
			break;
	return count;
}

static size_t run_candidates(struct scd_evaluator *evaluator, const struct scd__plan *plan, const struct scd_view *view)
{
	struct scd__candidates *candidates = &evaluator->candidates;
	size_t count = 0, at;
	bool last = false;
	scd__plan_probe(plan, evaluator, view, candidates);
	while ((at = scd__candidates_take(candidates, plan->count)) != SCD__NO_CANDIDATE)
		if (!last && rule_matches(evaluator, plan->rules[at], view))
			last = note_match(evaluator, plan->rules[at], &count);
	return count;
}

bool scd__evaluator_matches(struct scd_evaluator *evaluator, uint32_t rule, const struct scd_view *view)
{
	next_epoch(evaluator);
	return rule_matches(evaluator, rule, view);
}

void scd__evaluator_begin(struct scd_evaluator *evaluator)
{
	next_epoch(evaluator);
}

bool scd__evaluator_holds(struct scd_evaluator *evaluator, uint32_t predicate, const struct scd_view *view)
{
	return holds(evaluator, predicate, view);
}

bool scd__evaluator_misses(struct scd_evaluator *evaluator, uint32_t predicate, const struct scd_view *view)
{
	const struct scd__predicate *asked = &evaluator->set->predicates[predicate];
	return !scd__evaluator_value(evaluator, asked->left, view) ||
	       (asked->right && !scd__evaluator_value(evaluator, asked->right, view));
}

const struct scd_value *scd__evaluator_value(struct scd_evaluator *evaluator, const struct scd__expr *expr,
                                             const struct scd_view *view)
{
	return scd__expr_value(expr, &evaluator->memo, view, NULL);
}

size_t scd_evaluator_run(struct scd_evaluator *evaluator, const struct scd_view *view, scd_match_fn *on_match,
                         void *user)
{
	if (view->event->kind >= SCD_KIND_COUNT)
		return 0;
	const struct scd__plan *plan = evaluator->set->plans[view->event->kind];
	if (!plan)
		return 0;
	next_epoch(evaluator);
	size_t count = plan->probe_count ? run_candidates(evaluator, plan, view) : run_all(evaluator, plan, view);
	for (size_t i = 0; i < count; i++)
		on_match(user, &evaluator->set->rules[evaluator->matched[i]], view);
	return count;
}
