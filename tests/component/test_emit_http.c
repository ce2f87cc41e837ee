/*
 * The HTTP outputs against a real server that answers as each test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "tests/support/logged.h"
#include "tests/support/plane.h"

/* ---- batches ---- */

static void check_batches(struct plane *plane, enum scd_batch_encoding encoding, const char *content_type)
{
	long numbers[64];
	size_t count = 0;

	plane->encoding = encoding;
	plane_serve(plane, NULL);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 40);
	plane_assert_drained(plane, 0);
	for (unsigned i = 0; i < http_server_request_count(plane->server); i++) {
		const struct http_request *request = http_server_request(plane->server, i);

		assert_string_equal(request->method, "POST");
		assert_string_equal(request->path, "/v1/events");
		assert_string_equal(request->content_type, content_type);
		assert_int_equal(strncmp(request->user_agent, "seccheckd", 9), 0);
		count += plane_request_numbers(plane, i, numbers + count, 64 - count);
	}
	assert_int_equal(count, 40);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(numbers[i], i);
	assert_int_equal(plane_status(plane).delivered, 40);
	assert_int_equal(plane_status(plane).retries, 0);
	assert_int_equal(plane_status(plane).queued, 0);
}

static void test_control_plane__gets_protobuf_batches_in_order(void **state)
{
	check_batches(*state, SCD_BATCH_PROTOBUF, "application/x-protobuf");
}

static void test_control_plane__gets_json_batches_in_order(void **state)
{
	check_batches(*state, SCD_BATCH_JSON, "application/json");
}

static void hold_first(struct plane *plane, unsigned index, struct http_reply *reply,
                       Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)ack;
	reply->hold = index == 0;
}

static void test_control_plane__batches_are_no_larger_than_asked_for(void **state)
{
	struct scd_control_plane_options options = { .batch_max_count = 3 };
	struct plane *plane = *state;
	long numbers[3];

	plane_serve(plane, hold_first);
	plane_connect_with(plane, options, NULL);
	emit_submit(&plane->world, 0, 8);
	plane_run_until(plane, plane_has_requests, 1);
	http_server_release(plane->server);
	plane_assert_drained(plane, 0);
	assert_int_equal(http_server_request_count(plane->server), 4);
	assert_int_equal(plane_request_numbers(plane, 0, numbers, 3), 1);
	assert_int_equal(plane_request_numbers(plane, 1, numbers, 3), 3);
	assert_int_equal(plane_request_numbers(plane, 2, numbers, 3), 3);
	assert_int_equal(plane_request_numbers(plane, 3, numbers, 3), 1);
}

static void test_control_plane__batches_are_bounded_in_bytes(void **state)
{
	struct plane *plane = *state;
	long numbers[8];

	plane_serve(plane, hold_first);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 1);
	for (unsigned n = 1; n < 4; n++)
		scd_emitter_submit(plane->world.emitter, alert_make_long(n, SCD_LIMIT_BATCH_BYTES / 2));
	scd_emitter_submit(plane->world.emitter, alert_make_long(4, SCD_LIMIT_BATCH_BYTES + 1));
	plane_run_until(plane, plane_has_requests, 1);
	http_server_release(plane->server);
	plane_assert_drained(plane, 0);
	assert_int_equal(http_server_request_count(plane->server), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(plane_request_numbers(plane, i, numbers, 8), 1);
}

/* ---- trying again ---- */

struct failure {
	const char *name;
	unsigned status;
	bool drop;
	const char *location;
	const char *body;
};

static const struct failure failures[] = {
	{ .name = "503", .status = 503 },
	{ .name = "500", .status = 500 },
	{ .name = "429", .status = 429 },
	{ .name = "408", .status = 408 },
	{ .name = "401, an expired token", .status = 401 },
	{ .name = "403", .status = 403 },
	{ .name = "404, a wrong path", .status = 404 },
	{ .name = "405", .status = 405 },
	{ .name = "redirect", .status = 302, .location = "/elsewhere" },
	{ .name = "connection closed", .status = 200, .drop = true },
	{ .name = "no SecurityEventAck", .status = 200, .body = "ok, thanks" },
};
static const struct failure *failure_now; /* read by the server's thread between start and stop */

static void fail_first_two(struct plane *plane, unsigned index, struct http_reply *reply,
                           Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)ack;
	if (index >= 2)
		return;
	reply->status = failure_now->status;
	reply->drop = failure_now->drop;
	reply->location = failure_now->location;
	if (failure_now->body)
		scd_buf_append_str(&reply->body, scd_str_from(failure_now->body));
}

static void check_failure(const struct failure *failure)
{
	struct plane *plane;
	void *state;

	print_message("%s\n", failure->name);
	failure_now = failure;
	plane_open(&state);
	plane = state;
	plane_serve(plane, fail_first_two);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 5);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).delivered, 5);
	assert_int_equal(plane_status(plane).retries, 2);
	assert_int_equal(plane_received(plane, 0), 3);
	for (unsigned i = 0; i < http_server_request_count(plane->server); i++)
		assert_string_equal(http_server_request(plane->server, i)->path, "/v1/events");
	plane_close(&state);
}

static void test_control_plane__failures_that_may_pass_are_tried_again_without_loss(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(failures); i++)
		check_failure(&failures[i]);
}

static void ask_for_a_second(struct plane *plane, unsigned index, struct http_reply *reply,
                             Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)ack;
	if (index == 0) {
		reply->status = 429;
		reply->retry_after = "1";
	}
}

static void test_control_plane__retry_after_is_honoured(void **state)
{
	struct plane *plane = *state;
	uint64_t start_ns;

	plane_serve(plane, ask_for_a_second);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 1);
	plane_run_until(plane, plane_has_retried, 1);
	start_ns = uv_hrtime();
	plane_run_until(plane, plane_has_delivered, 1);
	assert_true(uv_hrtime() - start_ns >= UINT64_C(900000000));
	plane_assert_drained(plane, 0);
}

static void test_control_plane__that_comes_up_late_gets_everything(void **state)
{
	struct http_server_options server_options = { .listen_fd = -1 };
	struct scd_control_plane_options options = { .ack_status = false };
	struct plane *plane = *state;
	struct logged logged;
	char url[64], *log;
	unsigned port;

	server_options.listen_fd = http_server_reserve(&port);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1/events", port);
	plane_connect_with(plane, options, url);
	emit_submit(&plane->world, 0, 20);
	plane_run_until(plane, plane_has_retried, 3);
	assert_int_equal(plane_status(plane).delivered, 0);
	logged_start(&logged);
	plane_start(plane, server_options);
	plane_assert_drained(plane, 0);
	log = logged_stop(&logged);
	assert_non_null(strstr(log, ": works again\n"));
	assert_null(strstr(strstr(log, ": works again\n") + 1, ": works again\n"));
	free(log);
	for (unsigned n = 0; n < 20; n++)
		assert_int_equal(plane_received(plane, n), 1);
}

static void test_control_plane__that_does_not_answer_is_tried_again(void **state)
{
	struct scd_control_plane_options options = { .http.timeout_ms = 50 };
	struct plane *plane = *state;

	plane_serve(plane, hold_first);
	plane_connect_with(plane, options, NULL);
	emit_submit(&plane->world, 0, 1);
	plane_assert_drained(plane, 0);
	assert_true(plane_status(plane).retries >= 1);
	assert_true(plane_received(plane, 0) >= 2);
}

static void answer_too_much_once(struct plane *plane, unsigned index, struct http_reply *reply,
                                 Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)ack;
	for (unsigned i = 0; index == 0 && i <= SCD_LIMIT_HTTP_ANSWER_BYTES; i++)
		scd_buf_append_char(&reply->body, ' ');
}

static void test_control_plane__an_answer_over_the_limit_is_none(void **state)
{
	struct plane *plane = *state;

	plane->encoding = SCD_BATCH_JSON;
	plane_serve(plane, answer_too_much_once);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 1);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).retries, 1);
}

/* ---- answers ---- */

/* Of each batch the first half, rounded up. */
static void accept_half(struct plane *plane, unsigned index, struct http_reply *reply,
                        Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)reply;
	if (index)
		ack->n_accepted_ids = (ack->n_accepted_ids + 1) / 2;
	else
		reply->hold = true;
}

static void test_ack__what_is_not_named_is_sent_again_in_order(void **state)
{
	struct plane *plane = *state;
	long numbers[8];

	plane_serve(plane, accept_half);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 9);
	plane_run_until(plane, plane_has_requests, 1);
	http_server_release(plane->server);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).delivered, 9);
	assert_int_equal(plane_status(plane).retries, 0);
	assert_int_equal(http_server_request_count(plane->server), 5); /* 1, then 8, 4, 2, 1 */
	assert_int_equal(plane_request_numbers(plane, 2, numbers, 8), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(numbers[i], 5 + i);
	assert_int_equal(plane_received(plane, 4), 1);
	assert_int_equal(plane_received(plane, 8), 4);
}

static void reject_all(struct plane *plane, unsigned index, struct http_reply *reply,
                       Seccheckd__V1__SecurityEventAck *ack)
{
	Seccheckd__V1__Rejection rejection, *rejected[] = { &rejection };
	char reason[] = "unknown sandbox";

	(void)index;
	(void)reply;
	seccheckd__v1__rejection__init(&rejection);
	rejection.id = ack->accepted_ids[0];
	rejection.reason = reason;
	ack->n_accepted_ids = 0;
	ack->n_rejected = 1;
	ack->rejected = rejected;
	plane_encode_ack(plane, ack, &reply->body);
	ack->n_rejected = 0;
	ack->rejected = NULL;
}

static void test_ack__what_is_rejected_is_counted_and_not_sent_again(void **state)
{
	struct plane *plane = *state;

	plane_serve(plane, reject_all);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 1);
	plane_run_until(plane, plane_has_settled, 1);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).rejected, 1);
	assert_int_equal(plane_status(plane).delivered, 0);
	assert_int_equal(plane_received(plane, 0), 1);
}

/* Twice the same id, one that is not in the batch, and an accepted one that is rejected as well. */
static void confuse(struct plane *plane, unsigned index, struct http_reply *reply, Seccheckd__V1__SecurityEventAck *ack)
{
	Seccheckd__V1__Rejection rejection, *rejected[] = { &rejection };
	char unknown[] = "ffffffffffffffffffffffffffffffff";
	char *ids[] = { ack->accepted_ids[0], unknown, ack->accepted_ids[0] };

	(void)index;
	seccheckd__v1__rejection__init(&rejection);
	rejection.id = ids[0];
	ack->n_rejected = 1;
	ack->rejected = rejected;
	{
		Seccheckd__V1__SecurityEventAck confused = *ack;

		confused.accepted_ids = ids;
		confused.n_accepted_ids = 3;
		plane_encode_ack(plane, &confused, &reply->body);
	}
	ack->n_rejected = 0;
	ack->rejected = NULL;
}

static void test_ack__each_alert_is_settled_once_whatever_the_answer_repeats(void **state)
{
	struct plane *plane = *state;

	plane_serve(plane, confuse);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 3);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).delivered, 3);
	assert_int_equal(plane_status(plane).rejected, 0);
}

static void accept_none_twice(struct plane *plane, unsigned index, struct http_reply *reply,
                              Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)reply;
	if (index < 2)
		ack->n_accepted_ids = 0;
}

static void test_ack__an_answer_without_progress_backs_off(void **state)
{
	struct plane *plane = *state;

	plane_serve(plane, accept_none_twice);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 1);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).retries, 2);
	assert_int_equal(plane_status(plane).delivered, 1);
}

static void test_ack__a_bare_status_is_enough_where_configured(void **state)
{
	struct scd_control_plane_options options = { .ack_status = true };
	struct plane *plane = *state;

	plane->no_ack = true;
	plane_serve(plane, NULL);
	plane_connect_with(plane, options, NULL);
	emit_submit(&plane->world, 0, 5);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).delivered, 5);
	assert_int_equal(plane_status(plane).retries, 0);
}

static const unsigned refusals[] = { 400, 413, 422 };
static unsigned refusal_now; /* read by the server's thread between start and stop */

static void refuse_first(struct plane *plane, unsigned index, struct http_reply *reply,
                         Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)ack;
	if (index == 0)
		reply->status = refusal_now;
}

static void check_refusal(unsigned status)
{
	struct plane *plane;
	void *state;

	refusal_now = status;
	plane_open(&state);
	plane = state;
	plane_serve(plane, refuse_first);
	plane_connect(plane);
	emit_submit(&plane->world, 0, 4);
	plane_run_until(plane, plane_has_delivered, 3);
	assert_int_equal(plane_status(plane).dropped, 1); /* the first batch was the first alert */
	assert_int_equal(plane_status(plane).rejected, 0);
	assert_int_equal(plane_status(plane).retries, 0);
	assert_int_equal(plane_received(plane, 0), 1);
	plane_assert_drained(plane, 0);
	plane_close(&state);
}

static void test_control_plane__a_batch_whose_content_is_refused_is_dropped_and_the_next_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(refusals); i++)
		check_refusal(refusals[i]);
}

/* ---- queues ---- */

static void test_queue__that_is_full_drops_the_oldest_and_counts(void **state)
{
	const unsigned more = 10, all = 1 + SCD_LIMIT_OUTPUT_QUEUE_COUNT + more;
	struct scd_control_plane_options options = { .batch_max_count = 4096 };
	struct plane *plane = *state;

	plane_serve(plane, hold_first);
	plane_connect_with(plane, options, NULL);
	emit_submit(&plane->world, 0, all);
	assert_int_equal(plane_status(plane).dropped, more);
	assert_int_equal(plane_status(plane).queued, 1 + SCD_LIMIT_OUTPUT_QUEUE_COUNT);
	plane_run_until(plane, plane_has_requests, 1);
	http_server_release(plane->server);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_received(plane, 0), 1);
	for (unsigned n = 1; n < all; n++)
		assert_int_equal(plane_received(plane, n), n > more);
}

/* ---- Falco's http_output ---- */

static void respond_503_first(void *user, const struct http_request *request, unsigned index, struct http_reply *reply)
{
	(void)user;
	(void)request;
	reply->status = index == 0 ? 503 : 204;
}

static void test_http_output__posts_one_alert_object_at_a_time(void **state)
{
	struct http_server_options server_options = { .listen_fd = -1, .respond = respond_503_first };
	struct scd_http_options options = { .user_agent = "falcosecurity/falco", .backoff_min_ms = 1 };
	struct plane *plane = *state;
	struct scd_error err;
	char url[64];

	plane->server = http_server_start(&server_options);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", http_server_port(plane->server));
	options.url = url;
	assert_int_equal(scd_emitter_add_http(plane->world.emitter, &options, &err), 0);
	emit_submit(&plane->world, 0, 3);
	plane_assert_drained(plane, 0);
	assert_int_equal(http_server_request_count(plane->server), 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct http_request *request = http_server_request(plane->server, i);
		json_t *json = json_loadb(request->body.data, request->body.len, 0, NULL);
		const char *id = NULL, *rule = NULL;

		assert_int_equal(json_unpack(json, "{s:s, s:{s:s}}", "rule", &rule, "seccheckd", "event_id", &id), 0);
		assert_string_equal(rule, "Test rule");
		assert_int_equal(alert_number(id), i ? i - 1 : 0);
		assert_string_equal(request->content_type, "application/json");
		assert_string_equal(request->user_agent, "falcosecurity/falco");
		json_decref(json);
	}
}

#define PLANE_TEST(name) cmocka_unit_test_setup_teardown(name, plane_open, plane_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLANE_TEST(test_control_plane__gets_protobuf_batches_in_order),
		PLANE_TEST(test_control_plane__gets_json_batches_in_order),
		PLANE_TEST(test_control_plane__batches_are_no_larger_than_asked_for),
		PLANE_TEST(test_control_plane__batches_are_bounded_in_bytes),
		cmocka_unit_test(test_control_plane__failures_that_may_pass_are_tried_again_without_loss),
		PLANE_TEST(test_control_plane__retry_after_is_honoured),
		PLANE_TEST(test_control_plane__that_comes_up_late_gets_everything),
		PLANE_TEST(test_control_plane__that_does_not_answer_is_tried_again),
		PLANE_TEST(test_control_plane__an_answer_over_the_limit_is_none),
		PLANE_TEST(test_ack__what_is_not_named_is_sent_again_in_order),
		PLANE_TEST(test_ack__what_is_rejected_is_counted_and_not_sent_again),
		PLANE_TEST(test_ack__each_alert_is_settled_once_whatever_the_answer_repeats),
		PLANE_TEST(test_ack__an_answer_without_progress_backs_off),
		PLANE_TEST(test_ack__a_bare_status_is_enough_where_configured),
		cmocka_unit_test(test_control_plane__a_batch_whose_content_is_refused_is_dropped_and_the_next_goes_on),
		PLANE_TEST(test_queue__that_is_full_drops_the_oldest_and_counts),
		PLANE_TEST(test_http_output__posts_one_alert_object_at_a_time),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
