/*
 * The worker: what the modules are put together to.
 *
 *    main thread:   rules → loop → outputs → lanes ─ go ┄ beats ┄┄┄┄┄┄ all ended → drain the outputs → exit status
 *    lane's thread:                            └─▶ (ready) connections, alerts … (stop) ─┘
 *
 * A lane (lane.c) reads connections and evaluates rules; its alerts come over to the main thread, which has the outputs
 * and the signals. One lane is no special case.
 *
 * Each step is a function that leaves what it made in struct worker; worker_done takes apart what there is, also after
 * a start that failed half-way. No thread starts before everything that may fail has been opened.
 */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "confinement.h"
#include "host.h"
#include "lane.h"
#include "rules.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/log.h"
#include "seccheckd/config/config.h"
#include "wanted_outputs.h"

/* How long an ordered stop waits for the outputs. */
#define DRAIN_MS 5000u

/* The keeper wants a beat every second. */
#define BEAT_MS 500

struct worker {
	struct scd__worker_settings *settings;
	struct scd_ruleset *rules;
	uv_loop_t loop;
	bool loop_ready;
	struct scd_emitter *emitter;
	struct scd__lane **lanes;
	size_t lane_count;
	uv_async_t lane_news;
	uv_timer_t beating; /* of the main thread's pulse */
	struct scd_pulse *pulse;
	uv_signal_t counters_wanted; /* SIGUSR1 */
	unsigned round;              /* the latest request for counters */
	bool counters_due;           /* it is not answered yet */
	bool lanes_over;
	bool outputs_dead;
	size_t undelivered_count;
};

static int fail(const char *what, int r)
{
	scd_log(SCD_LOG_ERROR, "%s: %s", what, strerror(-r));
	return r;
}

/* What the lanes have reported, added up. */
static void log_counters(const struct worker *worker, bool asked)
{
	struct scd__counted sums[SCD__LANE_COUNTED] = { 0 };

	for (size_t i = 0; i < worker->lane_count; i++) {
		struct scd__lane_report report;

		scd__lane_look(worker->lanes[i], &report);
		for (size_t set = 0; set < SCD__LANE_COUNTED; set++)
			scd__counted_add(&sums[set], &report.counted[set]);
	}
	for (size_t set = 0; set < SCD__LANE_COUNTED; set++)
		scd__counted_log(&sums[set], asked);
	scd__counted_log_emitter(worker->emitter, asked);
}

static void on_counters_wanted(uv_signal_t *wanted, int signal)
{
	struct worker *worker = wanted->data;

	(void)signal;
	worker->round++;
	worker->counters_due = true;
	for (size_t i = 0; i < worker->lane_count; i++)
		scd__lane_count(worker->lanes[i], worker->round);
}

static void on_drained(void *user, size_t undelivered_count)
{
	struct worker *worker = user;

	worker->undelivered_count = undelivered_count;
	uv_stop(&worker->loop);
}

/* Every alert that there will ever be has been posted. */
static void end_lanes(struct worker *worker)
{
	worker->lanes_over = true;
	for (size_t i = 0; i < worker->lane_count; i++)
		scd__lane_join(worker->lanes[i]);
	if (worker->outputs_dead)
		uv_stop(&worker->loop);
	else
		scd_emitter_drain(worker->emitter, DRAIN_MS, on_drained, worker);
}

static void on_lane_news(uv_async_t *news)
{
	struct worker *worker = news->data;
	bool all_ended = true, all_counted = true;

	for (size_t i = 0; i < worker->lane_count; i++) {
		struct scd__lane_report report;

		scd__lane_look(worker->lanes[i], &report);
		all_ended &= report.ended;
		all_counted &= report.ended || report.round == worker->round;
	}
	if (worker->counters_due && all_counted) {
		worker->counters_due = false;
		log_counters(worker, true);
	}
	if (all_ended && !worker->lanes_over)
		end_lanes(worker);
}

static int open_loop(struct worker *worker)
{
	int r = uv_loop_init(&worker->loop);

	if (r < 0)
		return fail("cannot make an event loop", r);
	worker->loop_ready = true;
	r = uv_async_init(&worker->loop, &worker->lane_news, on_lane_news);
	if (r < 0)
		return fail("cannot hear of other threads", r);
	worker->lane_news.data = worker;
	return 0;
}

/* Nothing that the daemon cannot do without: without memory for it the signal stays ignored. */
static void watch_signals(struct worker *worker)
{
	if (uv_signal_init(&worker->loop, &worker->counters_wanted) < 0)
		return;
	worker->counters_wanted.data = worker;
	uv_signal_start(&worker->counters_wanted, on_counters_wanted, SIGUSR1);
}

static void on_beat(uv_timer_t *beating)
{
	const struct worker *worker = beating->data;

	scd_pulse_beat(worker->pulse);
}

/*
 * From here on the keeper sees whether this thread hangs. Where libcurl would look up names in it, a name server that
 * does not answer is no reason to be killed.
 */
static void start_beating(struct worker *worker, struct scd_pulse *pulse)
{
	if (scd_emitter_may_wait_for_names() || uv_timer_init(&worker->loop, &worker->beating) < 0)
		return;
	worker->pulse = pulse;
	worker->beating.data = worker;
	uv_timer_start(&worker->beating, on_beat, 0, BEAT_MS);
}

static void on_outputs_dead(void *user)
{
	struct worker *worker = user;

	scd_log(SCD_LOG_ERROR, "no output is left that takes alerts: the daemon ends instead of watching for nobody");
	worker->outputs_dead = true;
	for (size_t i = 0; i < worker->lane_count; i++)
		scd__lane_abandon(worker->lanes[i]);
}

static int open_outputs(struct worker *worker)
{
	struct scd_error err = { 0 };
	int r;

	worker->emitter = scd_emitter_new(&worker->loop);
	if (!worker->emitter)
		return fail("cannot make the outputs", -ENOMEM);
	r = scd__wanted_outputs_add(worker->emitter, worker->settings->config, &worker->settings->outputs, &err);
	if (r < 0)
		scd_error_print(&err, stderr);
	scd_emitter_on_dead(worker->emitter, on_outputs_dead, worker);
	return r;
}

/* On a lane's thread. */
static void post_alert(void *user, struct scd_alert *alert)
{
	struct worker *worker = user;

	scd_emitter_post(worker->emitter, alert);
}

/* On a lane's thread. */
static void tell_news(void *user)
{
	struct worker *worker = user;

	uv_async_send(&worker->lane_news);
}

/* Takes over the lane's control socket. */
static int open_lane(struct worker *worker, const struct scd_worker_seat *seat, size_t number)
{
	const struct scd_pipeline_options pipeline = {
		.rules = worker->rules,
		.host = scd__host_get(),
		.on_alert = post_alert,
		.user = worker,
		.coverage_alerts = worker->settings->config->coverage_alerts,
		.wall_ns = scd_clock_wall_ns,
	};
	const struct scd__lane_options options = {
		.number = number,
		.control_fd = seat->control_fds[number],
		.pulse = &seat->pulses[number],
		.pipeline = &pipeline,
		.news = tell_news,
		.user = worker,
	};
	int r = scd__lane_new(&options, &worker->lanes[number]);

	return r < 0 ? fail("cannot take connections", r) : 0;
}

/* Takes over the control sockets of the lanes that are there afterwards, and of the one that failed. */
static int open_lanes(struct worker *worker, const struct scd_worker_seat *seat, size_t *ret_taken)
{
	int r = 0;

	worker->lanes = calloc(seat->lane_count, sizeof(struct scd__lane *));
	if (!worker->lanes)
		return fail("cannot take connections", -ENOMEM);
	while (r == 0 && *ret_taken < seat->lane_count) {
		r = open_lane(worker, seat, (*ret_taken)++);
		if (r == 0)
			worker->lane_count++;
	}
	return r;
}

static int worker_init(struct worker *worker, const struct scd_worker_seat *seat)
{
	size_t taken = 0;
	int r;

	r = scd__rules_load_worker(worker->settings->config, seat, &worker->rules);
	if (r == 0)
		r = open_loop(worker);
	if (r == 0)
		r = open_outputs(worker);
	if (r == 0)
		r = scd__confinement_enter(worker->settings->config, &worker->settings->user, seat->is_later);
	if (r == 0)
		r = open_lanes(worker, seat, &taken);
	for (size_t i = taken; i < seat->lane_count; i++)
		close(seat->control_fds[i]);
	return r;
}

static int start_lanes(struct worker *worker)
{
	for (size_t i = 0; i < worker->lane_count; i++) {
		int r = scd__lane_start(worker->lanes[i]);

		if (r < 0)
			return fail("cannot start a thread", r);
	}
	for (size_t i = 0; i < worker->lane_count; i++)
		scd__lane_go(worker->lanes[i]);
	return 0;
}

static void say_ready(const struct worker *worker)
{
	const size_t count = scd_ruleset_rule_count(worker->rules), enabled = scd__rules_enabled(worker->rules);
	char evaluated[32] = "";

	if (enabled < count)
		snprintf(evaluated, sizeof(evaluated), "%zu of ", enabled);
	scd_log(SCD_LOG_NOTICE, "ready: %s%zu rule%s (generation %s), %zu thread%s", evaluated, count,
	        count == 1 ? "" : "s", scd_ruleset_generation(worker->rules), worker->lane_count,
	        worker->lane_count == 1 ? "" : "s");
}

static void worker_done(struct worker *worker)
{
	for (size_t i = 0; i < worker->lane_count; i++)
		scd__lane_free(&worker->lanes[i]);
	free(worker->lanes);
	if (worker->beating.data)
		uv_close((uv_handle_t *)&worker->beating, NULL);
	if (worker->counters_wanted.data)
		uv_close((uv_handle_t *)&worker->counters_wanted, NULL);
	if (worker->lane_news.data)
		uv_close((uv_handle_t *)&worker->lane_news, NULL);
	scd_emitter_free(&worker->emitter);
	scd_ruleset_unref(&worker->rules);
	if (!worker->loop_ready)
		return;
	uv_run(&worker->loop, UV_RUN_DEFAULT); /* the close callbacks */
	uv_loop_close(&worker->loop);
}

/* Connections of which the last pass has not read everything; the net's log says which. */
static uint64_t unread(const struct worker *worker)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < worker->lane_count; i++) {
		struct scd__lane_report report;

		scd__lane_look(worker->lanes[i], &report);
		sum += report.unread;
	}
	return sum;
}

/* What became of the messages and the alerts; the exit status that follows from it. */
static int account(const struct worker *worker)
{
	const uint64_t lost = scd__wanted_outputs_report(worker->emitter) + unread(worker);

	if (worker->outputs_dead)
		return SCD_WORKER_EXIT_FINAL;
	return lost > 0 || worker->undelivered_count > 0 ? SCD__EXIT_FAILURE : SCD__EXIT_SUCCESS;
}

int scd__worker_settle(const struct scd_config *config, struct scd__worker_settings *ret_settings,
                       struct scd_error *err)
{
	struct scd__worker_settings settings = { .config = config };
	int r = scd__wanted_outputs_check(config, err);

	if (r == 0)
		r = scd__confinement_find_user(config, &settings.user, err);
	if (r == 0)
		r = scd__wanted_outputs_open(config, &settings.outputs, err);
	if (r < 0)
		return r;
	(void)scd__host_get(); /* reads files, once */
	*ret_settings = settings;
	return 0;
}

void scd__worker_settings_done(struct scd__worker_settings *settings)
{
	scd__wanted_outputs_close(&settings->outputs);
}

int scd__worker_main(void *user, const struct scd_worker_seat *seat)
{
	struct worker worker = { .settings = user };
	int status = SCD__EXIT_FAILURE;

	if (worker_init(&worker, seat) == 0 && start_lanes(&worker) == 0) {
		watch_signals(&worker);
		start_beating(&worker, &seat->pulses[seat->lane_count]);
		say_ready(&worker);
		uv_run(&worker.loop, UV_RUN_DEFAULT);
		log_counters(&worker, false);
		status = account(&worker);
	}
	worker_done(&worker);
	return status;
}
