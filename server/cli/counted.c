/*
 * Rows from the modules' tables of counters. The keeper logs its own.
 */
#include "counted.h"

#include "seccheckd/base/array.h"
#include "seccheckd/base/counters.h"

#define X(member, help) { #member, help, counters->member },

void scd__counted_log_net(const struct scd_net *net)
{
	const struct scd_net_counters *counters = scd_net_counters(net);
	const struct scd_counter rows[] = { SCD_NET_COUNTERS(X) };

	scd_counters_log("net", rows, SCD_COUNT(rows));
}

void scd__counted_log_pipeline(const struct scd_pipeline *pipeline)
{
	const struct scd_pipeline_counters *counters = scd_pipeline_counters(pipeline);
	const struct scd_counter rows[] = { SCD_PIPELINE_COUNTERS(X) };

	scd_counters_log("pipeline", rows, SCD_COUNT(rows));
}

static void log_output(const struct scd_output_status *counters)
{
	const struct scd_counter rows[] = { SCD_OUTPUT_COUNTERS(X) };

	scd_counters_log(counters->name, rows, SCD_COUNT(rows));
}

void scd__counted_log_outputs(const struct scd_emitter *emitter)
{
	for (size_t i = 0; i < scd_emitter_output_count(emitter); i++) {
		struct scd_output_status status;

		scd_emitter_output_status(emitter, i, &status);
		log_output(&status);
	}
}

void scd__counted_log_recorder(const struct scd_recorder *recorder)
{
	const struct scd_recorder_counters *counters = scd_recorder_counters(recorder);
	const struct scd_counter rows[] = { SCD_RECORDER_COUNTERS(X) };

	scd_counters_log("recorder", rows, SCD_COUNT(rows));
}
