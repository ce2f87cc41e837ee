/*
 * The id map: one array of slots, linear probing from the key's home slot.
 *
 * Invariant: every slot between a key's home and the slot it lives in is taken, so a search may stop at the first
 * free slot. A removal keeps it by moving later entries back into the hole instead of leaving a tombstone:
 *
 *    slot          0  1  2  3
 *    entry         a  b  c  .         a and b have slot 0 as their home, c has slot 1
 *    without a     b  c  .  .         b moves into the hole, then c into the hole that b left
 *
 * An entry may move into the hole unless its home lies after the hole, cyclically, and at or before the entry.
 *
 * The keys are a peer's choice, so the hash is keyed: two folded 64×64→128 bit multiplications, the seed going into
 * both. The seeds of all maps come from one random number of the process.
 */
#include "seccheckd/base/idmap.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "seccheckd/base/clock.h"

#define FIRST_ROOM 16u

struct scd__idmap_slot {
	uint64_t key;
	uint32_t value;
	uint32_t taken;
};

static uint64_t fold_multiply(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The factors are odd and have half their bits set (the fractional parts of the golden ratio and of pi). */
static uint64_t hash_id(uint64_t key, uint64_t seed)
{
	uint64_t once = fold_multiply(key ^ seed, 0x9e3779b97f4a7c15u);

	return fold_multiply(once ^ (seed >> 32 | seed << 32), 0x243f6a8885a308d3u);
}

static pthread_once_t process_seed_once = PTHREAD_ONCE_INIT;
static uint64_t process_seed;

static void draw_process_seed(void)
{
	/* Without the system call (a seccomp filter): the clock and the address layout, better than a constant. */
	if (getrandom(&process_seed, sizeof(process_seed), 0) != (ssize_t)sizeof(process_seed))
		process_seed = (uint64_t)scd_clock_mono_ns() ^ (uint64_t)(uintptr_t)&process_seed;
}

void scd_idmap_init(struct scd_idmap *map)
{
	static atomic_uint_fast64_t maps;

	pthread_once(&process_seed_once, draw_process_seed);
	*map = (struct scd_idmap){ .seed = hash_id(atomic_fetch_add(&maps, 1), process_seed) };
}

void scd_idmap_done(struct scd_idmap *map)
{
	uint64_t seed = map->seed;

	free(map->slots);
	*map = (struct scd_idmap){ .seed = seed };
}

static size_t home_of(const struct scd_idmap *map, uint64_t key)
{
	return hash_id(key, map->seed) & (map->room - 1);
}

/* The slot of the key, or the free slot where it would be put. There always is a free slot. */
static size_t find(const struct scd_idmap *map, uint64_t key)
{
	size_t at = home_of(map, key);

	while (map->slots[at].taken && map->slots[at].key != key)
		at = (at + 1) & (map->room - 1);
	return at;
}

bool scd_idmap_get(const struct scd_idmap *map, uint64_t key, uint32_t *ret_value)
{
	const struct scd__idmap_slot *slot;

	if (!map->room)
		return false;
	slot = &map->slots[find(map, key)];
	if (!slot->taken)
		return false;
	*ret_value = slot->value;
	return true;
}

static int grow(struct scd_idmap *map)
{
	struct scd_idmap larger = { .room = map->room ? map->room * 2 : FIRST_ROOM,
		                    .count = map->count,
		                    .seed = map->seed };

	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->room; i++) {
		if (map->slots[i].taken)
			larger.slots[find(&larger, map->slots[i].key)] = map->slots[i];
	}
	free(map->slots);
	*map = larger;
	return 0;
}

int scd_idmap_put(struct scd_idmap *map, uint64_t key, uint32_t value)
{
	struct scd__idmap_slot *slot;
	uint32_t old;

	if (map->count >= map->room / 4 * 3 && !scd_idmap_get(map, key, &old)) {
		int r = grow(map);

		if (r < 0)
			return r;
	}
	slot = &map->slots[find(map, key)];
	map->count += !slot->taken;
	*slot = (struct scd__idmap_slot){ .key = key, .value = value, .taken = 1 };
	return 0;
}

/* Fills the hole from what follows it in the same run of taken slots. */
static void close_hole(struct scd_idmap *map, size_t hole)
{
	size_t mask = map->room - 1;

	for (size_t at = (hole + 1) & mask; map->slots[at].taken; at = (at + 1) & mask) {
		size_t from_home = (at - home_of(map, map->slots[at].key)) & mask;
		size_t from_hole = (at - hole) & mask;

		if (from_home >= from_hole) {
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole].taken = 0;
}

bool scd_idmap_remove(struct scd_idmap *map, uint64_t key)
{
	size_t at;

	if (!map->room)
		return false;
	at = find(map, key);
	if (!map->slots[at].taken)
		return false;
	close_hole(map, at);
	map->count--;
	return true;
}
