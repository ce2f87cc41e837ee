/*
 * The queue is a ring that doubles when it is full, up to its cap. It never shrinks: an output that was down once may
 * be down again, and half a megabyte of pointers is all it can have.
 */
#include "queue.h"

#include <stdlib.h>

#define FIRST_ROOM 64u

void scd__queue_init(struct scd__queue *queue, size_t max_count, size_t max_bytes)
{
	*queue = (struct scd__queue){ .max_count = max_count, .max_bytes = max_bytes };
}

void scd__queue_done(struct scd__queue *queue)
{
	while (queue->count) {
		struct scd_alert *alert = scd__queue_pop(queue);

		scd_alert_unref(&alert);
	}
	free(queue->slots);
	scd__queue_init(queue, queue->max_count, queue->max_bytes);
}

struct scd_alert *scd__queue_at(const struct scd__queue *queue, size_t index)
{
	return queue->slots[(queue->head + index) & (queue->room - 1)];
}

static bool grow(struct scd__queue *queue)
{
	size_t room = queue->room ? queue->room * 2 : FIRST_ROOM;
	struct scd_alert **slots = calloc(room, sizeof(struct scd_alert *));

	if (!slots)
		return false;
	for (size_t i = 0; i < queue->count; i++)
		slots[i] = scd__queue_at(queue, i);
	free(queue->slots);
	queue->slots = slots;
	queue->room = room;
	queue->head = 0;
	return true;
}

static size_t packed_bytes(const struct scd_alert *alert)
{
	return scd_alert_protobuf(alert).len;
}

size_t scd__queue_push(struct scd__queue *queue, struct scd_alert *alert)
{
	size_t bytes = packed_bytes(alert), dropped = 0;

	while (queue->count && (queue->count >= queue->max_count || queue->bytes + bytes > queue->max_bytes)) {
		struct scd_alert *oldest = scd__queue_pop(queue);

		scd_alert_unref(&oldest);
		dropped++;
	}
	if (queue->count == queue->room && !grow(queue)) {
		scd_alert_unref(&alert);
		return dropped + 1;
	}
	queue->slots[(queue->head + queue->count) & (queue->room - 1)] = alert;
	queue->count++;
	queue->bytes += bytes;
	return dropped;
}

struct scd_alert *scd__queue_peek(const struct scd__queue *queue)
{
	return queue->count ? scd__queue_at(queue, 0) : NULL;
}

struct scd_alert *scd__queue_pop(struct scd__queue *queue)
{
	struct scd_alert *alert = scd__queue_peek(queue);

	if (!alert)
		return NULL;
	queue->head = (queue->head + 1) & (queue->room - 1);
	queue->count--;
	queue->bytes -= packed_bytes(alert);
	return alert;
}
