/*
 * The handshake: one message in, one message out. It is all that the keeper reads of what a sandbox can send, so it
 * is short: a buffer on the stack, a length check, wire/handshake.h, one send.
 *
 * What comes behind the handshake stays in the socket, for the worker.
 */
#include "keeper/handshake.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/base/peer_socket.h"
#include "seccheckd/wire/handshake.h"

/* The length of the message in buffer, or negative errno. */
static ssize_t receive_message(int fd, char buffer[SCD_LIMIT_HANDSHAKE_BYTES])
{
	ssize_t received = scd_peer_socket_receive(fd, buffer, SCD_LIMIT_HANDSHAKE_BYTES);

	if (received < 0)
		return received;
	if (received == 0)
		return -ENODATA;
	return (size_t)received > SCD_LIMIT_HANDSHAKE_BYTES ? -EMSGSIZE : received;
}

int scd__handshake_receive(int fd)
{
	char buffer[SCD_LIMIT_HANDSHAKE_BYTES];
	ssize_t len = receive_message(fd, buffer);
	uint32_t version;

	return len < 0 ? (int)len : scd_handshake_parse((struct scd_str){ buffer, (size_t)len }, &version);
}

int scd__handshake_answer(int fd)
{
	uint8_t message[SCD_HANDSHAKE_ANSWER_BYTES];
	size_t len = scd_handshake_format(message);
	ssize_t sent;

	do
		sent = send(fd, message, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0) /* a new socket has room: a full one, too, is a peer that plays games */
		return errno == EAGAIN ? -EPIPE : -errno;
	return 0;
}

const char *scd__handshake_reason(int error)
{
	switch (error) {
	case -ENODATA: return "it closed, or sent an empty message, instead of a handshake";
	case -EMSGSIZE: return "its first message is too long for a handshake";
	case -EBADMSG: return "its first message is not a handshake";
	case -EPROTO: return "it sent descriptors with its handshake";
	case -EPROTONOSUPPORT: return "it speaks version 0 of the protocol";
	case -ETIMEDOUT: return "it sent no handshake in time";
	case -EPIPE:
	case -ECONNRESET: return "it left during the handshake";
	default: return strerror(-error);
	}
}
