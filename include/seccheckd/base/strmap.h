/*
 * A hash map from byte strings to pointers: names of rules, macros, lists, fields.
 *
 * Its keys are trusted: what operators wrote and what is ours (fields, ids of alerts), never what a sandbox sent. The
 * hash has no secret, so whoever chooses the keys can make them all collide. What is only looked up may be anything:
 * that costs no more than the collisions among the keys.
 *
 * The map borrows its keys: they live at least as long as the map. Open addressing over XXH3; no deletion (its users
 * only build, then read). Not thread-safe while it is being built; any number of readers afterwards.
 */
#ifndef SECCHECKD_BASE_STRMAP_H
#define SECCHECKD_BASE_STRMAP_H

#include "seccheckd/base/str.h"

struct scd__strmap_slot;

struct scd_strmap {
	struct scd__strmap_slot *slots;
	size_t room;
	size_t count;
};

void scd_strmap_init(struct scd_strmap *map);
void scd_strmap_done(struct scd_strmap *map);

/* The value, or NULL. */
void *scd_strmap_get(const struct scd_strmap *map, struct scd_str key);

/* Inserts or replaces; value is not NULL. 0 or -ENOMEM (nothing changed). */
int scd_strmap_put(struct scd_strmap *map, struct scd_str key, void *value);

#endif
