/*
 * Messages between keeper and worker: fixed fields in host order, copied in and out one by one so that no struct
 * layout is part of the format. The path of a listener takes what is left of the message.
 */
#include "seccheckd/wire/custody.h"

#include <errno.h>
#include <string.h>

#include "seccheckd/base/limits.h"

/* Bits of `flags`. */
#define RESUMED 1u

/* Offsets; the picture is in the header. */
enum {
	AT_KIND = 0,
	AT_FLAGS = 4,
	AT_CONNECTION_ID = 8,
	AT_NONCE = 16,
	AT_PEER_PID = AT_NONCE + SCD_CUSTODY_NONCE_BYTES,
	AT_PEER_UID = AT_PEER_PID + 4,
	AT_SNDBUF = AT_PEER_UID + 4,
	AT_SANDBOX_LEN = AT_SNDBUF + 4,
	AT_SANDBOX = AT_SANDBOX_LEN + 4,
	SHORT_BYTES = AT_NONCE, /* of the kinds that tell of no connection but its id */
};

/* As much as fits; the length with it. */
static size_t append(uint8_t message[SCD_CUSTODY_MAX_BYTES], size_t len, const char *text, size_t text_len)
{
	size_t room = SCD_CUSTODY_MAX_BYTES - len, copied = text_len < room ? text_len : room;

	if (copied > 0)
		memcpy(message + len, text, copied);
	return len + copied;
}

/* Whether it says whose connection it is. */
static bool is_long(uint32_t kind)
{
	return kind == SCD_CUSTODY_CONNECTION || kind == SCD_CUSTODY_QUARANTINED;
}

size_t scd_custody_format(const struct scd_custody *custody, uint8_t ret_message[SCD_CUSTODY_MAX_BYTES])
{
	uint32_t kind = (uint32_t)custody->kind;
	uint32_t sandbox_len = (uint32_t)custody->sandbox_id.len;
	uint32_t flags = custody->resumed ? RESUMED : 0;
	size_t len = AT_SANDBOX;

	memset(ret_message, 0, AT_SANDBOX);
	memcpy(ret_message + AT_KIND, &kind, sizeof(kind));
	memcpy(ret_message + AT_CONNECTION_ID, &custody->connection_id, sizeof(custody->connection_id));
	if (!is_long(kind))
		return SHORT_BYTES;
	memcpy(ret_message + AT_FLAGS, &flags, sizeof(flags));
	memcpy(ret_message + AT_NONCE, custody->nonce, SCD_CUSTODY_NONCE_BYTES);
	memcpy(ret_message + AT_PEER_PID, &custody->peer_pid, sizeof(custody->peer_pid));
	memcpy(ret_message + AT_PEER_UID, &custody->peer_uid, sizeof(custody->peer_uid));
	memcpy(ret_message + AT_SNDBUF, &custody->sndbuf_bytes, sizeof(custody->sndbuf_bytes));
	if (custody->sandbox_id.len > SCD_LIMIT_CONTAINER_ID_BYTES)
		sandbox_len = 0;
	memcpy(ret_message + AT_SANDBOX_LEN, &sandbox_len, sizeof(sandbox_len));
	len = append(ret_message, len, custody->sandbox_id.data, sandbox_len);
	return append(ret_message, len, custody->listener.data, custody->listener.len);
}

static bool is_kind(uint32_t kind)
{
	return kind >= SCD_CUSTODY_CONNECTION && kind <= SCD_CUSTODY_QUARANTINED;
}

/* The part of a CONNECTION or a QUARANTINED that the other kinds do not have. */
static int parse_connection(struct scd_str message, struct scd_custody *custody)
{
	uint32_t sandbox_len, flags;

	if (message.len < AT_SANDBOX)
		return -EBADMSG;
	memcpy(&flags, message.data + AT_FLAGS, sizeof(flags));
	custody->resumed = flags & RESUMED;
	memcpy(custody->nonce, message.data + AT_NONCE, SCD_CUSTODY_NONCE_BYTES);
	memcpy(&custody->peer_pid, message.data + AT_PEER_PID, sizeof(custody->peer_pid));
	memcpy(&custody->peer_uid, message.data + AT_PEER_UID, sizeof(custody->peer_uid));
	memcpy(&custody->sndbuf_bytes, message.data + AT_SNDBUF, sizeof(custody->sndbuf_bytes));
	memcpy(&sandbox_len, message.data + AT_SANDBOX_LEN, sizeof(sandbox_len));
	if (sandbox_len > SCD_LIMIT_CONTAINER_ID_BYTES || sandbox_len > message.len - AT_SANDBOX)
		return -EBADMSG;
	custody->sandbox_id = (struct scd_str){ message.data + AT_SANDBOX, sandbox_len };
	custody->listener.data = message.data + AT_SANDBOX + sandbox_len;
	custody->listener.len = message.len - AT_SANDBOX - sandbox_len;
	return 0;
}

int scd_custody_parse(struct scd_str message, struct scd_custody *ret_custody)
{
	struct scd_custody custody = { 0 };
	uint32_t kind;

	if (message.len < SHORT_BYTES)
		return -EBADMSG;
	memcpy(&kind, message.data + AT_KIND, sizeof(kind));
	if (!is_kind(kind))
		return -EBADMSG;
	custody.kind = (enum scd_custody_kind)kind;
	memcpy(&custody.connection_id, message.data + AT_CONNECTION_ID, sizeof(custody.connection_id));
	if (is_long(kind) && parse_connection(message, &custody) < 0)
		return -EBADMSG;
	*ret_custody = custody;
	return 0;
}
