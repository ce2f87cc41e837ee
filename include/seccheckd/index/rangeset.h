/*
 * Immutable sets of numbers and of networks: whether a number is a member, or an address lies in one.
 *
 * Members become sorted ranges that do not touch, so that a question costs the logarithm of their number.
 */
#ifndef SECCHECKD_INDEX_RANGESET_H
#define SECCHECKD_INDEX_RANGESET_H

#include "seccheckd/base/arena.h"

/* A 128-bit number, most significant half first. */
struct scd_wide {
	uint64_t high, low;
};

/* From first to last, both included. */
struct scd_range {
	struct scd_wide first, last;
};

struct scd_rangeset;

/* Lives in the arena; borrows nothing. Members may overlap. NULL on exhaustion. */
const struct scd_rangeset *scd_rangeset_new(const struct scd_range *members, size_t count, struct scd_arena *arena);
bool scd_rangeset_has(const struct scd_rangeset *set, struct scd_wide number);

/* The network of all addresses that agree with these bytes (4 or 16) in their first bits. */
struct scd_range scd_range_of_network(const uint8_t *bytes, size_t byte_count, unsigned prefix_bits);

/* The bytes of an address (4 or 16) as a number. */
struct scd_wide scd_wide_of_bytes(const uint8_t *bytes, size_t byte_count);

#endif
