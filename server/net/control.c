/*
 * The socket to the keeper: connections come in, ended ones go out. Nothing here blocks.
 *
 * Out: READY once, and CLOSED for each session in `ended`. A session stays in that list, as its own queue entry,
 * until its message is sent, so telling the keeper never needs memory.
 *
 * In: CONNECTION with exactly one descriptor, QUARANTINED and STOP with none. The keeper is trusted, but a message
 * that is not right is counted and skipped, and whatever descriptors came with it are closed.
 *
 * keeper/custody.c has the other end, and says why the two share nothing but the bytes (wire/custody.h).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/internal.h"
#include "seccheckd/base/log.h"

/* Connections taken over before others have their turn. */
#define RECEIVE_BATCH 64

/* Room for more descriptors than are right, so that too many are seen as such. */
#define DESCRIPTORS_ROOM 4

static void on_control(uv_poll_t *poll, int status, int events);

static int wait_for(struct scd_net *net, bool room)
{
	net->control_full = room;
	return uv_poll_start(&net->control, UV_READABLE | (room ? UV_WRITABLE : 0), on_control);
}

int scd__control_start(struct scd_net *net)
{
	int r = uv_poll_init(net->loop, &net->control, net->control_fd);

	if (r < 0)
		return r;
	net->control.data = net;
	net->open_handles++;
	net->ready_due = true;
	return wait_for(net, true);
}

void scd__control_close(struct scd_net *net)
{
	if (net->control_fd < 0)
		return;
	if (net->control.data)
		scd__net_close_handle((uv_handle_t *)&net->control);
	close(net->control_fd);
	net->control_fd = -1;
}

/* False when the socket is full. A keeper that is gone counts as told: that it is gone is about to be read. */
static bool tell(struct scd_net *net, enum scd_custody_kind kind, uint64_t id)
{
	const struct scd_custody message = { .kind = kind, .connection_id = id };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	size_t len = scd_custody_format(&message, bytes);
	ssize_t sent;

	if (net->control_fd < 0)
		return true;
	do
		sent = send(net->control_fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

/* False when something is still due. */
static bool tell_all(struct scd_net *net)
{
	struct scd__session *next;

	if (net->ready_due && !tell(net, SCD_CUSTODY_READY, 0))
		return false;
	net->ready_due = false;
	for (struct scd__session *session = TAILQ_FIRST(&net->ended); session; session = next) {
		next = TAILQ_NEXT(session, link);
		if (!tell(net, SCD_CUSTODY_CLOSED, session->id))
			return false;
		TAILQ_REMOVE(&net->ended, session, link);
		free(session);
	}
	return true;
}

void scd__control_flush(struct scd_net *net)
{
	bool full = !tell_all(net);

	if (full != net->control_full && net->control_fd >= 0)
		wait_for(net, full);
}

/* Collects the descriptors that came with a message; their number. The kernel closed those without room. */
static size_t take_descriptors(struct msghdr *header, int fds[DESCRIPTORS_ROOM])
{
	size_t count = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(part), count * sizeof(int));
	}
	return count;
}

/* What came: a message, and the descriptors with it. */
struct delivery {
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	struct scd_custody message; /* borrows from bytes */
	bool parsed;                /* message is good; its descriptors may still be wrong */
	bool cut;                   /* there were more bytes or descriptors than there is room for */
	int fds[DESCRIPTORS_ROOM];
	size_t fd_count;
};

/* 1; 0 at the end; -EAGAIN. A reset is reported once, in front of messages that are still queued. */
static int receive(int fd, struct delivery *ret_delivery)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(DESCRIPTORS_ROOM * sizeof(int))];
	} control;
	struct iovec part = { ret_delivery->bytes, sizeof(ret_delivery->bytes) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control };
	ssize_t received;
	struct scd_str text;

	header.msg_controllen = sizeof(control.room);
	do
		received = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (received < 0 && (errno == EINTR || errno == ECONNRESET));
	if (received <= 0)
		return received < 0 ? -errno : 0;
	text = (struct scd_str){ (const char *)ret_delivery->bytes, (size_t)received };
	ret_delivery->fd_count = take_descriptors(&header, ret_delivery->fds);
	ret_delivery->cut = header.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
	ret_delivery->parsed = scd_custody_parse(text, &ret_delivery->message) == 0;
	return 1;
}

static void take_connection(struct scd_net *net, const struct scd_custody *message, int fd)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(5);
	int r = scd__session_new(net, message, fd);

	if (r == 0) {
		scd_log(SCD_LOG_DEBUG, "connection %" PRIu64 " of pid %" PRIu32 ", uid %" PRIu32 " on " SCD_STR_FMT,
		        message->connection_id, message->peer_pid, message->peer_uid, SCD_STR_ARG(message->listener));
		return;
	}
	net->counters.sessions_refused++;
	scd_log_gated(&gate, SCD_LOG_ERROR, "connection %" PRIu64 " of pid %" PRIu32 " is closed: %s",
	              message->connection_id, message->peer_pid, strerror(-r));
	/* Without memory there is no queue: should the socket be full as well, the keeper keeps a closed connection. */
	tell(net, SCD_CUSTODY_CLOSED, message->connection_id);
}

/* A connection that came without its descriptor (we had none left) is given back, so that its sandbox learns. */
static void refuse_delivery(struct scd_net *net, const struct delivery *delivery)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(1);

	for (size_t i = 0; i < delivery->fd_count; i++)
		close(delivery->fds[i]);
	net->counters.control_errors++;
	scd_log_gated(&gate, SCD_LOG_ERROR, "the keeper sent a message that is malformed or not complete");
	if (delivery->parsed && delivery->message.kind == SCD_CUSTODY_CONNECTION)
		tell(net, SCD_CUSTODY_CLOSED, delivery->message.connection_id);
}

/* With the descriptors that its kind has. */
static bool is_right(const struct delivery *delivery)
{
	if (!delivery->parsed || delivery->cut)
		return false;
	switch (delivery->message.kind) {
	case SCD_CUSTODY_CONNECTION: return delivery->fd_count == 1;
	case SCD_CUSTODY_QUARANTINED:
	case SCD_CUSTODY_STOP: return delivery->fd_count == 0;
	default: return false;
	}
}

enum heard { HEARD_NOTHING, HEARD_MESSAGE, HEARD_STOP };

static enum heard hear(struct scd_net *net)
{
	struct delivery delivery = { .parsed = false };
	int r = receive(net->control_fd, &delivery);

	if (r == -EAGAIN)
		return HEARD_NOTHING;
	if (r != 1) /* the keeper is gone */
		return HEARD_STOP;
	if (!is_right(&delivery))
		refuse_delivery(net, &delivery);
	else if (delivery.message.kind == SCD_CUSTODY_STOP)
		return HEARD_STOP;
	else if (delivery.message.kind == SCD_CUSTODY_CONNECTION)
		take_connection(net, &delivery.message, delivery.fds[0]);
	else if (net->sink.ops->unwatched)
		net->sink.ops->unwatched(net->sink.user, &delivery.message);
	return HEARD_MESSAGE;
}

static void on_control(uv_poll_t *poll, int status, int events)
{
	struct scd_net *net = poll->data;
	enum heard heard = HEARD_MESSAGE;

	if (events & UV_WRITABLE)
		scd__control_flush(net);
	if (status == 0 && !(events & UV_READABLE))
		return;
	for (int i = 0; i < RECEIVE_BATCH && heard == HEARD_MESSAGE; i++)
		heard = hear(net);
	if (heard == HEARD_STOP)
		scd__stop_begin(net);
}
