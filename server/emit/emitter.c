/*
 * The emitter: a list of outputs, each alert to all of them, and the end of it all.
 *
 * drain waits until every output is idle or the deadline passes; then it stops those that are not, and when each has
 * answered, counts the alerts that some output still has. The end is always told from the emitter's own timer, never
 * from inside an output's callback, so that whoever is told may free the emitter at once.
 *
 * What other threads post waits in between (posted.c), until the loop has been woken for it. The drain looks there too,
 * and shuts it when nothing is left: from then on no alert can come that nobody would account for.
 */
#include "seccheckd/emit/emitter.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "left.h"
#include "output.h"
#include "posted.h"
#include "seccheckd/base/limits.h"
#include "seed.h"

enum emitter_state {
	RUNNING,
	DRAINING, /* until all are idle or the deadline */
	STOPPING, /* the deadline has passed: until all have stopped */
	DRAINED,
	CLOSING,
};

struct scd_emitter {
	uv_loop_t *loop;
	uv_timer_t timer;     /* the deadline, and the way out of callbacks */
	uint64_t deadline_ms; /* of the loop's clock */
	enum emitter_state state;
	struct scd__output **outputs;
	size_t output_count;
	size_t open_count; /* outputs and handles: what is not yet closed */
	struct scd__posted posted;
	uv_async_t something_posted;     /* does not keep the loop alive */
	struct scd_log_gate posted_gate; /* of posts that cost an alert */
	scd_drained_fn *on_drained;
	void *user;
	scd_dead_fn *on_dead; /* NULL: nobody asks */
	void *dead_user;
};

static void on_something_posted(uv_async_t *something_posted);

/* 0 or negative errno. */
static int open_posted(struct scd_emitter *emitter)
{
	int r = scd__posted_init(&emitter->posted, SCD_LIMIT_OUTPUT_QUEUE_COUNT, SCD_LIMIT_OUTPUT_QUEUE_BYTES);

	if (r < 0)
		return r;
	r = uv_async_init(emitter->loop, &emitter->something_posted, on_something_posted);
	if (r < 0) {
		scd__posted_done(&emitter->posted);
		return r;
	}
	uv_unref((uv_handle_t *)&emitter->something_posted);
	emitter->something_posted.data = emitter;
	emitter->posted_gate = (struct scd_log_gate)SCD_LOG_GATE(1);
	return 0;
}

struct scd_emitter *scd_emitter_new(uv_loop_t *loop)
{
	struct scd_emitter *emitter = calloc(1, sizeof(*emitter));

	if (!emitter)
		return NULL;
	emitter->loop = loop;
	if (open_posted(emitter) < 0) {
		free(emitter);
		return NULL;
	}
	uv_timer_init(loop, &emitter->timer);
	emitter->timer.data = emitter;
	emitter->open_count = 2;
	return emitter;
}

static void closed(struct scd_emitter *emitter)
{
	if (--emitter->open_count)
		return;
	scd__posted_done(&emitter->posted);
	free(emitter->outputs);
	free(emitter);
}

static void on_handle_closed(uv_handle_t *handle)
{
	closed(handle->data);
}

static bool is_idle(const struct scd__output *output)
{
	return output->queue.count == 0 && output->ops->pending_count(output) == 0;
}

void scd_emitter_free(struct scd_emitter **emitter)
{
	struct scd_emitter *old = emitter ? *emitter : NULL;

	if (!old)
		return;
	*emitter = NULL;
	old->state = CLOSING;
	uv_close((uv_handle_t *)&old->timer, on_handle_closed);
	uv_close((uv_handle_t *)&old->something_posted, on_handle_closed);
	for (size_t i = 0; i < old->output_count; i++) {
		struct scd__output *output = old->outputs[i];

		assert(output->stopped || is_idle(output));
		output->ops->close(output);
	}
}

int scd__output_add(struct scd_emitter *emitter, struct scd__output *output, const struct scd__output_ops *ops,
                    const char *name)
{
	size_t count = emitter->output_count;
	char *own_name = strdup(name);
	struct scd__output **outputs = reallocarray(emitter->outputs, count + 1, sizeof(struct scd__output *));

	if (outputs)
		emitter->outputs = outputs;
	if (!outputs || !own_name) {
		free(own_name);
		return -ENOMEM;
	}
	*output = (struct scd__output){
		.ops = ops,
		.emitter = emitter,
		.name = own_name,
		.drop_gate = SCD_LOG_GATE(1),
		.retry_gate = SCD_LOG_GATE(1),
		.works_gate = SCD_LOG_GATE(1),
	};
	scd__queue_init(&output->queue, SCD_LIMIT_OUTPUT_QUEUE_COUNT, SCD_LIMIT_OUTPUT_QUEUE_BYTES, scd__seed_draw());
	outputs[emitter->output_count++] = output;
	emitter->open_count++;
	return 0;
}

uv_loop_t *scd__emitter_loop(const struct scd_emitter *emitter)
{
	return emitter->loop;
}

static void give(struct scd__output *output, struct scd_alert *alert)
{
	size_t dropped;

	if (output->dead || output->emitter->state > STOPPING) {
		output->dropped++;
		return;
	}
	dropped = scd__queue_push(&output->queue, scd_alert_ref(alert));
	if (dropped)
		scd__output_count_dropped(output, dropped, "the queue is full");
	if (output->emitter->state < STOPPING)
		output->ops->wake(output);
}

void scd_emitter_submit(struct scd_emitter *emitter, struct scd_alert *alert)
{
	for (size_t i = 0; i < emitter->output_count; i++)
		give(emitter->outputs[i], alert);
	scd_alert_unref(&alert);
}

/* Gives the outputs what other threads have posted so far. */
static void take_posted(struct scd_emitter *emitter)
{
	struct scd__queue *posted = scd__posted_take(&emitter->posted);
	struct scd_alert *alert;

	while ((alert = scd__queue_pop(posted)))
		scd_emitter_submit(emitter, alert);
}

static void on_something_posted(uv_async_t *something_posted)
{
	take_posted(something_posted->data);
}

void scd_emitter_post(struct scd_emitter *emitter, struct scd_alert *alert)
{
	size_t dropped_count = scd__posted_put(&emitter->posted, alert);

	if (dropped_count > 0)
		scd_log_gated(&emitter->posted_gate, SCD_LOG_ERROR, "alerts dropped on their way to the outputs: %zu",
		              dropped_count);
	uv_async_send(&emitter->something_posted);
}

static bool all_idle(const struct scd_emitter *emitter)
{
	for (size_t i = 0; i < emitter->output_count; i++)
		if (!is_idle(emitter->outputs[i]))
			return false;
	return true;
}

static bool all_stopped(const struct scd_emitter *emitter)
{
	for (size_t i = 0; i < emitter->output_count; i++)
		if (!emitter->outputs[i]->stopped)
			return false;
	return true;
}

/* What is posted from now on is dropped; what was before is the outputs'. */
static void shut_posted(struct scd_emitter *emitter)
{
	scd__posted_close(&emitter->posted);
	take_posted(emitter);
}

static void stop_all(struct scd_emitter *emitter)
{
	emitter->state = STOPPING;
	shut_posted(emitter);
	for (size_t i = 0; i < emitter->output_count; i++)
		emitter->outputs[i]->ops->stop(emitter->outputs[i]);
}

/* Whether the drain has come to its end; takes it there when the deadline has passed. */
static bool has_drained(struct scd_emitter *emitter)
{
	if (emitter->state == DRAINING) {
		take_posted(emitter);
		if (all_idle(emitter))
			shut_posted(emitter);
		if (all_idle(emitter))
			return true;
		if (uv_now(emitter->loop) < emitter->deadline_ms)
			return false;
		stop_all(emitter);
	}
	return all_stopped(emitter);
}

static void on_timer(uv_timer_t *timer)
{
	struct scd_emitter *emitter = timer->data;

	if (has_drained(emitter)) {
		emitter->state = DRAINED;
		uv_timer_stop(&emitter->timer);
		emitter->on_drained(emitter->user, scd__left_in_all(emitter->outputs, emitter->output_count));
	} else if (emitter->state == DRAINING) {
		uv_timer_start(&emitter->timer, on_timer, emitter->deadline_ms - uv_now(emitter->loop), 0);
	}
}

static void look_soon(struct scd_emitter *emitter)
{
	uv_timer_start(&emitter->timer, on_timer, 0, 0);
}

void scd_emitter_drain(struct scd_emitter *emitter, unsigned deadline_ms, scd_drained_fn *on_drained, void *user)
{
	assert(emitter->state == RUNNING);
	emitter->state = DRAINING;
	emitter->on_drained = on_drained;
	emitter->user = user;
	uv_update_time(emitter->loop);
	emitter->deadline_ms = uv_now(emitter->loop) + deadline_ms;
	for (size_t i = 0; i < emitter->output_count; i++)
		if (!emitter->outputs[i]->dead)
			emitter->outputs[i]->ops->hurry(emitter->outputs[i]);
	look_soon(emitter);
}

void scd__output_idle(struct scd__output *output)
{
	if (output->emitter->state == DRAINING && all_idle(output->emitter))
		look_soon(output->emitter);
}

void scd_emitter_on_dead(struct scd_emitter *emitter, scd_dead_fn *on_dead, void *user)
{
	emitter->on_dead = on_dead;
	emitter->dead_user = user;
}

static bool all_dead(const struct scd_emitter *emitter)
{
	for (size_t i = 0; i < emitter->output_count; i++)
		if (!emitter->outputs[i]->dead)
			return false;
	return true;
}

void scd__output_died(struct scd__output *output)
{
	struct scd_emitter *emitter = output->emitter;

	output->dead = true;
	scd__output_idle(output);
	if (emitter->state == RUNNING && emitter->on_dead && all_dead(emitter))
		emitter->on_dead(emitter->dead_user);
}

void scd__output_stopped(struct scd__output *output)
{
	output->stopped = true;
	if (all_stopped(output->emitter))
		look_soon(output->emitter);
}

void scd__output_closed(struct scd__output *output)
{
	struct scd_emitter *emitter = output->emitter;

	scd__queue_done(&output->queue);
	free(output->name);
	closed(emitter);
}

void scd__output_count_dropped(struct scd__output *output, size_t count, const char *why)
{
	output->dropped += count;
	scd_log_gated(&output->drop_gate, SCD_LOG_ERROR, "%s: %s: alerts dropped: %zu, in all %" PRIu64, output->name,
	              why, count, output->dropped);
}

void scd__output_count_retry(struct scd__output *output, enum scd_log_level level, unsigned delay_ms, const char *why)
{
	output->retries++;
	output->failing = true;
	scd_log_gated(&output->retry_gate, level, "%s: %s; trying again in %u ms", output->name, why, delay_ms);
}

void scd__output_works(struct scd__output *output)
{
	if (!output->failing)
		return;
	output->failing = false;
	scd_log_gated(&output->works_gate, SCD_LOG_NOTICE, "%s: works again", output->name);
}

void scd_emitter_counters(struct scd_emitter *emitter, struct scd_emitter_counters *ret_counters)
{
	scd__posted_counters(&emitter->posted, ret_counters);
}

size_t scd_emitter_output_count(const struct scd_emitter *emitter)
{
	return emitter->output_count;
}

void scd_emitter_output_status(const struct scd_emitter *emitter, size_t index, struct scd_output_status *ret_status)
{
	const struct scd__output *output = emitter->outputs[index];

	*ret_status = (struct scd_output_status){ .name = output->name, .queued = scd__left_count(output) };
#define X(member, help) ret_status->member = output->member;
	SCD_OUTPUT_COUNTERS(X)
#undef X
}
