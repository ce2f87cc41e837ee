/*
 * Falco's pmatch: a set of path prefixes, compared part by part.
 *
 * Both sides are split at '/', empty parts dropped. A path matches when the parts of one member are a prefix of its
 * own; a part with one of `?`, `*`, `[` is an fnmatch(3) pattern for that part; `/` (no parts) matches every path.
 * Members form a tree of parts, so that cost depends on the depth of the path and not on the number of members (glob
 * parts are tried one by one). The answer is "any member matches", whatever their order; upstream's own search may miss
 * a member when several patterns stand beside each other.
 */
#ifndef SECCHECKD_INDEX_PATHSET_H
#define SECCHECKD_INDEX_PATHSET_H

#include "seccheckd/base/arena.h"

struct scd_pathset;

/*
 * Lives in the arena; borrows nothing. NULL on exhaustion, and for a member over SCD_LIMIT_CONSTANT_BYTES, which the
 * compiler of conditions refuses first.
 */
const struct scd_pathset *scd_pathset_new(const struct scd_str *members, size_t count, struct scd_arena *arena);
bool scd_pathset_matches(const struct scd_pathset *set, struct scd_str path);

#endif
