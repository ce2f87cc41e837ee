/*
 * The compiled engine against the naive evaluator: the bytes choose a few events and the rules that look at them, and
 * both have to say the same of every pair. tests/unit/engine/test_differential.c does this at random; here it is
 * coverage that leads. The rules are all ones that load, and what is done with others is fuzz_rules' matter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/engine/eval.h"
#include "tests/support/naive_eval.h"
#include "tests/support/random_event.h"
#include "tests/support/random_rules.h"
#include "tests/support/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENTS = 4, FIELDS_PER_EVENT = 8, RULES = 3 };

#define ARENA_CHUNK_BYTES 65536u
#define ARENA_BYTES       (64u << 20)

/* What one input chose. */
struct round {
	struct scd_rng rng;
	struct scd_arena arena;
	struct scd_event events[EVENTS];
	struct random_pool pool;
	struct random_rules rules;
	bool matched[RULES];
};

/* One sandbox as the events go by. */
struct world {
	struct scd_sandbox *sandbox;
	struct scd_arena scratch;
	struct scd_field_losses losses;
	struct scd_view view;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void world_open(struct world *world)
{
	*world = (struct world){ .sandbox = scd_sandbox_new(true) };
	require(world->sandbox);
	scd_arena_init(&world->scratch, ARENA_CHUNK_BYTES, SCD_LIMIT_EVENT_ARENA_BYTES);
}

static void world_close(struct world *world)
{
	scd_sandbox_free(&world->sandbox);
	scd_arena_done(&world->scratch);
}

static void world_apply(struct world *world, const struct scd_event *event)
{
	static const struct scd_host host = { SCD_STR_INIT("host"), SCD_STR_INIT("boot") };
	struct scd_process_ref process;

	scd_arena_reset(&world->scratch);
	require(scd_sandbox_apply(world->sandbox, event, &process) == 0);
	world->view = (struct scd_view){
		.event = event,
		.sandbox = world->sandbox,
		.process = scd_sandbox_process(world->sandbox, process),
		.host = &host,
		.scratch = &world->scratch,
		.time_ns = event->context.time_ns ? event->context.time_ns : scd_sandbox_time_ns(world->sandbox),
		.losses = &world->losses,
	};
}

/* What fields have while the events go by is what rules will be compared with. */
static void note_values(struct round *round, const struct world *world)
{
	for (size_t i = 0; i < FIELDS_PER_EVENT; i++) {
		struct scd_field_use use;
		struct scd_value value;
		struct scd_str written;

		if (random_field(&round->rng, &round->arena, &use, &written) &&
		    scd_field_get(&use, &world->view, &value))
			random_pool_add(&round->pool, &value, &round->arena);
	}
}

static void make_events(struct round *round)
{
	struct world world;

	world_open(&world);
	for (size_t i = 0; i < EVENTS; i++) {
		round->events[i] = random_event(&round->rng, (unsigned)i, &round->arena);
		world_apply(&world, &round->events[i]);
		note_values(round, &world);
	}
	world_close(&world);
}

static void note_match(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	struct round *round = user;

	(void)view;
	require(!round->matched[rule->index]);
	round->matched[rule->index] = true;
}

static void compare(const struct round *round, const struct world *world)
{
	for (size_t i = 0; i < RULES; i++) {
		bool expected = naive_holds(&round->rules.names, round->rules.conditions[i], &world->view);

		if (round->matched[i] == expected)
			continue;
		fprintf(stderr, "%s\nevent %llu (" SCD_STR_FMT ") %s rule %zu: " SCD_STR_FMT "\n",
		        round->rules.yaml.data, (unsigned long long)world->view.event->sequence,
		        SCD_STR_ARG(scd_kind_name(world->view.event->kind)),
		        expected ? "should match" : "should not match", i, SCD_STR_ARG(round->rules.texts[i]));
		abort();
	}
}

static struct scd_ruleset *load(const struct random_rules *rules)
{
	struct scd_diags diags;

	scd_diags_init(&diags);
	struct scd_ruleset *set = rules_load(rules->yaml.data, &diags);
	if (!set) {
		scd_diags_print(&diags, stderr);
		fputs(rules->yaml.data, stderr);
		abort();
	}
	scd_diags_done(&diags);
	return set;
}

static void run(struct round *round)
{
	struct scd_ruleset *set = load(&round->rules);
	struct scd_evaluator *evaluator = scd_evaluator_new(set);
	struct world world;

	require(evaluator);
	world_open(&world);
	for (size_t i = 0; i < EVENTS; i++) {
		world_apply(&world, &round->events[i]);
		memset(round->matched, 0, sizeof(round->matched));
		scd_evaluator_run(evaluator, &world.view, note_match, round);
		compare(round, &world);
	}
	world_close(&world);
	scd_evaluator_free(&evaluator);
	scd_ruleset_unref(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct random_extent few = { .macro_count = 1, .rule_count = RULES, .depth = 2 };
	struct round *round = calloc(1, sizeof(*round));

	require(round);
	round->rng = (struct scd_rng){ .bytes = data, .bytes_left = size };
	scd_arena_init(&round->arena, ARENA_CHUNK_BYTES, ARENA_BYTES);
	make_events(round);
	random_rules_make(&round->rng, &round->pool, &round->arena, &few, &round->rules);
	run(round);
	random_rules_done(&round->rules);
	scd_arena_done(&round->arena);
	free(round);
	return 0;
}
