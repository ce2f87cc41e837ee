/*
 * Which sessions are read when.
 *
 *                            pause is over                  budget spent before EAGAIN: at the end
 *    waiting ──▶ resting ─────────────────▶ ready ─────────────────────────────┐
 *       ▲        per rhythm ◀─────────────── │  ▲ first in, first read         │
 *       │                    read to EAGAIN  │  └──────────────────────────────┘
 *       └────────────────────────────────────┘
 *              nothing there, some times in a row
 *
 * A tick moves the rhythms that are due to `ready`, reads what is ready in turn, and only then sets the timer again,
 * once: pauses are counted from the end of the reading. While a pause lasts, messages collect in the sockets, and one
 * wake-up serves them all. Whoever has a backlog is not left alone: while anybody is ready the timer expires at once,
 * which still lets the loop look at everything else first, and those who are resting go on to rest.
 *
 * Who was ready first is read first. So a tick that ends for want of budget (messages, bytes, time) is continued by the
 * next one with those that were not read, and neither a flood nor a rhythm can keep another from its turn.
 *
 * Setting a timerfd also forgets its expirations, so it is never read.
 */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "net/internal.h"
#include "seccheckd/base/clock.h"

/*
 * How long a session may rest: until a sandbox that sends as fast as any can (285,000 messages a second) has filled a
 * fifth of what its socket holds, and no longer than a millisecond, since beyond that little is saved.
 *
 * Measured with one session that sends evenly, microseconds of CPU for each message (the rows below from the left):
 *
 *    messages a second      200 µs   400 µs   1 ms
 *                  500        142                68
 *                1,000         86       70       35
 *                5,000         16       15        8
 *               20,000        9.2      6.9      4.5
 *
 * and with a buffer that was not enlarged 1 ms loses 21 % of the messages of a busy sandbox.
 *
 * A pause that finds nothing is cheaper than waiting for readability when messages come every other pause, and dearer
 * when they do not. Of 200 µs, three: with one, rates of 2,500 to 20,000 messages a second cost 1.6 to 2 times the CPU;
 * with six they cost the same, and slow sessions more. Of a millisecond one, two and three cost the same.
 */
static const struct rhythm {
	uint32_t sndbuf_bytes; /* of senders with this much or more */
	int64_t pause_ns;
	unsigned empty_reads; /* in a row, then it waits for readability */
} table[SCD__RHYTHMS] = {
	{ 0, 200000, 3 },
	{ 2 * 212992, 400000, 2 },
	{ 1 << 20, 1000000, 1 },
};

/* A rhythm that is due so soon is not worth a wake-up of its own. */
#define EARLY_NS 50000

#define NS_PER_S INT64_C(1000000000)

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

/* At this time of the monotonic clock, at once when that is past; 0: never. */
static void set_timer(struct scd_net *net, int64_t due_ns)
{
	const struct itimerspec once = { .it_value = { due_ns / NS_PER_S, due_ns % NS_PER_S } };

	timerfd_settime(net->tick_fd, TFD_TIMER_ABSTIME, &once, NULL);
	net->tick_due_ns = due_ns;
}

/* When the next tick has to come; 0: nobody is active. Pauses that have not begun begin now. */
static int64_t next_due_ns(struct scd_net *net, int64_t now_ns)
{
	int64_t next_ns = TAILQ_EMPTY(&net->ready) ? 0 : now_ns;

	for (size_t i = 0; i < SCD__RHYTHMS; i++) {
		struct scd__rhythm *rhythm = &net->rhythms[i];

		if (TAILQ_EMPTY(&rhythm->resting))
			continue;
		if (!rhythm->due_ns)
			rhythm->due_ns = now_ns + table[i].pause_ns;
		if (!next_ns || rhythm->due_ns < next_ns)
			next_ns = rhythm->due_ns;
	}
	return next_ns;
}

static void wake(struct scd__rhythm *rhythm, struct scd_net *net)
{
	TAILQ_CONCAT(&net->ready, &rhythm->resting, link);
	rhythm->due_ns = 0;
}

static void rest(struct scd_net *net, struct scd__session *session)
{
	TAILQ_INSERT_TAIL(&net->rhythms[session->rhythm].resting, session, link);
}

/* Reads the first that is ready, and puts it where it belongs then. */
static void read_first(struct scd_net *net, int64_t now_ns, struct scd__quota *of_tick)
{
	struct scd__session *session = TAILQ_FIRST(&net->ready);
	struct scd__quota quota = { SESSION_MESSAGES, SESSION_BYTES, now_ns + SESSION_TIME_NS };
	enum scd__drained drained = scd__session_drain(session, &quota);
	bool empty = quota.messages == SESSION_MESSAGES;

	of_tick->messages -= SESSION_MESSAGES - quota.messages;
	of_tick->bytes -= SESSION_BYTES - quota.bytes;
	session->empty_reads = empty ? session->empty_reads + 1 : 0;
	if (drained == SCD__DRAINED_END) {
		scd__session_end(session, SCD__DRAINED_END);
	} else if (session->empty_reads == table[session->rhythm].empty_reads) {
		scd__session_wait(session);
	} else {
		TAILQ_REMOVE(&net->ready, session, link);
		if (drained == SCD__DRAINED_MORE)
			TAILQ_INSERT_TAIL(&net->ready, session, link);
		else
			rest(net, session);
	}
}

/* Everybody who is ready once, or as far as the budget goes. The time when it is done. */
static int64_t read_ready(struct scd_net *net, int64_t now_ns)
{
	struct scd__quota of_tick = { TICK_MESSAGES, TICK_BYTES, now_ns + TICK_TIME_NS };
	struct scd__session *last = TAILQ_LAST(&net->ready, scd__session_list);
	bool at_last = !last;

	while (!at_last && of_tick.messages > 0 && of_tick.bytes > 0 && now_ns < of_tick.deadline_ns) {
		at_last = TAILQ_FIRST(&net->ready) == last;
		read_first(net, now_ns, &of_tick);
		now_ns = scd_clock_mono_ns();
	}
	return now_ns;
}

static void on_tick(uv_poll_t *poll, int status, int events)
{
	struct scd_net *net = poll->data;
	int64_t now_ns = scd_clock_mono_ns();

	(void)status;
	(void)events;
	scd_pulse_beat(net->pulse);
	if (net->stopping) {
		scd__stop_round(net);
		return;
	}
	for (size_t i = 0; i < SCD__RHYTHMS; i++) {
		if (net->rhythms[i].due_ns <= now_ns + EARLY_NS)
			wake(&net->rhythms[i], net);
	}
	now_ns = read_ready(net, now_ns);
	net->counters.ticks++;
	net->counters.ticks_over_budget += !TAILQ_EMPTY(&net->ready);
	set_timer(net, next_due_ns(net, now_ns));
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

unsigned scd__tick_rhythm(uint32_t sndbuf_bytes)
{
	unsigned rhythm = SCD__RHYTHMS - 1;

	while (sndbuf_bytes < table[rhythm].sndbuf_bytes)
		rhythm--;
	return rhythm;
}

static void activate(struct scd_net *net, struct scd__session *session)
{
	uv_poll_stop(&session->poll);
	session->empty_reads = 0;
	session->state = SCD__SESSION_ACTIVE;
	TAILQ_REMOVE(&net->waiting, session, link);
}

void scd__tick_add(struct scd_net *net, struct scd__session *session)
{
	int64_t due_ns;

	activate(net, session);
	rest(net, session);
	due_ns = next_due_ns(net, scd_clock_mono_ns());
	if (!net->tick_due_ns || due_ns < net->tick_due_ns)
		set_timer(net, due_ns);
}

void scd__tick_add_all(struct scd_net *net)
{
	struct scd__session *session;

	for (size_t i = 0; i < SCD__RHYTHMS; i++)
		wake(&net->rhythms[i], net);
	while ((session = TAILQ_FIRST(&net->waiting))) {
		activate(net, session);
		TAILQ_INSERT_TAIL(&net->ready, session, link);
	}
}
