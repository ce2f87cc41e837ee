/*
 * Two queues that change places:
 *
 *    lane ─┐   lock                        lock, change places
 *    lane ─┼────────▶ filling ┐      ┌─────────────────────────▶ emptied without the lock, into the outputs' queues
 *    lane ─┘                  └──────┘
 *
 * So the lock is held for one alert or for the change, never for the outputs; and who posts waits for another that
 * posts, at most.
 */
#include "posted.h"

#include <assert.h>

#include "seed.h"

int scd__posted_init(struct scd__posted *posted, size_t max_count, size_t max_bytes)
{
	int r = pthread_mutex_init(&posted->lock, NULL);

	if (r)
		return -r;
	for (size_t i = 0; i < 2; i++)
		scd__queue_init(&posted->queues[i], max_count, max_bytes, scd__seed_draw());
	posted->filling = &posted->queues[0];
	posted->taking = &posted->queues[1];
	posted->closed = false;
	posted->counters = (struct scd_emitter_counters){ 0 };
	return 0;
}

void scd__posted_done(struct scd__posted *posted)
{
	scd__queue_done(posted->filling);
	scd__queue_done(posted->taking);
	pthread_mutex_destroy(&posted->lock);
}

size_t scd__posted_put(struct scd__posted *posted, struct scd_alert *alert)
{
	size_t dropped_count = 1;

	pthread_mutex_lock(&posted->lock);
	posted->counters.posted++;
	if (!posted->closed)
		dropped_count = scd__queue_push(posted->filling, alert);
	else
		scd_alert_unref(&alert);
	posted->counters.dropped += dropped_count;
	pthread_mutex_unlock(&posted->lock);
	return dropped_count;
}

void scd__posted_close(struct scd__posted *posted)
{
	pthread_mutex_lock(&posted->lock);
	posted->closed = true;
	pthread_mutex_unlock(&posted->lock);
}

struct scd__queue *scd__posted_take(struct scd__posted *posted)
{
	struct scd__queue *filled;

	assert(posted->taking->count == 0);
	pthread_mutex_lock(&posted->lock);
	filled = posted->filling;
	posted->filling = posted->taking;
	posted->taking = filled;
	pthread_mutex_unlock(&posted->lock);
	return filled;
}

void scd__posted_counters(struct scd__posted *posted, struct scd_emitter_counters *ret_counters)
{
	pthread_mutex_lock(&posted->lock);
	*ret_counters = posted->counters;
	pthread_mutex_unlock(&posted->lock);
}
