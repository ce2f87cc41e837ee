/*
 * Sessions: the sockets that the keeper hands over, drained into a sink on one libuv loop.
 *
 * A socket is drained to EAGAIN, then left alone (timerfd: libuv's own timers are too coarse), then drained again: a
 * wake-up per message costs several times the CPU, for us and for the sandbox. The larger the buffer that the keeper
 * could give the sender, the longer the pause, from 200 µs to 1 ms. A socket that stays empty goes back to waiting for
 * readability. Budgets of messages, bytes and time, for each sandbox's turn and for the tick, keep one that floods from
 * starving the others.
 *
 * Not thread-safe: everything is called on the loop's thread.
 */
#ifndef SECCHECKD_NET_NET_H
#define SECCHECKD_NET_NET_H

#include <uv.h>

#include "seccheckd/wire/custody.h"
#include "seccheckd/wire/pulse.h"

/* X(member, "help") — one counter each; names become metrics. */
#define SCD_NET_COUNTERS(X)                                                                       \
	X(sessions_accepted, "Connections taken over from the keeper.")                           \
	X(sessions_ended, "Connections that ended.")                                              \
	X(sessions_refused, "Connections given back at once for want of memory.")                 \
	X(resets, "Connections that the sandbox closed without reading our answer.")              \
	X(read_errors, "Connections that ended with an error of recv(2).")                        \
	X(silent, "Connections from which nothing came for a while after they had been opened.")  \
	X(descriptors, "Connections that ended because a descriptor came with a message.")        \
	X(oversized, "Messages longer than the largest that is received.")                        \
	X(ticks, "Rounds over the active sessions.")                                              \
	X(ticks_over_budget, "Rounds that left messages for the next, as the budget was spent.")  \
	X(stops_cut_short, "Sockets that still had messages when the last pass over them ended.") \
	X(control_errors, "Messages of the keeper that are malformed or come without their socket.")

struct scd_net_counters {
#define X(member, help) uint64_t member;
	SCD_NET_COUNTERS(X)
#undef X
};

/* How a connection ended. */
enum scd_net_end {
	SCD_NET_END_CLOSED,  /* by the sandbox */
	SCD_NET_END_RESET,   /* by the sandbox, before it had read our answer */
	SCD_NET_END_BROKEN,  /* the socket failed */
	SCD_NET_END_STOPPED, /* by us, with nothing left to read */
	SCD_NET_END_CUT,     /* by us, and there may be messages that nobody has read */
};

/* What the log says of a connection when it ends. */
struct scd_net_summary {
	struct scd_str sandbox_id; /* borrows from the stream; empty: not known */
	uint64_t message_count;
	uint64_t dropped_count; /* by the sender */
};

/*
 * What becomes of connections. Each has a stream, which is the sink's own, from open to close; of one connection the
 * functions are called in the order open, (message, lost or silent)…, summarize, close. All are called from the loop:
 * none may block, since every other connection waits meanwhile, and none may free the net.
 */
struct scd_net_sink_ops {
	/*
	 * The stream of a new connection; NULL on exhaustion, then the connection is closed and close is not called.
	 */
	void *(*open)(void *user, const struct scd_custody *connection);

	/*
	 * One raw message, header included, possibly empty; borrowed for the call. 0; 1 when it said nothing, so that
	 * one who sends only such is silent; negative errno when it makes no sense: it is logged, and the connection
	 * goes on.
	 */
	int (*message)(void *user, void *stream, struct scd_str message);

	/* A message was received that cannot be had: it was longer than SCD_LIMIT_MESSAGE_BYTES. */
	void (*lost)(void *user, void *stream);

	/*
	 * Nothing has come since open, which was SCD_LIMIT_SILENT_MS ago. Once for a stream, or never. NULL: nobody
	 * asks.
	 */
	void (*silent)(void *user, void *stream);

	void (*summarize)(void *user, void *stream, struct scd_net_summary *ret_summary);

	/* The connection has ended, and with it what it lent: nothing of this stream is called any more. */
	void (*close)(void *user, void *stream, enum scd_net_end end);

	/*
	 * The keeper says that nobody reads this connection any more, as too many workers ended while they did: no
	 * stream belongs to it. NULL: nobody asks.
	 */
	void (*unwatched)(void *user, const struct scd_custody *connection);
};

struct scd_net_sink {
	const struct scd_net_sink_ops *ops;
	void *user; /* outlives the net */
};

struct scd_net;

struct scd_net_ops {
	/*
	 * The keeper said stop, or is gone: every socket was drained once more, in turns, as far as a few seconds
	 * went, and closed; nothing more will come. Called once, from the loop; may call scd_net_free.
	 */
	void (*stopped)(void *user);
};

/*
 * Registers the control socket (wire/custody.h) with the loop, which tells the keeper, when it runs, that connections
 * may come.
 * control_fd is taken over, also when this fails; pulse is kept up for the keeper (wire/pulse.h), also after stopped,
 * and outlives the net; the sink is copied. 0 or negative errno; after a failure, too, the loop must run once more to
 * close handles.
 */
int scd_net_new(uv_loop_t *loop, int control_fd, struct scd_pulse *pulse, const struct scd_net_sink *sink,
                const struct scd_net_ops *ops, void *user, struct scd_net **ret_net);

/*
 * At any time: sessions that are still there are closed unread. The loop must run once more to close handles. Accepts
 * NULL and a pointer to NULL.
 */
void scd_net_free(struct scd_net **net);

size_t scd_net_session_count(const struct scd_net *net);
const struct scd_net_counters *scd_net_counters(const struct scd_net *net);

#endif
