/*
 * The decoder against protobuf-c. Input: the message type in two bytes, little endian, then the payload. A known type
 * must get the same verdict and the same values from both; an unknown one must be left alone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"
#include "seccheckd/event/address.h"
#include "tests/support/decode_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct scd_arena scratch;

static void check_unknown(unsigned type, struct scd_str payload)
{
	struct scd_event event;

	if (scd_decode_event(type, payload, 0, &scratch, &event) != 1 || event.kind != SCD_KIND_NONE)
		abort();
}

/* The bytes of a payload are as good a socket address as any. */
static void check_address(struct scd_str payload)
{
	struct scd_address address;

	if (scd_address_parse(payload, &address) == 0 && address.path.len > payload.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[DECODE_MODEL_WHY_BYTES];
	struct scd_str payload;
	unsigned type;

	if (size < 2)
		return 0;
	if (scratch.chunk_bytes == 0)
		scd_arena_init(&scratch, 65536, SCD_LIMIT_EVENT_ARENA_BYTES);
	type = data[0] | (unsigned)data[1] << 8;
	payload = (struct scd_str){ (const char *)data + 2, size - 2 };
	check_address(payload);
	if (type == SCD_POINT_UNKNOWN || type >= SCD_POINT_COUNT) {
		check_unknown(type, payload);
	} else if (!decode_model_agrees(type, payload, &scratch, NULL, why)) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	return 0;
}
