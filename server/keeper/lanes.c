/*
 * Connections on their way to the worker and back: one queue of those that wait, and for each thread of the worker, a
 * lane, one control socket.
 *
 *                        ╭──▶ lane 0   CONNECTION…  STOP      READY  CLOSED… ──╮
 *    WAITING ──▶ choose ─┼──▶ lane 1                                           ├──▶ the table of connections
 *                        ╰──▶ …                                              ──╯
 *
 * A connection goes to the lane that has fewest, and stays there as long as that worker lives. Those that got a strike
 * (pulses.c) share the first lane: of two suspects only one is read at a time, so the next end tells them apart.
 *
 * Nothing is given before every lane is ready: its worker might not get ready at all. The order to stop lifts that
 * gate, so that what has been answered reaches the worker before STOP, in one queue, whatever the worker does at that
 * moment.
 *
 * Of connections in quarantine, which nobody gets, one lane is told: an alert says that they are not watched any more.
 *
 * For each time that a connection is given there is a new nonce: the ids of alerts are made of it and of numbers that
 * begin anew with each worker.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "keeper/custody.h"
#include "keeper/internal.h"
#include "seccheckd/base/log.h"
#include "seccheckd/base/peer_socket.h"

/* Control messages handled before others have their turn. */
#define HEAR_BATCH 64

/* What a worker that has ended may have left in a control socket; a socket holds no more than some hundred. */
#define HEAR_LAST 4096

/* The open lane with room that has fewest connections, or NULL. */
static struct scd__lane *choose(struct scd__worker *worker)
{
	struct scd__lane *best = NULL;

	for (size_t i = 0; i < worker->lane_count; i++) {
		struct scd__lane *lane = &worker->lanes[i];

		if (lane->control < 0 || lane->full)
			continue;
		if (!best || lane->connection_count < best->connection_count)
			best = lane;
	}
	return best;
}

static struct scd__lane *lane_for(struct scd__worker *worker, const struct scd__connection *connection)
{
	struct scd__lane *first = &worker->lanes[0];

	return connection->strikes && first->control >= 0 && !first->full ? first : choose(worker);
}

/* passed: a descriptor to go with it, or -1. */
static int give(enum scd_custody_kind kind, const struct scd__connection *connection, const struct scd__lane *lane,
                int passed)
{
	struct scd_custody message = {
		.kind = kind,
		.connection_id = connection->id,
		.resumed = connection->given,
		.peer_pid = connection->pid,
		.peer_uid = connection->uid,
		.sndbuf_bytes = connection->sndbuf_bytes,
		.sandbox_id = scd_str_from(connection->sandbox_id),
		.listener = scd_str_from(connection->listener),
	};

	if (getrandom(message.nonce, sizeof(message.nonce), 0) != (ssize_t)sizeof(message.nonce))
		return -ENOBUFS;
	return scd__custody_send(lane->control, &message, passed);
}

static void note_given(struct scd_keeper *keeper, struct scd__connection *connection, struct scd__lane *lane)
{
	keeper->counters.handed_over++;
	keeper->counters.resumed += connection->given;
	connection->given = true;
	connection->lane = (uint32_t)(lane - keeper->worker.lanes);
	lane->connection_count++;
	scd__connections_move(&keeper->connections, connection, SCD__CONNECTION_HELD);
}

/* 0 when no connection is waiting any more; -EAGAIN when no lane takes one. */
static int give_waiting(struct scd_keeper *keeper)
{
	struct scd__connection *connection;

	while ((connection = scd__connections_first(&keeper->connections, SCD__CONNECTION_WAITING))) {
		struct scd__lane *lane = lane_for(&keeper->worker, connection);
		int r = lane ? give(SCD_CUSTODY_CONNECTION, connection, lane, connection->fd) : -EAGAIN;

		if (r == 0)
			note_given(keeper, connection, lane);
		else if (r == -EAGAIN && lane)
			lane->full = true;
		else
			return r;
	}
	return 0;
}

/* That a connection is in quarantine, a worker is told once, so that there is an alert of it. As give_waiting. */
static int tell_quarantined(struct scd_keeper *keeper)
{
	struct scd__connection *it;

	TAILQ_FOREACH(it, &keeper->connections.by_state[SCD__CONNECTION_QUARANTINED], link)
	{
		struct scd__lane *lane = it->told ? NULL : choose(&keeper->worker);
		int r = lane ? give(SCD_CUSTODY_QUARANTINED, it, lane, -1) : it->told ? 0 : -EAGAIN;

		if (r == -EAGAIN && lane)
			lane->full = true;
		if (r < 0)
			return r;
		it->told = true;
	}
	return 0;
}

static int give_stop(struct scd__lane *lane)
{
	const struct scd_custody stop = { .kind = SCD_CUSTODY_STOP };
	int r;

	if (lane->control < 0 || lane->stop_sent)
		return 0;
	r = scd__custody_send(lane->control, &stop, -1);
	lane->stop_sent = r == 0;
	lane->full = r == -EAGAIN;
	return r;
}

/* Too many descriptors in flight, or no memory: nobody will tell. (Or the worker is gone: poll will.) */
static void hold_back(struct scd_keeper *keeper, int error, int64_t now_ns)
{
	if (error < 0 && error != -EAGAIN)
		keeper->hand_over_after_ns = now_ns + SCD__RETRY_NS;
}

void scd__lanes_hand_over(struct scd_keeper *keeper, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;
	int r;

	if (worker->pid <= 0 || worker->left || !(worker->ready || keeper->stopping))
		return;
	keeper->hand_over_after_ns = 0;
	for (size_t i = 0; i < worker->lane_count; i++)
		worker->lanes[i].full = false;
	r = tell_quarantined(keeper);
	if (r == 0 || r == -EAGAIN)
		r = give_waiting(keeper);
	hold_back(keeper, r, now_ns);
	for (size_t i = 0; i < worker->lane_count && r == 0 && keeper->stopping; i++)
		hold_back(keeper, give_stop(&worker->lanes[i]), now_ns);
}

bool scd__lanes_told_to_stop(const struct scd__worker *worker)
{
	for (size_t i = 0; i < worker->lane_count; i++) {
		if (!worker->lanes[i].stop_sent)
			return false;
	}
	return true;
}

static bool all_ready(const struct scd__worker *worker)
{
	for (size_t i = 0; i < worker->lane_count; i++) {
		if (!worker->lanes[i].ready)
			return false;
	}
	return true;
}

static bool is_gone(const struct scd__connection *connection)
{
	struct pollfd look = { .fd = connection->fd, .events = POLLRDHUP };

	return poll(&look, 1, 0) != 0;
}

/*
 * The worker says that a connection has ended. If the sandbox is still there, it may be that somebody wants it to be
 * watched no more, and it would not connect again: it is held, like one in quarantine. The one that a worker ends on
 * purpose sends descriptors, which kernels that can do so refuse instead.
 */
static void let_go(struct scd_keeper *keeper, struct scd__connection *connection)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(10);

	if (keeper->stopping || is_gone(connection)) {
		keeper->counters.released++;
		scd__keeper_forget(keeper, connection);
		return;
	}
	keeper->counters.closed_early++;
	scd_log_gated(&gate, SCD_LOG_ERROR,
	              "sandbox %s: the worker let go of connection %" PRIu64 " of pid %" PRIu32
	              ", which has not ended: the sandbox is not watched any more",
	              connection->sandbox_id[0] ? connection->sandbox_id : "(no name)", connection->id,
	              connection->pid);
	if (scd_peer_socket_refuses_descriptors(connection->fd))
		scd__connections_move(&keeper->connections, connection, SCD__CONNECTION_QUARANTINED);
	else
		scd__keeper_forget(keeper, connection);
}

/* What a worker says is not trusted: a lane is ready once, and an id that it does not hold is refused. */
static bool obey(struct scd_keeper *keeper, size_t lane, const struct scd_custody *message, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;
	struct scd__connection *connection;

	switch (message->kind) {
	case SCD_CUSTODY_READY:
		if (worker->lanes[lane].ready)
			return false;
		worker->lanes[lane].ready = true;
		if (all_ready(worker))
			scd__worker_ready(keeper, now_ns);
		return true;
	case SCD_CUSTODY_CLOSED:
		connection = scd__connections_find(&keeper->connections, message->connection_id);
		if (!connection || connection->state != SCD__CONNECTION_HELD || connection->lane != lane)
			return false;
		worker->lanes[lane].connection_count--;
		let_go(keeper, connection);
		return true;
	default: return false;
	}
}

static void close_control(struct scd__lane *lane)
{
	if (lane->control >= 0)
		close(lane->control);
	lane->control = -1;
}

/* Up to `count` messages. */
static void hear(struct scd_keeper *keeper, size_t lane, int count, int64_t now_ns)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(1);
	struct scd__lane *from = &keeper->worker.lanes[lane];
	uint8_t buffer[SCD_CUSTODY_MAX_BYTES];
	struct scd_custody message;

	for (int i = 0; i < count && from->control >= 0; i++) {
		int r = scd__custody_receive(from->control, buffer, &message);

		if (r == -EAGAIN)
			return;
		if (r != -EBADMSG && r <= 0) {
			close_control(from);
			scd__worker_leave(keeper, now_ns);
		} else if (r == -EBADMSG || !obey(keeper, lane, &message, now_ns)) {
			keeper->counters.control_errors++;
			scd_log_gated(&gate, SCD_LOG_WARNING, "the worker sent a message that makes no sense");
		}
	}
}

void scd__lane_hear(struct scd_keeper *keeper, size_t lane, int64_t now_ns)
{
	hear(keeper, lane, HEAR_BATCH, now_ns);
}

void scd__lanes_hear_last(struct scd_keeper *keeper, int64_t now_ns)
{
	for (size_t i = 0; i < keeper->worker.lane_count; i++)
		hear(keeper, i, HEAR_LAST, now_ns);
}

void scd__lanes_take_back(struct scd_keeper *keeper)
{
	for (size_t i = 0; i < keeper->worker.lane_count; i++) {
		close_control(&keeper->worker.lanes[i]);
		keeper->worker.lanes[i] = (struct scd__lane){ .control = -1 };
	}
	scd__connections_take_back(&keeper->connections);
}
