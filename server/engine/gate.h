/*
 * Gates: what has to hold for a rule to match at all, as far as it can be looked up (gate.c).
 *
 * Inside server/engine only.
 *
 * An atom is a predicate that a value makes true only if one of its keys is found in the value. A gate is a set of
 * atoms; when none of them holds, the rule does not match. It says nothing about when the rule does match.
 */
#ifndef SCD_SERVER_ENGINE_GATE_H
#define SCD_SERVER_ENGINE_GATE_H

#include "engine/program.h"

/* How a value is asked for the keys of an atom. */
enum scd__way {
	SCD__WAY_NONE,      /* not at all: no atom */
	SCD__WAY_TEXT,      /* it is a key */
	SCD__WAY_NUMBER,    /* the same, of numbers and booleans */
	SCD__WAY_ADDRESS,   /* it lies in the network that is the key */
	SCD__WAY_BEGINNING, /* it begins with a key */
	SCD__WAY_END,       /* it ends with one */
	SCD__WAY_NEEDLE,    /* it contains one: needles.h */
	SCD__WAY_DIRECT,    /* the predicate itself is asked: a large set, a tree, a single text to be found */
};

/* What an atom costs beside others: the lower, the more seldom it holds. More than all: no atom, or no gate. */
#define SCD__GATE_OPEN UINT32_MAX

/* The keys of an atom: of which of its constants. */
struct scd__keys {
	enum scd__way way;
	size_t from, count;
};

/* Of a predicate that is finished but for its automaton. Never NEEDLE nor DIRECT for one that is no atom. */
struct scd__keys scd__gate_keys(const struct scd__predicate *predicate);

/* One key of TEXT, BEGINNING, END or NEEDLE; it may be a part of a constant. */
struct scd_str scd__gate_text(const struct scd__predicate *predicate, enum scd__way way, size_t index);

/* Gates while a condition is compiled: the atoms of what was compiled so far, a stack. */
struct scd__gates {
	uint32_t *atoms; /* predicates */
	size_t count, room;
	struct scd_arena *arena; /* where they lie */
};

/*
 * Each returns the cost of a gate whose atoms lie on the stack from `from` on: of a predicate (-ENOMEM otherwise, and
 * the cost in *ret_cost); of two of which both have to hold, the better one; of two of which one has to hold, both.
 * `at`: where the second one begins.
 */
int scd__gate_push(struct scd__gates *gates, const struct scd_ruleset *set, uint32_t predicate, uint32_t *ret_cost);
uint32_t scd__gate_choose(struct scd__gates *gates, size_t from, size_t at, uint32_t first, uint32_t second);
uint32_t scd__gate_unite(struct scd__gates *gates, size_t from, uint32_t first, uint32_t second);

/* The finished gate of a rule, into the set's arena: each atom once, in order of their numbers. -ENOMEM. */
int scd__gate_keep(struct scd__gates *gates, uint32_t cost, struct scd_arena *arena, struct scd__gate *ret_gate);

#endif
