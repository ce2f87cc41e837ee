/*
 * The string map: one array of slots, linear probing, load at most 3/4, doubled when it would be more. A slot keeps
 * the hash of its key, so that growing reads no key and a probe compares bytes only where hashes are equal.
 */
#include "seccheckd/base/strmap.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#define FIRST_ROOM 16u

struct scd__strmap_slot {
	struct scd_str key;
	uint64_t hash;
	void *value; /* NULL: the slot is free */
};

void scd_strmap_init(struct scd_strmap *map)
{
	*map = (struct scd_strmap){ 0 };
}

void scd_strmap_done(struct scd_strmap *map)
{
	free(map->slots);
	scd_strmap_init(map);
}

/* The slot of the key, or the free slot where it would be put. There always is a free slot. */
static struct scd__strmap_slot *find(struct scd__strmap_slot *slots, size_t room, struct scd_str key, uint64_t hash)
{
	size_t at = hash & (room - 1);

	while (slots[at].value && !(slots[at].hash == hash && scd_str_eq(slots[at].key, key)))
		at = (at + 1) & (room - 1);
	return &slots[at];
}

static void *get(const struct scd_strmap *map, struct scd_str key, uint64_t hash)
{
	return map->room ? find(map->slots, map->room, key, hash)->value : NULL;
}

void *scd_strmap_get(const struct scd_strmap *map, struct scd_str key)
{
	return get(map, key, XXH3_64bits(key.data, key.len));
}

static int grow(struct scd_strmap *map)
{
	size_t room = map->room ? map->room * 2 : FIRST_ROOM;
	struct scd__strmap_slot *slots = calloc(room, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->room; i++) {
		const struct scd__strmap_slot *old = &map->slots[i];

		if (old->value)
			*find(slots, room, old->key, old->hash) = *old;
	}
	free(map->slots);
	map->slots = slots;
	map->room = room;
	return 0;
}

int scd_strmap_put(struct scd_strmap *map, struct scd_str key, void *value)
{
	uint64_t hash = XXH3_64bits(key.data, key.len);
	struct scd__strmap_slot *slot;

	if (map->count >= map->room / 4 * 3 && !get(map, key, hash)) {
		int r = grow(map);

		if (r < 0)
			return r;
	}
	slot = find(map->slots, map->room, key, hash);
	if (slot->value) {
		slot->value = value;
		return 0;
	}
	*slot = (struct scd__strmap_slot){ .key = key, .hash = hash, .value = value };
	map->count++;
	return 0;
}
