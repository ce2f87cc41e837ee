/*
 * A hash map from 64-bit ids to 32-bit indices, for tables whose keys a peer chooses.
 *
 * Open addressing, linear probing, backward-shift deletion (no tombstones, so a table under endless churn does not
 * rot), load at most 3/4. The hash is seeded per map, so that chosen ids cannot be made to collide. Not thread-safe;
 * an insert invalidates nothing but positions inside the map.
 */
#ifndef SECCHECKD_BASE_IDMAP_H
#define SECCHECKD_BASE_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scd__idmap_slot;

struct scd_idmap {
	struct scd__idmap_slot *slots;
	size_t room; /* power of two, or 0 before the first insert */
	size_t count;
	uint64_t seed;
};

/* Allocates nothing until the first put. */
void scd_idmap_init(struct scd_idmap *map);
void scd_idmap_done(struct scd_idmap *map);

/* True and *ret_value when the key is there. */
bool scd_idmap_get(const struct scd_idmap *map, uint64_t key, uint32_t *ret_value);

/* Inserts or replaces. 0 or -ENOMEM (nothing changed). */
int scd_idmap_put(struct scd_idmap *map, uint64_t key, uint32_t value);

/* True when the key was there. */
bool scd_idmap_remove(struct scd_idmap *map, uint64_t key);

#endif
