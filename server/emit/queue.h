/*
 * Alerts that wait for one output: first in, first out, bounded by count and by bytes.
 *
 *   init → push… / pop… → done
 *
 * What does not fit pushes out the oldest. The queue holds one reference on each alert in it. Not thread-safe.
 */
#ifndef SCD_SERVER_EMIT_QUEUE_H
#define SCD_SERVER_EMIT_QUEUE_H

#include "seccheckd/alert/alert.h"

struct scd__queue {
	struct scd_alert **slots; /* a ring */
	size_t room;              /* power of two, or 0 before the first push */
	size_t head, count;
	size_t bytes; /* packed */
	size_t max_count, max_bytes;
};

/* Allocates nothing. */
void scd__queue_init(struct scd__queue *queue, size_t max_count, size_t max_bytes);
void scd__queue_done(struct scd__queue *queue);

/* Takes over a reference. Returns how many alerts were dropped for it, itself included when there is no memory. */
size_t scd__queue_push(struct scd__queue *queue, struct scd_alert *alert);

/*
 * The oldest, with its reference; NULL when empty. peek leaves it where it is. at is the n-th oldest, index < count.
 */
struct scd_alert *scd__queue_pop(struct scd__queue *queue);
struct scd_alert *scd__queue_peek(const struct scd__queue *queue);
struct scd_alert *scd__queue_at(const struct scd__queue *queue, size_t index);

#endif
