/*
 * The end of HTTP outputs: what a drain waits for, what it does not, and what it says is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>

#include "tests/support/plane.h"

static void hold_all(struct plane *plane, unsigned index, struct http_reply *reply,
                     Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)index;
	(void)ack;
	reply->hold = true;
}

/* Two outputs have the same alerts left: each is one that is lost. */
static void test_drain__counts_each_alert_once_at_the_deadline(void **state)
{
	struct plane *plane = *state;

	plane_serve(plane, hold_all);
	plane_connect(plane);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 6);
	plane_run_until(plane, plane_has_requests, 2);
	assert_int_equal(emit_drain(&plane->world, 20), 6);
	assert_int_equal(plane->world.drained_count, 1);
}

static void test_drain__while_a_retry_is_due_far_ahead_ends_at_the_deadline(void **state)
{
	struct scd_http_options options = { .url = "http://127.0.0.1:1/",
		                            .backoff_min_ms = 600000,
		                            .backoff_max_ms = 600000 };
	struct plane *plane = *state;
	struct scd_error err;

	assert_int_equal(scd_emitter_add_http(plane->world.emitter, &options, &err), 0);
	emit_submit(&plane->world, 0, 3);
	plane_run_until(plane, plane_has_retried, 1);
	assert_int_equal(emit_drain(&plane->world, 20), 3);
}

/* The server is there again while the back-off is long: the drain does not wait for it. */
static void test_drain__tries_at_once_what_waits_for_its_next_try(void **state)
{
	struct http_server_options server_options = { .listen_fd = -1 };
	struct scd_http_options options = { .backoff_min_ms = 3600000, .backoff_max_ms = 3600000 };
	struct plane *plane = *state;
	struct scd_error err;
	char url[64];
	unsigned port;

	server_options.listen_fd = http_server_reserve(&port);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	options.url = url;
	assert_int_equal(scd_emitter_add_http(plane->world.emitter, &options, &err), 0);
	emit_submit(&plane->world, 0, 2);
	plane_run_until(plane, plane_has_retried, 1);
	plane->server = http_server_start(&server_options);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).delivered, 2);
}

static void ask_for_five_minutes(struct plane *plane, unsigned index, struct http_reply *reply,
                                 Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)ack;
	if (index < 2) {
		reply->status = 503;
		reply->retry_after = "300";
	}
}

/* During a drain no server makes us wait as long as it likes. */
static void test_drain__does_not_honour_retry_after(void **state)
{
	struct plane *plane = *state;

	plane_serve(plane, ask_for_five_minutes);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 1);
	plane_run_until(plane, plane_has_retried, 1);
	plane_assert_drained(plane, 0);
	assert_int_equal(http_server_request_count(plane->server), 3);
}

#define PLANE_TEST(name) cmocka_unit_test_setup_teardown(name, plane_open, plane_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLANE_TEST(test_drain__counts_each_alert_once_at_the_deadline),
		PLANE_TEST(test_drain__while_a_retry_is_due_far_ahead_ends_at_the_deadline),
		PLANE_TEST(test_drain__tries_at_once_what_waits_for_its_next_try),
		PLANE_TEST(test_drain__does_not_honour_retry_after),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
