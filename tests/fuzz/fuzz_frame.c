/*
 * The frame header. What is accepted lies inside the message, whole.
 */
#include <stdlib.h>

#include "seccheckd/wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_str message = { (const char *)data, size };
	struct scd_frame frame;

	if (scd_frame_parse(message, &frame) < 0)
		return 0;
	if (frame.header_bytes < SCD_FRAME_HEADER_BYTES || frame.header_bytes + frame.payload.len != size)
		abort();
	if (frame.payload.data != message.data + frame.header_bytes)
		abort();
	return 0;
}
