/*
 * Keeper and worker write what they counted to files in the test's folder when they end.
 */
#include "tests/support/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/streams.h"
#include "tests/support/child.h"
#include "tests/support/peer.h"
#include "tests/support/rules.h"

#define ALERTS_BYTES (64u << 20)

struct worker {
	uv_loop_t loop;
	struct scd_buf alerts;
};

static int write_file(struct tempdir *dir, const char *name, const void *data, size_t len)
{
	FILE *file = fopen(tempdir_join(dir, name), "wb");
	bool good = file && (len == 0 || fwrite(data, 1, len, file) == len);

	if (file)
		good = fclose(file) == 0 && good;
	return good ? 0 : -EIO;
}

/* The whole file with a NUL behind it, or NULL. */
static char *read_file(struct tempdir *dir, const char *name, size_t *ret_len)
{
	FILE *file = fopen(tempdir_join(dir, name), "rb");
	struct stat status;
	char *data = NULL;

	if (file && fstat(fileno(file), &status) == 0)
		data = calloc(1, (size_t)status.st_size + 1);
	if (data)
		*ret_len = fread(data, 1, (size_t)status.st_size, file);
	if (file)
		fclose(file);
	return data;
}

static void read_struct(struct tempdir *dir, const char *name, void *ret_struct, size_t bytes)
{
	size_t len = 0;
	char *data = read_file(dir, name, &len);

	if (data && len == bytes)
		memcpy(ret_struct, data, bytes);
	free(data);
}

static void on_alert(void *user, struct scd_alert *alert)
{
	struct worker *worker = user;

	(void)scd_alert_json(alert, &worker->alerts);
	scd_buf_append_char(&worker->alerts, '\n');
	scd_alert_unref(&alert);
}

static void on_stopped(void *user)
{
	(void)user; /* the loop ends by itself when the net has closed its handles */
}

static int write_results(struct serve *serve, const struct worker *worker, const struct scd_net *net,
                         const struct scd_pipeline *pipeline)
{
	int r = write_file(&serve->dir, "alerts", worker->alerts.data, worker->alerts.len);

	if (!r)
		r = write_file(&serve->dir, "net", scd_net_counters(net), sizeof(struct scd_net_counters));
	if (!r)
		r = write_file(&serve->dir, "pipeline", scd_pipeline_counters(pipeline),
		               sizeof(struct scd_pipeline_counters));
	return r;
}

static int run_worker(struct serve *serve, struct scd_ruleset *rules, const struct scd_worker_seat *seat)
{
	static const struct scd_host host = { SCD_STR_INIT("test-host"), SCD_STR_INIT("test-boot") };
	static const struct scd_net_ops ops = { .stopped = on_stopped };
	struct worker worker = { .alerts = { 0 } };
	const struct scd_pipeline_options options = {
		.rules = rules, .host = &host, .on_alert = on_alert, .user = &worker
	};
	struct scd_pipeline *pipeline = scd_pipeline_new(&options);
	const struct scd_net_sink sink = scd__streams_sink(pipeline);
	struct scd_net *net = NULL;
	int r;

	scd_buf_init(&worker.alerts, ALERTS_BYTES);
	uv_loop_init(&worker.loop);
	if (!pipeline ||
	    scd_net_new(&worker.loop, seat->control_fds[0], &seat->pulses[0], &sink, &ops, &worker, &net) < 0)
		return 90;
	uv_run(&worker.loop, UV_RUN_DEFAULT);
	r = write_results(serve, &worker, net, pipeline);
	scd_net_free(&net);
	scd_pipeline_free(&pipeline);
	scd_buf_done(&worker.alerts);
	uv_run(&worker.loop, UV_RUN_DEFAULT); /* the net's last close callback */
	if (uv_loop_close(&worker.loop) < 0)
		r = -EBUSY;
	return r == 0 ? 0 : 91;
}

static int worker_main(void *user, const struct scd_worker_seat *seat)
{
	struct serve *serve = user;
	struct scd_diags diags;
	struct scd_ruleset *rules;
	int status;

	scd_diags_init(&diags);
	rules = rules_load(serve->rules, &diags);
	status = rules ? run_worker(serve, rules, seat) : 92;
	scd_ruleset_unref(&rules);
	scd_diags_done(&diags);
	return status;
}

/* Where the keeper process says that it listens. */
struct start {
	struct serve *serve;
	int listening[2];
};

static int keeper_main(void *user)
{
	struct start *start = user;
	struct serve *serve = start->serve;
	const char *path = serve->path;
	const struct scd_keeper_options options = { .listen_paths = &path, .listen_count = 1 };
	struct scd_keeper *keeper = NULL;
	struct scd_error err;
	int status;

	if (scd_keeper_new(&options, &keeper, &err) < 0) {
		scd_error_print(&err, stderr);
		return 93;
	}
	if (write(start->listening[1], "!", 1) != 1)
		return 94;
	close(start->listening[0]);
	close(start->listening[1]);
	status = scd_keeper_run(keeper, worker_main, serve);
	if (write_file(&serve->dir, "keeper", scd_keeper_counters(keeper), sizeof(struct scd_keeper_counters)) < 0)
		status = 95;
	scd_keeper_free(&keeper);
	return status;
}

int serve_start(struct serve *serve, const char *rules_yaml)
{
	struct start start = { .serve = serve };
	int r;

	memset(serve, 0, sizeof(*serve));
	serve->rules = rules_yaml;
	r = tempdir_make(&serve->dir);
	if (r < 0)
		return r;
	snprintf(serve->path, sizeof(serve->path), "%s", tempdir_join(&serve->dir, "sink.sock"));
	if (pipe2(start.listening, O_CLOEXEC) < 0)
		return -errno;
	serve->pid = child_start(keeper_main, &start);
	close(start.listening[1]);
	r = serve->pid < 0 ? (int)serve->pid : peer_wait(start.listening[0], POLLIN, PEER_DEADLINE_MS);
	if (!r) {
		char byte;

		r = read(start.listening[0], &byte, 1) == 1 ? 0 : -ECHILD;
	}
	close(start.listening[0]);
	return r;
}

int serve_stop(struct serve *serve)
{
	struct serve_result *result = &serve->result;
	size_t len;

	kill(serve->pid, SIGTERM);
	result->status = child_wait(serve->pid, PEER_DEADLINE_MS);
	serve->pid = 0;
	read_struct(&serve->dir, "keeper", &result->keeper, sizeof(result->keeper));
	read_struct(&serve->dir, "net", &result->net, sizeof(result->net));
	read_struct(&serve->dir, "pipeline", &result->pipeline, sizeof(result->pipeline));
	result->alerts = read_file(&serve->dir, "alerts", &len);
	return result->status;
}

void serve_done(struct serve *serve)
{
	if (serve->pid > 0) {
		kill(serve->pid, SIGKILL);
		child_wait(serve->pid, PEER_DEADLINE_MS);
	}
	free(serve->result.alerts);
	tempdir_remove(&serve->dir);
	memset(serve, 0, sizeof(*serve));
}

static bool line_has(const char *line, size_t len, const char *text)
{
	return !text || memmem(line, len, text, strlen(text));
}

size_t serve_count_alerts(const struct serve *serve, const char *text, const char *other_text)
{
	const char *line = serve->result.alerts;
	size_t count = 0;

	while (line && *line) {
		size_t len = strcspn(line, "\n");

		count += line_has(line, len, text) && line_has(line, len, other_text);
		line += len + (line[len] == '\n');
	}
	return count;
}
