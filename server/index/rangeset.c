/*
 * Ranges are sorted by their beginning and joined where they overlap or touch; what is left is searched by halves.
 */
#include "seccheckd/index/rangeset.h"

#include <stdlib.h>
#include <string.h>

struct scd_rangeset {
	struct scd_range *ranges;
	size_t count;
};

static int compare_wide(struct scd_wide a, struct scd_wide b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct scd_range *left = a, *right = b;

	return compare_wide(left->first, right->first);
}

/* Whether b begins in a, or right behind it; a begins first. */
static bool touches(const struct scd_range *a, const struct scd_range *b)
{
	struct scd_wide behind = { a->last.high + (a->last.low == UINT64_MAX), a->last.low + 1 };
	bool is_last = a->last.high == UINT64_MAX && a->last.low == UINT64_MAX;

	return is_last || compare_wide(b->first, behind) <= 0;
}

const struct scd_rangeset *scd_rangeset_new(const struct scd_range *members, size_t count, struct scd_arena *arena)
{
	struct scd_rangeset *set = scd_arena_zalloc(arena, 1, sizeof(*set));
	struct scd_range *ranges = scd_arena_zalloc(arena, count + 1, sizeof(*ranges));

	if (!set || !ranges)
		return NULL;
	if (count > 0) {
		memcpy(ranges, members, count * sizeof(*ranges));
		qsort(ranges, count, sizeof(*ranges), compare_ranges);
	}
	set->ranges = ranges;
	for (size_t i = 0; i < count; i++) {
		struct scd_range *last = set->count > 0 ? &ranges[set->count - 1] : NULL;

		if (!last || !touches(last, &ranges[i]))
			ranges[set->count++] = ranges[i];
		else if (compare_wide(last->last, ranges[i].last) < 0)
			last->last = ranges[i].last;
	}
	return set;
}

bool scd_rangeset_has(const struct scd_rangeset *set, struct scd_wide number)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare_wide(number, set->ranges[middle].first) < 0)
			high = middle;
		else if (compare_wide(number, set->ranges[middle].last) > 0)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

struct scd_wide scd_wide_of_bytes(const uint8_t *bytes, size_t byte_count)
{
	struct scd_wide wide = { 0, 0 };

	for (size_t i = 0; i < byte_count; i++) {
		wide.high = wide.high << 8 | wide.low >> 56;
		wide.low = wide.low << 8 | bytes[i];
	}
	return wide;
}

struct scd_range scd_range_of_network(const uint8_t *bytes, size_t byte_count, unsigned prefix_bits)
{
	uint8_t first[16] = { 0 }, last[16] = { 0 };

	for (size_t i = 0; i < byte_count; i++) {
		unsigned kept = prefix_bits >= 8 * (i + 1) ? 8
		                : prefix_bits > 8 * i      ? prefix_bits - 8 * (unsigned)i
		                                           : 0;
		uint8_t rest = (uint8_t)(0xffu >> kept);

		first[i] = (uint8_t)(bytes[i] & ~rest);
		last[i] = (uint8_t)(bytes[i] | rest);
	}
	return (struct scd_range){ scd_wide_of_bytes(first, byte_count), scd_wide_of_bytes(last, byte_count) };
}
