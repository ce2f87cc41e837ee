/*
 * Takes secrets out of text that leaves the host: command lines name passwords and tokens.
 *
 * Replaced by `<redacted>`: the value of options and assignments whose name says that it is a secret (--password=X,
 * --token X, API_KEY=X, "secret": "X"), the password of a URL's user info (scheme://user:X@host), and `Authorization:`
 * values; tokens that begin as those of AWS, GitHub, GitLab, Slack and OpenAI do, and JWTs, wherever they stand; -pX
 * of mysql and its relatives and of sshpass. Names are compared without regard to case, '-', '_' and '.'. What an
 * analyst needs stays: user names and wallets, also as a URL's user info, and other programs' options that are too
 * short to say what they are (-u X, -p X). The rules see the original; only what is reported is changed. Time is
 * linear in the text whatever it holds.
 */
#ifndef SECCHECKD_ALERT_REDACT_H
#define SECCHECKD_ALERT_REDACT_H

#include "seccheckd/base/arena.h"

/*
 * The text itself when nothing in it is secret, else a copy in the arena; an empty span when the arena is exhausted.
 */
struct scd_str scd_redact_text(struct scd_str text, struct scd_arena *arena);

/*
 * The same for one item of an argument vector, whose limits are known: a value may contain blanks. previous is the
 * argument before it, empty for the first; program is argv[0], which says what -p means.
 */
struct scd_str scd_redact_argument(struct scd_str program, struct scd_str previous, struct scd_str argument,
                                   struct scd_arena *arena);

/* Whether the argument after this one is a secret ("--password", "-password"). */
bool scd_redact_names_secret(struct scd_str argument);

#endif
