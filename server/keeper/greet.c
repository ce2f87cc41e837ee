/*
 * From the listener to the end of the handshake.
 *
 * runsc sends its handshake right after connect(2), so most are there when the connection is accepted: one look at
 * once saves a turn of the poll loop, and only the late and the silent are ever polled.
 *
 * Without descriptors (EMFILE, ENFILE) a listener stays readable for ever, and peers that are not accepted hang
 * without end, as the sink has no time-out. So the keeper has one descriptor in reserve: it is closed, the connection
 * accepted and closed, and the reserve opened again. The peer learns at once. Only if that fails too, accepting
 * pauses.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper/handshake.h"
#include "keeper/internal.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"
#include "seccheckd/base/peer_socket.h"

/* Connections accepted from one listener before others have their turn. */
#define ACCEPT_BATCH 64

static struct scd_log_gate refused_gate = SCD_LOG_GATE(10);

/* Nobody, who may do nothing, where the kernel does not tell. */
static struct ucred peer_of(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		peer = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	return peer;
}

static void log_refusal(const char *path, uint32_t pid, uint32_t uid, const char *reason)
{
	scd_log_gated(&refused_gate, SCD_LOG_WARNING,
	              "refused a connection on %s from pid %" PRIu32 ", uid %" PRIu32 ": %s", path, pid, uid, reason);
}

void scd__keeper_forget(struct scd_keeper *keeper, struct scd__connection *connection)
{
	scd__inspector_forget(&keeper->inspector, connection);
	scd__connections_remove(&keeper->connections, connection);
}

static void refuse(struct scd_keeper *keeper, struct scd__connection *connection, int error)
{
	if (error == -ETIMEDOUT)
		keeper->counters.timed_out++;
	else
		keeper->counters.refused_handshake++;
	log_refusal(connection->listener, connection->pid, connection->uid, scd__handshake_reason(error));
	scd__keeper_forget(keeper, connection);
}

/* For one that never was in the table. */
static void refuse_unlisted(const struct scd__listener *listener, int fd, const char *reason)
{
	struct ucred peer = peer_of(fd);

	log_refusal(listener->path, (uint32_t)peer.pid, peer.uid, reason);
	scd_peer_socket_close(fd);
}

void scd__keeper_greet(struct scd_keeper *keeper, struct scd__connection *connection)
{
	int r = scd__handshake_receive(connection->fd);

	if (r == -EAGAIN)
		return;
	if (r == 0) { /* the peer waits for the answer: this is when it can be looked at */
		scd__inspector_inspect(&keeper->inspector, connection, &keeper->counters);
		r = scd__handshake_answer(connection->fd);
	}
	if (r < 0) {
		refuse(keeper, connection, r);
		return;
	}
	keeper->counters.answered++;
	scd__connections_move(&keeper->connections, connection, SCD__CONNECTION_WAITING);
}

void scd__keeper_expire(struct scd_keeper *keeper, int64_t now_ns)
{
	struct scd__connection *oldest;

	while ((oldest = scd__connections_first(&keeper->connections, SCD__CONNECTION_GREETING)) &&
	       oldest->deadline_ns <= now_ns)
		refuse(keeper, oldest, -ETIMEDOUT);
}

static void admit(struct scd_keeper *keeper, const struct scd__listener *listener, int fd, int64_t now_ns)
{
	bool full = keeper->connections.count == keeper->connections.limit;
	struct ucred peer = peer_of(fd);
	struct scd__connection *connection;

	if (!scd__inspector_allows(&keeper->inspector, peer.uid)) {
		keeper->counters.refused_user++;
		refuse_unlisted(listener, fd, "this user may not connect; the key allowed_uids names those that may");
		return;
	}
	if (!scd__inspector_has_share(&keeper->inspector, peer.uid, keeper->connections.limit)) {
		keeper->counters.refused_share++;
		refuse_unlisted(listener, fd, "this user has as many connections as it may");
		return;
	}
	connection = scd__connections_add(&keeper->connections, fd);
	if (!connection) {
		*(full ? &keeper->counters.refused_full : &keeper->counters.refused_resources) += 1;
		refuse_unlisted(listener, fd, full ? "too many connections" : "out of memory");
		return;
	}
	connection->deadline_ns = now_ns + (int64_t)SCD_LIMIT_HANDSHAKE_MS * 1000000;
	connection->listener = listener->path;
	connection->pid = (uint32_t)peer.pid;
	connection->uid = peer.uid;
	scd__inspector_take_share(&keeper->inspector, peer.uid);
	scd__keeper_greet(keeper, connection);
}

static void open_reserve(struct scd_keeper *keeper)
{
	if (keeper->reserve_fd < 0)
		keeper->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/*
 * Refuses the connection at the head of the queue. 0 when it did; -EAGAIN when there is none (accept4(2) looks for a
 * free descriptor first); others when even this fails.
 */
static int refuse_with_reserve(struct scd_keeper *keeper, const struct scd__listener *listener)
{
	int fd;

	if (keeper->reserve_fd < 0)
		return -EMFILE;
	close(keeper->reserve_fd);
	keeper->reserve_fd = -1;
	fd = scd__listener_accept(listener);
	if (fd >= 0) {
		keeper->counters.accepted++;
		keeper->counters.refused_resources++;
		refuse_unlisted(listener, fd, "out of descriptors");
	}
	open_reserve(keeper);
	return fd < 0 ? fd : 0;
}

static void pause_accepting(struct scd_keeper *keeper, int error, int64_t now_ns)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(1);

	keeper->counters.accept_pauses++;
	keeper->accept_after_ns = now_ns + SCD__RETRY_NS;
	scd_log_gated(&gate, SCD_LOG_ERROR, "cannot accept connections at the moment: %s", strerror(-error));
}

/* Deals with one connection. 0, or negative errno when there was none or it cannot be had. */
static int accept_one(struct scd_keeper *keeper, const struct scd__listener *listener, int64_t now_ns)
{
	int fd = scd__listener_accept(listener);

	if (fd == -EMFILE || fd == -ENFILE)
		return refuse_with_reserve(keeper, listener);
	if (fd < 0)
		return fd;
	keeper->counters.accepted++;
	admit(keeper, listener, fd, now_ns);
	return 0;
}

void scd__keeper_accept(struct scd_keeper *keeper, const struct scd__listener *listener, int64_t now_ns)
{
	int r = 0;

	open_reserve(keeper);
	for (int i = 0; i < ACCEPT_BATCH && r == 0; i++)
		r = accept_one(keeper, listener, now_ns);
	if (r < 0 && r != -EAGAIN)
		pause_accepting(keeper, r, now_ns);
}
