/*
 * The handshake. Version 0 is never let through.
 */
#include <stdlib.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/wire/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_str message = { (const char *)data, size };
	uint32_t version = 0;

	if (scd_handshake_parse(message, &version) == 0 && (version == 0 || size > SCD_LIMIT_HANDSHAKE_BYTES))
		abort();
	return 0;
}
