/*
 * A loop with an emitter on it, and how tests of outputs end.
 */
#ifndef SCD_TESTS_SUPPORT_EMIT_WORLD_H
#define SCD_TESTS_SUPPORT_EMIT_WORLD_H

#include "seccheckd/emit/emitter.h"
#include "tests/support/alerts.h"
#include "tests/support/loop.h"

struct emit_world {
	uv_loop_t loop;
	struct scd_emitter *emitter;
	unsigned drained_count; /* how often the end of the drain was told: 0 or 1 */
	size_t undelivered;
};

void emit_open(struct emit_world *world);

/* Frees the emitter and closes the loop, which must be empty then. */
void emit_close(struct emit_world *world);

/* Submits alerts first…first+count-1. */
void emit_submit(struct emit_world *world, unsigned first, unsigned count);

struct scd_output_status emit_status(const struct emit_world *world, size_t output);

/* Drains; returns how many alerts were left. */
size_t emit_drain(struct emit_world *world, unsigned deadline_ms);

#endif
