/*
 * One connection: from its socket to its stream.
 *
 * All sessions of a net share one receive buffer: a message is fed to the pipeline before the next is read, and
 * nothing points into the buffer afterwards.
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

/*
 * The clock is looked at once for so many messages: it costs about 25 ns, an ordinary message a microsecond, one that
 * matches rules many times that.
 */
#define CLOCK_MESSAGES 16

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

static struct scd_stream *open_stream(struct scd_net *net, const struct scd_custody *connection)
{
	struct scd_stream_info info = { .identity = SCD_IDENTITY_UNKNOWN };

	_Static_assert(sizeof(info.nonce) == SCD_CUSTODY_NONCE_BYTES, "one nonce, handed on");
	memcpy(info.nonce, connection->nonce, sizeof(info.nonce));
	return scd_stream_new(net->pipeline, &info);
}

int scd__session_new(struct scd_net *net, const struct scd_custody *connection, int fd)
{
	struct scd__session *session = calloc(1, sizeof(*session));
	struct scd_stream *stream = session ? open_stream(net, connection) : NULL;
	int r = stream ? uv_poll_init(net->loop, &session->poll, fd) : -ENOMEM;

	if (r < 0) {
		scd_stream_free(&stream);
		free(session);
		close(fd);
		return r;
	}
	session->net = net;
	session->id = connection->connection_id;
	session->peer_pid = connection->peer_pid;
	session->poll.data = session;
	session->inbox.fd = fd;
	session->stream = stream;
	session->state = SCD__SESSION_WAITING;
	TAILQ_INSERT_TAIL(&net->waiting, session, link);
	uv_poll_start(&session->poll, UV_READABLE, on_readable);
	net->open_handles++;
	net->session_count++;
	net->counters.sessions_accepted++;
	return 0;
}

static void feed(struct scd__session *session, size_t len)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(5);
	struct scd_net *net = session->net;
	struct scd_str message = { (const char *)net->buffer, len };

	if (scd_pipeline_feed(session->stream, message) < 0)
		scd_log_gated(&gate, SCD_LOG_WARNING,
		              "connection %" PRIu64 " of pid %" PRIu32 ": skipped a malformed message of %zu bytes",
		              session->id, session->peer_pid, len);
}

static void skip_oversized(struct scd__session *session, size_t len)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(5);

	session->net->counters.oversized++;
	scd_stream_lost(session->stream);
	scd_log_gated(&gate, SCD_LOG_WARNING,
	              "connection %" PRIu64 " of pid %" PRIu32 ": skipped a message of %zu bytes, the most is %u",
	              session->id, session->peer_pid, len, SCD_LIMIT_MESSAGE_BYTES);
}

static bool is_spent(const struct scd__quota *quota)
{
	if (quota->messages <= 0 || quota->bytes <= 0)
		return true;
	return quota->messages % CLOCK_MESSAGES == 0 && scd_clock_mono_ns() >= quota->deadline_ns;
}

enum scd__drained scd__session_drain(struct scd__session *session, struct scd__quota *quota)
{
	do {
		size_t len = 0;
		int r = scd__inbox_read(&session->inbox, session->net->buffer, SCD_LIMIT_MESSAGE_BYTES, &len);

		if (r == 1)
			feed(session, len);
		else if (r == -EMSGSIZE)
			skip_oversized(session, len);
		else if (r == -EAGAIN)
			return SCD__DRAINED_EMPTY;
		else {
			session->read_error = r;
			return SCD__DRAINED_END;
		}
		quota->messages--;
		quota->bytes -= (int64_t)len;
	} while (!is_spent(quota));
	return SCD__DRAINED_MORE;
}

static const char *reason_of(const struct scd__session *session, bool by_us)
{
	if (by_us)
		return "as the daemon stops";
	if (session->read_error)
		return strerror(-session->read_error);
	return session->inbox.was_reset ? "reset by the sandbox" : "closed by the sandbox";
}

static void log_end(const struct scd__session *session, bool by_us)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(50);
	struct scd_str sandbox = scd_stream_sandbox_id(session->stream);

	if (!sandbox.len)
		sandbox = SCD_STR("(no name)");
	scd_log_gated(&gate, SCD_LOG_INFO,
	              "sandbox " SCD_STR_FMT ": connection %" PRIu64 " of pid %" PRIu32 " ended, %s; %" PRIu64
	              " messages, %" PRIu64 " dropped by the sender",
	              SCD_STR_ARG(sandbox), session->id, session->peer_pid, reason_of(session, by_us),
	              scd_stream_message_count(session->stream), scd_stream_dropped_count(session->stream));
}

static struct scd__session_list *list_of(struct scd__session *session)
{
	return session->state == SCD__SESSION_ACTIVE ? &session->net->active : &session->net->waiting;
}

void scd__session_end(struct scd__session *session, bool by_us)
{
	struct scd_net *net = session->net;

	log_end(session, by_us);
	net->counters.sessions_ended++;
	net->counters.resets += session->inbox.was_reset;
	net->counters.read_errors += session->read_error != 0;
	net->session_count--;
	TAILQ_REMOVE(list_of(session), session, link);
	session->state = SCD__SESSION_ENDED;
	scd_stream_free(&session->stream);
	uv_close((uv_handle_t *)&session->poll, on_closed);
	close(session->inbox.fd);
}

void scd__session_wait(struct scd__session *session)
{
	struct scd_net *net = session->net;

	TAILQ_REMOVE(&net->active, session, link);
	session->state = SCD__SESSION_WAITING;
	TAILQ_INSERT_TAIL(&net->waiting, session, link);
	uv_poll_start(&session->poll, UV_READABLE, on_readable);
}
