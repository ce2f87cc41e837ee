/*
 * Containers: a short array.
 */
#include "state/containers.h"

#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"

#define FIRST_ROOM 4u

struct scd__container {
	struct scd_container pub;
	char id[];
};

void scd__containers_done(struct scd__containers *containers)
{
	for (size_t i = 0; i < containers->count; i++)
		free(containers->items[i]);
	free(containers->items);
	memset(containers, 0, sizeof(*containers));
}

struct scd_container *scd__containers_find(const struct scd__containers *containers, struct scd_str id)
{
	struct scd_container *last = scd__containers_last(containers, id);

	if (last)
		return last;
	for (size_t i = 0; i < containers->count; i++)
		if (scd_str_eq(containers->items[i]->pub.id, id))
			return &containers->items[i]->pub;
	return NULL;
}

static bool make_room(struct scd__containers *containers)
{
	size_t room = containers->room ? 2 * containers->room : FIRST_ROOM;
	struct scd__container **items;

	if (containers->count < containers->room)
		return true;
	items = realloc(containers->items, room * sizeof(struct scd__container *));
	if (!items)
		return false;
	containers->items = items;
	containers->room = room;
	return true;
}

static struct scd__container *add(struct scd__containers *containers, struct scd_str id)
{
	struct scd__container *container;

	if (containers->count == SCD_LIMIT_SANDBOX_CONTAINERS) {
		containers->refused++;
		return NULL;
	}
	container = make_room(containers) ? calloc(1, sizeof(*container) + id.len) : NULL;
	if (!container)
		return NULL;
	memcpy(container->id, id.data, id.len);
	container->pub.id = (struct scd_str){ container->id, id.len };
	containers->items[containers->count++] = container;
	return container;
}

struct scd_container *scd__containers_note(struct scd__containers *containers, struct scd_str id)
{
	struct scd_container *known = scd__containers_find(containers, id);
	struct scd__container *container;

	if (known) {
		containers->last = known;
		return known;
	}
	container = add(containers, id);
	if (!container)
		return NULL;
	containers->last = &container->pub;
	return containers->last;
}

struct scd_container *scd__containers_first(const struct scd__containers *containers)
{
	return containers->count ? &containers->items[0]->pub : NULL;
}

size_t scd__containers_memory_bytes(const struct scd__containers *containers)
{
	size_t bytes = containers->room * sizeof(struct scd__container *);

	for (size_t i = 0; i < containers->count; i++)
		bytes += sizeof(struct scd__container) + containers->items[i]->pub.id.len;
	return bytes;
}
