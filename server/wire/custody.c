/*
 * Messages between keeper and worker: fixed fields in host order, copied in and out one by one so that no struct
 * layout is part of the format. The path of a listener takes what is left of the message.
 */
#include "seccheckd/wire/custody.h"

#include <errno.h>
#include <string.h>

/* Offsets; the picture is in the header. `flags` is 0 and not read: room for later. */
enum {
	AT_KIND = 0,
	AT_FLAGS = 4,
	AT_CONNECTION_ID = 8,
	AT_NONCE = 16,
	AT_PEER_PID = AT_NONCE + SCD_CUSTODY_NONCE_BYTES,
	AT_PEER_UID = AT_PEER_PID + 4,
	AT_LISTENER = AT_PEER_UID + 4,
	SHORT_BYTES = AT_NONCE, /* every kind but CONNECTION */
};

size_t scd_custody_format(const struct scd_custody *custody, uint8_t ret_message[SCD_CUSTODY_MAX_BYTES])
{
	uint32_t kind = (uint32_t)custody->kind;
	size_t path_len = custody->listener.len;

	memset(ret_message, 0, AT_LISTENER);
	memcpy(ret_message + AT_KIND, &kind, sizeof(kind));
	memcpy(ret_message + AT_CONNECTION_ID, &custody->connection_id, sizeof(custody->connection_id));
	if (custody->kind != SCD_CUSTODY_CONNECTION)
		return SHORT_BYTES;
	memcpy(ret_message + AT_NONCE, custody->nonce, SCD_CUSTODY_NONCE_BYTES);
	memcpy(ret_message + AT_PEER_PID, &custody->peer_pid, sizeof(custody->peer_pid));
	memcpy(ret_message + AT_PEER_UID, &custody->peer_uid, sizeof(custody->peer_uid));
	if (path_len > SCD_CUSTODY_MAX_BYTES - AT_LISTENER)
		path_len = SCD_CUSTODY_MAX_BYTES - AT_LISTENER;
	if (path_len > 0)
		memcpy(ret_message + AT_LISTENER, custody->listener.data, path_len);
	return AT_LISTENER + path_len;
}

static bool is_kind(uint32_t kind)
{
	return kind >= SCD_CUSTODY_CONNECTION && kind <= SCD_CUSTODY_CLOSED;
}

int scd_custody_parse(struct scd_str message, struct scd_custody *ret_custody)
{
	struct scd_custody custody = { 0 };
	uint32_t kind;

	if (message.len < SHORT_BYTES)
		return -EBADMSG;
	memcpy(&kind, message.data + AT_KIND, sizeof(kind));
	if (!is_kind(kind) || (kind == SCD_CUSTODY_CONNECTION && message.len < AT_LISTENER))
		return -EBADMSG;
	custody.kind = (enum scd_custody_kind)kind;
	memcpy(&custody.connection_id, message.data + AT_CONNECTION_ID, sizeof(custody.connection_id));
	if (kind == SCD_CUSTODY_CONNECTION) {
		memcpy(custody.nonce, message.data + AT_NONCE, SCD_CUSTODY_NONCE_BYTES);
		memcpy(&custody.peer_pid, message.data + AT_PEER_PID, sizeof(custody.peer_pid));
		memcpy(&custody.peer_uid, message.data + AT_PEER_UID, sizeof(custody.peer_uid));
		custody.listener = (struct scd_str){ message.data + AT_LISTENER, message.len - AT_LISTENER };
	}
	*ret_custody = custody;
	return 0;
}
