/*
 * One alert that the server cannot cope with, whatever it does then: it costs no other alert, and blocks none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "tests/support/plane.h"

#define ALERTS 40
#define POISON 13

struct row {
	const char *name;
	unsigned status;
	bool drop;
	const char *body;
	bool too_long;
};

/* Read by the server's thread between start and stop. */
static const struct row *row_now;
static atomic_bool healed;

static bool has_poison(const Seccheckd__V1__SecurityEventAck *ack)
{
	for (size_t i = 0; i < ack->n_accepted_ids; i++) {
		if (alert_number(ack->accepted_ids[i]) == POISON)
			return true;
	}
	return false;
}

static void suffer(struct plane *plane, unsigned index, struct http_reply *reply, Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)index;
	if (!has_poison(ack) || atomic_load(&healed))
		return;
	reply->status = row_now->status;
	reply->drop = row_now->drop;
	if (row_now->body)
		scd_buf_append_str(&reply->body, scd_str_from(row_now->body));
	while (row_now->too_long && reply->body.len <= SCD_LIMIT_HTTP_ANSWER_BYTES)
		scd_buf_append_char(&reply->body, ' ');
}

static struct plane *open_plane(const struct row *row)
{
	struct plane *plane;
	void *state;

	print_message("%s\n", row->name);
	row_now = row;
	atomic_store(&healed, false);
	plane_open(&state);
	plane = state;
	plane_serve(plane, suffer);
	return plane;
}

static void close_plane(struct plane *plane)
{
	void *state = plane;

	plane_close(&state);
}

static const struct row failures[] = {
	{ .name = "500", .status = 500 },
	{ .name = "503", .status = 503 },
	{ .name = "403, of a filter on the way", .status = 403 },
	{ .name = "429", .status = 429 },
	{ .name = "a connection that is closed", .status = 200, .drop = true },
	{ .name = "an answer that is none", .status = 200, .body = "ok, thanks" },
	{ .name = "an answer that is too long", .status = 200, .too_long = true },
};

static void check_failure(const struct row *row)
{
	struct plane *plane = open_plane(row);

	plane_connect(plane);
	emit_submit(&plane->world, 0, ALERTS);
	plane_run_until(plane, plane_has_delivered, ALERTS - 1);
	assert_int_equal(plane_status(plane).queued, 1);
	emit_submit(&plane->world, ALERTS, ALERTS); /* it is still there, and in the way of nobody */
	plane_run_until(plane, plane_has_delivered, 2 * ALERTS - 1);
	assert_int_equal(plane_status(plane).queued, 1);
	atomic_store(&healed, true);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).delivered, 2 * ALERTS);
	assert_int_equal(plane_status(plane).dropped + plane_status(plane).rejected, 0);
	assert_true(plane_received(plane, POISON) > 1);
	close_plane(plane);
}

static void test_control_plane__an_alert_that_always_fails_blocks_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(failures); i++)
		check_failure(&failures[i]);
}

static const struct row refusals[] = {
	{ .name = "400", .status = 400 },
	{ .name = "413", .status = 413 },
	{ .name = "422", .status = 422 },
};

static void check_refusal(const struct row *row)
{
	struct plane *plane = open_plane(row);

	plane_connect(plane);
	emit_submit(&plane->world, 0, ALERTS);
	plane_run_until(plane, plane_has_delivered, ALERTS - 1);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).dropped, 1);
	assert_int_equal(plane_status(plane).delivered, ALERTS - 1);
	assert_int_equal(plane_status(plane).retries, 0);
	for (unsigned n = 0; n < ALERTS; n++)
		assert_true(n == POISON || plane_received(plane, n) >= 1);
	close_plane(plane);
}

static void test_control_plane__an_alert_that_is_refused_costs_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(refusals); i++)
		check_refusal(&refusals[i]);
}

/* All of them fail, as the server is down: they stay, and all are delivered when it is up again. */
static void fail_until_healed(struct plane *plane, unsigned index, struct http_reply *reply,
                              Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)index;
	(void)ack;
	reply->status = atomic_load(&healed) ? 200 : 503;
}

static void test_control_plane__a_server_that_is_down_costs_no_alert(void **state)
{
	struct plane *plane = *state;

	atomic_store(&healed, false);
	plane_serve(plane, fail_until_healed);
	plane_connect(plane);
	emit_submit(&plane->world, 0, ALERTS);
	plane_run_until(plane, plane_has_retried, 3 * ALERTS);
	assert_int_equal(plane_status(plane).queued, ALERTS);
	atomic_store(&healed, true);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).delivered, ALERTS);
	assert_int_equal(plane_status(plane).dropped, 0);
}

static void fail_poison_alone(void *user, const struct http_request *request, unsigned index, struct http_reply *reply)
{
	char id[ALERT_ID_BYTES];

	(void)user;
	(void)index;
	alert_id(POISON, id);
	reply->status = memmem(request->body.data, request->body.len, id, strlen(id)) ? 503 : 204;
}

static void test_http_output__an_alert_that_always_fails_blocks_no_other(void **state)
{
	struct http_server_options server_options = { .listen_fd = -1, .respond = fail_poison_alone };
	struct scd_http_options options = { .backoff_min_ms = 1, .backoff_max_ms = 10 };
	struct plane *plane = *state;
	struct scd_error err;
	char url[64];

	plane->server = http_server_start(&server_options);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", http_server_port(plane->server));
	options.url = url;
	assert_int_equal(scd_emitter_add_http(plane->world.emitter, &options, &err), 0);
	emit_submit(&plane->world, 0, ALERTS);
	plane_run_until(plane, plane_has_delivered, ALERTS - 1);
	assert_int_equal(plane_status(plane).queued, 1);
	assert_int_equal(emit_drain(&plane->world, 1), 1);
}

#define PLANE_TEST(name) cmocka_unit_test_setup_teardown(name, plane_open, plane_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control_plane__an_alert_that_always_fails_blocks_no_other),
		cmocka_unit_test(test_control_plane__an_alert_that_is_refused_costs_no_other),
		PLANE_TEST(test_control_plane__a_server_that_is_down_costs_no_alert),
		PLANE_TEST(test_http_output__an_alert_that_always_fails_blocks_no_other),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
