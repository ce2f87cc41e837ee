/*
 * The worker: what the modules are put together to.
 *
 *    rules → loop → outputs → pipeline → sessions → (ready) … (stopped) → drain the outputs → exit status
 *
 * Each step is a function that leaves what it made in struct worker; worker_done takes apart what there is, also after
 * a start that failed half-way.
 */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "args.h"
#include "counted.h"
#include "host.h"
#include "rules.h"
#include "seccheckd/base/log.h"
#include "seccheckd/config/config.h"
#include "seccheckd/net/net.h"
#include "streams.h"
#include "wanted_outputs.h"

/* How long an ordered stop waits for the outputs. */
#define DRAIN_MS 5000u

struct worker {
	const struct scd_config *config;
	struct scd_ruleset *rules;
	uv_loop_t loop;
	bool loop_ready;
	struct scd_emitter *emitter;
	struct scd_pipeline *pipeline;
	struct scd_net *net;
	uv_signal_t counters_wanted; /* SIGUSR1 */
	size_t undelivered_count;
};

static int fail(const char *what, int r)
{
	scd_log(SCD_LOG_ERROR, "%s: %s", what, strerror(-r));
	return r;
}

static void log_counters(const struct worker *worker)
{
	scd__counted_log_net(worker->net);
	scd__counted_log_pipeline(worker->pipeline);
	scd__counted_log_outputs(worker->emitter);
}

static void on_counters_wanted(uv_signal_t *wanted, int signal)
{
	(void)signal;
	log_counters(wanted->data);
}

static int open_loop(struct worker *worker)
{
	int r = uv_loop_init(&worker->loop);

	if (r < 0)
		return fail("cannot make an event loop", r);
	worker->loop_ready = true;
	return 0;
}

/* Nothing that the daemon cannot do without: without memory for it the signal stays ignored. */
static void watch_signals(struct worker *worker)
{
	uv_signal_init(&worker->loop, &worker->counters_wanted);
	worker->counters_wanted.data = worker;
	uv_signal_start(&worker->counters_wanted, on_counters_wanted, SIGUSR1);
}

static void on_outputs_dead(void *user)
{
	struct worker *worker = user;

	scd_log(SCD_LOG_ERROR, "no output is left that takes alerts: the daemon ends instead of watching for nobody");
	uv_stop(&worker->loop);
}

static int open_outputs(struct worker *worker)
{
	struct scd_error err = { 0 };
	int r;

	worker->emitter = scd_emitter_new(&worker->loop);
	if (!worker->emitter)
		return fail("cannot make the outputs", -ENOMEM);
	r = scd__wanted_outputs_add(worker->emitter, worker->config, &err);
	if (r < 0)
		scd_error_print(&err, stderr);
	scd_emitter_on_dead(worker->emitter, on_outputs_dead, worker);
	return r;
}

static void emit_alert(void *user, struct scd_alert *alert)
{
	struct worker *worker = user;

	scd_emitter_submit(worker->emitter, alert);
}

static int open_pipeline(struct worker *worker)
{
	const struct scd_pipeline_options options = {
		.rules = worker->rules, .host = scd__host_get(), .on_alert = emit_alert, .user = worker
	};

	worker->pipeline = scd_pipeline_new(&options);
	return worker->pipeline ? 0 : fail("cannot make the pipeline", -ENOMEM);
}

static void on_drained(void *user, size_t undelivered_count)
{
	struct worker *worker = user;

	worker->undelivered_count = undelivered_count;
	uv_stop(&worker->loop);
}

static void on_stopped(void *user)
{
	struct worker *worker = user;

	scd_emitter_drain(worker->emitter, DRAIN_MS, on_drained, worker);
}

/* Takes over the control socket. */
static int open_sessions(struct worker *worker, const struct scd_worker_seat *seat)
{
	static const struct scd_net_ops ops = { .stopped = on_stopped };
	const struct scd_net_sink sink = scd__streams_sink(worker->pipeline);
	int r = scd_net_new(&worker->loop, seat->control_fds[0], &seat->pulses[0], &sink, &ops, worker, &worker->net);

	return r < 0 ? fail("cannot take connections", r) : 0;
}

static void say_ready(const struct worker *worker)
{
	const size_t count = scd_ruleset_rule_count(worker->rules);

	scd_log(SCD_LOG_NOTICE, "ready: %zu rule%s (generation %s)", count, count == 1 ? "" : "s",
	        scd_ruleset_generation(worker->rules));
}

static int worker_init(struct worker *worker, const struct scd_worker_seat *seat)
{
	int r;

	r = scd__rules_load(worker->config, &worker->rules);
	if (r == 0)
		r = open_loop(worker);
	if (r == 0)
		r = open_outputs(worker);
	if (r == 0)
		r = open_pipeline(worker);
	if (r < 0) {
		close(seat->control_fds[0]);
		return r;
	}
	return open_sessions(worker, seat);
}

static void worker_done(struct worker *worker)
{
	if (worker->counters_wanted.data)
		uv_close((uv_handle_t *)&worker->counters_wanted, NULL);
	scd_net_free(&worker->net);
	scd_pipeline_free(&worker->pipeline);
	scd_emitter_free(&worker->emitter);
	scd_ruleset_unref(&worker->rules);
	if (!worker->loop_ready)
		return;
	uv_run(&worker->loop, UV_RUN_DEFAULT); /* the close callbacks */
	uv_loop_close(&worker->loop);
}

/* What became of the alerts; the exit status that follows from it. */
static int account(const struct worker *worker)
{
	const uint64_t dropped = scd__wanted_outputs_report(worker->emitter);

	if (worker->undelivered_count > 0)
		scd_log(SCD_LOG_ERROR, "alerts not delivered: %zu", worker->undelivered_count);
	return dropped > 0 || worker->undelivered_count > 0 ? SCD__EXIT_FAILURE : SCD__EXIT_SUCCESS;
}

int scd__worker_main(void *user, const struct scd_worker_seat *seat)
{
	struct worker worker = { .config = user };
	int status = SCD__EXIT_FAILURE;

	if (worker_init(&worker, seat) == 0) {
		watch_signals(&worker);
		say_ready(&worker);
		uv_run(&worker.loop, UV_RUN_DEFAULT);
		log_counters(&worker);
		status = account(&worker);
	}
	worker_done(&worker);
	return status;
}
