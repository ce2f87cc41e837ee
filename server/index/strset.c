/*
 * A set of strings: slots with linear probing, at most half full, over an array of the members' spans.
 *
 *    slots    | tag, member + 1 | 0 | tag, member + 1 | …      8 bytes each, 8 to a cache line
 *    members  | data, len | data, len | …
 *
 * The low half of the hash says where to start, the high half is the tag, so that a member's bytes are read only when
 * 32 bits of hash agree. Texts longer than the longest member are answered without hashing: a hostile text costs no
 * more than the constants that it is compared with.
 */
#include "seccheckd/index/strset.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct slot {
	uint32_t tag;
	uint32_t member; /* from 1; 0: the slot is free */
};

struct scd_strset {
	struct scd_str *members; /* distinct */
	size_t count;
	size_t max_len; /* of a member */
	struct slot *slots;
	size_t mask; /* number of slots, a power of two, less one */
};

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/* The slot of text, or the free slot where it would be. */
static struct slot *find(const struct scd_strset *set, struct scd_str text, uint64_t hash)
{
	size_t at = hash & set->mask;

	while (set->slots[at].member) {
		const struct slot *slot = &set->slots[at];

		if (slot->tag == tag_of(hash) && scd_str_eq(set->members[slot->member - 1], text))
			break;
		at = (at + 1) & set->mask;
	}
	return &set->slots[at];
}

static void add(struct scd_strset *set, struct scd_str text)
{
	uint64_t hash = XXH3_64bits(text.data, text.len);
	struct slot *slot = find(set, text, hash);

	if (slot->member)
		return;
	set->members[set->count++] = text;
	*slot = (struct slot){ tag_of(hash), (uint32_t)set->count };
	if (text.len > set->max_len)
		set->max_len = text.len;
}

/* A power of two of which count is at most the half. */
static size_t slots_for(size_t count)
{
	size_t room = 2;

	while (room < count * 2)
		room *= 2;
	return room;
}

const struct scd_strset *scd_strset_new(const struct scd_str *members, size_t count, struct scd_arena *arena)
{
	struct scd_strset *set = count <= UINT32_MAX / 4 ? scd_arena_zalloc(arena, 1, sizeof(*set)) : NULL;

	if (!set)
		return NULL;
	set->mask = slots_for(count) - 1;
	set->slots = scd_arena_zalloc(arena, set->mask + 1, sizeof(*set->slots));
	set->members = scd_arena_zalloc(arena, count, sizeof(*set->members));
	if (!set->slots || !set->members)
		return NULL;
	for (size_t i = 0; i < count; i++)
		add(set, members[i]);
	return set;
}

bool scd_strset_has(const struct scd_strset *set, struct scd_str text)
{
	return scd_strset_find(set, text) != SCD_STRSET_NONE;
}

uint32_t scd_strset_find(const struct scd_strset *set, struct scd_str text)
{
	if (text.len > set->max_len)
		return SCD_STRSET_NONE;
	return find(set, text, XXH3_64bits(text.data, text.len))->member - 1;
}

size_t scd_strset_count(const struct scd_strset *set)
{
	return set->count;
}
