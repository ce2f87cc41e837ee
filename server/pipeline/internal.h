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
	scd_view_fn *on_view;
	int64_t (*wall_ns)(void); /* NULL: no clock */
	void *user;
	struct scd_arena scratch;
	struct scd_alert_who who; /* of the event that rules look at */
	bool coverage_alerts;
	struct scd_pipeline_counters counters;
	struct scd_pipeline_gauges gauges;
	struct scd_sandbox_counters ended; /* of the streams that have ended */
	uint64_t freed_bytes;              /* what these had remembered */
	struct scd_stream *streams;        /* the living, linked */
	unsigned decode_want;
	bool needed[SCD_POINT_COUNT]; /* points that state or some rule needs */
};

struct scd_stream {
	struct scd_pipeline *pipeline;
	struct scd_stream *next, *previous;
	struct scd_sandbox *sandbox;
	uint8_t nonce[16];
	enum scd_identity identity;
	char *sandbox_id; /* from the host side; NULL: what the payload claims */
	uint64_t sequence;
	uint64_t dropped_total;
	uint32_t dropped_count; /* as the last frame said */
	int64_t opened_ns;
	int64_t time_limit_ns;    /* what the sandbox's time may be without a look at the host's clock */
	bool begun;               /* a message of a known type has come, or came to an earlier worker */
	bool heard;               /* something has come that is not of an unknown type, which nobody can use */
	bool silent;              /* nothing came for long */
	unsigned told_taints;     /* reasons that have had their alert */
	unsigned settled_taints;  /* as scd__coverage_settle saw them last */
	bool settled_heard;       /* the same */
	enum scd_watched watched; /* as the gauges have it; 0: they do not have it */
};

/* What alerts say of a stream. */
struct scd_alert_origin scd__stream_origin(const struct scd_stream *stream);

/* Puts the gauges right and tells what is new: after whatever may have changed how well the sandbox is watched. */
void scd__coverage_settle(struct scd_stream *stream);

/* The stream has ended: the gauges let go of it. */
void scd__coverage_end(struct scd_stream *stream);

#endif
