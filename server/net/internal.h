/*
 * The net's own struct and its parts. Inside server/net only.
 *
 *    net.c       life: new, stop, free
 *    control.c   the socket to the keeper: connections in, ended ones out
 *    session.c   one connection: from its socket to the sink's stream
 *    tick.c      which sessions are read when
 *    stop.c      the last pass over all of them
 *    watch.c     what happens because time goes by: the pulse, and who stayed silent
 *    inbox.c     one message of one socket
 */
#ifndef SCD_SERVER_NET_INTERNAL_H
#define SCD_SERVER_NET_INTERNAL_H

#include <sys/queue.h>

#include "net/inbox.h"
#include "seccheckd/net/net.h"
#include "seccheckd/wire/custody.h"

/* What may still be read before others have their turn; spent at 0 or below, as the last message is read whole. */
struct scd__quota {
	int64_t messages; /* empty ones count */
	int64_t bytes;
	int64_t deadline_ns; /* of the monotonic clock; looked at after each */
};

/*
 *          CONNECTION            readable                   end, error, stop        poll closed
 *    (new) ─────────▶ WAITING ◀──────────▶ ACTIVE ─────────────────────▶ ENDED ─────────────────▶ in `ended`, until
 *                     uv_poll    empty     resting, or      socket closed,          CLOSED is sent, then freed
 *                                n times   to be read       stream closed
 */
enum scd__session_state { SCD__SESSION_WAITING, SCD__SESSION_ACTIVE, SCD__SESSION_ENDED };

struct scd__session {
	TAILQ_ENTRY(scd__session) link;    /* in waiting, in ready or a rhythm's list, or in ended */
	TAILQ_ENTRY(scd__session) unheard; /* while is_unheard */
	enum scd__session_state state;
	struct scd_net *net;
	uint64_t id; /* the keeper's */
	uint32_t peer_pid;
	bool resumed;   /* an earlier worker read the beginning, and counted that */
	uv_poll_t poll; /* started while WAITING */
	struct scd__inbox inbox;
	void *stream;         /* the sink's */
	unsigned rhythm;      /* index of net->rhythms */
	unsigned empty_reads; /* in a row */
	int read_error;       /* negative errno that ended it, or 0 */
	bool is_unheard;      /* nothing has come yet, and the sink has not been told so */
	bool says_nothing;    /* something has come, and the sink had no use for it */
	int64_t opened_ns;    /* of the monotonic clock */

	struct scd__quota last; /* while the net stops: what may still be read, in all */
};

TAILQ_HEAD(scd__session_list, scd__session);

/* Sessions that are read after pauses of the same length; tick.c has the table of them. */
#define SCD__RHYTHMS 3u

struct scd__rhythm {
	struct scd__session_list resting; /* active, and read to their end */
	int64_t due_ns;                   /* of the monotonic clock, when resting is not empty; 0: not known yet */
};

struct scd_net {
	uv_loop_t *loop;
	struct scd_net_sink sink;
	const struct scd_net_ops *ops;
	void *user;
	struct scd_pulse *pulse;

	uv_poll_t control;
	int control_fd;    /* -1: closed; nothing is told to the keeper any more */
	bool ready_due;    /* READY is not sent yet */
	bool control_full; /* the control socket took no more: polled for room */

	uv_poll_t tick;
	int tick_fd;         /* timerfd */
	int64_t tick_due_ns; /* what it is set to; 0: it is not */

	bool stopping; /* ticks are rounds of the last pass */
	int64_t stop_deadline_ns;
	char cut_names[256]; /* for the log: of the first sandboxes that it did not read to their end */

	struct scd__session_list waiting;
	struct scd__rhythm rhythms[SCD__RHYTHMS];
	struct scd__session_list ready; /* to be read now, the first next */
	struct scd__session_list ended; /* CLOSED is due */
	size_t session_count;           /* that have not ended */

	uv_timer_t watch;
	struct scd__session_list unheard; /* by `unheard`; the longest first */

	unsigned open_handles; /* libuv still knows them; the memory stays until there is none */
	bool freed;
	uint8_t *buffer; /* SCD_LIMIT_MESSAGE_BYTES: the message in hand */
	struct scd_net_counters counters;
};

/* net.c */

/* The last thing a handle's close callback does: the net may be gone afterwards. */
void scd__net_handle_closed(struct scd_net *net);

/* Closes a handle whose data is the net. */
void scd__net_close_handle(uv_handle_t *handle);

/* control.c */

/* Starts to poll the control socket; READY is said when the loop runs. 0 or negative errno of libuv. */
int scd__control_start(struct scd_net *net);

/* Sends what is due, as far as the socket takes it, and waits for room if it is full. */
void scd__control_flush(struct scd_net *net);

/* Nothing is told to the keeper any more, nor heard from it. May be called again. */
void scd__control_close(struct scd_net *net);

/* session.c */

enum scd__drained { SCD__DRAINED_EMPTY, SCD__DRAINED_MORE, SCD__DRAINED_END };

/* A new session over fd, which is taken over, also on failure: waiting. 0 or negative errno. */
int scd__session_new(struct scd_net *net, const struct scd_custody *connection, int fd);

/* Feeds what the socket holds, within the quota, which is reduced by what was read. Reads at least once. */
enum scd__drained scd__session_drain(struct scd__session *session, struct scd__quota *quota);

/*
 * Of a session that is ready: logs, closes the socket and the stream; CLOSED follows by itself, and then the session
 * is freed. drained: how far the socket was read; anything but to the end means that it was not the sandbox that ended
 * it.
 */
void scd__session_end(struct scd__session *session, enum scd__drained drained);

/* A session that is ready waits for readability again. */
void scd__session_wait(struct scd__session *session);

/* tick.c */

/* 0 or negative errno. */
int scd__tick_start(struct scd_net *net);

/* The rhythm of a session whose sender has a buffer of so many bytes; 0: it was not looked after. */
unsigned scd__tick_rhythm(uint32_t sndbuf_bytes);

/* The session's socket is readable: it is read after a pause. */
void scd__tick_add(struct scd_net *net, struct scd__session *session);

/* Every session that has not ended is ready. */
void scd__tick_add_all(struct scd_net *net);

/* The next tick comes in the next turn of the loop. */
void scd__tick_soon(struct scd_net *net);

/* There are no ticks any more. May be called again. */
void scd__tick_close(struct scd_net *net);

/* watch.c */

/* 0 or negative errno of libuv. The timer does not keep the loop alive. */
int scd__watch_start(struct scd_net *net);

void scd__watch_close(struct scd_net *net);

/* Beats, and tells the sink who has been silent for too long at this time of the monotonic clock. */
void scd__watch_look(struct scd_net *net, int64_t now_ns);

/* A new session: from now on it is unheard, if the sink wants to know. */
void scd__watch_add(struct scd_net *net, struct scd__session *session);

/* Something has come, or it ends: no longer. May be called again. */
void scd__watch_remove(struct scd_net *net, struct scd__session *session);

/* stop.c */

/* Begins the last pass over the sockets, which ends with ops->stopped. */
void scd__stop_begin(struct scd_net *net);

/* One tick's part of it. After the last one the net may be gone. */
void scd__stop_round(struct scd_net *net);

#endif
