/*
 * SO_PASSRIGHTS where the kernel has it; elsewhere recvmsg(2) with room for all the descriptors that one message can
 * bring, so that each is ours before it is closed.
 */
#include "seccheckd/base/peer_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* SCM_MAX_FD: what the kernel lets one message carry. */
#define MAX_DESCRIPTORS 253

/* With SO_PASSCRED each message has those of its sender, too. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(MAX_DESCRIPTORS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

bool scd_peer_socket_refuse_descriptors(int fd)
{
	int no = 0;

	return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no)) == 0;
}

bool scd_peer_socket_refuses_descriptors(int fd)
{
	int passes = 1;
	socklen_t len = sizeof(passes);

	return getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &passes, &len) == 0 && !passes;
}

/* Not a socket is not an error. */
static void close_without_lingering(int fd)
{
	const struct linger none = { .l_onoff = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

/* True when there were any. */
static bool close_descriptors(struct msghdr *message)
{
	bool found = message->msg_flags & MSG_CTRUNC;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		found = true;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			close_without_lingering(fd);
		}
	}
	return found;
}

ssize_t scd_peer_socket_receive(int fd, void *buffer, size_t room)
{
	union control control;
	struct iovec part = { buffer, room };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control };
	ssize_t received;

	message.msg_controllen = sizeof(control.room);
	do
		received = recvmsg(fd, &message, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
	while (received < 0 && errno == EINTR);
	if (received < 0)
		return -errno;
	return close_descriptors(&message) ? -EPROTO : received;
}

/*
 * Takes one message off the queue and closes what came with it. False when there is none: asked to show credentials,
 * the kernel shows them with an empty message as well, but not at the end.
 */
static bool discard_message(int fd)
{
	union control control;
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control.room) };
	ssize_t received = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	bool found = received >= 0 && message.msg_controllen > 0;

	if (found)
		close_descriptors(&message);
	return found || (received < 0 && (errno == EINTR || errno == ECONNRESET));
}

void scd_peer_socket_close(int fd)
{
	const int yes = 1;

	if (!scd_peer_socket_refuses_descriptors(fd)) {
		shutdown(fd, SHUT_RDWR); /* nothing can follow what is there */
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes));
		while (discard_message(fd))
			;
	}
	close(fd);
}
