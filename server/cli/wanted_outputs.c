/*
 * Configuration to options of the emitter, one function per output; and what became of the alerts.
 */
#include "wanted_outputs.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/log.h"

static void add_tls(struct scd_http_options *options, const struct scd_config_tls *tls,
                    const struct scd__tls_texts *texts)
{
	options->ca_cert = texts->ca_cert;
	options->client_cert = texts->client_cert;
	options->client_key = texts->client_key;
	options->insecure = tls->insecure;
}

static int add_stdout(struct scd_emitter *emitter, const struct scd_config *config, struct scd_error *err)
{
	if (!config->stdout_output.enabled)
		return 0;
	return scd_emitter_add_stream(emitter, STDOUT_FILENO, "stdout_output", err);
}

static int add_file(struct scd_emitter *emitter, const struct scd_config *config, struct scd__open_outputs *open,
                    struct scd_error *err)
{
	int fd = open->file_fd;

	open->file_fd = -1;
	return fd < 0 ? 0 : scd_emitter_add_open_file(emitter, fd, config->file_output.filename, err);
}

static int add_http(struct scd_emitter *emitter, const struct scd_config *config, const struct scd__open_outputs *open,
                    struct scd_error *err)
{
	struct scd_http_options options = {
		.url = config->http_output.url,
		.user_agent = config->http_output.user_agent,
	};

	if (!config->http_output.enabled)
		return 0;
	add_tls(&options, &config->http_output.tls, &open->http_output);
	return scd_emitter_add_http(emitter, &options, err);
}

static int add_control_plane(struct scd_emitter *emitter, const struct scd_config *config,
                             const struct scd__open_outputs *open, struct scd_error *err)
{
	struct scd_control_plane_options options = {
		.http.url = config->control_plane.url,
		.http.timeout_ms = config->control_plane.timeout_ms,
		.http.backoff_min_ms = config->control_plane.backoff_min_ms,
		.http.backoff_max_ms = config->control_plane.backoff_max_ms,
		.encoding = strcmp(config->control_plane.format, "json") == 0 ? SCD_BATCH_JSON : SCD_BATCH_PROTOBUF,
		.ack_status = strcmp(config->control_plane.ack, "status") == 0,
		.batch_max_count = config->control_plane.batch_max_count,
	};

	if (!config->control_plane.url)
		return 0;
	add_tls(&options.http, &config->control_plane.tls, &open->control_plane);
	return scd_emitter_add_control_plane(emitter, &options, err);
}

static int check_url(const struct scd_config *config, const char *path, const char *url, struct scd_error *err)
{
	int r = scd_emitter_check_url(url, err);

	if (r < 0)
		scd_config_place(config, path, err);
	return r;
}

int scd__wanted_outputs_check(const struct scd_config *config, struct scd_error *err)
{
	int r = 0;

	if (config->http_output.enabled)
		r = check_url(config, "http_output.url", config->http_output.url, err);
	if (r == 0 && config->control_plane.url)
		r = check_url(config, "control_plane.url", config->control_plane.url, err);
	return r;
}

/* err tells the section, too: its files may be called alike. */
static int read_pem(const char *section, const char *path, struct scd_pem *ret_pem, struct scd_error *err)
{
	struct scd_error why;
	int r = path ? scd_pem_read(path, ret_pem, &why) : 0;

	return r < 0 ? scd_error_set(err, r, "%s: %s", section, why.what) : 0;
}

static int read_tls(const char *section, const struct scd_config_tls *tls, struct scd__tls_texts *texts,
                    struct scd_error *err)
{
	int r = read_pem(section, tls->ca_cert, &texts->ca_cert, err);

	if (r == 0)
		r = read_pem(section, tls->client_cert, &texts->client_cert, err);
	if (r == 0)
		r = read_pem(section, tls->client_key, &texts->client_key, err);
	return r;
}

int scd__wanted_outputs_open(const struct scd_config *config, struct scd__open_outputs *ret_open, struct scd_error *err)
{
	struct scd__open_outputs open = { .file_fd = -1 };
	int r = 0;

	if (config->file_output.enabled)
		r = scd_emitter_open_file(config->file_output.filename, &open.file_fd, err);
	if (r == 0 && config->http_output.enabled)
		r = read_tls("http_output", &config->http_output.tls, &open.http_output, err);
	if (r == 0 && config->control_plane.url)
		r = read_tls("control_plane", &config->control_plane.tls, &open.control_plane, err);
	if (r < 0)
		scd__wanted_outputs_close(&open);
	else
		*ret_open = open;
	return r;
}

static void forget_tls(struct scd__tls_texts *texts)
{
	scd_pem_done(&texts->ca_cert);
	scd_pem_done(&texts->client_cert);
	scd_pem_done(&texts->client_key);
}

void scd__wanted_outputs_close(struct scd__open_outputs *open)
{
	if (open->file_fd >= 0)
		close(open->file_fd);
	open->file_fd = -1;
	forget_tls(&open->http_output);
	forget_tls(&open->control_plane);
}

int scd__wanted_outputs_add(struct scd_emitter *emitter, const struct scd_config *config,
                            struct scd__open_outputs *open, struct scd_error *err)
{
	int r;

	r = add_stdout(emitter, config, err);
	if (r == 0)
		r = add_file(emitter, config, open, err);
	if (r == 0)
		r = add_http(emitter, config, open, err);
	if (r == 0)
		r = add_control_plane(emitter, config, open, err);
	scd__wanted_outputs_close(open);
	return r;
}

uint64_t scd__wanted_outputs_report(struct scd_emitter *emitter)
{
	struct scd_emitter_counters on_the_way;
	uint64_t dropped;

	scd_emitter_counters(emitter, &on_the_way);
	dropped = on_the_way.dropped;
	if (dropped)
		scd_log(SCD_LOG_ERROR, "alerts dropped on their way to the outputs: %" PRIu64, dropped);
	for (size_t i = 0; i < scd_emitter_output_count(emitter); i++) {
		struct scd_output_status status;

		scd_emitter_output_status(emitter, i, &status);
		dropped += status.dropped;
		if (status.dropped || status.rejected || status.queued)
			scd_log(status.dropped || status.queued ? SCD_LOG_ERROR : SCD_LOG_WARNING,
			        "%s: alerts delivered: %" PRIu64 ", not delivered: %zu, dropped: %" PRIu64
			        ", rejected: %" PRIu64,
			        status.name, status.delivered, status.queued, status.dropped, status.rejected);
	}
	return dropped;
}
