/*
 * Rows from the modules' tables of counters. The keeper logs its own.
 */
#include "counted.h"

#include <assert.h>

#include "seccheckd/base/array.h"

#define X(member, help) { #member, help, counters->member },

/* The rows of a module's table, which fit. */
#define FILL(counted, who, rows)                                                      \
	do {                                                                          \
		static_assert(SCD_COUNT(rows) <= SCD__COUNTED_ROWS, "room for them"); \
		fill(counted, who, rows, SCD_COUNT(rows));                            \
	} while (0)

static void fill(struct scd__counted *counted, const char *who, const struct scd_counter *rows, size_t count)
{
	counted->who = who;
	counted->count = count;
	for (size_t i = 0; i < count; i++)
		counted->rows[i] = rows[i];
}

void scd__counted_net(const struct scd_net *net, struct scd__counted *ret_counted)
{
	const struct scd_net_counters *counters = scd_net_counters(net);
	const struct scd_counter rows[] = { SCD_NET_COUNTERS(X) };

	FILL(ret_counted, "net", rows);
}

void scd__counted_pipeline(const struct scd_pipeline *pipeline, struct scd__counted *ret_counted)
{
	const struct scd_pipeline_counters *counters = scd_pipeline_counters(pipeline);
	const struct scd_counter rows[] = { SCD_PIPELINE_COUNTERS(X) };

	FILL(ret_counted, "pipeline", rows);
}

static void fill_sandboxes(const struct scd_sandbox_counters *counters, struct scd__counted *ret_counted)
{
	const struct scd_counter rows[] = { SCD_SANDBOX_COUNTERS(X) };

	FILL(ret_counted, "sandbox", rows);
}

void scd__counted_sandboxes(const struct scd_pipeline *pipeline, struct scd__counted *ret_counted)
{
	struct scd_sandbox_counters counters;

	scd_pipeline_sandboxes(pipeline, &counters);
	fill_sandboxes(&counters, ret_counted);
}

void scd__counted_watched(const struct scd_pipeline *pipeline, struct scd__counted *ret_counted)
{
	const struct scd_pipeline_gauges *counters = scd_pipeline_gauges(pipeline);
	const struct scd_counter rows[] = { SCD_PIPELINE_GAUGES(X) };

	FILL(ret_counted, "watched", rows);
}

void scd__counted_recorder(const struct scd_recorder *recorder, struct scd__counted *ret_counted)
{
	const struct scd_recorder_counters *counters = scd_recorder_counters(recorder);
	const struct scd_counter rows[] = { SCD_RECORDER_COUNTERS(X) };

	FILL(ret_counted, "recorder", rows);
}

void scd__counted_add(struct scd__counted *sum, const struct scd__counted *counted)
{
	if (!sum->who) {
		*sum = *counted;
		return;
	}
	assert(sum->count == counted->count);
	for (size_t i = 0; i < counted->count; i++)
		sum->rows[i].value += counted->rows[i].value;
}

void scd__counted_log(const struct scd__counted *counted, bool asked)
{
	scd_counters_log(counted->who, counted->rows, counted->count, asked);
}

static void log_output(const struct scd_output_status *counters, bool asked)
{
	const struct scd_counter rows[] = {
		SCD_OUTPUT_COUNTERS(X) /* and what is no counter: */
		{ "queued", "Alerts that wait or are under way.", counters->queued },
	};

	scd_counters_log(counters->name, rows, SCD_COUNT(rows), asked);
}

static void log_posts(const struct scd_emitter_counters *counters, bool asked)
{
	const struct scd_counter rows[] = { SCD_EMITTER_COUNTERS(X) };

	scd_counters_log("emitter", rows, SCD_COUNT(rows), asked);
}

void scd__counted_log_emitter(struct scd_emitter *emitter, bool asked)
{
	struct scd_emitter_counters posts;

	scd_emitter_counters(emitter, &posts);
	log_posts(&posts, asked);
	for (size_t i = 0; i < scd_emitter_output_count(emitter); i++) {
		struct scd_output_status status;

		scd_emitter_output_status(emitter, i, &status);
		log_output(&status, asked);
	}
}
