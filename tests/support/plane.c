/*
 * The control plane of tests. Its respond function runs on the server's thread and touches what is behind the mutex,
 * and what does not change while the server runs.
 */
#include "tests/support/plane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/pbjson.h"

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

void plane_encode_ack(const struct plane *plane, const Seccheckd__V1__SecurityEventAck *ack, struct scd_buf *body)
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

		if (number >= 0 && (size_t)number < PLANE_ALERTS)
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
		plane_encode_ack(plane, &ack, &reply->body);
	free(ack.accepted_ids);
	seccheckd__v1__security_event_batch__free_unpacked(batch, NULL);
}

/* ---- the daemon's side ---- */

int plane_open(void **state)
{
	struct plane *plane = calloc(1, sizeof(*plane));

	assert_non_null(plane);
	emit_open(&plane->world);
	pthread_mutex_init(&plane->mutex, NULL);
	assert_int_equal(tempdir_make(&plane->dir), 0);
	*state = plane;
	return 0;
}

int plane_close(void **state)
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

void plane_start(struct plane *plane, struct http_server_options options)
{
	options.respond = respond;
	options.user = plane;
	plane->server = http_server_start(&options);
}

void plane_serve(struct plane *plane, plane_script_fn *script)
{
	struct http_server_options options = { .listen_fd = -1 };

	plane->script = script;
	plane_start(plane, options);
}

void plane_connect_with(struct plane *plane, struct scd_control_plane_options options, const char *url)
{
	char own_url[64] = "";
	struct scd_error err;

	if (!url)
		snprintf(own_url, sizeof(own_url), "http://127.0.0.1:%u/v1/events", http_server_port(plane->server));
	options.http.url = url ? url : own_url;
	options.http.backoff_min_ms = options.http.backoff_min_ms ? options.http.backoff_min_ms : 1;
	options.http.backoff_max_ms = 10;
	options.encoding = plane->encoding;
	if (scd_emitter_add_control_plane(plane->world.emitter, &options, &err) < 0)
		fail_msg("%s", err.what);
}

void plane_connect(struct plane *plane)
{
	struct scd_control_plane_options options = { .ack_status = false };

	plane_connect_with(plane, options, NULL);
}

struct scd_output_status plane_status(const struct plane *plane)
{
	return emit_status(&plane->world, 0);
}

bool plane_has_delivered(void *user)
{
	const struct plane *plane = user;

	return plane_status(plane).delivered >= plane->wanted;
}

bool plane_has_settled(void *user)
{
	const struct plane *plane = user;

	return plane_status(plane).delivered + plane_status(plane).rejected >= plane->wanted;
}

bool plane_has_retried(void *user)
{
	const struct plane *plane = user;

	return plane_status(plane).retries >= plane->wanted;
}

bool plane_has_requests(void *user)
{
	const struct plane *plane = user;

	return http_server_request_count(plane->server) >= plane->wanted;
}

void plane_run_until(struct plane *plane, loop_condition_fn *condition, uint64_t wanted)
{
	plane->wanted = wanted;
	assert_true(loop_run_until(&plane->world.loop, condition, plane));
}

unsigned plane_received(struct plane *plane, unsigned number)
{
	unsigned times;

	pthread_mutex_lock(&plane->mutex);
	times = plane->received[number];
	pthread_mutex_unlock(&plane->mutex);
	return times;
}

size_t plane_request_numbers(struct plane *plane, unsigned index, long *ret_numbers, size_t room)
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

void plane_assert_drained(struct plane *plane, size_t undelivered)
{
	assert_int_equal(emit_drain(&plane->world, LOOP_DEADLINE_MS), undelivered);
}
