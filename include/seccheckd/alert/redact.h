/*
 * Takes secrets out of text that leaves the host: command lines name passwords and tokens.
 *
 * Replaced by `<redacted>`: the value of options and assignments whose name says that it is a secret (--password=X,
 * --token X, API_KEY=X), the password of a URL's user info (scheme://user:X@host), and `Authorization:` values. The
 * rules see the original; only what is reported is changed.
 */
#ifndef SECCHECKD_ALERT_REDACT_H
#define SECCHECKD_ALERT_REDACT_H

#include "seccheckd/base/arena.h"

/*
 * The text itself when nothing in it is secret, else a copy in the arena; an empty span when the arena is exhausted.
 */
struct scd_str scd_redact_text(struct scd_str text, struct scd_arena *arena);

/* Whether the argument after this one is a secret ("--password", "-password"). */
bool scd_redact_names_secret(struct scd_str argument);

#endif
