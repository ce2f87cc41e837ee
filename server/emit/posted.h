/*
 * Alerts on their way from other threads to the emitter's. Inside server/emit only.
 *
 *   init → put… (any thread) / take… (the emitter's) → close → take → done
 *
 * Bounded, and as fair to sandboxes as the queue of an output (queue.h).
 */
#ifndef SCD_SERVER_EMIT_POSTED_H
#define SCD_SERVER_EMIT_POSTED_H

#include <pthread.h>

#include "queue.h"
#include "seccheckd/emit/emitter.h"

struct scd__posted {
	pthread_mutex_t lock;        /* of all but `taking` */
	struct scd__queue queues[2]; /* one is filled while the other is emptied */
	struct scd__queue *filling;  /* by any thread */
	struct scd__queue *taking;   /* by the emitter's */
	bool closed;                 /* what comes is dropped */
	struct scd_emitter_counters counters;
};

/* 0 or negative errno. The struct does not move afterwards. */
int scd__posted_init(struct scd__posted *posted, size_t max_count, size_t max_bytes);

/* Nobody puts any more. Gives up what is in it. */
void scd__posted_done(struct scd__posted *posted);

/*
 * Takes over a reference. From any thread. Returns how many alerts were lost for it: itself, or others of the sandbox
 * that has most here. The emitter's thread has to be told, whatever the result.
 */
size_t scd__posted_put(struct scd__posted *posted, struct scd_alert *alert);

/* From now on everything that is put is dropped. May be called again. */
void scd__posted_close(struct scd__posted *posted);

/*
 * All that was put before the call, as a queue to be emptied, in which each sandbox's alerts are in the order in which
 * they were put. It is borrowed until the next call, before which it has to be empty.
 */
struct scd__queue *scd__posted_take(struct scd__posted *posted);

void scd__posted_counters(struct scd__posted *posted, struct scd_emitter_counters *ret_counters);

#endif
