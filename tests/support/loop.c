/* A repeated timer wakes the loop for conditions that another thread makes true. */
#include "tests/support/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LOOK_EVERY_MS 5

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void on_tick_closed(uv_handle_t *handle)
{
	*(bool *)handle->data = true;
}

bool loop_run_until(uv_loop_t *loop, loop_condition_fn *condition, void *user)
{
	uint64_t deadline = uv_hrtime() + (uint64_t)LOOP_DEADLINE_MS * 1000000;
	bool holds = condition(user), closed = false;
	uv_timer_t tick;

	uv_timer_init(loop, &tick);
	tick.data = &closed;
	uv_timer_start(&tick, on_tick, LOOK_EVERY_MS, LOOK_EVERY_MS);
	while (!holds && uv_hrtime() < deadline) {
		uv_run(loop, UV_RUN_ONCE);
		holds = condition(user);
	}
	uv_close((uv_handle_t *)&tick, on_tick_closed);
	while (!closed)
		uv_run(loop, UV_RUN_NOWAIT);
	return holds;
}

void loop_finish(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}
