/*
 * Shell patterns as fnmatch(3) with no flags: `*` and `?` match every byte, also '/' and a leading dot; `[...]`;
 * backslash quotes. On spans, without a copy, in time linear in pattern × text (fnmatch itself is exponential on
 * `*a*a*a*…`, and the text is hostile).
 */
#ifndef SECCHECKD_INDEX_GLOB_H
#define SECCHECKD_INDEX_GLOB_H

#include "seccheckd/base/str.h"

/* fold: ASCII letters match either case (Falco's iglob, FNM_CASEFOLD). */
bool scd_glob_matches(struct scd_str pattern, struct scd_str text, bool fold);

#endif
