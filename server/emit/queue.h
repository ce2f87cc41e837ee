/*
 * Alerts that wait for one output, bounded by count and by bytes.
 *
 *   init → push… / pop… → done
 *
 * Those of one sandbox go first in, first out; sandboxes take turns, so that nobody's alert waits behind the flood of
 * another. When the queue is full, the sandbox that holds most of it gives up its oldest alert: a flood by one pushes
 * out its own, never the single alert of another. The queue holds one reference on each alert in it. Not thread-safe.
 */
#ifndef SCD_SERVER_EMIT_QUEUE_H
#define SCD_SERVER_EMIT_QUEUE_H

#include <sys/queue.h>

#include "seccheckd/alert/alert.h"

/*
 * Shares of a queue. A sandbox's name is hashed to one of them, so that the table has a fixed size whatever peers call
 * themselves. Two that meet in one share compete with each other only: with a hundred sandboxes one in ten shares its
 * place. Looking for the largest costs about a microsecond, and only an alert that finds the queue full pays it.
 */
#define SCD__QUEUE_SHARES 1024u

struct scd__queue_item {
	TAILQ_ENTRY(scd__queue_item) in_queue, in_share;
	struct scd__queue_share *share;
	struct scd_alert *alert;
};

TAILQ_HEAD(scd__queue_list, scd__queue_item);

struct scd__queue_share {
	TAILQ_ENTRY(scd__queue_share) in_turn; /* while it has any */
	struct scd__queue_list items;          /* by in_share, oldest first */
	size_t count, bytes;
};

TAILQ_HEAD(scd__queue_turn, scd__queue_share);

struct scd__queue {
	struct scd__queue_list items; /* by in_queue, oldest first */
	struct scd__queue_turn turn;  /* shares that have alerts, the next one first */
	size_t count;
	size_t bytes; /* packed */
	size_t max_count, max_bytes;
	uint64_t seed; /* of the hash of names */
	struct scd__queue_share shares[SCD__QUEUE_SHARES];
};

/* Allocates nothing. The queue does not move afterwards. */
void scd__queue_init(struct scd__queue *queue, size_t max_count, size_t max_bytes, uint64_t seed);

/* Gives up what is in it; afterwards it is as after init. */
void scd__queue_done(struct scd__queue *queue);

/*
 * Takes over a reference. Returns how many alerts were dropped for it: itself included when there is no memory, or
 * when it alone is more than any other sandbox has in a full queue. A single alert is taken whatever its size.
 */
size_t scd__queue_push(struct scd__queue *queue, struct scd_alert *alert);

/*
 * The oldest of the sandbox whose turn it is, with its reference; NULL when empty. peek leaves it where it is: until
 * the next push, pop gives the same.
 */
struct scd_alert *scd__queue_pop(struct scd__queue *queue);
struct scd_alert *scd__queue_peek(const struct scd__queue *queue);

#endif
