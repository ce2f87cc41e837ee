/*
 * Messages between keeper and worker. What was accepted and is formatted again is the same message.
 */
#include <stdlib.h>
#include <string.h>

#include "seccheckd/wire/custody.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct scd_custody *a, const struct scd_custody *b)
{
	return a->kind == b->kind && a->connection_id == b->connection_id && a->peer_pid == b->peer_pid &&
	       a->peer_uid == b->peer_uid && memcmp(a->nonce, b->nonce, SCD_CUSTODY_NONCE_BYTES) == 0 &&
	       a->sndbuf_bytes == b->sndbuf_bytes && scd_str_eq(a->sandbox_id, b->sandbox_id) &&
	       scd_str_eq(a->listener, b->listener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_str message = { (const char *)data, size };
	uint8_t again[SCD_CUSTODY_MAX_BYTES];
	struct scd_custody custody, back;

	if (size > SCD_CUSTODY_MAX_BYTES || scd_custody_parse(message, &custody) < 0)
		return 0;
	message = (struct scd_str){ (const char *)again, scd_custody_format(&custody, again) };
	if (scd_custody_parse(message, &back) < 0 || !same(&custody, &back))
		abort();
	return 0;
}
