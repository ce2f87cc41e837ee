/*
 * A control plane for tests, and the emitter that talks to it: a real HTTP server that decodes batches, remembers how
 * often each alert came, and acknowledges them as a script of the test says.
 *
 *   open → serve, connect → … → close
 */
#ifndef SCD_TESTS_SUPPORT_PLANE_H
#define SCD_TESTS_SUPPORT_PLANE_H

#include <pthread.h>

#include "seccheckd/v1/security_event.pb-c.h"
#include "tests/support/emit_world.h"
#include "tests/support/http_server.h"
#include "tests/support/tempdir.h"

/* Alerts that one test may use. */
#define PLANE_ALERTS 70000u

struct plane;

/*
 * Changes the reply to a request, which says 200 and acknowledges every id; one with a body is sent as it is. Runs on
 * the server's thread.
 */
typedef void plane_script_fn(struct plane *plane, unsigned index, struct http_reply *reply,
                             Seccheckd__V1__SecurityEventAck *ack);

struct plane {
	struct emit_world world;
	struct http_server *server;
	struct tempdir dir;
	plane_script_fn *script;
	enum scd_batch_encoding encoding;
	bool no_ack; /* replies have no body but the script's */
	pthread_mutex_t mutex;
	unsigned char received[PLANE_ALERTS]; /* how often each alert came */
	uint64_t wanted;                      /* what a condition waits for */
};

/* For cmocka: setup and teardown, the plane as the test's state. */
int plane_open(void **state);
int plane_close(void **state);

/* Starts the server; script NULL changes nothing. start takes further options; their respond and user are set. */
void plane_serve(struct plane *plane, plane_script_fn *script);
void plane_start(struct plane *plane, struct http_server_options options);

/* Adds the output, with short waits between tries. url NULL is the server's. */
void plane_connect(struct plane *plane);
void plane_connect_with(struct plane *plane, struct scd_control_plane_options options, const char *url);

/* Runs the loop until one of these holds for `wanted`. */
void plane_run_until(struct plane *plane, loop_condition_fn *condition, uint64_t wanted);
bool plane_has_delivered(void *plane);
bool plane_has_settled(void *plane); /* delivered or rejected */
bool plane_has_retried(void *plane);
bool plane_has_requests(void *plane);

/* Drains without a deadline that matters. */
void plane_assert_drained(struct plane *plane, size_t undelivered);

struct scd_output_status plane_status(const struct plane *plane);
unsigned plane_received(struct plane *plane, unsigned number);

/* Numbers of the alerts in a recorded request. */
size_t plane_request_numbers(struct plane *plane, unsigned index, long *ret_numbers, size_t room);

/* The body of an answer in the plane's encoding. */
void plane_encode_ack(const struct plane *plane, const Seccheckd__V1__SecurityEventAck *ack, struct scd_buf *body);

#endif
