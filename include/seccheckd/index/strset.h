/*
 * Immutable sets of strings: constants of conditions. Path prefixes, patterns, needles and numbers have headers of
 * their own beside this one.
 */
#ifndef SECCHECKD_INDEX_STRSET_H
#define SECCHECKD_INDEX_STRSET_H

#include "seccheckd/base/arena.h"

/*
 * Exact strings: one hash (XXH3) and, nearly always, one comparison, whatever the number of members. Lives in the
 * arena it was built in, and borrows the members' bytes, which live as long.
 */
struct scd_strset;

/* NULL on exhaustion. Duplicates are fine. */
const struct scd_strset *scd_strset_new(const struct scd_str *members, size_t count, struct scd_arena *arena);
bool scd_strset_has(const struct scd_strset *set, struct scd_str text);

/* Distinct members are numbered from 0: the number of one, or SCD_STRSET_NONE. */
#define SCD_STRSET_NONE UINT32_MAX
uint32_t scd_strset_find(const struct scd_strset *set, struct scd_str text);
size_t scd_strset_count(const struct scd_strset *set);

#endif
