/*
 * `seccheckd replay`: the data path over recorded traces, alerts as JSON lines on standard output.
 *
 * Each trace is a stream of its own: no state passes from one to the next. Where a live connection has a random
 * nonce, a trace has one that is made of its place in the command line and of its first message: so that two replays
 * give the same bytes, wherever the files are, and the same trace given twice gives different ids.
 *
 * The host in alerts is the one that replays, as Falco has it; its boot id is left out, since nothing tells when and
 * where a trace was recorded.
 *
 * A trace that cannot be read, or not to its end, does not keep the others from being replayed; a failure to write
 * does.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "args.h"
#include "host.h"
#include "progress.h"
#include "rule_options.h"
#include "rules.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/cli/cli.h"
#include "seccheckd/pipeline/pipeline.h"
#include "seccheckd/wire/trace.h"
#include "settings.h"
#include "stdout.h"

/* In front of each message of a trace file. */
#define SIZE_FIELD_BYTES 8u

static const struct scd__flag flags[] = {
	SCD__FLAG_CONFIG,
	SCD__FLAG_RULES,
	SCD__FLAGS_SWITCH,
	{ .name = "coverage-alerts",
	  .help = "Also the daemon's own alerts, of sandboxes of which something was missed." },
	{ .name = "stats",
	  .help = "Print the counters of the data path and of the sandboxes on standard error, at the end." },
};

static const struct scd__command command = {
	.name = "replay",
	.summary = "Prints the alerts that recorded traces (gVisor's tracereplay format) give, as JSON lines, in the "
	           "order of the events.",
	.operands = "TRACE...",
	.operands_min = 1,
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details = "The same traces and rules give the same bytes. Each trace has its own state. Without --rules, and "
	           "without rules_files in the configuration, the bundled rules are used; of a configuration only "
	           "rules_files, rules, append_output, priority and rule_matching are. Exit status 1 if a trace is "
	           "damaged or cannot be read; what came before the damage is reported, and the other traces are "
	           "replayed.",
	.examples = "  seccheckd replay sandbox.trace\n"
	            "  seccheckd replay --rules ./rules --rules local.yaml --stats *.trace\n",
};

struct replay {
	struct scd_pipeline *pipeline;
	struct scd_buf line;
	uint64_t unwritten_count; /* alerts that found no memory for their text */
	bool stopped;             /* standard output takes nothing more */
};

/* Takes over the alert. */
static void write_alert(void *user, struct scd_alert *alert)
{
	struct replay *replay = user;

	scd_buf_reset(&replay->line);
	if (scd_alert_json(alert, &replay->line) < 0)
		replay->unwritten_count++;
	else {
		scd_buf_append_char(&replay->line, '\n');
		replay->stopped = !scd__stdout_write(replay->line.data, replay->line.len);
	}
	scd_alert_unref(&alert);
}

static struct scd_stream *open_stream(struct replay *replay, size_t ordinal, struct scd_str first_message)
{
	struct scd_stream_info info = { .identity = SCD_IDENTITY_UNKNOWN };
	XXH128_canonical_t nonce;

	XXH128_canonicalFromHash(&nonce, XXH3_128bits_withSeed(first_message.data, first_message.len, ordinal));
	static_assert(sizeof(nonce) == sizeof(info.nonce), "a nonce is an XXH3-128");
	memcpy(info.nonce, &nonce, sizeof(nonce));
	return scd_stream_new(replay->pipeline, &info);
}

/* Feeds what is left of a trace. 0, or negative errno with err when it ends badly. */
static int feed_messages(struct replay *replay, struct scd_trace_reader *reader, const char *path, size_t ordinal,
                         struct scd_error *err)
{
	struct scd_stream *stream = NULL;
	struct scd__progress progress;
	struct scd_str message;
	int r;

	scd__progress_init(&progress, path);
	while ((r = scd_trace_reader_next(reader, &message, err)) > 0 && !replay->stopped) {
		if (!stream)
			stream = open_stream(replay, ordinal, message);
		if (!stream) {
			r = scd_error_set(err, -ENOMEM, "no memory for the state of a sandbox");
			break;
		}
		scd_pipeline_feed(stream, message); /* a bad message is counted, and skipped */
		scd__progress_add(&progress, SIZE_FIELD_BYTES + message.len);
	}
	scd__progress_done(&progress);
	if (stream && !replay->stopped)
		scd_stream_end(stream);
	scd_stream_free(&stream);
	return r < 0 ? r : 0;
}

static uint64_t bad_count(const struct replay *replay)
{
	const struct scd_pipeline_counters *counters = scd_pipeline_counters(replay->pipeline);

	return counters->bad_frames + counters->bad_payloads;
}

/* The exit status for one trace. Its alerts are written out when it ends, before anything is said about it. */
static int replay_trace(struct replay *replay, const char *path, size_t ordinal)
{
	const uint64_t bad_before = bad_count(replay);
	struct scd_trace_reader *reader = NULL;
	struct scd_error err = { 0 };
	int r;

	r = scd_trace_reader_open(path, &reader, &err);
	if (r == 0)
		r = feed_messages(replay, reader, path, ordinal, &err);
	scd_trace_reader_close(&reader);
	replay->stopped = !scd__stdout_flush();
	if (r < 0)
		scd_error_print(&err, stderr);
	if (bad_count(replay) > bad_before) {
		scd_error_print_text(scd_str_from(path), stderr);
		fprintf(stderr, ": warning: messages that could not be decoded: %" PRIu64 "\n",
		        bad_count(replay) - bad_before);
	}
	return r < 0 ? SCD__EXIT_FAILURE : SCD__EXIT_SUCCESS;
}

static void print_stats(const struct scd_pipeline *pipeline)
{
	const struct scd_pipeline_counters *counters = scd_pipeline_counters(pipeline);
	struct scd_sandbox_counters sandboxes;

	scd_pipeline_sandboxes(pipeline, &sandboxes);
#define X(member, help) fprintf(stderr, "%-21s %12" PRIu64 "  %s\n", #member, counters->member, help);
	SCD_PIPELINE_COUNTERS(X)
#undef X
#define X(member, help) fprintf(stderr, "%-21s %12" PRIu64 "  %s\n", #member, sandboxes.member, help);
	SCD_SANDBOX_COUNTERS(X)
#undef X
	for (unsigned point = 0; point < SCD_POINT_COUNT; point++) {
		if (counters->by_point[point] > 0)
			fprintf(stderr, "  %-36s %12" PRIu64 "\n", scd_point_name(point), counters->by_point[point]);
	}
}

static int replay_all(struct replay *replay, const struct scd__args *args)
{
	int status = SCD__EXIT_SUCCESS;

	for (size_t i = 0; i < args->operand_count && !replay->stopped; i++)
		status |= replay_trace(replay, args->operands[i], i);
	if (replay->unwritten_count > 0)
		fprintf(stderr, "seccheckd: alerts left out for want of memory: %" PRIu64 "\n",
		        replay->unwritten_count);
	if (scd__args_has(args, "stats"))
		print_stats(replay->pipeline);
	return replay->stopped || replay->unwritten_count > 0 ? SCD__EXIT_FAILURE : status;
}

static int replay_with_rules(struct scd_ruleset *rules, const struct scd__args *args)
{
	const struct scd_host host = { .hostname = scd__host_get()->hostname };
	struct replay replay = { 0 };
	const struct scd_pipeline_options options = {
		.rules = rules,
		.host = &host,
		.on_alert = write_alert,
		.user = &replay,
		.coverage_alerts = scd__args_has(args, "coverage-alerts"),
	};
	int status = SCD__EXIT_FAILURE;

	scd_buf_init(&replay.line, SCD_LIMIT_OUTPUT_QUEUE_BYTES);
	replay.pipeline = scd_pipeline_new(&options);
	if (replay.pipeline)
		status = replay_all(&replay, args);
	else
		fprintf(stderr, "seccheckd: out of memory\n");
	scd_pipeline_free(&replay.pipeline);
	scd_buf_done(&replay.line);
	return status;
}

static int replay_with_config(struct scd_config *config, const struct scd__args *args)
{
	struct scd_ruleset *rules;
	int status = scd__settings_read(args, config);

	if (status != SCD__EXIT_SUCCESS)
		return status;
	if (scd__rules_load(config, &rules) < 0)
		return SCD__EXIT_FAILURE;
	status = replay_with_rules(rules, args);
	scd_ruleset_unref(&rules);
	return status;
}

int scd_cli_replay(int argc, char **argv)
{
	struct scd_config config;
	struct scd__args args;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	scd_config_init(&config);
	status = replay_with_config(&config, &args);
	scd_config_done(&config);
	scd__args_done(&args);
	return status;
}
