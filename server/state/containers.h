/*
 * The containers of one sandbox. Inside server/state only.
 *
 * A pod has a handful, so they are searched one by one, the last one found first; the number and the length of ids
 * are capped (limits.h), which bounds what a sandbox that makes up ids can cost.
 */
#ifndef SCD_SERVER_STATE_CONTAINERS_H
#define SCD_SERVER_STATE_CONTAINERS_H

#include <string.h>

#include "seccheckd/state/sandbox.h"

struct scd__container;

struct scd__containers {
	struct scd__container **items; /* in the order they were met */
	size_t count, room;
	struct scd_container *last; /* of the last look-up: nearly always the next one too */
	uint64_t refused;           /* over the cap */
};

void scd__containers_done(struct scd__containers *containers);

/* id: not longer than SCD_LIMIT_CONTAINER_ID_BYTES. NULL: none of this id. */
struct scd_container *scd__containers_find(const struct scd__containers *containers, struct scd_str id);

/* Finds, or adds with the id copied. NULL: over the cap (counted), or no memory. */
struct scd_container *scd__containers_note(struct scd__containers *containers, struct scd_str id);

/* The container of the last look-up, if it has this id, which is not empty. NULL: another has it, or none. */
static inline struct scd_container *scd__containers_last(const struct scd__containers *containers, struct scd_str id)
{
	struct scd_container *last = containers->last;

	return last && last->id.len == id.len && memcmp(last->id.data, id.data, id.len) == 0 ? last : NULL;
}

struct scd_container *scd__containers_first(const struct scd__containers *containers);
size_t scd__containers_memory_bytes(const struct scd__containers *containers);

#endif
