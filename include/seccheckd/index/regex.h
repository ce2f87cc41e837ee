/*
 * Regular expressions as Falco's `regex` has them: RE2 with its POSIX options (egrep syntax, leftmost-longest, no \d,
 * no (?i), no back references), and the whole text has to match.
 *
 * Whoever writes a pattern may be careless and whoever sends the text is hostile, so both are bounded: the time of a
 * match is linear in the text, and neither the compiled pattern nor what matching remembers of it takes more than
 * SCD_LIMIT_REGEX_BYTES. Linear is not enough where each byte goes through thousands of steps of a pattern such as
 * `.*a.{999}c`: a pattern has at most SCD_LIMIT_REGEX_PROGRAM steps, and of a text of which the bytes times the
 * steps are more than SCD_LIMIT_REGEX_WORK, head and tail are looked at, with `<...>` between them.
 *
 *    new → (limit) → matches… → free
 *
 * One regex may be used by several threads at once.
 */
#ifndef SECCHECKD_INDEX_REGEX_H
#define SECCHECKD_INDEX_REGEX_H

#include "seccheckd/base/arena.h"
#include "seccheckd/base/error.h"

struct scd_regex;

/* -EINVAL with the reason in err (what; no place): no pattern, or one that is too large. -ENOMEM. */
int scd_regex_new(struct scd_str pattern, struct scd_regex **ret_regex, struct scd_error *err);
void scd_regex_free(struct scd_regex **regex);

/*
 * Lets it take this much memory and no more: its share, where there are many. Not while it is in use. -EINVAL with the
 * reason when the pattern alone needs more, -ENOMEM; then nothing has changed.
 */
int scd_regex_limit(struct scd_regex *regex, size_t max_bytes, struct scd_error *err);

/* What it was made from; lives as long as the regex. */
struct scd_str scd_regex_pattern(const struct scd_regex *regex);

/*
 * Patterns are over UTF-8: each byte of the text that is none counts as U+FFFD, for which a copy of the text is made in
 * scratch; where that fails, the text does not match. Other texts are not copied. A match allocates outside scratch
 * only while the pattern meets what it has not met before.
 */
bool scd_regex_matches(const struct scd_regex *regex, struct scd_str text, struct scd_arena *scratch);

#endif
