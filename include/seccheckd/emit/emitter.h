/*
 * Outputs: where alerts go.
 *
 * An emitter owns a set of outputs on one libuv loop and gives every alert to each of them. Each output has its own
 * bounded queue, so that a slow one delays nobody. What does not fit is dropped and counted: the oldest alert of the
 * sandbox that has most in that queue, so that a flood by one does not take the place of another. Delivery to the
 * control plane is at least once while the process lives; the durable spool that will carry alerts over restarts
 * is not there yet.
 *
 *   new → add_… → submit…, post… → drain → (on_drained) → free
 *
 * Everything is called on the loop's thread, but for scd_emitter_post and scd_emitter_counters.
 */
#ifndef SECCHECKD_EMIT_EMITTER_H
#define SECCHECKD_EMIT_EMITTER_H

#include <uv.h>

#include "seccheckd/alert/batch.h"
#include "seccheckd/base/error.h"

struct scd_emitter;

/* NULL on exhaustion. */
struct scd_emitter *scd_emitter_new(uv_loop_t *loop);

/*
 * When no output has an alert any more: none was ever submitted (a start that failed after the first outputs were
 * added), or the drain has ended. A bug otherwise: nothing would tell what became of the rest. Closes handles, so the
 * loop must run once more. Accepts NULL and a pointer to NULL.
 */
void scd_emitter_free(struct scd_emitter **emitter);

/*
 * JSON lines to a descriptor that stays the caller's (standard output). Never blocks the loop. The program ignores
 * SIGPIPE: when nobody reads any more, the output is dead, and what it is given is dropped and counted.
 */
int scd_emitter_add_stream(struct scd_emitter *emitter, int fd, const char *name, struct scd_error *err);

/*
 * JSON lines appended to a file, 0600, created if need be. A write that fails (disk full) is retried; the line is not
 * torn.
 */
int scd_emitter_add_file(struct scd_emitter *emitter, const char *path, struct scd_error *err);

/*
 * The same in two steps, for who may open files now and makes the emitter when that may be different: a descriptor to
 * append to this file, and the output that writes there. The path of the second only names it. It takes over the
 * descriptor, also when it fails.
 */
int scd_emitter_open_file(const char *path, int *ret_fd, struct scd_error *err);
int scd_emitter_add_open_file(struct scd_emitter *emitter, int fd, const char *path, struct scd_error *err);

/*
 * The content of a file of certificates or of a key: what an HTTP output is given, so that it reads no file later. In
 * memory that no core has. Not looked at, but that it is there: libcurl says what is wrong with it, with each request.
 * Its file may not be empty, nor longer than SCD_LIMIT_PEM_BYTES. 0 or negative errno with err, which names the file.
 */
struct scd_pem {
	char *data;
	size_t len; /* 0: there is none */
};
int scd_pem_read(const char *path, struct scd_pem *ret_pem, struct scd_error *err);

/* Gives the memory back to the kernel. Accepts one of zeros. */
void scd_pem_done(struct scd_pem *pem);

/*
 * TLS and time-outs shared by both HTTP outputs. Strings and PEM are copied. NULL and 0 are the defaults
 * (base/defaults.h).
 */
struct scd_http_options {
	const char *url;        /* http://, https://, or http+unix:///path/to/socket:/request/path */
	const char *user_agent; /* NULL: "seccheckd" */
	struct scd_pem ca_cert, client_cert, client_key;
	bool insecure;           /* do not verify the server: tests only */
	unsigned timeout_ms;     /* of one request */
	unsigned backoff_min_ms; /* first retry; doubled each time, full jitter */
	unsigned backoff_max_ms;
};

/*
 * Whether an HTTP output can be made for this URL: what a configuration is checked with. 0, -EINVAL with err,
 * -ENOMEM.
 */
int scd_emitter_check_url(const char *url, struct scd_error *err);

/* Whether looking up a host's name holds up the loop, as this libcurl has no threads for that. */
bool scd_emitter_may_wait_for_names(void);

/* What posts to a URL connect to. */
struct scd_emitter_route {
	uint16_t ports[2]; /* of the host; of the proxy that libcurl takes from the environment */
	size_t port_count;
	char socket_path[108]; /* of a Unix socket; then there are no ports. Else empty */
};

/* For a URL that was checked. 0 or -ENOMEM. */
int scd_emitter_route_of(const char *url, struct scd_emitter_route *ret_route);

/* Falco's http_output: one alert object per POST, JSON. */
int scd_emitter_add_http(struct scd_emitter *emitter, const struct scd_http_options *options, struct scd_error *err);

struct scd_control_plane_options {
	struct scd_http_options http;
	enum scd_batch_encoding encoding;
	bool ack_status;          /* a bare 2xx accepts the whole batch; else the body's ids count */
	unsigned batch_max_count; /* 0: the default */
};
int scd_emitter_add_control_plane(struct scd_emitter *emitter, const struct scd_control_plane_options *options,
                                  struct scd_error *err);

/*
 * Calls on_dead once, from the loop, when the last output that could deliver has died (a stream that nobody reads any
 * more): whatever is submitted from then on is lost. Not called during a drain; must not free the emitter.
 */
typedef void scd_dead_fn(void *user);
void scd_emitter_on_dead(struct scd_emitter *emitter, scd_dead_fn *on_dead, void *user);

/* Gives the alert to every output; takes over the caller's reference. */
void scd_emitter_submit(struct scd_emitter *emitter, struct scd_alert *alert);

/*
 * The same from any thread: takes over the reference, and never waits for an output. What one thread posts of one
 * sandbox comes to every output in the order in which it was posted, and behind what the loop's thread had submitted
 * by then; sandboxes take turns, and nothing else is ordered. Between the threads there is room for as much as in the
 * queue of an output. What does not fit is lost to all outputs, and counted: the oldest alert of the sandbox that has
 * most there.
 *
 * May be called until scd_emitter_free begins. What was posted before the drain began is part of it; what is posted
 * once it has found every output empty, or at its deadline, is dropped and counted.
 */
void scd_emitter_post(struct scd_emitter *emitter, struct scd_alert *alert);

/*
 * What waits for its next try is tried at once, and then with waits of half a second at most. Calls on_drained once,
 * from the loop, when every output is empty or after deadline_ms: with the number of alerts that
 * some output still had, each counted once. A peer that does not read is not waited for; a write to a disk that has
 * begun is, since the kernel does not take it back. on_drained may free the emitter. Alerts that are submitted later
 * are dropped.
 */
typedef void scd_drained_fn(void *user, size_t undelivered_count);
void scd_emitter_drain(struct scd_emitter *emitter, unsigned deadline_ms, scd_drained_fn *on_drained, void *user);

/* X(member, "help") — one counter each; names become metrics. */
#define SCD_OUTPUT_COUNTERS(X)                                                                       \
	X(delivered, "Alerts that were taken.")                                                      \
	X(dropped, "Alerts that were lost: queue full, output dead, or a batch refused as a whole.") \
	X(rejected, "Alerts that the receiver's answer names and does not want.")                    \
	X(retries, "Times that something was tried again.")

struct scd_output_status {
	const char *name;
#define X(member, help) uint64_t member;
	SCD_OUTPUT_COUNTERS(X)
#undef X
	size_t queued;
};

/* X(member, "help") — one counter each; names become metrics. */
#define SCD_EMITTER_COUNTERS(X)                           \
	X(posted, "Alerts that came from other threads.") \
	X(dropped, "Alerts that were lost on the way from other threads, before any output had them.")

struct scd_emitter_counters {
#define X(member, help) uint64_t member;
	SCD_EMITTER_COUNTERS(X)
#undef X
};

/* From any thread. */
void scd_emitter_counters(struct scd_emitter *emitter, struct scd_emitter_counters *ret_counters);

size_t scd_emitter_output_count(const struct scd_emitter *emitter);
void scd_emitter_output_status(const struct scd_emitter *emitter, size_t index, struct scd_output_status *ret_status);

#endif
