/*
 * What the component tests of outputs share: a loop, an emitter, and how they end.
 */
#ifndef SCD_TESTS_COMPONENT_EMIT_WORLD_H
#define SCD_TESTS_COMPONENT_EMIT_WORLD_H

#include "seccheckd/emit/emitter.h"
#include "tests/support/alerts.h"
#include "tests/support/loop.h"

struct emit_world {
	uv_loop_t loop;
	struct scd_emitter *emitter;
	bool drained;
	size_t undelivered;
	unsigned drained_count;
};

static inline void emit_open(struct emit_world *world)
{
	*world = (struct emit_world){ .drained = false };
	assert_int_equal(uv_loop_init(&world->loop), 0);
	world->emitter = scd_emitter_new(&world->loop);
	assert_non_null(world->emitter);
}

static inline void emit_submit(struct emit_world *world, unsigned first, unsigned count)
{
	for (unsigned n = first; n < first + count; n++)
		scd_emitter_submit(world->emitter, alert_make(n));
}

static inline struct scd_output_status emit_status(const struct emit_world *world, size_t output)
{
	struct scd_output_status status;

	scd_emitter_output_status(world->emitter, output, &status);
	return status;
}

static inline void emit_on_drained(void *user, size_t undelivered_count)
{
	struct emit_world *world = user;

	world->drained = true;
	world->drained_count++;
	world->undelivered = undelivered_count;
}

static inline bool emit_has_drained(void *user)
{
	const struct emit_world *world = user;

	return world->drained;
}

/* Drains; returns how many alerts were left. */
static inline size_t emit_drain(struct emit_world *world, unsigned deadline_ms)
{
	scd_emitter_drain(world->emitter, deadline_ms, emit_on_drained, world);
	assert_true(loop_run_until(&world->loop, emit_has_drained, world));
	return world->undelivered;
}

/* Frees the emitter; the loop must be empty then. */
static inline void emit_close(struct emit_world *world)
{
	scd_emitter_free(&world->emitter);
	assert_null(world->emitter);
	loop_finish(&world->loop);
	assert_true(world->drained_count <= 1);
}

#endif
