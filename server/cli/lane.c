/*
 * One thread of the worker.
 *
 *    main thread                          lane's thread
 *    new, start, go ────────────────────▶ uv_run: net ▶ pipeline ▶ on_alert
 *    count, abandon ── uv_async_send ───▶ on_asked
 *    look ◀── report, under a mutex ───── tell, news
 *    join ◀────────────────────────────── the keeper said stop, or abandoned
 *
 * The loop is made by the main thread and run by the lane's; between the two stands the gate, so a start that fails
 * half-way has no lane that has already said that it is ready. After join the main thread takes it apart.
 *
 * Signals are the main thread's: the lane's are blocked, but for those by which a fault is told.
 */
#include "lane.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "streams.h"

/* A core of a host evaluates what four others make. */
#define PROCESSORS_PER_LANE 4u

#define THREAD_NAME_BYTES 16 /* the kernel's */

/*
 * What ended sandboxes had remembered goes back to the system, when it is so much: malloc alone keeps nearly all of it,
 * in pieces between those of the living. Seldom, since threads wait for it: 12 ms for 100 MB, most of it the kernel's,
 * and 1 ms when there is nothing.
 */
#define TRIM_MS    1000u
#define TRIM_BYTES (UINT64_C(4) << 20)

struct scd__lane {
	struct scd__lane_options options; /* control_fd is the net's */
	uv_loop_t loop;
	bool loop_ready;
	uv_async_t asked;
	uv_timer_t trim;
	uint64_t trimmed_bytes; /* scd_pipeline_freed_bytes at the last trim */
	struct scd_pipeline *pipeline;
	struct scd_net *net;

	uv_sem_t gate;
	bool gate_ready, gate_open;
	uv_thread_t thread;
	bool running; /* not joined yet */

	atomic_uint round; /* asked for */
	atomic_bool abandoned;

	uv_mutex_t lock; /* of the report */
	bool lock_ready;
	struct scd__lane_report report;
};

size_t scd__lane_default_count(void)
{
	size_t count = uv_available_parallelism() / PROCESSORS_PER_LANE;

	return count ? count : 1;
}

/* On the lane's thread. */
static void tell(struct scd__lane *lane, unsigned round, bool ended)
{
	struct scd__lane_report report = {
		.ended = ended,
		.round = round,
		.unread = scd_net_counters(lane->net)->stops_cut_short,
	};

	scd__counted_net(lane->net, &report.counted[SCD__LANE_NET]);
	scd__counted_pipeline(lane->pipeline, &report.counted[SCD__LANE_PIPELINE]);
	scd__counted_sandboxes(lane->pipeline, &report.counted[SCD__LANE_SANDBOXES]);
	scd__counted_watched(lane->pipeline, &report.counted[SCD__LANE_WATCHED]);
	uv_mutex_lock(&lane->lock);
	lane->report = report;
	uv_mutex_unlock(&lane->lock);
	lane->options.news(lane->options.user);
}

static void on_asked(uv_async_t *asked)
{
	struct scd__lane *lane = asked->data;

	if (atomic_load(&lane->abandoned))
		uv_stop(&lane->loop);
	else
		tell(lane, atomic_load(&lane->round), false);
}

static void on_stopped(void *user)
{
	struct scd__lane *lane = user;

	uv_stop(&lane->loop);
}

static void on_trim(uv_timer_t *timer)
{
	struct scd__lane *lane = timer->data;
	uint64_t freed_bytes = scd_pipeline_freed_bytes(lane->pipeline);

	if (freed_bytes - lane->trimmed_bytes < TRIM_BYTES)
		return;
	lane->trimmed_bytes = freed_bytes;
	malloc_trim(0);
}

static int open_trim(struct scd__lane *lane)
{
	int r = uv_timer_init(&lane->loop, &lane->trim);

	if (r < 0)
		return r;
	lane->trim.data = lane;
	uv_unref((uv_handle_t *)&lane->trim);
	return uv_timer_start(&lane->trim, on_trim, TRIM_MS, TRIM_MS);
}

static int open_loop(struct scd__lane *lane)
{
	int r = uv_loop_init(&lane->loop);

	if (r < 0)
		return r;
	lane->loop_ready = true;
	r = uv_async_init(&lane->loop, &lane->asked, on_asked);
	if (r < 0)
		return r;
	lane->asked.data = lane;
	return open_trim(lane);
}

static int open_locks(struct scd__lane *lane)
{
	int r = uv_mutex_init(&lane->lock);

	if (r < 0)
		return r;
	lane->lock_ready = true;
	r = uv_sem_init(&lane->gate, 0);
	lane->gate_ready = r == 0;
	return r;
}

/* Takes over the control socket. */
static int open_sessions(struct scd__lane *lane)
{
	static const struct scd_net_ops ops = { .stopped = on_stopped };
	const struct scd_net_sink sink = scd__streams_sink(lane->pipeline);

	return scd_net_new(&lane->loop, lane->options.control_fd, lane->options.pulse, &sink, &ops, lane, &lane->net);
}

static int lane_init(struct scd__lane *lane)
{
	int r = open_locks(lane);

	if (r == 0)
		r = open_loop(lane);
	if (r == 0) {
		lane->pipeline = scd_pipeline_new(lane->options.pipeline);
		r = lane->pipeline ? 0 : -ENOMEM;
	}
	if (r < 0) {
		close(lane->options.control_fd);
		return r;
	}
	return open_sessions(lane);
}

int scd__lane_new(const struct scd__lane_options *options, struct scd__lane **ret_lane)
{
	struct scd__lane *lane = calloc(1, sizeof(*lane));
	int r;

	if (!lane) {
		close(options->control_fd);
		return -ENOMEM;
	}
	lane->options = *options;
	r = lane_init(lane);
	lane->options.pipeline = NULL; /* the pipeline has a copy */
	if (r < 0) {
		scd__lane_free(&lane);
		return r;
	}
	*ret_lane = lane;
	return 0;
}

static void run(void *user)
{
	struct scd__lane *lane = user;
	char name[THREAD_NAME_BYTES];

	snprintf(name, sizeof(name), "lane %zu", lane->options.number);
	pthread_setname_np(pthread_self(), name);
	uv_sem_wait(&lane->gate);
	if (!atomic_load(&lane->abandoned))
		uv_run(&lane->loop, UV_RUN_DEFAULT);
	tell(lane, atomic_load(&lane->round), true);
}

/* All signals but those of faults, which are the thread's own. */
static void fill_blocked(sigset_t *ret_blocked)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };

	sigfillset(ret_blocked);
	for (size_t i = 0; i < SCD_COUNT(faults); i++)
		sigdelset(ret_blocked, faults[i]);
}

int scd__lane_start(struct scd__lane *lane)
{
	sigset_t blocked, before;
	int r;

	fill_blocked(&blocked);
	pthread_sigmask(SIG_BLOCK, &blocked, &before);
	r = uv_thread_create(&lane->thread, run, lane);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	lane->running = r == 0;
	return r;
}

void scd__lane_go(struct scd__lane *lane)
{
	lane->gate_open = true;
	uv_sem_post(&lane->gate);
}

void scd__lane_count(struct scd__lane *lane, unsigned round)
{
	atomic_store(&lane->round, round);
	uv_async_send(&lane->asked);
}

void scd__lane_abandon(struct scd__lane *lane)
{
	atomic_store(&lane->abandoned, true);
	uv_async_send(&lane->asked);
}

void scd__lane_look(struct scd__lane *lane, struct scd__lane_report *ret_report)
{
	uv_mutex_lock(&lane->lock);
	*ret_report = lane->report;
	uv_mutex_unlock(&lane->lock);
}

void scd__lane_join(struct scd__lane *lane)
{
	if (lane->running)
		uv_thread_join(&lane->thread);
	lane->running = false;
}

static void end_thread(struct scd__lane *lane)
{
	if (!lane->running)
		return;
	scd__lane_abandon(lane);
	if (!lane->gate_open)
		scd__lane_go(lane);
	scd__lane_join(lane);
}

void scd__lane_free(struct scd__lane **lane)
{
	struct scd__lane *old = lane ? *lane : NULL;

	if (!old)
		return;
	*lane = NULL;
	end_thread(old);
	scd_net_free(&old->net);
	scd_pipeline_free(&old->pipeline);
	if (old->trim.data)
		uv_close((uv_handle_t *)&old->trim, NULL);
	if (old->asked.data)
		uv_close((uv_handle_t *)&old->asked, NULL);
	if (old->loop_ready) {
		uv_run(&old->loop, UV_RUN_DEFAULT); /* the close callbacks */
		uv_loop_close(&old->loop);
	}
	if (old->gate_ready)
		uv_sem_destroy(&old->gate);
	if (old->lock_ready)
		uv_mutex_destroy(&old->lock);
	free(old);
}
