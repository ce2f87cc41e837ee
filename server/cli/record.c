/*
 * `seccheckd record`: each connection into a trace file.
 *
 * Keeper and worker as for serve; the worker is a loop, a recorder and the sessions, and ends when the last file is
 * closed:
 *
 *    loop → recorder → sessions → (ready) … (stopped) → the recorder's last jobs → exit status
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "args.h"
#include "confinement.h"
#include "counted.h"
#include "host.h"
#include "recordings.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/log.h"
#include "seccheckd/cli/cli.h"
#include "seccheckd/keeper/keeper.h"
#include "settings.h"

/* The least cap of a file: its head, and some messages. */
#define MAX_BYTES_MIN 1024u

static const struct scd__flag flags[] = {
	{ .name = "listen",
	  .value = "PATH",
	  .key = "listen",
	  .help = "Listen on this Unix socket, where runsc's pod-init configuration points to. May be given several "
	          "times." },
	{ .name = "out",
	  .value = "DIR",
	  .help = "Write the traces into this folder, which is made if it is not there." },
	{ .name = "max-bytes",
	  .value = "BYTES",
	  .help = "End a trace before it is longer than this; what comes then is not recorded." },
	{ .name = "log-level", .value = "LEVEL", .key = "log_level" },
};

static const struct scd__command command = {
	.name = "record",
	.summary = "Saves what each gVisor sandbox sends over its seccheck remote sink as a trace file.",
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details = "Traces are client-0001, client-0002 and so on, in gVisor's tracereplay format, never over a file "
	           "that is there; beside each, NAME.meta.json says where it comes from and whether it is complete. A "
	           "line on standard output tells of each that is finished. SIGTERM and SIGINT stop it: what has "
	           "arrived is recorded. SIGUSR1 logs what was counted so far. Exit status 1 if something could not be "
	           "recorded for any other reason than "
	           "--max-bytes.",
	.examples = "  seccheckd record --listen /run/seccheckd.sock --out traces\n"
	            "  seccheckd replay --rules ./rules traces/client-0001\n",
};

/* What was asked for. */
struct settings {
	struct scd_config config; /* listen and log_level of it */
	const char *folder;
	int folder_fd;
	bool made_folder;
	uint64_t max_bytes;
};

struct worker {
	const struct settings *settings;
	uv_loop_t loop;
	bool loop_ready;
	struct scd_recorder *recorder;
	struct scd__recordings recordings;
	struct scd_net *net;
	uv_signal_t counters_wanted; /* SIGUSR1 */
	atomic_bool print_failed;
};

static int fail(const char *what, int r)
{
	scd_log(SCD_LOG_ERROR, "%s: %s", what, strerror(-r));
	return r;
}

/* Why and how much is missing, or nothing. */
static void describe_missing(const struct scd_recording_result *result, char *text, size_t room)
{
	text[0] = '\0';
	if (result->reason && result->left_out_count > 0)
		snprintf(text, room, "; %" PRIu64 " messages left out: %s", result->left_out_count, result->reason);
	else if (result->reason)
		snprintf(text, room, "; not complete: %s", result->reason);
}

/* On a thread of the pool; one write(2) is one line. */
static void print_result(void *user, const struct scd_recording_result *result)
{
	struct worker *worker = user;
	char missing[256];

	describe_missing(result, missing, sizeof(missing));
	if (dprintf(STDOUT_FILENO, "%s/%s: %" PRIu64 " messages, %" PRIu64 " bytes%s\n", worker->settings->folder,
	            result->name, result->message_count, result->byte_count, missing) < 0 &&
	    !atomic_exchange(&worker->print_failed, true))
		scd_log(SCD_LOG_ERROR, "cannot write to standard output: %m");
}

static int open_recorder(struct worker *worker)
{
	static const struct scd_recorder_ops ops = { .finished = print_result };
	const struct scd_host *host = scd__host_get();
	const struct scd_recorder_options options = {
		.loop = &worker->loop,
		.folder_fd = worker->settings->folder_fd,
		.max_bytes = worker->settings->max_bytes,
		.hostname = host->hostname,
		.boot_id = host->boot_id,
	};

	worker->recorder = scd_recorder_new(&options, &ops, worker);
	if (!worker->recorder)
		return fail("cannot make the recorder", -ENOMEM);
	scd__recordings_init(&worker->recordings, worker->recorder);
	return 0;
}

static void on_stopped(void *user)
{
	(void)user; /* the loop ends by itself, with the recorder's last job */
}

/* Takes over the control socket. */
static int open_sessions(struct worker *worker, const struct scd_worker_seat *seat)
{
	static const struct scd_net_ops ops = { .stopped = on_stopped };
	const struct scd_net_sink sink = scd__recordings_sink(&worker->recordings);
	int r = scd_net_new(&worker->loop, seat->control_fds[0], &seat->pulses[0], &sink, &ops, worker, &worker->net);

	return r < 0 ? fail("cannot take connections", r) : 0;
}

static int worker_init(struct worker *worker, const struct scd_worker_seat *seat)
{
	int r = uv_loop_init(&worker->loop);

	worker->loop_ready = r == 0;
	r = r < 0 ? fail("cannot make an event loop", r) : open_recorder(worker);
	if (r == 0)
		r = scd__confinement_enter_recorder(worker->settings->folder);
	if (r < 0) {
		close(seat->control_fds[0]);
		return r;
	}
	return open_sessions(worker, seat);
}

static void worker_done(struct worker *worker)
{
	scd_net_free(&worker->net);
	if (worker->counters_wanted.data)
		uv_close((uv_handle_t *)&worker->counters_wanted, NULL);
	if (worker->loop_ready) {
		uv_run(&worker->loop, UV_RUN_DEFAULT); /* the close callbacks */
		uv_loop_close(&worker->loop);
	}
	scd__recordings_done(&worker->recordings);
	scd_recorder_free(&worker->recorder);
}

static void say_ready(const struct worker *worker)
{
	scd_log(SCD_LOG_NOTICE, "ready: recording into %s", worker->settings->folder);
}

static void log_counters(const struct worker *worker, bool asked)
{
	struct scd__counted counted;

	scd__counted_net(worker->net, &counted);
	scd__counted_log(&counted, asked);
	scd__counted_recorder(worker->recorder, &counted);
	scd__counted_log(&counted, asked);
}

static void on_counters_wanted(uv_signal_t *wanted, int signal)
{
	(void)signal;
	log_counters(wanted->data, true);
}

/* SIGUSR1. It does not keep the loop from ending; without memory for it the signal stays ignored. */
static void watch_signals(struct worker *worker)
{
	if (uv_signal_init(&worker->loop, &worker->counters_wanted) < 0)
		return;
	worker->counters_wanted.data = worker;
	uv_signal_start(&worker->counters_wanted, on_counters_wanted, SIGUSR1);
	uv_unref((uv_handle_t *)&worker->counters_wanted);
}

static int judge(struct worker *worker)
{
	const struct scd_recorder_counters *counters = scd_recorder_counters(worker->recorder);
	const uint64_t bad_count = counters->incomplete + counters->failed + counters->meta_errors;

	log_counters(worker, false);
	return bad_count > 0 || atomic_load(&worker->print_failed) ? SCD__EXIT_FAILURE : SCD__EXIT_SUCCESS;
}

static int worker_main(void *user, const struct scd_worker_seat *seat)
{
	struct worker worker = { .settings = user };
	int status = SCD__EXIT_FAILURE;

	if (worker_init(&worker, seat) == 0) {
		watch_signals(&worker);
		say_ready(&worker);
		uv_run(&worker.loop, UV_RUN_DEFAULT);
		status = judge(&worker);
	}
	worker_done(&worker);
	return status;
}

static void tell_unended(void *user, const char *name)
{
	const struct settings *settings = user;

	scd_log(SCD_LOG_ERROR, "%s/%s is not complete: the worker that wrote it ended before the connection did",
	        settings->folder, name);
}

/* Behind the last worker: what those that died have not finished is finished by nobody. The exit status. */
static int judge_workers(struct settings *settings, uint64_t died_count, uint64_t first_number, int status)
{
	if (died_count == 0)
		return status;
	scd_log(SCD_LOG_ERROR, "workers that died: %" PRIu64 ", and what they had read and not written is lost",
	        died_count);
	scd_recorder_find_unended(settings->folder_fd, first_number, tell_unended, settings);
	return SCD__EXIT_FAILURE;
}

static int keep(struct settings *settings)
{
	const struct scd_keeper_options options = {
		.listen_paths = settings->config.listen.items,
		.listen_count = settings->config.listen.count,
	};
	const uint64_t first_number = scd_recorder_first_number(settings->folder_fd);
	struct scd_keeper *keeper = NULL;
	struct scd_error err = { 0 };
	int status;

	if (scd_keeper_new(&options, &keeper, &err) < 0) {
		scd_error_print(&err, stderr);
		return SCD__EXIT_FAILURE;
	}
	status = scd_keeper_run(keeper, worker_main, settings);
	status = judge_workers(settings, scd_keeper_counters(keeper)->workers_died, first_number, status);
	scd_keeper_free(&keeper);
	return status;
}

/* The folder, made if it is not there; SCD__EXIT_SUCCESS or the command's exit status. */
static int open_folder(struct settings *settings)
{
	bool good;

	settings->made_folder = mkdir(settings->folder, 0700) == 0;
	good = settings->made_folder || errno == EEXIST;
	if (good)
		settings->folder_fd = open(settings->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = good && settings->folder_fd >= 0 && faccessat(AT_FDCWD, settings->folder, W_OK | X_OK, AT_EACCESS) == 0;
	if (good)
		return SCD__EXIT_SUCCESS;
	fprintf(stderr, "seccheckd record: cannot write into the folder %s: %s\n", settings->folder, strerror(errno));
	return SCD__EXIT_FAILURE;
}

static int settle_cap(struct settings *settings, const char *text)
{
	if (!text)
		return SCD__EXIT_SUCCESS;
	if (scd_str_to_u64(scd_str_from(text), &settings->max_bytes) < 0 || settings->max_bytes < MAX_BYTES_MIN)
		return scd__args_usage_error(&command, "--max-bytes '%s': write a whole number of bytes, %u or more",
		                             text, MAX_BYTES_MIN);
	return SCD__EXIT_SUCCESS;
}

/* SCD__EXIT_SUCCESS, or the command's exit status. */
static int settle(struct settings *settings, const struct scd__args *args)
{
	enum scd_log_level level = SCD_LOG_INFO;
	int status = scd__settings_read(args, &settings->config);

	if (status != SCD__EXIT_SUCCESS)
		return status;
	settings->folder = scd__args_value(args, "out");
	if (settings->config.listen.count == 0)
		return scd__args_usage_error(&command, "there is no socket to listen on: give --listen PATH");
	if (!settings->folder)
		return scd__args_usage_error(&command, "there is no folder to write to: give --out DIR");
	status = settle_cap(settings, scd__args_value(args, "max-bytes"));
	if (status != SCD__EXIT_SUCCESS)
		return status;
	scd_log_level_parse(settings->config.log_level, &level); /* every word of the key is one of the log's */
	scd_log_set_level(level);
	return open_folder(settings);
}

int scd_cli_record(int argc, char **argv)
{
	struct settings settings = { .folder_fd = -1 };
	struct scd__args args;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	scd_config_init(&settings.config);
	status = settle(&settings, &args);
	if (status == SCD__EXIT_SUCCESS)
		status = keep(&settings);
	if (settings.folder_fd >= 0)
		close(settings.folder_fd);
	if (status != SCD__EXIT_SUCCESS && settings.made_folder)
		(void)rmdir(settings.folder); /* if it is still empty: then nothing came of it */
	scd_config_done(&settings.config);
	scd__args_done(&args);
	return status;
}
