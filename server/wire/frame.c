/*
 * The frame header of a remote sink's message. Fields are read byte by byte, so neither alignment nor the host's byte
 * order matters. What is behind the header is not looked at.
 */
#include "seccheckd/wire/frame.h"

#include <errno.h>

static uint16_t read_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t read_u32(const uint8_t *at)
{
	return (uint32_t)read_u16(at) | (uint32_t)read_u16(at + 2) << 16;
}

int scd_frame_parse(struct scd_str message, struct scd_frame *ret_frame)
{
	const uint8_t *head = (const uint8_t *)message.data;
	uint16_t header_bytes;

	if (message.len < SCD_FRAME_HEADER_BYTES)
		return -EBADMSG;
	header_bytes = read_u16(head);
	if (header_bytes < SCD_FRAME_HEADER_BYTES || header_bytes > message.len)
		return -EBADMSG;
	*ret_frame = (struct scd_frame){
		.header_bytes = header_bytes,
		.message_type = read_u16(head + 2),
		.dropped_count = read_u32(head + 4),
		.payload = { message.data + header_bytes, message.len - header_bytes },
	};
	return 0;
}

uint32_t scd_frame_dropped_since(uint32_t before, uint32_t now)
{
	return now - before;
}
