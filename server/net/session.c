/*
 * One connection: from its socket to the sink's stream.
 *
 * All sessions of a net share one receive buffer: a message is fed to the sink before the next is read, and nothing
 * points into the buffer afterwards.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/internal.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct scd__session *session = poll->data;

	/* An error of the poll is an error of the socket; reading it tells which. */
	(void)status;
	(void)events;
	scd__tick_add(session->net, session);
}

static void on_closed(uv_handle_t *handle)
{
	struct scd__session *session = handle->data;
	struct scd_net *net = session->net;

	TAILQ_INSERT_TAIL(&net->ended, session, link);
	scd__control_flush(net);
	scd__net_handle_closed(net);
}

int scd__session_new(struct scd_net *net, const struct scd_custody *connection, int fd)
{
	struct scd__session *session = calloc(1, sizeof(*session));
	const struct scd_net_sink *sink = &net->sink;
	void *stream = session ? sink->ops->open(sink->user, connection) : NULL;
	int r = stream ? uv_poll_init(net->loop, &session->poll, fd) : -ENOMEM;

	if (r < 0) {
		if (stream)
			sink->ops->close(sink->user, stream, SCD_NET_END_BROKEN);
		free(session);
		close(fd);
		return r;
	}
	session->net = net;
	session->id = connection->connection_id;
	session->peer_pid = connection->peer_pid;
	session->resumed = connection->resumed;
	session->poll.data = session;
	scd__inbox_init(&session->inbox, fd);
	session->stream = stream;
	session->rhythm = scd__tick_rhythm(connection->sndbuf_bytes);
	session->state = SCD__SESSION_WAITING;
	TAILQ_INSERT_TAIL(&net->waiting, session, link);
	scd__watch_add(net, session);
	uv_poll_start(&session->poll, UV_READABLE, on_readable);
	net->open_handles++;
	net->session_count++;
	net->counters.sessions_accepted++;
	return 0;
}

/* True when it said something. */
static bool feed(struct scd__session *session, size_t len)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(5);
	const struct scd_net_sink *sink = &session->net->sink;
	struct scd_str message = { (const char *)session->net->buffer, len };
	int r = sink->ops->message(sink->user, session->stream, message);

	if (r < 0)
		scd_log_gated(&gate, SCD_LOG_WARNING,
		              "connection %" PRIu64 " of pid %" PRIu32 ": skipped a malformed message of %zu bytes",
		              session->id, session->peer_pid, len);
	return r <= 0;
}

/* Something has come from a session that was silent so far, and may be as good as silent. */
static void end_silence(struct scd__session *session, bool says_something)
{
	session->says_nothing = !says_something;
	if (says_something)
		scd__watch_remove(session->net, session);
}

static void skip_oversized(struct scd__session *session, size_t len)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(5);
	const struct scd_net_sink *sink = &session->net->sink;

	session->net->counters.oversized++;
	sink->ops->lost(sink->user, session->stream);
	scd_log_gated(&gate, SCD_LOG_WARNING,
	              "connection %" PRIu64 " of pid %" PRIu32 ": skipped a message of %zu bytes, the most is %u",
	              session->id, session->peer_pid, len, SCD_LIMIT_MESSAGE_BYTES);
}

/*
 * The clock is looked at after each message. It costs 25 ns, an ordinary message about a microsecond, and what one
 * costs that matches rules, or meets a large state, is only known afterwards.
 */
static bool is_spent(const struct scd__quota *quota)
{
	return quota->messages <= 0 || quota->bytes <= 0 || scd_clock_mono_ns() >= quota->deadline_ns;
}

static enum scd__drained drain(struct scd__session *session, struct scd__quota *quota)
{
	do {
		bool says_something = true;
		size_t len = 0;
		int r = scd__inbox_read(&session->inbox, session->net->buffer, SCD_LIMIT_MESSAGE_BYTES, &len);

		if (r == 1)
			says_something = feed(session, len);
		else if (r == -EMSGSIZE)
			skip_oversized(session, len);
		else if (r == -EAGAIN)
			return SCD__DRAINED_EMPTY;
		else {
			session->read_error = r;
			return SCD__DRAINED_END;
		}
		if (session->is_unheard)
			end_silence(session, says_something);
		quota->messages--;
		quota->bytes -= (int64_t)len;
	} while (!is_spent(quota));
	return SCD__DRAINED_MORE;
}

enum scd__drained scd__session_drain(struct scd__session *session, struct scd__quota *quota)
{
	enum scd__drained drained;

	scd_pulse_read(session->net->pulse, session->id);
	drained = drain(session, quota);
	scd_pulse_read(session->net->pulse, 0);
	return drained;
}

static enum scd_net_end end_of(const struct scd__session *session, enum scd__drained drained)
{
	if (drained != SCD__DRAINED_END)
		return drained == SCD__DRAINED_EMPTY ? SCD_NET_END_STOPPED : SCD_NET_END_CUT;
	if (session->read_error)
		return SCD_NET_END_BROKEN;
	return session->inbox.was_reset ? SCD_NET_END_RESET : SCD_NET_END_CLOSED;
}

static const char *reason_of(const struct scd__session *session, enum scd_net_end end)
{
	switch (end) {
	case SCD_NET_END_CLOSED: return "closed by the sandbox";
	case SCD_NET_END_RESET: return "reset by the sandbox";
	case SCD_NET_END_BROKEN:
		return session->read_error == -EPROTO ? "as it passed descriptors" : strerror(-session->read_error);
	case SCD_NET_END_STOPPED: return "as the daemon stops";
	case SCD_NET_END_CUT: return "as the daemon stops, before everything was read";
	}
	return "";
}

static void log_end(const struct scd__session *session, enum scd_net_end end)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(50);
	const struct scd_net_sink *sink = &session->net->sink;
	struct scd_net_summary summary = { .message_count = 0 };

	sink->ops->summarize(sink->user, session->stream, &summary);
	if (!summary.sandbox_id.len)
		summary.sandbox_id = SCD_STR("(no name)");
	scd_log_gated(&gate, SCD_LOG_INFO,
	              "sandbox " SCD_STR_FMT ": connection %" PRIu64 " of pid %" PRIu32 " ended, %s; %" PRIu64
	              " messages%s, %" PRIu64 " dropped by the sender",
	              SCD_STR_ARG(summary.sandbox_id), session->id, session->peer_pid, reason_of(session, end),
	              summary.message_count, session->resumed ? " since the worker's restart" : "",
	              summary.dropped_count);
}

void scd__session_end(struct scd__session *session, enum scd__drained drained)
{
	struct scd_net *net = session->net;
	enum scd_net_end end = end_of(session, drained);

	log_end(session, end);
	net->counters.sessions_ended++;
	net->counters.resets += session->inbox.was_reset;
	net->counters.read_errors += session->read_error != 0;
	net->counters.descriptors += session->read_error == -EPROTO;
	net->session_count--;
	scd__watch_remove(net, session);
	TAILQ_REMOVE(&net->ready, session, link);
	session->state = SCD__SESSION_ENDED;
	net->sink.ops->close(net->sink.user, session->stream, end);
	uv_close((uv_handle_t *)&session->poll, on_closed);
	close(session->inbox.fd);
}

void scd__session_wait(struct scd__session *session)
{
	struct scd_net *net = session->net;

	TAILQ_REMOVE(&net->ready, session, link);
	session->state = SCD__SESSION_WAITING;
	TAILQ_INSERT_TAIL(&net->waiting, session, link);
	uv_poll_start(&session->poll, UV_READABLE, on_readable);
}
