/*
 * The handshake, through protobuf-c: it is read once in a connection's life, by the process with the privileges, so
 * that a well-known parser matters more than speed.
 */
#include "seccheckd/wire/handshake.h"

#include <errno.h>

#include "gvisor/common.pb-c.h"
#include "seccheckd/base/limits.h"

int scd_handshake_parse(struct scd_str message, uint32_t *ret_version)
{
	Gvisor__Common__Handshake *handshake;
	uint32_t version;

	if (message.len > SCD_LIMIT_HANDSHAKE_BYTES)
		return -EBADMSG;
	handshake = gvisor__common__handshake__unpack(NULL, message.len, (const uint8_t *)message.data);
	if (!handshake)
		return -EBADMSG;
	version = handshake->version;
	gvisor__common__handshake__free_unpacked(handshake, NULL);
	if (version == 0)
		return -EPROTONOSUPPORT;
	*ret_version = version;
	return 0;
}

size_t scd_handshake_format(uint8_t ret_message[SCD_HANDSHAKE_ANSWER_BYTES])
{
	Gvisor__Common__Handshake handshake = GVISOR__COMMON__HANDSHAKE__INIT;

	_Static_assert(SCD_HANDSHAKE_VERSION < 1u << 28,
	               "one byte of tag and at most four of version fit in the answer");
	handshake.version = SCD_HANDSHAKE_VERSION;
	return gvisor__common__handshake__pack(&handshake, ret_message);
}
