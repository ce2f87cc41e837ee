/*
 * The emitter: a list of outputs, each alert to all of them, and the end of it all.
 *
 * drain waits until every output is idle or the deadline passes; then it stops those that are not, and when each has
 * answered, counts the alerts that some output still has. The end is always told from the emitter's own timer, never
 * from inside an output's callback, so that whoever is told may free the emitter at once.
 */
#include "seccheckd/emit/emitter.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
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
	size_t open_count; /* outputs and the timer: what is not yet closed */
	scd_drained_fn *on_drained;
	void *user;
	scd_dead_fn *on_dead; /* NULL: nobody asks */
	void *dead_user;
};

struct scd_emitter *scd_emitter_new(uv_loop_t *loop)
{
	struct scd_emitter *emitter = calloc(1, sizeof(*emitter));

	if (!emitter)
		return NULL;
	emitter->loop = loop;
	uv_timer_init(loop, &emitter->timer);
	emitter->timer.data = emitter;
	emitter->open_count = 1;
	return emitter;
}

static void closed(struct scd_emitter *emitter)
{
	if (--emitter->open_count)
		return;
	free(emitter->outputs);
	free(emitter);
}

static void on_timer_closed(uv_handle_t *handle)
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
	uv_close((uv_handle_t *)&old->timer, on_timer_closed);
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

static size_t left_count(const struct scd__output *output)
{
	return output->queue.count + output->ops->pending_count(output);
}

/* Appends what an output still has; returns the new end. */
static struct scd_alert **append_left(const struct scd__output *output, struct scd_alert **end)
{
	size_t pending_count = output->ops->pending_count(output);
	const struct scd__queue_item *item = TAILQ_FIRST(&output->queue.items);

	for (size_t i = 0; i < pending_count; i++)
		*end++ = output->ops->pending_at(output, i);
	for (; item; item = TAILQ_NEXT(item, in_queue))
		*end++ = item->alert;
	return end;
}

static int compare_pointers(const void *a, const void *b)
{
	uintptr_t left = (uintptr_t) * (struct scd_alert *const *)a;
	uintptr_t right = (uintptr_t) * (struct scd_alert *const *)b;

	return (left > right) - (left < right);
}

static size_t count_different(struct scd_alert **alerts, size_t count)
{
	size_t different = count > 0;

	qsort(alerts, count, sizeof(struct scd_alert *), compare_pointers);
	for (size_t i = 1; i < count; i++)
		different += alerts[i] != alerts[i - 1];
	return different;
}

/* How many alerts some output still has, each counted once. Without memory: those of all outputs added up. */
static size_t undelivered_count(const struct scd_emitter *emitter)
{
	size_t sum = 0, count;
	struct scd_alert **alerts, **end;

	for (size_t i = 0; i < emitter->output_count; i++)
		sum += left_count(emitter->outputs[i]);
	alerts = sum ? calloc(sum, sizeof(struct scd_alert *)) : NULL;
	if (!alerts)
		return sum;
	end = alerts;
	for (size_t i = 0; i < emitter->output_count; i++)
		end = append_left(emitter->outputs[i], end);
	count = count_different(alerts, (size_t)(end - alerts));
	free(alerts);
	return count;
}

static void stop_all(struct scd_emitter *emitter)
{
	emitter->state = STOPPING;
	for (size_t i = 0; i < emitter->output_count; i++)
		emitter->outputs[i]->ops->stop(emitter->outputs[i]);
}

/* Whether the drain has come to its end; takes it there when the deadline has passed. */
static bool has_drained(struct scd_emitter *emitter)
{
	if (emitter->state == DRAINING) {
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
		emitter->on_drained(emitter->user, undelivered_count(emitter));
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
	scd_log_gated(&output->retry_gate, level, "%s: %s; trying again in %u ms", output->name, why, delay_ms);
}

size_t scd_emitter_output_count(const struct scd_emitter *emitter)
{
	return emitter->output_count;
}

void scd_emitter_output_status(const struct scd_emitter *emitter, size_t index, struct scd_output_status *ret_status)
{
	const struct scd__output *output = emitter->outputs[index];

	*ret_status = (struct scd_output_status){ .name = output->name, .queued = left_count(output) };
#define X(member, help) ret_status->member = output->member;
	SCD_OUTPUT_COUNTERS(X)
#undef X
}
