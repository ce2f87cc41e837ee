/*
 * libuv loops in tests: run until something is true, end clean.
 */
#ifndef SCD_TESTS_SUPPORT_LOOP_H
#define SCD_TESTS_SUPPORT_LOOP_H

#include <stdbool.h>
#include <uv.h>

/* Far more than anything takes, also under a sanitizer on a busy machine: it only ends tests that hang. */
#define LOOP_DEADLINE_MS 60000

/* Runs the loop until the condition holds; it is asked again at least every few milliseconds. False at the deadline. */
typedef bool loop_condition_fn(void *user);
bool loop_run_until(uv_loop_t *loop, loop_condition_fn *condition, void *user);

/* Runs the loop until nothing is left and closes it. Fails the test when a handle was left open. */
void loop_finish(uv_loop_t *loop);

#endif
