/*
 * Counting what is left. An alert that several outputs have is one alert: their references are sorted.
 */
#include "left.h"

#include <stdlib.h>

size_t scd__left_count(const struct scd__output *output)
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

size_t scd__left_in_all(struct scd__output *const *outputs, size_t output_count)
{
	size_t sum = 0, count;
	struct scd_alert **alerts, **end;

	for (size_t i = 0; i < output_count; i++)
		sum += scd__left_count(outputs[i]);
	alerts = sum ? calloc(sum, sizeof(struct scd_alert *)) : NULL;
	if (!alerts)
		return sum;
	end = alerts;
	for (size_t i = 0; i < output_count; i++)
		end = append_left(outputs[i], end);
	count = count_different(alerts, (size_t)(end - alerts));
	free(alerts);
	return count;
}
