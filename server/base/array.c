/*
 * Arrays that grow by doubling: n items are copied less than n times in all.
 */
#include "seccheckd/base/array.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4u

static size_t next_room(size_t room)
{
	return room ? 2 * room : FIRST_ROOM;
}

void *scd_array_grow(void *items, size_t count, size_t *room, size_t item_bytes)
{
	size_t more = next_room(*room), bytes;
	void *grown;

	if (count < *room)
		return items;
	if (__builtin_mul_overflow(more, item_bytes, &bytes)) /* reallocarray ends the program under a sanitizer */
		return NULL;
	grown = realloc(items, bytes);
	if (grown)
		*room = more;
	return grown;
}

void *scd_array_grow_in(struct scd_arena *arena, void *items, size_t count, size_t *room, size_t item_bytes)
{
	size_t more = next_room(*room);
	void *grown;

	if (count < *room)
		return items;
	grown = scd_arena_zalloc(arena, more, item_bytes);
	if (!grown)
		return NULL;
	if (count > 0)
		memcpy(grown, items, count * item_bytes);
	*room = more;
	return grown;
}
