/*
 * The last pass over the sockets, so that what a sandbox did before the order to stop came is seen.
 *
 * It goes round: a little of each socket at a time, and after each round outputs have their turn of the loop. So one
 * that floods neither delays the last alert of another nor keeps it from being written. The pass ends for a socket when
 * it is empty, or when as much was read as it could hold when the order came (a hostile sandbox may write as fast as we
 * read), and for all of them when the time is over.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* Of so many sandboxes that were not read to their end, the log has the names. */
#define CUT_NAMES 3u

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

/* What it did last is not seen, and never will be. */
static void cut(struct scd_net *net, struct scd__session *session)
{
	struct scd_net_summary summary = { .message_count = 0 };
	size_t used = strlen(net->cut_names);

	net->counters.stops_cut_short++;
	if (net->counters.stops_cut_short <= CUT_NAMES) {
		net->sink.ops->summarize(net->sink.user, session->stream, &summary);
		if (!summary.sandbox_id.len)
			summary.sandbox_id = SCD_STR("(no name)");
		snprintf(net->cut_names + used, sizeof(net->cut_names) - used, "%s" SCD_STR_FMT, used ? ", " : "",
		         SCD_STR_ARG(summary.sandbox_id));
	}
	scd__session_end(session, SCD__DRAINED_MORE);
}

static void log_cut(const struct scd_net *net)
{
	if (net->counters.stops_cut_short)
		scd_log(SCD_LOG_ERROR,
		        "connections that still had messages when the daemon stopped, which are lost: %" PRIu64
		        " (sandbox %s%s)",
		        net->counters.stops_cut_short, net->cut_names,
		        net->counters.stops_cut_short > CUT_NAMES ? ", and others" : "");
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
		cut(net, session);
	} else {
		TAILQ_REMOVE(&net->ready, session, link);
		TAILQ_INSERT_TAIL(&net->ready, session, link);
	}
}

static void finish(struct scd_net *net)
{
	struct scd__session *session;

	while ((session = TAILQ_FIRST(&net->ready)))
		cut(net, session);
	scd__tick_close(net);
	log_cut(net);
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
