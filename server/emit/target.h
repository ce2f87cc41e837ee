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

/* Accepts a target of zeros. */
void scd__target_done(struct scd__target *target);

#endif
