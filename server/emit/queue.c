/*
 * The queue: each alert is in two lists, that of all and that of its sandbox's share.
 *
 *     all      a1 ─ b1 ─ a2 ─ a3 ─ a4          a full queue takes a5: a has most, so a1 goes, wherever it stands
 *     share a  a1 ────── a2 ─ a3 ─ a4
 *     share b       b1
 *     turn     a, b                            pop gives a1, b1, a2, a3, a4
 *
 * What is weighed is what is full: alerts when there are too many of them, bytes when they are too large. The list of
 * all, in order of arrival, tells whose alert is the oldest among equals.
 */
#include "queue.h"

#include <stdlib.h>
#include <xxhash.h>

void scd__queue_init(struct scd__queue *queue, size_t max_count, size_t max_bytes, uint64_t seed)
{
	queue->count = queue->bytes = 0;
	queue->max_count = max_count;
	queue->max_bytes = max_bytes;
	queue->seed = seed;
	TAILQ_INIT(&queue->items);
	TAILQ_INIT(&queue->turn);
	for (size_t i = 0; i < SCD__QUEUE_SHARES; i++) {
		queue->shares[i] = (struct scd__queue_share){ .count = 0 };
		TAILQ_INIT(&queue->shares[i].items);
	}
}

void scd__queue_done(struct scd__queue *queue)
{
	struct scd_alert *alert;

	while ((alert = scd__queue_pop(queue)))
		scd_alert_unref(&alert);
}

static struct scd__queue_share *share_of(struct scd__queue *queue, const struct scd_alert *alert)
{
	struct scd_str sandbox = scd_alert_sandbox(alert);

	return &queue->shares[XXH3_64bits_withSeed(sandbox.data, sandbox.len, queue->seed) % SCD__QUEUE_SHARES];
}

static size_t packed_bytes(const struct scd_alert *alert)
{
	return scd_alert_protobuf(alert).len;
}

static void append(struct scd__queue *queue, struct scd__queue_item *item)
{
	size_t bytes = packed_bytes(item->alert);

	TAILQ_INSERT_TAIL(&queue->items, item, in_queue);
	TAILQ_INSERT_TAIL(&item->share->items, item, in_share);
	queue->count++;
	queue->bytes += bytes;
	if (item->share->count++ == 0)
		TAILQ_INSERT_TAIL(&queue->turn, item->share, in_turn);
	item->share->bytes += bytes;
}

/* The alert of an item, which is freed. */
static struct scd_alert *take(struct scd__queue *queue, struct scd__queue_item *item)
{
	struct scd_alert *alert = item->alert;
	size_t bytes = packed_bytes(alert);

	TAILQ_REMOVE(&queue->items, item, in_queue);
	TAILQ_REMOVE(&item->share->items, item, in_share);
	queue->count--;
	queue->bytes -= bytes;
	if (--item->share->count == 0)
		TAILQ_REMOVE(&queue->turn, item->share, in_turn);
	item->share->bytes -= bytes;
	free(item);
	return alert;
}

/* The share that has most of what is full. Of equals that of the oldest alert, or else any. The queue is not empty. */
static const struct scd__queue_share *largest_share(const struct scd__queue *queue)
{
	const struct scd__queue_share *largest = TAILQ_FIRST(&queue->items)->share;
	bool by_bytes = queue->bytes > queue->max_bytes;

	for (const struct scd__queue_share *share = queue->shares; share < queue->shares + SCD__QUEUE_SHARES; share++)
		if (by_bytes ? share->bytes > largest->bytes : share->count > largest->count)
			largest = share;
	return largest;
}

static bool is_over(const struct scd__queue *queue)
{
	return queue->count > 1 && (queue->count > queue->max_count || queue->bytes > queue->max_bytes);
}

size_t scd__queue_push(struct scd__queue *queue, struct scd_alert *alert)
{
	struct scd__queue_item *item = malloc(sizeof(*item));
	size_t dropped_count = 0;

	if (!item) {
		scd_alert_unref(&alert);
		return 1;
	}
	*item = (struct scd__queue_item){ .alert = alert, .share = share_of(queue, alert) };
	append(queue, item);
	for (; is_over(queue); dropped_count++) {
		struct scd_alert *dropped = take(queue, TAILQ_FIRST(&largest_share(queue)->items));

		scd_alert_unref(&dropped);
	}
	return dropped_count;
}

/* NULL when the queue is empty. */
static struct scd__queue_item *next_item(const struct scd__queue *queue)
{
	const struct scd__queue_share *share = TAILQ_FIRST(&queue->turn);

	return share ? TAILQ_FIRST(&share->items) : NULL;
}

struct scd_alert *scd__queue_peek(const struct scd__queue *queue)
{
	const struct scd__queue_item *next = next_item(queue);

	return next ? next->alert : NULL;
}

struct scd_alert *scd__queue_pop(struct scd__queue *queue)
{
	struct scd__queue_item *next = next_item(queue);
	struct scd__queue_share *share;

	if (!next)
		return NULL;
	share = next->share;
	TAILQ_REMOVE(&queue->turn, share, in_turn);
	TAILQ_INSERT_TAIL(&queue->turn, share, in_turn);
	return take(queue, next);
}
