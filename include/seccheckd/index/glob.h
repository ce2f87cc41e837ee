/*
 * Shell patterns as fnmatch(3) with no flags: `*` and `?` match every byte, also '/' and a leading dot; `[...]`;
 * backslash quotes. On spans, without a copy. A pattern is read once; a match takes pattern times text steps of some
 * nanoseconds at worst (fnmatch itself is exponential on `*a*a*a*…`, and the text is hostile).
 */
#ifndef SECCHECKD_INDEX_GLOB_H
#define SECCHECKD_INDEX_GLOB_H

#include "seccheckd/base/arena.h"

struct scd_glob;

/*
 * fold: ASCII letters match either case (Falco's iglob, FNM_CASEFOLD). Lives in the arena, needs no more than 37 bytes
 * for each of the pattern's, and borrows nothing. A pattern of SCD_LIMIT_CONSTANT_BYTES takes milliseconds at worst.
 * NULL on exhaustion.
 */
const struct scd_glob *scd_glob_new(struct scd_str pattern, bool fold, struct scd_arena *arena);

bool scd_glob_matches(const struct scd_glob *glob, struct scd_str text);

#endif
