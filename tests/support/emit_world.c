/* The world of outputs. */
#include "tests/support/emit_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void emit_open(struct emit_world *world)
{
	*world = (struct emit_world){ .drained_count = 0 };
	assert_int_equal(uv_loop_init(&world->loop), 0);
	world->emitter = scd_emitter_new(&world->loop);
	assert_non_null(world->emitter);
}

void emit_close(struct emit_world *world)
{
	scd_emitter_free(&world->emitter);
	assert_null(world->emitter);
	loop_finish(&world->loop);
	assert_true(world->drained_count <= 1);
}

void emit_submit(struct emit_world *world, unsigned first, unsigned count)
{
	for (unsigned n = first; n < first + count; n++)
		scd_emitter_submit(world->emitter, alert_make(n));
}

struct scd_output_status emit_status(const struct emit_world *world, size_t output)
{
	struct scd_output_status status;

	scd_emitter_output_status(world->emitter, output, &status);
	return status;
}

static void on_drained(void *user, size_t undelivered_count)
{
	struct emit_world *world = user;

	world->drained_count++;
	world->undelivered = undelivered_count;
}

static bool has_drained(void *user)
{
	const struct emit_world *world = user;

	return world->drained_count > 0;
}

size_t emit_drain(struct emit_world *world, unsigned deadline_ms)
{
	scd_emitter_drain(world->emitter, deadline_ms, on_drained, world);
	assert_true(loop_run_until(&world->loop, has_drained, world));
	return world->undelivered;
}
