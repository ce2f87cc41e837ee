/*
 * Sending descriptors to the worker, and hearing from it.
 *
 * A descriptor sent with SCM_RIGHTS is a reference to the same open socket; ours stays open. So the keeper holds
 * every connection for as long as the worker does, and can give it to another worker.
 *
 * net/control.c has the other end, with loops around send(2) and recv(2) that look alike. They are not shared: neither
 * module may include the other, wire, which both use, knows the bytes and no sockets, and each end does what the other
 * must not: this one sends descriptors and refuses those that come.
 */
#include "keeper/custody.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "seccheckd/base/peer_socket.h"

int scd__custody_pair(int ret_fds[2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	(void)scd_peer_socket_refuse_descriptors(fds[0]);
	memcpy(ret_fds, fds, sizeof(fds));
	return 0;
}

int scd__custody_send(int fd, const struct scd_custody *message, int passed)
{
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	struct iovec part = { bytes, scd_custody_format(message, bytes) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (passed >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control.room);
	}
	do
		sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int scd__custody_receive(int fd, uint8_t buffer[SCD_CUSTODY_MAX_BYTES], struct scd_custody *ret_message)
{
	ssize_t received = scd_peer_socket_receive(fd, buffer, SCD_CUSTODY_MAX_BYTES);
	int r;

	if (received <= 0)
		return (int)received;
	if ((size_t)received > SCD_CUSTODY_MAX_BYTES)
		return -EBADMSG;
	r = scd_custody_parse((struct scd_str){ (const char *)buffer, (size_t)received }, ret_message);
	return r < 0 ? r : 1;
}
