/*
 * The compiled engine against the naive evaluator: random rules over random events have to match alike, and what is
 * explained of them has to come to the same. What differs is told with its rule, its event and the seed.
 */
#include "field_world.h"

#include <stdio.h>

#include "seccheckd/engine/explain.h"
#include "tests/support/naive_eval.h"
#include "tests/support/random_event.h"
#include "tests/support/random_rules.h"

enum { ROUNDS = 150, EVENTS = 30, FIELDS_PER_EVENT = 60 };

struct tally {
	size_t pairs, matches;
};

/* One sequence of events, and the rules that look at it. */
struct round {
	struct scd_rng *rng;
	struct scd_arena arena;
	struct scd_event events[EVENTS];
	struct random_pool pool;
	struct random_rules rules;
	bool matched[RANDOM_RULE_COUNT];
};

/* What fields have while the events go by is what rules will be compared with. */
static void note_values(struct round *round, struct world *world)
{
	for (size_t i = 0; i < FIELDS_PER_EVENT; i++) {
		struct scd_field_use use;
		struct scd_value value;
		struct scd_str written;
		if (random_field(round->rng, &round->arena, &use, &written) &&
		    scd_field_get(&use, &world->view, &value))
			random_pool_add(&round->pool, &value, &round->arena);
	}
}

static void make_events(struct round *round)
{
	struct world world;
	world_open(&world, true);
	for (size_t i = 0; i < EVENTS; i++) {
		round->events[i] = random_event(round->rng, (unsigned)i, &round->arena);
		world_apply(&world, &round->events[i]);
		note_values(round, &world);
	}
	world_close(&world);
}

static void note_match(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	struct round *round = user;
	(void)view;
	assert_false(round->matched[rule->index]);
	round->matched[rule->index] = true;
}

static void compare(struct round *round, const struct world *world, size_t event, struct tally *tally)
{
	for (size_t i = 0; i < RANDOM_RULE_COUNT; i++) {
		bool expected = naive_holds(&round->rules.names, round->rules.conditions[i], &world->view);
		tally->pairs++;
		tally->matches += expected;
		if (round->matched[i] == expected)
			continue;
		fputs(round->rules.yaml.data, stderr);
		fail_msg("event %zu (" SCD_STR_FMT ", point %u) %s rule %zu: " SCD_STR_FMT, event,
		         SCD_STR_ARG(scd_kind_name(world->event.kind)), world->event.point,
		         expected ? "should match" : "should not match", i, SCD_STR_ARG(round->rules.texts[i]));
	}
}

/* Explained one after the other, and by one evaluator: what one left behind must not change the next. */
static void compare_explained(struct scd_evaluator *evaluator, const struct scd_ruleset *set, const struct world *world,
                              const struct round *round)
{
	for (size_t i = 0; i < RANDOM_RULE_COUNT; i++) {
		const struct scd_rule *rule = scd_ruleset_rule(set, i);
		enum scd_truth *truths = test_calloc(rule->clause_count, sizeof(*truths));
		assert_non_null(rule->clauses);
		bool holds = scd_evaluator_explain(evaluator, rule, &world->view, truths);
		if (holds != naive_holds(&round->rules.names, round->rules.conditions[i], &world->view)) {
			fputs(round->rules.yaml.data, stderr);
			fail_msg("explained otherwise: rule %zu: " SCD_STR_FMT, i, SCD_STR_ARG(round->rules.texts[i]));
		}
		assert_int_equal(truths[rule->clauses->number] == SCD_TRUTH_TRUE, holds);
		test_free(truths);
	}
}

static struct scd_ruleset *load(const struct random_rules *rules)
{
	struct scd_diags diags;
	const struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG, .keep_clauses = true };
	struct scd_ruleset *set = NULL;
	scd_diags_init(&diags);
	struct scd_loader *loader = scd_loader_new(&diags);
	assert_non_null(loader);
	scd_loader_add_text(loader, scd_str_from(rules->yaml.data), "test.yaml");
	scd_loader_build(loader, &options, &set);
	scd_loader_free(&loader);
	if (!set) {
		scd_diags_print(&diags, stderr);
		fputs(rules->yaml.data, stderr);
		fail_msg("does not load");
	}
	scd_diags_done(&diags);
	return set;
}

static void run(struct round *round, struct tally *tally)
{
	struct world world;
	struct scd_ruleset *set = load(&round->rules);
	struct scd_evaluator *evaluator = scd_evaluator_new(set);
	assert_non_null(evaluator);
	world_open(&world, true);
	for (size_t i = 0; i < EVENTS; i++) {
		world_apply(&world, &round->events[i]);
		memset(round->matched, 0, sizeof(round->matched));
		scd_evaluator_run(evaluator, &world.view, note_match, round);
		compare(round, &world, i, tally);
		compare_explained(evaluator, set, &world, round);
	}
	world_close(&world);
	scd_evaluator_free(&evaluator);
	scd_ruleset_unref(&set);
}

static void test_compiled_rules__match_as_the_naive_evaluator_says(void **state)
{
	(void)state;
	struct scd_rng rng = scd_rng_start("differential");
	struct tally tally = { 0 };
	for (size_t i = 0; i < ROUNDS; i++) {
		struct round *round = test_calloc(1, sizeof(*round));
		round->rng = &rng;
		scd_arena_init(&round->arena, 65536, 64u << 20);
		make_events(round);
		random_rules_make(&rng, &round->pool, &round->arena, NULL, &round->rules);
		run(round, &tally);
		random_rules_done(&round->rules);
		scd_arena_done(&round->arena);
		test_free(round);
	}
	print_message("%zu of %zu match\n", tally.matches, tally.pairs);
	assert_in_range(tally.matches, tally.pairs / 10, tally.pairs - tally.pairs / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compiled_rules__match_as_the_naive_evaluator_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
