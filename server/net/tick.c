/*
 * Which sessions are read when.
 *
 *    readable ──▶ active: read at each tick ──▶ empty for EMPTY_TICKS ticks ──▶ waiting for readability
 *
 * A tick reads every active session to EAGAIN and only then arms the timer again, once: the pause is counted from
 * the end of the reading. While it lasts, messages collect in the sockets, and one wake-up serves them all. When a
 * budget (messages, bytes, time) ran out before EAGAIN there is no pause: the timer is set to expire at once, which
 * still lets the loop look at everything else first.
 *
 * Sessions take turns: the list of active sessions is a queue, who was read goes to its end. So a tick that ends for
 * want of budget is continued by the next one with those that were not read.
 *
 * Setting a timerfd also forgets its expirations, so it is never read.
 */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "net/internal.h"
#include "seccheckd/base/clock.h"

/*
 * The pause. A sandbox's socket holds 278 messages unless the keeper could enlarge its buffer, and a busy one fills
 * that in 1.0 to 2.2 ms. Measured with such buffers: 200 µs costs 0.36 CPU-seconds per million
 * messages (a wake-up for each: 1.4 to 1.6), 1 ms loses 21 % of the messages.
 */
#define TICK_NS 200000

/*
 * Measured with one session that sends evenly: with 1 instead of 3, rates of 2,500 to 20,000 messages a second cost 1.6
 * to 2 times the CPU; with 6 they cost the same, and slow sessions more.
 */
#define EMPTY_TICKS 3

/*
 * About what one socket can hold, so that one that fills as fast as it is read gives way to the others. The time is
 * for messages that cost more than others: an alert takes about 50 µs, so 256 of them would keep everybody else
 * waiting for 13 ms, and a busy socket overflows after one or two.
 */
#define SESSION_MESSAGES 256
#define SESSION_BYTES    (1 << 20)
#define SESSION_TIME_NS  INT64_C(1000000)

/* What a tick may take from everything else on the loop (new connections, outputs): a few milliseconds. */
#define TICK_MESSAGES 4096
#define TICK_BYTES    (16 << 20)
#define TICK_TIME_NS  INT64_C(5000000)

static void set_timer(struct scd_net *net, long delay_ns)
{
	const struct itimerspec once = { .it_value = { .tv_nsec = delay_ns } };

	timerfd_settime(net->tick_fd, 0, &once, NULL);
	net->tick_armed = delay_ns > 0;
}

/* Reads one session; true when there is more for the next tick. */
static bool read_one(struct scd_net *net, struct scd__session *session, int64_t now_ns, struct scd__quota *of_tick)
{
	struct scd__quota quota = { SESSION_MESSAGES, SESSION_BYTES, now_ns + SESSION_TIME_NS };
	enum scd__drained drained;
	bool empty;

	scd_pulse_read(net->pulse, session->id);
	drained = scd__session_drain(session, &quota);
	scd_pulse_read(net->pulse, 0);
	empty = quota.messages == SESSION_MESSAGES;
	of_tick->messages -= SESSION_MESSAGES - quota.messages;
	of_tick->bytes -= SESSION_BYTES - quota.bytes;
	if (drained == SCD__DRAINED_END) {
		scd__session_end(session, SCD__DRAINED_END);
		return false;
	}
	session->empty_ticks = empty ? session->empty_ticks + 1 : 0;
	if (session->empty_ticks == EMPTY_TICKS) {
		scd__session_wait(session);
		return false;
	}
	TAILQ_REMOVE(&net->active, session, link);
	TAILQ_INSERT_TAIL(&net->active, session, link);
	return drained == SCD__DRAINED_MORE;
}

/* Every active session once, or as far as the budget goes; true when something is left over. */
static bool read_all(struct scd_net *net)
{
	int64_t now_ns = scd_clock_mono_ns();
	struct scd__quota of_tick = { TICK_MESSAGES, TICK_BYTES, now_ns + TICK_TIME_NS };
	struct scd__session *last = TAILQ_LAST(&net->active, scd__session_list);
	bool more = false;

	for (bool at_last = !last; !at_last; now_ns = scd_clock_mono_ns()) {
		struct scd__session *session = TAILQ_FIRST(&net->active);

		if (of_tick.messages <= 0 || of_tick.bytes <= 0 || now_ns >= of_tick.deadline_ns)
			return true;
		at_last = session == last;
		more |= read_one(net, session, now_ns, &of_tick);
	}
	return more;
}

static void on_tick(uv_poll_t *poll, int status, int events)
{
	struct scd_net *net = poll->data;
	bool more;

	(void)status;
	(void)events;
	if (net->stopping) {
		scd__stop_round(net);
		return;
	}
	more = read_all(net);
	net->counters.ticks++;
	net->counters.ticks_over_budget += more;
	if (TAILQ_EMPTY(&net->active))
		set_timer(net, 0);
	else
		set_timer(net, more ? 1 : TICK_NS);
}

int scd__tick_start(struct scd_net *net)
{
	int r;

	net->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (net->tick_fd < 0)
		return -errno;
	r = uv_poll_init(net->loop, &net->tick, net->tick_fd);
	if (r < 0)
		return r;
	net->tick.data = net;
	net->open_handles++;
	return uv_poll_start(&net->tick, UV_READABLE, on_tick);
}

void scd__tick_close(struct scd_net *net)
{
	if (net->tick_fd < 0)
		return;
	if (net->tick.data)
		scd__net_close_handle((uv_handle_t *)&net->tick);
	close(net->tick_fd);
	net->tick_fd = -1;
}

void scd__tick_soon(struct scd_net *net)
{
	set_timer(net, 1);
}

void scd__tick_add(struct scd_net *net, struct scd__session *session)
{
	uv_poll_stop(&session->poll);
	session->empty_ticks = 0;
	TAILQ_REMOVE(&net->waiting, session, link);
	session->state = SCD__SESSION_ACTIVE;
	TAILQ_INSERT_TAIL(&net->active, session, link);
	if (!net->tick_armed)
		set_timer(net, TICK_NS);
}
