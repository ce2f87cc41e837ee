/*
 * Configuration to options of the emitter, one function per output; and what became of the alerts.
 */
#include "wanted_outputs.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/log.h"

static void add_tls(struct scd_http_options *options, const struct scd_config_tls *tls)
{
	options->ca_cert = tls->ca_cert;
	options->client_cert = tls->client_cert;
	options->client_key = tls->client_key;
	options->insecure = tls->insecure;
}

static int add_stdout(struct scd_emitter *emitter, const struct scd_config *config, struct scd_error *err)
{
	if (!config->stdout_output.enabled)
		return 0;
	return scd_emitter_add_stream(emitter, STDOUT_FILENO, "stdout_output", err);
}

static int add_file(struct scd_emitter *emitter, const struct scd_config *config, struct scd_error *err)
{
	if (!config->file_output.enabled)
		return 0;
	return scd_emitter_add_file(emitter, config->file_output.filename, err);
}

static int add_http(struct scd_emitter *emitter, const struct scd_config *config, struct scd_error *err)
{
	struct scd_http_options options = {
		.url = config->http_output.url,
		.user_agent = config->http_output.user_agent,
	};

	if (!config->http_output.enabled)
		return 0;
	add_tls(&options, &config->http_output.tls);
	return scd_emitter_add_http(emitter, &options, err);
}

static int add_control_plane(struct scd_emitter *emitter, const struct scd_config *config, struct scd_error *err)
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
	add_tls(&options.http, &config->control_plane.tls);
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

int scd__wanted_outputs_add(struct scd_emitter *emitter, const struct scd_config *config, struct scd_error *err)
{
	int r;

	r = add_stdout(emitter, config, err);
	if (r == 0)
		r = add_file(emitter, config, err);
	if (r == 0)
		r = add_http(emitter, config, err);
	if (r == 0)
		r = add_control_plane(emitter, config, err);
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
		if (status.dropped || status.rejected)
			scd_log(status.dropped ? SCD_LOG_ERROR : SCD_LOG_WARNING,
			        "%s: alerts delivered: %" PRIu64 ", dropped: %" PRIu64 ", rejected: %" PRIu64,
			        status.name, status.delivered, status.dropped, status.rejected);
	}
	return dropped;
}
