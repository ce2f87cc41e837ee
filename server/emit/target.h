/*
 * Where an HTTP output sends to.
 *
 *     http://HOST[:PORT]/PATH   https://…   http+unix:///SOCKET/PATH:/REQUEST/PATH
 */
#ifndef SCD_SERVER_EMIT_TARGET_H
#define SCD_SERVER_EMIT_TARGET_H

#include "seccheckd/base/error.h"

struct scd__target {
	char *url;         /* for libcurl: http or https */
	char *socket_path; /* NULL: TCP */
};

/* Both texts are new. -EINVAL with err, -ENOMEM. */
int scd__target_parse(const char *url, struct scd__target *ret_target, struct scd_error *err);

/* Room for a URL that is shown. */
#define SCD__TARGET_SHOWN_BYTES 256

/*
 * A URL as it may stand in a message: cut to the room, and with all up to its last `@` left out, which is more than the
 * user info where somebody forgot to escape a password. Returns text.
 */
const char *scd__target_show(const char *url, char text[SCD__TARGET_SHOWN_BYTES]);

/* Accepts a target of zeros. */
void scd__target_done(struct scd__target *target);

#endif
