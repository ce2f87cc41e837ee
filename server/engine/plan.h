/*
 * Plans: which rules look at an event of a kind, and how to find those that can match it. Inside server/engine only.
 *
 * Kinds with the same rules share a plan. A plan is immutable and lives in its set; candidates are one thread's.
 */
#ifndef SCD_SERVER_ENGINE_PLAN_H
#define SCD_SERVER_ENGINE_PLAN_H

#include "engine/gate.h"

/* A network's size, as the keys of addresses have it. */
struct scd__prefix {
	uint8_t family, bits;
};

/* One question to the value of one expression. */
struct scd__probe {
	enum scd__way way;
	uint32_t index;                        /* NEEDLE: the automaton of the set; DIRECT: the predicate */
	const struct scd__expr *expr;          /* of all but DIRECT */
	const struct scd_strset *keys;         /* TEXT, NUMBER, ADDRESS */
	const struct scd__prefix *prefixes;    /* ADDRESS */
	size_t prefix_count;                   /* the same */
	const struct scd_automaton *automaton; /* BEGINNING, END */
	size_t key_count;
	const uint32_t *first;     /* of each key, where its rules begin in `positions`; and behind the last key */
	const uint32_t *positions; /* rules, as places in the plan */
};

struct scd__plan {
	const uint32_t *rules; /* indices in order of definition */
	size_t count;
	const struct scd__probe *probes; /* none: all rules are candidates */
	size_t probe_count;
	const uint32_t *always; /* positions of the rules without a gate */
	size_t always_count;
};

/* Makes the plans of all kinds, once predicates and gates are finished. -ENOMEM. */
int scd__plans_build(struct scd_ruleset *set);

/*
 * Positions in a plan, taken in their order: a bit for each, and a bit for each word of those that is not 0, so that
 * taking costs as much as there is to be taken.
 */
struct scd__candidates {
	uint64_t *words, *summary;
};

#define SCD__NO_CANDIDATE SIZE_MAX

/* Room for the largest plan of a set. False without memory. */
bool scd__candidates_init(struct scd__candidates *candidates, size_t largest_plan);
void scd__candidates_done(struct scd__candidates *candidates);

/* The first one of a plan of `count` rules, which is then none any more; SCD__NO_CANDIDATE when none is left. */
size_t scd__candidates_take(struct scd__candidates *candidates, size_t count);

/* Makes the rules of a plan that can match the evaluator's event candidates; before, there are none. probe.c */
void scd__plan_probe(const struct scd__plan *plan, struct scd_evaluator *evaluator, const struct scd_view *view,
                     struct scd__candidates *candidates);

/* A network as the key of a set: what an address in it is, too, when asked with its prefix. probe.c */
#define SCD__ADDRESS_KEY_BYTES 18u
void scd__address_key(const struct scd_ip *ip, struct scd__prefix prefix, char ret_key[SCD__ADDRESS_KEY_BYTES]);

#endif
