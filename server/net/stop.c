/*
 * The last pass over the sockets, so that what a sandbox did before the order to stop came is seen.
 *
 * It goes round: a little of each socket at a time, and after each round outputs have their turn of the loop. So one
 * that floods neither delays the last alert of another nor keeps it from being written. The pass ends for a socket when
 * it is empty, or when as much was read as it could hold when the order came (a hostile sandbox may write as fast as we
 * read), and for all of them when the time is over.
 */
#include <inttypes.h>

#include "net/internal.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/log.h"

/* A sender's buffer has at most 16 MiB, which hold 21,846 of the smallest messages. */
#define SOCKET_MESSAGES 32768
#define SOCKET_BYTES    (24 << 20)

/* For all sockets together. The keeper gives the worker 10 s, of which outputs may need 5. */
#define PASS_NS (4 * INT64_C(1000000000))

/* One socket's turn, and how long outputs wait for theirs. */
#define TURN_MESSAGES 64
#define TURN_BYTES    (1 << 20)
#define TURN_NS       INT64_C(1000000)
#define ROUND_NS      INT64_C(5000000)

void scd__stop_begin(struct scd_net *net)
{
	struct scd__session *session;

	scd__control_close(net);
	scd__tick_add_all(net);
	TAILQ_FOREACH(session, &net->ready, link)
	session->last = (struct scd__quota){ .messages = SOCKET_MESSAGES, .bytes = SOCKET_BYTES };
	net->stopping = true;
	net->stop_deadline_ns = scd_clock_mono_ns() + PASS_NS;
	scd__tick_soon(net);
}

/* Ends it, or puts it at the end of the queue. */
static void read_turn(struct scd_net *net, struct scd__session *session, int64_t now_ns)
{
	struct scd__quota quota = { TURN_MESSAGES, TURN_BYTES, now_ns + TURN_NS };
	enum scd__drained drained = scd__session_drain(session, &quota);

	session->last.messages -= TURN_MESSAGES - quota.messages;
	session->last.bytes -= TURN_BYTES - quota.bytes;
	if (drained != SCD__DRAINED_MORE) {
		scd__session_end(session, drained);
	} else if (session->last.messages <= 0 || session->last.bytes <= 0) {
		net->counters.stops_cut_short++;
		scd__session_end(session, SCD__DRAINED_MORE);
	} else {
		TAILQ_REMOVE(&net->ready, session, link);
		TAILQ_INSERT_TAIL(&net->ready, session, link);
	}
}

static void finish(struct scd_net *net)
{
	struct scd__session *session;

	while ((session = TAILQ_FIRST(&net->ready))) {
		net->counters.stops_cut_short++;
		scd__session_end(session, SCD__DRAINED_MORE);
	}
	scd__tick_close(net);
	if (net->counters.stops_cut_short)
		scd_log(SCD_LOG_WARNING, "connections that still had messages when the daemon stopped: %" PRIu64,
		        net->counters.stops_cut_short);
	net->ops->stopped(net->user);
}

void scd__stop_round(struct scd_net *net)
{
	int64_t now_ns = scd_clock_mono_ns();
	int64_t end_ns = now_ns + ROUND_NS < net->stop_deadline_ns ? now_ns + ROUND_NS : net->stop_deadline_ns;
	struct scd__session *session;

	while (now_ns < end_ns && (session = TAILQ_FIRST(&net->ready))) {
		read_turn(net, session, now_ns);
		now_ns = scd_clock_mono_ns();
	}
	if (TAILQ_EMPTY(&net->ready) || now_ns >= net->stop_deadline_ns)
		finish(net);
	else
		scd__tick_soon(net);
}
