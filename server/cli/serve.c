/*
 * `seccheckd serve`: the daemon.
 *
 * The configuration is settled and checked before anything listens. Then there are two processes: the keeper, which
 * listens and hands over connections, and the worker (worker.c), which evaluates them in threads.
 */
#include <poll.h>
#include <unistd.h>

#include "args.h"
#include "lane.h"
#include "rule_options.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/log.h"
#include "seccheckd/cli/cli.h"
#include "seccheckd/keeper/keeper.h"
#include "settings.h"
#include "worker.h"

static const struct scd__flag flags[] = {
	SCD__FLAG_CONFIG,
	{ .name = "listen",
	  .value = "PATH",
	  .key = "listen",
	  .help = "Listen on this Unix socket, where runsc's pod-init configuration points to. May be given several "
	          "times." },
	SCD__FLAG_RULES,
	SCD__FLAGS_SWITCH,
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
	        "left, and the exit status is 0, or 1 if alerts were lost. SIGUSR1 logs what was counted so far.",
	.lists_keys = true,
	.examples = "  seccheckd serve --listen /run/seccheckd/seccheckd.sock\n"
	            "  seccheckd serve --config /etc/seccheckd/seccheckd.yaml\n",
};

/* The one output that can be gone for good: nobody reads what is written there, now or ever. */
static bool stdout_is_gone(void)
{
	struct pollfd look = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&look, 1, 0) == 1 && look.revents & (POLLERR | POLLHUP | POLLNVAL);
}

static int refuse(const struct scd_error *err)
{
	scd_error_print(err, stderr);
	return SCD__EXIT_FAILURE;
}

/* Every other output may take alerts again. */
static bool has_only_stdout(const struct scd_config *config)
{
	return config->stdout_output.enabled && !config->file_output.enabled && !config->http_output.enabled &&
	       !config->control_plane.url;
}

static int keep(const struct scd_config *config, struct scd__worker_settings *settings)
{
	const struct scd_keeper_options options = {
		.listen_paths = config->listen.items,
		.listen_count = config->listen.count,
		.allowed_uids = config->allowed_uid_numbers,
		.allowed_uid_count = config->allowed_uids.count,
		.runsc_paths = config->runsc_paths.items,
		.runsc_count = config->runsc_paths.count,
		.lane_count = config->worker_threads ? config->worker_threads : scd__lane_default_count(),
		.may_be_final = has_only_stdout(config) ? stdout_is_gone : NULL,
	};
	struct scd_keeper *keeper = NULL;
	struct scd_error err = { 0 };
	int status;

	if (scd_keeper_new(&options, &keeper, &err) < 0)
		return refuse(&err);
	status = scd_keeper_run(keeper, scd__worker_main, settings);
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
	if (scd_config_check(config, &err) < 0)
		return refuse(&err);
	scd_log_level_parse(config->log_level, &level); /* every word of the key is one of the log's */
	scd_log_set_level(level);
	return SCD__EXIT_SUCCESS;
}

static void warn_of_dangers(const struct scd_config *config)
{
	if (config->http_output.enabled && config->http_output.tls.insecure)
		scd_log(SCD_LOG_WARNING, "http_output.insecure: the server's certificate is not verified");
	if (config->control_plane.url && config->control_plane.tls.insecure)
		scd_log(SCD_LOG_WARNING, "control_plane.insecure: the server's certificate is not verified");
}

static int serve(const struct scd_config *config)
{
	struct scd__worker_settings settings;
	struct scd_error err = { 0 };
	int status;

	if (scd__worker_settle(config, &settings, &err) < 0)
		return refuse(&err);
	warn_of_dangers(config);
	status = keep(config, &settings);
	scd__worker_settings_done(&settings);
	return status;
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
		status = serve(&config);
	scd_config_done(&config);
	scd__args_done(&args);
	return status;
}
