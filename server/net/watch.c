/*
 * What happens because time goes by, and not because something came.
 *
 * A timer of half a second beats the pulse, so that the keeper sees the loop turn although no sandbox says anything
 * (each tick beats as well), and looks for sessions that have stayed silent since they were opened. Those wait in a
 * queue in the order in which they came, so the timer looks at the first only, and a session leaves the queue with its
 * first message: O(1) for each, whatever their number.
 *
 * The timer goes on while outputs are flushed after the last pass, until the net is freed, and does not keep the loop
 * alive.
 */
#include <inttypes.h>
#include <poll.h>

#include "net/internal.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"

/* The keeper wants a beat every second. */
#define WATCH_MS 500

#define SILENT_NS (SCD_LIMIT_SILENT_MS * INT64_C(1000000))

static void on_watch(uv_timer_t *timer)
{
	scd__watch_look(timer->data, scd_clock_mono_ns());
}

int scd__watch_start(struct scd_net *net)
{
	int r = uv_timer_init(net->loop, &net->watch);

	if (r < 0)
		return r;
	net->watch.data = net;
	net->open_handles++;
	uv_unref((uv_handle_t *)&net->watch);
	return uv_timer_start(&net->watch, on_watch, WATCH_MS, WATCH_MS);
}

void scd__watch_close(struct scd_net *net)
{
	if (net->watch.data)
		scd__net_close_handle((uv_handle_t *)&net->watch);
}

/* The loop may have been busy elsewhere: what waits in the socket is no silence, and will be read. */
static bool has_come(const struct scd__session *session)
{
	struct pollfd look = { .fd = session->inbox.fd, .events = POLLIN | POLLRDHUP };

	return poll(&look, 1, 0) != 0;
}

static void tell_silent(struct scd_net *net, struct scd__session *session)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(5);
	struct scd_net_summary summary = { .message_count = 0 };

	net->counters.silent++;
	net->sink.ops->summarize(net->sink.user, session->stream, &summary);
	if (!summary.sandbox_id.len)
		summary.sandbox_id = SCD_STR("(no name)");
	scd_log_gated(&gate, SCD_LOG_NOTICE,
	              "sandbox " SCD_STR_FMT ": connection %" PRIu64 " of pid %" PRIu32 ": nothing has come for %u s",
	              SCD_STR_ARG(summary.sandbox_id), session->id, session->peer_pid, SCD_LIMIT_SILENT_MS / 1000);
	net->sink.ops->silent(net->sink.user, session->stream);
}

void scd__watch_look(struct scd_net *net, int64_t now_ns)
{
	struct scd__session *session;

	scd_pulse_beat(net->pulse);
	while ((session = TAILQ_FIRST(&net->unheard)) && now_ns - session->opened_ns >= SILENT_NS) {
		scd__watch_remove(net, session);
		if (session->says_nothing || !has_come(session))
			tell_silent(net, session);
	}
}

void scd__watch_add(struct scd_net *net, struct scd__session *session)
{
	session->opened_ns = scd_clock_mono_ns();
	session->is_unheard = net->sink.ops->silent;
	if (session->is_unheard)
		TAILQ_INSERT_TAIL(&net->unheard, session, unheard);
}

void scd__watch_remove(struct scd_net *net, struct scd__session *session)
{
	if (session->is_unheard)
		TAILQ_REMOVE(&net->unheard, session, unheard);
	session->is_unheard = false;
}
