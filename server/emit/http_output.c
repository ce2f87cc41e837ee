/*
 * The two HTTP outputs: Falco's http_output (one alert object for each POST) and the control plane (batches, answered
 * with the ids that were taken). They differ in how a batch is made and what a 2xx says about it; sending one batch at
 * a time, in order, and trying again is the same.
 *
 *     idle ─wake─▶ fill the batch ─▶ POST ─┬─ no answer, other status ──▶ wait (back-off, Retry-After) ─▶ fill …
 *                  from the queue          ├─ 400, 413, 422 ─┬─ of several: with half of them again
 *                                          │                 └─ of one: it is dropped ─▶ fill …
 *                                          └─ 2xx: what it accepts and rejects leaves the batch
 *                                               ├─ something did ──▶ fill …
 *                                               └─ nothing did ────▶ wait (back-off) ─▶ fill …
 *
 * What stays in the batch is sent again, in its old order, with newer alerts behind it. A server that has taken a batch
 * whose answer was lost gets it once more: it tells duplicates by their ids.
 *
 * One alert that a server cannot cope with must not cost others, nor block them: a tenant may know how to make it. So a
 * request has fewer alerts after it has failed, and more again with each one that works. When the content of several is
 * refused, halves are tried until the culprit is alone. When a server that was reached goes on failing, alerts are sent
 * one by one, and one that fails alone is put behind all others; it is never given up.
 */
#include <errno.h>
#include <stdlib.h>

#include "backoff.h"
#include "output.h"
#include "post.h"
#include "seccheckd/alert/redact.h"
#include "seccheckd/base/defaults.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/strmap.h"

#define RETRY_AFTER_MAX_S 300u

/* So many failures in a row, and alerts are sent one by one. */
#define FAILURES_MAX 5u

/* An answer that names an alert twice, or accepts and rejects it, is still understood; one with more ids is none. */
#define IDS_PER_ALERT 4u

struct http_output {
	struct scd__output base;
	struct scd__post *post;
	uv_timer_t retry_timer;
	unsigned open_handles; /* the timer and the post */
	struct scd__backoff backoff;
	unsigned retry_after_max_s; /* the longest wait that a server may ask for */
	bool busy;                  /* a POST is under way, or a wait */

	bool single; /* Falco's http_output; the next two are then not looked at */
	bool ack_status;
	enum scd_batch_encoding encoding;

	struct scd_alert **batch;
	bool *settled; /* of each alert in the batch, while an answer is read: accepted or rejected */
	size_t batch_count, batch_max_count;
	size_t batch_bytes; /* packed */
	struct scd_buf body;

	size_t sent_count;      /* how many of the batch, from its head, are in the request under way */
	size_t send_max;        /* and may be in the next one */
	unsigned failure_count; /* in a row, of requests that reached the server */
	bool head_failed_alone; /* others go first, if there are any */
	bool is_suspicious;     /* what failed alone is still there: a failure is its work until that is disproved */
};

static struct http_output *from_base(struct scd__output *base)
{
	return (struct http_output *)base;
}

static const struct http_output *from_const_base(const struct scd__output *base)
{
	return (const struct http_output *)base;
}

/* ---- the batch ---- */

/* Fills up from the queue. The first alert goes whatever its size. */
static void fill_batch(struct http_output *out)
{
	struct scd_alert *next;

	while (out->batch_count < out->batch_max_count && (next = scd__queue_peek(&out->base.queue))) {
		size_t bytes = scd_alert_protobuf(next).len;

		if (out->batch_count && out->batch_bytes + bytes > SCD_LIMIT_BATCH_BYTES)
			return;
		out->batch[out->batch_count++] = scd__queue_pop(&out->base.queue);
		out->batch_bytes += bytes;
	}
}

/* Takes the settled alerts out of the batch, keeps the order of the others. Returns how many went. */
static size_t drop_settled(struct http_output *out)
{
	size_t kept = 0, before = out->batch_count;

	for (size_t i = 0; i < before; i++) {
		if (out->settled[i]) {
			out->batch_bytes -= scd_alert_protobuf(out->batch[i]).len;
			scd_alert_unref(&out->batch[i]);
		} else {
			out->batch[kept++] = out->batch[i];
		}
		out->settled[i] = false;
	}
	out->batch_count = kept;
	return before - kept;
}

/* Gives up the first of the batch, whatever became of them. Their number. */
static size_t settle_first(struct http_output *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out->settled[i] = true;
	return drop_settled(out);
}

/* Puts the first of the batch behind all alerts that wait. */
static void send_head_back(struct http_output *out)
{
	struct scd_alert *head = scd_alert_ref(out->batch[0]);
	size_t dropped_count;

	settle_first(out, 1);
	dropped_count = scd__queue_push(&out->base.queue, head);
	if (dropped_count)
		scd__output_count_dropped(&out->base, dropped_count, "the queue is full");
}

static int encode_request(struct http_output *out)
{
	int r;

	scd_buf_reset(&out->body);
	if (out->single)
		r = scd_alert_json(out->batch[0], &out->body);
	else
		r = scd_batch_encode(out->encoding, out->batch, out->sent_count, &out->body);
	return r < 0 || out->body.failed ? -ENOMEM : 0;
}

/* ---- sending ---- */

static void send_next(struct http_output *out);

static void on_retry_timer(uv_timer_t *timer)
{
	send_next(timer->data);
}

static void retry_later(struct http_output *out, enum scd_log_level level, unsigned retry_after_s, const char *why)
{
	unsigned delay_ms = scd__backoff_next_ms(&out->backoff);

	if (retry_after_s > out->retry_after_max_s)
		retry_after_s = out->retry_after_max_s;
	if (delay_ms < retry_after_s * 1000)
		delay_ms = retry_after_s * 1000;
	scd__output_count_retry(&out->base, level, delay_ms, why);
	uv_timer_start(&out->retry_timer, on_retry_timer, delay_ms, 0);
}

static void become_idle(struct http_output *out)
{
	out->busy = false;
	out->failure_count = 0;
	out->is_suspicious = false;
	scd__output_idle(&out->base);
}

static void send_next(struct http_output *out)
{
	if (out->head_failed_alone && out->batch_count + out->base.queue.count > 1)
		send_head_back(out);
	out->head_failed_alone = false;
	fill_batch(out);
	if (!out->batch_count) {
		become_idle(out);
		return;
	}
	out->busy = true;
	out->sent_count = out->batch_count < out->send_max ? out->batch_count : out->send_max;
	if (encode_request(out) < 0 || scd__post_start(out->post, scd_buf_str(&out->body)) < 0)
		retry_later(out, SCD_LOG_WARNING, 0, "out of memory");
}

/* ---- answers ---- */

/* Ids of the request to the places of their alerts. */
static int map_request(const struct http_output *out, struct scd_strmap *ret_places)
{
	for (size_t i = 0; i < out->sent_count; i++) {
		int r = scd_strmap_put(ret_places, scd_str_from(scd_alert_id(out->batch[i])), &out->settled[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static void log_rejection(const struct http_output *out, const struct scd_ack_entry *entry)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(5);

	scd_log_gated(&gate, SCD_LOG_WARNING, "%s: alert " SCD_STR_FMT " rejected: " SCD_STR_FMT, out->base.name,
	              SCD_STR_ARG(entry->id), SCD_STR_ARG(entry->reason));
}

/* An id that is not in the request, or was named before in the same answer, means nothing. */
static void obey_entry(struct http_output *out, const struct scd_strmap *places, const struct scd_ack_entry *entry)
{
	bool *settled = scd_strmap_get(places, entry->id);

	if (!settled || *settled)
		return;
	*settled = true;
	if (entry->accepted) {
		out->base.delivered++;
	} else {
		out->base.rejected++;
		log_rejection(out, entry);
	}
}

/* Settles what the body of a 2xx accepts and rejects. 0 or negative errno: nothing was settled. */
static int obey_ack(struct http_output *out, struct scd_str body)
{
	struct scd_strmap places;
	struct scd_ack *ack;
	int r = scd_ack_parse(out->encoding, body, IDS_PER_ALERT * out->sent_count, &ack);

	if (r < 0)
		return r;
	scd_strmap_init(&places);
	r = map_request(out, &places);
	for (size_t i = 0; r == 0 && i < scd_ack_count(ack); i++)
		obey_entry(out, &places, scd_ack_entry(ack, i));
	scd_strmap_done(&places);
	scd_ack_free(&ack);
	return r;
}

/* The server was reached, and it did not work. */
static void on_failure(struct http_output *out, enum scd_log_level level, unsigned retry_after_s, const char *why)
{
	bool was_alone = out->sent_count == 1;

	out->failure_count++;
	if (!was_alone && out->is_suspicious)
		out->failure_count = FAILURES_MAX;
	if (out->failure_count < FAILURES_MAX) {
		retry_later(out, level, retry_after_s, why);
		return;
	}
	out->send_max = 1;
	out->head_failed_alone = was_alone;
	if (was_alone || !out->is_suspicious)
		retry_later(out, level, retry_after_s, why);
	else
		send_next(out);
	out->is_suspicious = true;
}

/* Some of the request has left the batch. */
static void on_progress(struct http_output *out)
{
	out->failure_count = 0;
	out->send_max = out->send_max < out->batch_max_count / 2 ? out->send_max * 2 : out->batch_max_count;
	scd__backoff_reset(&out->backoff);
	scd__output_works(&out->base);
	send_next(out);
}

/* A 2xx. */
static void on_success(struct http_output *out, struct scd_str body)
{
	size_t settled_count = 0;
	int r = 0;

	if (out->single || out->ack_status) {
		settled_count = settle_first(out, out->sent_count);
		out->base.delivered += settled_count;
	} else {
		r = obey_ack(out, body);
		settled_count = drop_settled(out);
	}
	if (settled_count)
		on_progress(out);
	else if (r == -ENOMEM)
		retry_later(out, SCD_LOG_WARNING, 0, "out of memory");
	else
		on_failure(out, SCD_LOG_WARNING, 0,
		           r < 0 ? "the answer is no SecurityEventAck" : "the answer names no alert of the batch");
}

/* The content is refused: of one alert, or of one among several. */
static void on_refusal(struct http_output *out, const char *why)
{
	if (out->sent_count > 1)
		out->send_max = out->sent_count / 2;
	else
		scd__output_count_dropped(&out->base, settle_first(out, 1), why);
	scd__backoff_reset(&out->backoff);
	send_next(out);
}

/*
 * Whether a status is about what the batch holds, so that it would be refused again. Every other one is about the way
 * there or about a configuration (a wrong path, an expired token, a redirection), which somebody will put right: until
 * then alerts wait.
 */
static bool is_about_content(long status)
{
	return status == 400 || status == 413 || status == 422;
}

/* Whether it will go on like this until somebody changes something, here or there. */
static bool needs_somebody(long status)
{
	return status >= 300 && status <= 499 && status != 408 && status != 429;
}

/* A scd__answer_fn. */
static void on_answer(void *user, const struct scd__answer *answer)
{
	struct http_output *out = user;
	enum scd_log_level level = needs_somebody(answer->status) ? SCD_LOG_ERROR : SCD_LOG_WARNING;

	if (answer->status >= 200 && answer->status <= 299) {
		on_success(out, answer->body);
	} else if (is_about_content(answer->status)) {
		on_refusal(out, answer->why);
	} else if (answer->was_sent) {
		on_failure(out, level, answer->retry_after_s, answer->why);
	} else {
		retry_later(out, level, answer->retry_after_s, answer->why);
	}
}

/* ---- what the emitter asks for ---- */

static void wake(struct scd__output *base)
{
	struct http_output *out = from_base(base);

	if (!out->busy)
		send_next(out);
}

static size_t pending_count(const struct scd__output *base)
{
	return from_const_base(base)->batch_count;
}

static struct scd_alert *pending_at(const struct scd__output *base, size_t index)
{
	return from_const_base(base)->batch[index];
}

static void hurry(struct scd__output *base)
{
	struct http_output *out = from_base(base);

	scd__backoff_cap(&out->backoff, SCD__DRAIN_WAIT_MS);
	out->retry_after_max_s = 0;
	if (!uv_is_active((uv_handle_t *)&out->retry_timer))
		return;
	uv_timer_stop(&out->retry_timer);
	send_next(out);
}

static void stop(struct scd__output *base)
{
	struct http_output *out = from_base(base);

	uv_timer_stop(&out->retry_timer);
	scd__post_cancel(out->post);
	scd__output_stopped(base);
}

static void free_output(struct http_output *out)
{
	scd_buf_done(&out->body);
	free(out->settled);
	free(out->batch);
	free(out);
}

static void on_part_closed(struct http_output *out)
{
	if (--out->open_handles)
		return;
	scd__output_closed(&out->base);
	free_output(out);
}

static void on_post_closed(void *user)
{
	on_part_closed(user);
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

static void close_output(struct scd__output *base)
{
	struct http_output *out = from_base(base);

	settle_first(out, out->batch_count);
	uv_close((uv_handle_t *)&out->retry_timer, on_timer_closed);
	scd__post_close(out->post, on_post_closed);
}

static const struct scd__output_ops ops = {
	.wake = wake,
	.hurry = hurry,
	.pending_count = pending_count,
	.pending_at = pending_at,
	.stop = stop,
	.close = close_output,
};

/* ---- making one ---- */

/* `KIND URL`, without the secrets that a URL may hold. */
static int add_to_emitter(struct scd_emitter *emitter, struct http_output *out, const char *kind, const char *url)
{
	struct scd_arena arena;
	struct scd_str shown, name;
	int r = -ENOMEM;

	scd_arena_init(&arena, 1024, 0);
	shown = scd_redact_text(scd_str_from(url), &arena);
	name = scd_arena_printf(&arena, "%s " SCD_STR_FMT, kind, SCD_STR_ARG(shown));
	if (name.data)
		r = scd__output_add(emitter, &out->base, &ops, name.data);
	scd_arena_done(&arena);
	return r;
}

static void init_timer(struct http_output *out)
{
	uv_timer_init(scd__emitter_loop(out->base.emitter), &out->retry_timer);
	out->retry_timer.data = out;
	out->open_handles = 2;
}

static void on_orphan_closed(void *user)
{
	free_output(user);
}

/* Takes over out, also on failure. */
static int add_output(struct scd_emitter *emitter, struct http_output *out, const struct scd_http_options *options,
                      const char *kind, struct scd_error *err)
{
	const char *content_type = scd_batch_content_type(out->single ? SCD_BATCH_JSON : out->encoding);
	int r;

	r = scd__post_new(scd__emitter_loop(emitter), options, content_type, on_answer, out, &out->post, err);
	if (r < 0) {
		free_output(out);
		return r;
	}
	r = add_to_emitter(emitter, out, kind, options->url);
	if (r < 0) {
		scd__post_close(out->post, on_orphan_closed);
		return scd_error_set(err, r, "out of memory");
	}
	init_timer(out);
	scd__backoff_init(&out->backoff, options->backoff_min_ms, options->backoff_max_ms, NULL);
	return 0;
}

/* An output that is not yet anybody's; NULL on exhaustion. */
static struct http_output *new_output(size_t batch_max_count)
{
	struct http_output *out = calloc(1, sizeof(*out));

	if (!out)
		return NULL;
	if (batch_max_count > SCD_LIMIT_OUTPUT_QUEUE_COUNT)
		batch_max_count = SCD_LIMIT_OUTPUT_QUEUE_COUNT;
	scd_buf_init(&out->body, SIZE_MAX);
	out->retry_after_max_s = RETRY_AFTER_MAX_S;
	out->batch_max_count = batch_max_count;
	out->send_max = batch_max_count;
	out->batch = calloc(batch_max_count, sizeof(struct scd_alert *));
	out->settled = calloc(batch_max_count, sizeof(*out->settled));
	if (out->batch && out->settled)
		return out;
	free_output(out);
	return NULL;
}

int scd_emitter_add_http(struct scd_emitter *emitter, const struct scd_http_options *options, struct scd_error *err)
{
	struct http_output *out = new_output(1);

	if (!out)
		return scd_error_set(err, -ENOMEM, "out of memory");
	out->single = true;
	return add_output(emitter, out, options, "http", err);
}

int scd_emitter_add_control_plane(struct scd_emitter *emitter, const struct scd_control_plane_options *options,
                                  struct scd_error *err)
{
	struct http_output *out = new_output(options->batch_max_count ? options->batch_max_count
	                                                              : SCD_DEFAULT_BATCH_MAX_COUNT);

	if (!out)
		return scd_error_set(err, -ENOMEM, "out of memory");
	out->encoding = options->encoding;
	out->ack_status = options->ack_status;
	return add_output(emitter, out, &options->http, "control plane", err);
}
