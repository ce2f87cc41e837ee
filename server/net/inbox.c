/*
 * Telling an empty message from the end.
 *
 * On a SEQPACKET socket both read as 0, and a hostile sandbox may send empty messages, also right before it closes:
 *
 *    queue:  [abc] [] [defg]   peer has closed        reads: 3, 0, 4, 0, 0, 0, …
 *
 * What the kernel gives us (net/unix/af_unix.c): the peer's close or shutdown sets RCV_SHUTDOWN on our end, which
 * poll(2) shows as POLLRDHUP; it is never taken back, and a send that comes later fails with EPIPE, so from then on
 * the queue only shrinks. FIONREAD is the sum of the bytes of all queued messages. Therefore, after a read of 0:
 *
 *    no POLLRDHUP     an empty message: at the end, POLLRDHUP had been there before the read
 *    POLLRDHUP        ask FIONREAD once and count down from there; what follows is empty messages while bytes are
 *                     left, and the end when none are. Empty messages at the very end are not told apart from it;
 *                     nothing is lost with them.
 *
 * FIONREAD walks the queue, so asking for it after each empty message would be quadratic in what the peer queued;
 * asking once is not.
 *
 * ECONNRESET means that the peer closed with something of ours unread (our answer to its handshake). The kernel
 * reports it once, *before* the messages that are still queued, and they can be read afterwards: what a sandbox did
 * before it went away is evidence.
 *
 * Where the kernel refuses descriptors for us, a message is received without room for them, which is cheaper by a
 * fifth.
 */
#include "net/inbox.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "seccheckd/base/peer_socket.h"

void scd__inbox_init(struct scd__inbox *inbox, int fd)
{
	*inbox = (struct scd__inbox){ .fd = fd, .bare = scd_peer_socket_refuses_descriptors(fd) };
}

static ssize_t receive_once(const struct scd__inbox *inbox, void *buffer, size_t room)
{
	ssize_t received;

	if (!inbox->bare)
		return scd_peer_socket_receive(inbox->fd, buffer, room);
	do
		received = recv(inbox->fd, buffer, room, MSG_DONTWAIT | MSG_TRUNC);
	while (received < 0 && errno == EINTR);
	return received < 0 ? -errno : received;
}

/* Bytes read, or negative errno. */
static ssize_t receive(struct scd__inbox *inbox, void *buffer, size_t room)
{
	ssize_t received = receive_once(inbox, buffer, room);

	if (received != -ECONNRESET || inbox->was_reset)
		return received;
	inbox->was_reset = true;
	return receive_once(inbox, buffer, room);
}

static bool peer_is_gone(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLRDHUP };

	return poll(&look, 1, 0) > 0 && look.revents;
}

static uint64_t queued_bytes(int fd)
{
	int queued = 0;

	return ioctl(fd, FIONREAD, &queued) == 0 && queued > 0 ? (uint64_t)queued : 0;
}

/* After a read of 0: whether it was the end. */
static bool ended(struct scd__inbox *inbox)
{
	if (!inbox->hung_up) {
		if (!peer_is_gone(inbox->fd))
			return false;
		inbox->hung_up = true;
		inbox->left_bytes = queued_bytes(inbox->fd);
	}
	return inbox->left_bytes == 0;
}

int scd__inbox_read(struct scd__inbox *inbox, void *buffer, size_t room, size_t *ret_len)
{
	ssize_t received;
	size_t len;

	received = receive(inbox, buffer, room);
	if (received < 0)
		return (int)received;
	if (received == 0 && ended(inbox))
		return 0;
	len = (size_t)received;
	if (inbox->hung_up)
		inbox->left_bytes -= len < inbox->left_bytes ? len : inbox->left_bytes;
	*ret_len = len;
	return len > room ? -EMSGSIZE : 1;
}
