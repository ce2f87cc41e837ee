/*
 * "Did you mean …?": the known name that is nearest to a mistyped one.
 */
#ifndef SECCHECKD_CONFIG_SUGGEST_H
#define SECCHECKD_CONFIG_SUGGEST_H

#include "seccheckd/base/str.h"

/*
 * The first of the names with the smallest edit distance to word, if that is small enough for a slip of the hand (a
 * third of the word's length, at least 1); else NULL.
 */
const char *scd_suggest_nearest(struct scd_str word, const char *const *names, size_t count);

#endif
