/*
 * `contains` and `icontains` of all rules: what is looked for in the same field or transformer is looked for at once.
 * Inside server/engine only.
 *
 * A rule set has one automaton for each expression and each of the two operators, as far as several texts are looked
 * for there. The first check that asks for one of them in an event pays for all.
 */
#ifndef SCD_SERVER_ENGINE_NEEDLES_H
#define SCD_SERVER_ENGINE_NEEDLES_H

#include "engine/program.h"

/* Gives the finished predicates of a set their automatons. -ENOMEM. */
int scd__needles_build(struct scd_ruleset *set);

/* Adds all that a value, or one item of it, contains. */
void scd__needles_find(const struct scd_automaton *automaton, const struct scd_value *value, struct scd_hits *hits);

/* Whether a predicate holds when these were found. */
bool scd__needles_hold(const struct scd__predicate *predicate, const struct scd_hits *hits);

#endif
