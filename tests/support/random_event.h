/*
 * Events as a sandbox could tell them, at random: few processes, few words, so that what rules look for happens. Each
 * point is filled as decode fills it.
 */
#ifndef SCD_TESTS_SUPPORT_RANDOM_EVENT_H
#define SCD_TESTS_SUPPORT_RANDOM_EVENT_H

#include "seccheckd/base/arena.h"
#include "seccheckd/event/event.h"
#include "tests/support/rng.h"

/* Strings are static or in the arena. `step` makes the times of a sequence grow. */
struct scd_event random_event(struct scd_rng *rng, unsigned step, struct scd_arena *arena);

/* One of the words that the texts of events are made of. */
struct scd_str random_word(struct scd_rng *rng);

#endif
