/*
 * `seccheckd serve`: the daemon.
 *
 * The configuration is settled and checked before anything listens. Then there are two processes: the keeper, which
 * listens and hands over connections, and the worker, which is all of the rest of this file:
 *
 *    rules → loop → outputs → pipeline → sessions → (ready) … (stopped) → drain the outputs → exit status
 *
 * Each step is a function that leaves what it made in struct worker; worker_done takes apart what there is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "args.h"
#include "host.h"
#include "rules.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/log.h"
#include "seccheckd/cli/cli.h"
#include "seccheckd/keeper/keeper.h"
#include "seccheckd/net/net.h"
#include "settings.h"
#include "streams.h"
#include "wanted_outputs.h"

/* How long an ordered stop waits for the outputs. */
#define DRAIN_MS 5000u

static const struct scd__flag flags[] = {
	SCD__FLAG_CONFIG,
	{ .name = "listen",
	  .value = "PATH",
	  .key = "listen",
	  .help = "Listen on this Unix socket, where runsc's pod-init configuration points to. May be given several "
	          "times." },
	SCD__FLAG_RULES,
	{ .name = "control-plane",
	  .value = "URL",
	  .key = "control_plane.url",
	  .help = "Post batches of alerts to this URL." },
	{ .name = "log-level", .value = "LEVEL", .key = "log_level" },
};

static const struct scd__command command = {
	.name = "serve",
	.summary =
	        "Listens for the seccheck remote sinks of gVisor sandboxes, evaluates rules over what they stream, and "
	        "reports matches.",
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details =
	        "At least one socket is needed, by --listen or in the configuration. Without rules of its own it uses "
	        "the bundled ones; without an output in the configuration, alerts are JSON lines on standard output. "
	        "SIGTERM and SIGINT stop it: what has arrived is evaluated, outputs have 5 seconds to take what is "
	        "left, and the exit status is 0, or 1 if alerts remain undelivered.",
	.lists_keys = true,
	.examples = "  seccheckd serve --listen /run/seccheckd.sock\n"
	            "  seccheckd serve --config /etc/seccheckd/seccheckd.yaml\n",
};

struct worker {
	const struct scd_config *config;
	struct scd_ruleset *rules;
	uv_loop_t loop;
	bool loop_ready;
	struct scd_emitter *emitter;
	struct scd_pipeline *pipeline;
	struct scd_net *net;
	size_t undelivered_count;
};

static int fail(const char *what, int r)
{
	scd_log(SCD_LOG_ERROR, "%s: %s", what, strerror(-r));
	return r;
}

static int open_loop(struct worker *worker)
{
	int r = uv_loop_init(&worker->loop);

	if (r < 0)
		return fail("cannot make an event loop", r);
	worker->loop_ready = true;
	return 0;
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
	worker->pipeline = scd_pipeline_new(worker->rules, scd__host_get(), emit_alert, worker);
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

/* Takes over control_fd. */
static int open_sessions(struct worker *worker, int control_fd)
{
	static const struct scd_net_ops ops = { .stopped = on_stopped };
	const struct scd_net_sink sink = scd__streams_sink(worker->pipeline);
	int r = scd_net_new(&worker->loop, control_fd, &sink, &ops, worker, &worker->net);

	return r < 0 ? fail("cannot take connections", r) : 0;
}

static void say_ready(const struct worker *worker)
{
	const size_t rule_count = scd_ruleset_rule_count(worker->rules);

	for (size_t i = 0; i < worker->config->listen.count; i++)
		scd_log(SCD_LOG_NOTICE, "listening on %s, rules: %zu (generation %s)", worker->config->listen.items[i],
		        rule_count, scd_ruleset_generation(worker->rules));
	if (worker->config->http_output.enabled && worker->config->http_output.tls.insecure)
		scd_log(SCD_LOG_WARNING, "http_output.insecure: the server's certificate is not verified");
	if (worker->config->control_plane.url && worker->config->control_plane.tls.insecure)
		scd_log(SCD_LOG_WARNING, "control_plane.insecure: the server's certificate is not verified");
}

static int worker_init(struct worker *worker, int control_fd)
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
		close(control_fd);
		return r;
	}
	return open_sessions(worker, control_fd);
}

static void worker_done(struct worker *worker)
{
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

static int worker_main(void *user, int control_fd)
{
	struct worker worker = { .config = user };
	int status = SCD__EXIT_FAILURE;

	if (worker_init(&worker, control_fd) == 0) {
		say_ready(&worker);
		uv_run(&worker.loop, UV_RUN_DEFAULT);
		status = account(&worker);
	}
	worker_done(&worker);
	return status;
}

static int keep(struct scd_config *config)
{
	const struct scd_keeper_options options = {
		.listen_paths = config->listen.items,
		.listen_count = config->listen.count,
	};
	struct scd_keeper *keeper = NULL;
	struct scd_error err = { 0 };
	int status;

	if (scd_keeper_new(&options, &keeper, &err) < 0) {
		scd_error_print(&err, stderr);
		return SCD__EXIT_FAILURE;
	}
	status = scd_keeper_run(keeper, worker_main, config);
	scd_keeper_free(&keeper);
	return status;
}

/* The configuration of this run, complete and checked. SCD__EXIT_SUCCESS, or the command's exit status. */
static int settle(struct scd_config *config, const struct scd__args *args)
{
	enum scd_log_level level = SCD_LOG_INFO;
	struct scd_error err = { 0 };
	int status = scd__settings_read(args, config);

	if (status != SCD__EXIT_SUCCESS)
		return status;
	if (config->listen.count == 0)
		return scd__args_usage_error(&command, "there is no socket to listen on: give --listen PATH, or listen "
		                                       "in the configuration");
	if (scd_config_check(config, &err) < 0) {
		scd_error_print(&err, stderr);
		return SCD__EXIT_FAILURE;
	}
	scd_log_level_parse(config->log_level, &level); /* every word of the key is one of the log's */
	scd_log_set_level(level);
	return SCD__EXIT_SUCCESS;
}

int scd_cli_serve(int argc, char **argv)
{
	struct scd_config config;
	struct scd__args args;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	scd_config_init(&config);
	status = settle(&config, &args);
	if (status == SCD__EXIT_SUCCESS)
		status = keep(&config);
	scd_config_done(&config);
	scd__args_done(&args);
	return status;
}
