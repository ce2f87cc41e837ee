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
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emit_world.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/pbjson.h"
#include "seccheckd/v1/security_event.pb-c.h"
#include "tests/support/http_server.h"
#include "tests/support/tempdir.h"

/* Alerts that one test may use. */
#define MAX_ALERTS 70000u

struct plane;

/* Changes the reply to a request; the reply says 200 and acknowledges every id. Runs on the server's thread. */
typedef void script_fn(struct plane *plane, unsigned index, struct http_reply *reply,
                       Seccheckd__V1__SecurityEventAck *ack);

/* A control plane, and the world that talks to it. */
struct plane {
	struct emit_world world;
	struct http_server *server;
	struct tempdir dir;
	script_fn *script;
	enum scd_batch_encoding encoding;
	bool no_ack; /* replies have no body but the script's */
	pthread_mutex_t mutex;
	unsigned char received[MAX_ALERTS]; /* how often each alert came */
	uint64_t wanted;                    /* what a condition waits for */
};

/* ---- the server's side ---- */

static Seccheckd__V1__SecurityEventBatch *decode_batch(const struct http_request *request)
{
	struct scd_str body = scd_buf_str(&request->body);
	ProtobufCMessage *message = NULL;
	json_t *json;

	if (strcmp(request->content_type, "application/x-protobuf") == 0)
		return seccheckd__v1__security_event_batch__unpack(NULL, body.len, (const uint8_t *)body.data);
	json = json_loadb(body.data, body.len, 0, NULL);
	if (scd_pbjson_decode(&seccheckd__v1__security_event_batch__descriptor, json, &message) < 0)
		message = NULL;
	json_decref(json);
	return (Seccheckd__V1__SecurityEventBatch *)message;
}

static void encode_ack(const struct plane *plane, const Seccheckd__V1__SecurityEventAck *ack, struct scd_buf *body)
{
	size_t len = seccheckd__v1__security_event_ack__get_packed_size(ack);
	uint8_t *packed = malloc(len + 1);
	json_t *json = NULL;
	char *text = NULL;

	if (plane->encoding == SCD_BATCH_PROTOBUF) {
		seccheckd__v1__security_event_ack__pack(ack, packed);
		scd_buf_append(body, packed, len);
	} else if (scd_pbjson_encode(&ack->base, &json) == 0) {
		text = json_dumps(json, JSON_COMPACT);
		scd_buf_append_str(body, scd_str_from(text));
	}
	json_decref(json);
	free(text);
	free(packed);
}

static void record(struct plane *plane, const Seccheckd__V1__SecurityEventBatch *batch)
{
	pthread_mutex_lock(&plane->mutex);
	for (size_t i = 0; i < batch->n_events; i++) {
		long number = alert_number(batch->events[i]->id);

		if (number >= 0 && (size_t)number < MAX_ALERTS)
			plane->received[number]++;
	}
	pthread_mutex_unlock(&plane->mutex);
}

/* A http_respond_fn. */
static void respond(void *user, const struct http_request *request, unsigned index, struct http_reply *reply)
{
	struct plane *plane = user;
	Seccheckd__V1__SecurityEventBatch *batch = decode_batch(request);
	Seccheckd__V1__SecurityEventAck ack;

	seccheckd__v1__security_event_ack__init(&ack);
	if (!batch) {
		reply->status = 400;
		return;
	}
	record(plane, batch);
	ack.accepted_ids = calloc(batch->n_events + 1, sizeof(char *));
	for (size_t i = 0; i < batch->n_events; i++)
		ack.accepted_ids[ack.n_accepted_ids++] = batch->events[i]->id;
	if (plane->script)
		plane->script(plane, index, reply, &ack);
	if (reply->status == 200 && !reply->body.len && !plane->no_ack)
		encode_ack(plane, &ack, &reply->body);
	free(ack.accepted_ids);
	seccheckd__v1__security_event_batch__free_unpacked(batch, NULL);
}

/* ---- the daemon's side ---- */

static int open_plane(void **state)
{
	struct plane *plane = calloc(1, sizeof(*plane));

	assert_non_null(plane);
	emit_open(&plane->world);
	pthread_mutex_init(&plane->mutex, NULL);
	assert_int_equal(tempdir_make(&plane->dir), 0);
	*state = plane;
	return 0;
}

static int close_plane(void **state)
{
	struct plane *plane = *state;

	emit_close(&plane->world);
	if (plane->server)
		http_server_stop(plane->server);
	pthread_mutex_destroy(&plane->mutex);
	tempdir_remove(&plane->dir);
	free(plane);
	return 0;
}

static void serve(struct plane *plane, script_fn *script)
{
	struct http_server_options options = { .listen_fd = -1, .respond = respond, .user = plane };

	plane->script = script;
	plane->server = http_server_start(&options);
}

/* Retries come fast; url NULL is the server's. */
static void connect_with(struct plane *plane, struct scd_control_plane_options *options, const char *url)
{
	char own_url[64] = "";
	struct scd_error err;

	if (!url)
		snprintf(own_url, sizeof(own_url), "http://127.0.0.1:%u/v1/events", http_server_port(plane->server));
	options->http.url = url ? url : own_url;
	options->http.backoff_min_ms = options->http.backoff_min_ms ? options->http.backoff_min_ms : 1;
	options->http.backoff_max_ms = 10;
	options->encoding = plane->encoding;
	if (scd_emitter_add_control_plane(plane->world.emitter, options, &err) < 0)
		fail_msg("%s", err.what);
}

static void connect_plane(struct plane *plane)
{
	struct scd_control_plane_options options = { .ack_status = false };

	connect_with(plane, &options, NULL);
}

static struct scd_output_status status(const struct plane *plane)
{
	return emit_status(&plane->world, 0);
}

static bool all_delivered(void *user)
{
	const struct plane *plane = user;

	return status(plane).delivered >= plane->wanted;
}

static bool all_settled(void *user)
{
	const struct plane *plane = user;

	return status(plane).delivered + status(plane).rejected >= plane->wanted;
}

static bool has_retried(void *user)
{
	const struct plane *plane = user;

	return status(plane).retries >= plane->wanted;
}

static bool has_requests(void *user)
{
	const struct plane *plane = user;

	return http_server_request_count(plane->server) >= plane->wanted;
}

static void run_until(struct plane *plane, loop_condition_fn *condition, uint64_t wanted)
{
	plane->wanted = wanted;
	assert_true(loop_run_until(&plane->world.loop, condition, plane));
}

static unsigned received(struct plane *plane, unsigned number)
{
	unsigned times;

	pthread_mutex_lock(&plane->mutex);
	times = plane->received[number];
	pthread_mutex_unlock(&plane->mutex);
	return times;
}

/* Numbers of the alerts in a recorded request. */
static size_t request_numbers(struct plane *plane, unsigned index, long *ret_numbers, size_t room)
{
	Seccheckd__V1__SecurityEventBatch *batch = decode_batch(http_server_request(plane->server, index));
	size_t count;

	assert_non_null(batch);
	count = batch->n_events;
	assert_true(count <= room);
	for (size_t i = 0; i < count; i++)
		ret_numbers[i] = alert_number(batch->events[i]->id);
	seccheckd__v1__security_event_batch__free_unpacked(batch, NULL);
	return count;
}

static void assert_drained(struct plane *plane, size_t undelivered)
{
	assert_int_equal(emit_drain(&plane->world, LOOP_DEADLINE_MS), undelivered);
}

/* ---- batches ---- */

static void check_batches(struct plane *plane, enum scd_batch_encoding encoding, const char *content_type)
{
	long numbers[64];
	size_t count = 0;

	plane->encoding = encoding;
	serve(plane, NULL);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 40);
	assert_drained(plane, 0);
	for (unsigned i = 0; i < http_server_request_count(plane->server); i++) {
		const struct http_request *request = http_server_request(plane->server, i);

		assert_string_equal(request->method, "POST");
		assert_string_equal(request->path, "/v1/events");
		assert_string_equal(request->content_type, content_type);
		assert_int_equal(strncmp(request->user_agent, "seccheckd", 9), 0);
		count += request_numbers(plane, i, numbers + count, 64 - count);
	}
	assert_int_equal(count, 40);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(numbers[i], i);
	assert_int_equal(status(plane).delivered, 40);
	assert_int_equal(status(plane).retries, 0);
	assert_int_equal(status(plane).queued, 0);
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

	serve(plane, hold_first);
	connect_with(plane, &options, NULL);
	emit_submit(&plane->world, 0, 8);
	run_until(plane, has_requests, 1);
	http_server_release(plane->server);
	assert_drained(plane, 0);
	assert_int_equal(http_server_request_count(plane->server), 4);
	assert_int_equal(request_numbers(plane, 0, numbers, 3), 1);
	assert_int_equal(request_numbers(plane, 1, numbers, 3), 3);
	assert_int_equal(request_numbers(plane, 2, numbers, 3), 3);
	assert_int_equal(request_numbers(plane, 3, numbers, 3), 1);
}

static void test_control_plane__batches_are_bounded_in_bytes(void **state)
{
	struct plane *plane = *state;
	long numbers[8];

	serve(plane, hold_first);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 1);
	for (unsigned n = 1; n < 4; n++)
		scd_emitter_submit(plane->world.emitter, alert_make_long(n, SCD_LIMIT_BATCH_BYTES / 2));
	scd_emitter_submit(plane->world.emitter, alert_make_long(4, SCD_LIMIT_BATCH_BYTES + 1));
	run_until(plane, has_requests, 1);
	http_server_release(plane->server);
	assert_drained(plane, 0);
	assert_int_equal(http_server_request_count(plane->server), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(request_numbers(plane, i, numbers, 8), 1);
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
	open_plane(&state);
	plane = state;
	serve(plane, fail_first_two);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 5);
	assert_drained(plane, 0);
	assert_int_equal(status(plane).delivered, 5);
	assert_int_equal(status(plane).retries, 2);
	assert_int_equal(received(plane, 0), 3);
	for (unsigned i = 0; i < http_server_request_count(plane->server); i++)
		assert_string_equal(http_server_request(plane->server, i)->path, "/v1/events");
	close_plane(&state);
}

static void test_control_plane__failures_that_may_pass_are_tried_again_without_loss(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
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

	serve(plane, ask_for_a_second);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 1);
	run_until(plane, has_retried, 1);
	start_ns = uv_hrtime();
	run_until(plane, all_delivered, 1);
	assert_true(uv_hrtime() - start_ns >= UINT64_C(900000000));
	assert_drained(plane, 0);
}

static void test_control_plane__that_comes_up_late_gets_everything(void **state)
{
	struct http_server_options server_options = { .respond = respond, .user = *state };
	struct scd_control_plane_options options = { .ack_status = false };
	struct plane *plane = *state;
	char url[64];
	unsigned port;

	server_options.listen_fd = http_server_reserve(&port);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1/events", port);
	connect_with(plane, &options, url);
	emit_submit(&plane->world, 0, 20);
	run_until(plane, has_retried, 3);
	assert_int_equal(status(plane).delivered, 0);
	plane->server = http_server_start(&server_options);
	assert_drained(plane, 0);
	for (unsigned n = 0; n < 20; n++)
		assert_int_equal(received(plane, n), 1);
}

static void test_control_plane__that_does_not_answer_is_tried_again(void **state)
{
	struct scd_control_plane_options options = { .http.timeout_ms = 50 };
	struct plane *plane = *state;

	serve(plane, hold_first);
	connect_with(plane, &options, NULL);
	emit_submit(&plane->world, 0, 1);
	assert_drained(plane, 0);
	assert_int_equal(status(plane).retries, 1);
	assert_int_equal(received(plane, 0), 2);
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
	serve(plane, answer_too_much_once);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 1);
	assert_drained(plane, 0);
	assert_int_equal(status(plane).retries, 1);
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

	serve(plane, accept_half);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 9);
	run_until(plane, has_requests, 1);
	http_server_release(plane->server);
	assert_drained(plane, 0);
	assert_int_equal(status(plane).delivered, 9);
	assert_int_equal(status(plane).retries, 0);
	assert_int_equal(http_server_request_count(plane->server), 5); /* 1, then 8, 4, 2, 1 */
	assert_int_equal(request_numbers(plane, 2, numbers, 8), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(numbers[i], 5 + i);
	assert_int_equal(received(plane, 4), 1);
	assert_int_equal(received(plane, 8), 4);
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
	encode_ack(plane, ack, &reply->body);
	ack->n_rejected = 0;
	ack->rejected = NULL;
}

static void test_ack__what_is_rejected_is_counted_and_not_sent_again(void **state)
{
	struct plane *plane = *state;

	serve(plane, reject_all);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 1);
	run_until(plane, all_settled, 1);
	assert_drained(plane, 0);
	assert_int_equal(status(plane).rejected, 1);
	assert_int_equal(status(plane).delivered, 0);
	assert_int_equal(received(plane, 0), 1);
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
		encode_ack(plane, &confused, &reply->body);
	}
	ack->n_rejected = 0;
	ack->rejected = NULL;
}

static void test_ack__each_alert_is_settled_once_whatever_the_answer_repeats(void **state)
{
	struct plane *plane = *state;

	serve(plane, confuse);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 3);
	assert_drained(plane, 0);
	assert_int_equal(status(plane).delivered, 3);
	assert_int_equal(status(plane).rejected, 0);
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

	serve(plane, accept_none_twice);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 1);
	assert_drained(plane, 0);
	assert_int_equal(status(plane).retries, 2);
	assert_int_equal(status(plane).delivered, 1);
}

static void test_ack__a_bare_status_is_enough_where_configured(void **state)
{
	struct scd_control_plane_options options = { .ack_status = true };
	struct plane *plane = *state;

	plane->no_ack = true;
	serve(plane, NULL);
	connect_with(plane, &options, NULL);
	emit_submit(&plane->world, 0, 5);
	assert_drained(plane, 0);
	assert_int_equal(status(plane).delivered, 5);
	assert_int_equal(status(plane).retries, 0);
}

static void refuse_first(struct plane *plane, unsigned index, struct http_reply *reply,
                         Seccheckd__V1__SecurityEventAck *ack)
{
	(void)plane;
	(void)ack;
	if (index == 0)
		reply->status = 400;
}

static void test_control_plane__a_refused_batch_is_dropped_and_the_next_goes_on(void **state)
{
	struct plane *plane = *state;

	serve(plane, refuse_first);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 4);
	run_until(plane, all_settled, 4);
	assert_int_equal(status(plane).rejected, 1); /* the first batch was the first alert */
	assert_int_equal(status(plane).delivered, 3);
	assert_int_equal(received(plane, 0), 1);
	assert_drained(plane, 0);
}

/* ---- sockets and certificates ---- */

static void test_unix_socket__is_spoken_to_whatever_proxy_the_environment_names(void **state)
{
	struct http_server_options server_options = { .listen_fd = -1, .respond = respond, .user = *state };
	struct scd_control_plane_options options = { .ack_status = false };
	struct plane *plane = *state;
	char url[160];

	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("all_proxy", "http://127.0.0.1:1/", 1);
	server_options.socket_path = tempdir_join(&plane->dir, "plane.sock");
	plane->server = http_server_start(&server_options);
	snprintf(url, sizeof(url), "http+unix://%s:/v1/events", server_options.socket_path);
	connect_with(plane, &options, url);
	emit_submit(&plane->world, 0, 2);
	assert_drained(plane, 0);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_string_equal(http_server_request(plane->server, 0)->path, "/v1/events");
	assert_int_equal(status(plane).retries, 0);
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

/* A certificate for 127.0.0.1 that signs itself. False without the openssl program. */
static bool make_certificate(struct plane *plane)
{
	char command[512];

	snprintf(
	        command, sizeof(command),
	        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 "
	        "-addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
	        plane->dir.path, plane->dir.path);
	return system(command) == 0;
}

static void serve_tls(struct plane *plane, struct scd_control_plane_options *options)
{
	char *cert = read_text(tempdir_join(&plane->dir, "cert.pem"));
	char *key = read_text(tempdir_join(&plane->dir, "key.pem"));
	struct http_server_options server_options = {
		.listen_fd = -1, .tls_cert = cert, .tls_key = key, .respond = respond, .user = plane
	};
	char url[64];

	plane->server = http_server_start(&server_options);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/v1/events", http_server_port(plane->server));
	connect_with(plane, options, url);
	free(cert);
	free(key);
}

static void test_tls__a_server_of_the_configured_authority_is_trusted(void **state)
{
	struct scd_control_plane_options options = { .ack_status = false };
	struct plane *plane = *state;

	if (!make_certificate(plane)) {
		print_message("the program openssl is missing\n");
		skip();
	}
	options.http.ca_cert = tempdir_join(&plane->dir, "cert.pem");
	serve_tls(plane, &options);
	emit_submit(&plane->world, 0, 2);
	assert_drained(plane, 0);
	assert_int_equal(status(plane).delivered, 2);
}

static void test_tls__another_server_gets_nothing_unless_asked_to_be_insecure(void **state)
{
	struct scd_control_plane_options options = { .ack_status = false };
	struct plane *plane = *state;

	if (!make_certificate(plane)) {
		print_message("the program openssl is missing\n");
		skip();
	}
	serve_tls(plane, &options);
	emit_submit(&plane->world, 0, 2);
	run_until(plane, has_retried, 2);
	assert_int_equal(http_server_request_count(plane->server), 0);
	assert_int_equal(emit_drain(&plane->world, 0), 2);
}

static void test_tls__insecure_trusts_anybody(void **state)
{
	struct scd_control_plane_options options = { .http.insecure = true };
	struct plane *plane = *state;

	if (!make_certificate(plane)) {
		print_message("the program openssl is missing\n");
		skip();
	}
	serve_tls(plane, &options);
	emit_submit(&plane->world, 0, 2);
	assert_drained(plane, 0);
}

static void test_tls__a_certificate_that_cannot_be_read_is_an_error_at_once(void **state)
{
	struct scd_control_plane_options options = { .http = { .url = "https://h/", .ca_cert = "/nowhere/ca.pem" } };
	struct plane *plane = *state;
	struct scd_error err;

	assert_int_equal(scd_emitter_add_control_plane(plane->world.emitter, &options, &err), -ENOENT);
	assert_non_null(strstr(err.what, "/nowhere/ca.pem"));
}

static void test_url__that_is_none_is_an_error_at_once(void **state)
{
	struct scd_http_options options = { .url = "ftp://host/" };
	struct plane *plane = *state;
	struct scd_error err;

	assert_int_equal(scd_emitter_add_http(plane->world.emitter, &options, &err), -EINVAL);
	assert_non_null(strstr(err.what, "ftp://host/"));
	assert_non_null(strstr(err.hint, "http+unix"));
	assert_int_equal(scd_emitter_output_count(plane->world.emitter), 0);
}

static void test_name__tells_no_password(void **state)
{
	struct scd_http_options options = { .url = "http://me:hunter2@127.0.0.1:1/x?token=abc" };
	struct plane *plane = *state;
	struct scd_error err;

	assert_int_equal(scd_emitter_add_http(plane->world.emitter, &options, &err), 0);
	assert_string_equal(status(plane).name, "http http://me:<redacted>@127.0.0.1:1/x?token=<redacted>");
}

/* ---- queues and the end ---- */

static void test_queue__that_is_full_drops_the_oldest_and_counts(void **state)
{
	const unsigned more = 10, all = 1 + SCD_LIMIT_OUTPUT_QUEUE_COUNT + more;
	struct scd_control_plane_options options = { .batch_max_count = 4096 };
	struct plane *plane = *state;

	serve(plane, hold_first);
	connect_with(plane, &options, NULL);
	emit_submit(&plane->world, 0, all);
	assert_int_equal(status(plane).dropped, more);
	assert_int_equal(status(plane).queued, 1 + SCD_LIMIT_OUTPUT_QUEUE_COUNT);
	run_until(plane, has_requests, 1);
	http_server_release(plane->server);
	assert_drained(plane, 0);
	assert_int_equal(received(plane, 0), 1);
	for (unsigned n = 1; n < all; n++)
		assert_int_equal(received(plane, n), n > more);
}

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

	serve(plane, hold_all);
	connect_plane(plane);
	connect_plane(plane);
	emit_submit(&plane->world, 0, 6);
	run_until(plane, has_requests, 2);
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
	run_until(plane, has_retried, 1);
	assert_int_equal(emit_drain(&plane->world, 20), 3);
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
	assert_drained(plane, 0);
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

#define PLANE_TEST(name) cmocka_unit_test_setup_teardown(name, open_plane, close_plane)

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
		PLANE_TEST(test_control_plane__a_refused_batch_is_dropped_and_the_next_goes_on),
		PLANE_TEST(test_unix_socket__is_spoken_to_whatever_proxy_the_environment_names),
		PLANE_TEST(test_tls__a_server_of_the_configured_authority_is_trusted),
		PLANE_TEST(test_tls__another_server_gets_nothing_unless_asked_to_be_insecure),
		PLANE_TEST(test_tls__insecure_trusts_anybody),
		PLANE_TEST(test_tls__a_certificate_that_cannot_be_read_is_an_error_at_once),
		PLANE_TEST(test_url__that_is_none_is_an_error_at_once),
		PLANE_TEST(test_name__tells_no_password),
		PLANE_TEST(test_queue__that_is_full_drops_the_oldest_and_counts),
		PLANE_TEST(test_drain__counts_each_alert_once_at_the_deadline),
		PLANE_TEST(test_drain__while_a_retry_is_due_far_ahead_ends_at_the_deadline),
		PLANE_TEST(test_http_output__posts_one_alert_object_at_a_time),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
