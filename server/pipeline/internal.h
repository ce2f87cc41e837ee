/*
 * What the files of server/pipeline share.
 */
#ifndef SCD_SERVER_PIPELINE_INTERNAL_H
#define SCD_SERVER_PIPELINE_INTERNAL_H

#include "seccheckd/pipeline/pipeline.h"
#include "seccheckd/state/sandbox.h"

struct scd_pipeline {
	struct scd_ruleset *rules;
	struct scd_evaluator *evaluator;
	const struct scd_host *host;
	scd_alert_fn *on_alert;
	void *user;
	struct scd_arena scratch;
	struct scd_pipeline_counters counters;
	unsigned decode_want;
	bool needed[SCD_POINT_COUNT]; /* points that state or some rule needs */
};

struct scd_stream {
	struct scd_pipeline *pipeline;
	struct scd_sandbox *sandbox;
	uint8_t nonce[16];
	enum scd_identity identity;
	char *sandbox_id; /* from the host side; NULL: what the payload claims */
	uint64_t sequence;
	uint64_t dropped_total;
	uint32_t dropped_count; /* as the last frame said */
};

#endif
