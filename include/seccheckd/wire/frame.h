/*
 * The header in front of every message of a seccheck remote sink.
 *
 *    0        2        4                 8          header_bytes
 *    +--------+--------+-----------------+----------+-----------...
 *    | header | type   | dropped count   | (future) | protobuf
 *    +--------+--------+-----------------+----------+-----------...
 *      u16      u16      u32, all little endian
 *
 * Source: gVisor pkg/sentry/seccheck/sinks/remote/wire. A SEQPACKET message is one frame. The payload starts at the
 * header's own size, which may grow in a later version; it may be empty (an all-default protobuf message has no
 * bytes).
 */
#ifndef SECCHECKD_WIRE_FRAME_H
#define SECCHECKD_WIRE_FRAME_H

#include "seccheckd/base/str.h"

#define SCD_FRAME_HEADER_BYTES 8u

struct scd_frame {
	uint16_t header_bytes;
	uint16_t message_type;  /* MessageType of common.proto; values we do not know are legal */
	uint32_t dropped_count; /* messages this sink has lost so far; wraps at 2^32 */
	struct scd_str payload; /* borrows from the message */
};

/* -EBADMSG: shorter than 8 bytes, a header size under 8, or one that is larger than the message. */
int scd_frame_parse(struct scd_str message, struct scd_frame *ret_frame);

/* Messages dropped between two counts of the same sink, across a wrap. */
uint32_t scd_frame_dropped_since(uint32_t before, uint32_t now);

#endif
