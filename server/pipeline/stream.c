/*
 * Pipelines and their streams: making, asking, ending. What they do with a message is pipeline.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/internal.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"

/* Scratch memory that is kept between events; a larger event borrows more and gives it back. */
#define SCRATCH_CHUNK_BYTES 65536u

/* Whether a point can become an event of a kind that some rule reads: asked of decode for every system call number. */
static bool rules_need(const struct scd_kind_set *kinds, unsigned point)
{
	for (uint64_t sysno = 0; sysno < SCD_KIND_SYSCALL_COUNT; sysno++)
		if (scd_kind_set_has(kinds, scd_decode_kind(point, sysno, true, 0)) ||
		    scd_kind_set_has(kinds, scd_decode_kind(point, sysno, true, EPERM)))
			return true;
	return false;
}

static void plan(struct scd_pipeline *pipeline)
{
	const struct scd_kind_set *kinds = scd_ruleset_kinds(pipeline->rules);
	for (unsigned point = 1; point < SCD_POINT_COUNT; point++)
		pipeline->needed[point] = scd_sandbox_needs(point) || rules_need(kinds, point);
	pipeline->decode_want = scd_ruleset_reads_env(pipeline->rules) ? SCD_DECODE_ENV : 0;
}

struct scd_pipeline *scd_pipeline_new(const struct scd_pipeline_options *options)
{
	struct scd_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (!pipeline)
		return NULL;
	pipeline->rules = scd_ruleset_ref(options->rules);
	pipeline->evaluator = scd_evaluator_new(options->rules);
	pipeline->host = options->host;
	pipeline->on_alert = options->on_alert;
	pipeline->on_view = options->on_view;
	pipeline->wall_ns = options->wall_ns;
	pipeline->user = options->user;
	pipeline->coverage_alerts = options->coverage_alerts;
	scd_arena_init(&pipeline->scratch, SCRATCH_CHUNK_BYTES, (size_t)SCD_LIMIT_EVENT_ARENA_BYTES);
	if (!pipeline->evaluator)
		scd_pipeline_free(&pipeline);
	else
		plan(pipeline);
	return pipeline;
}

void scd_pipeline_free(struct scd_pipeline **pipeline)
{
	if (!*pipeline)
		return;
	scd_evaluator_free(&(*pipeline)->evaluator);
	scd_ruleset_unref(&(*pipeline)->rules);
	scd_arena_done(&(*pipeline)->scratch);
	free(*pipeline);
	*pipeline = NULL;
}

const struct scd_pipeline_counters *scd_pipeline_counters(const struct scd_pipeline *pipeline)
{
	return &pipeline->counters;
}

static void link_stream(struct scd_pipeline *pipeline, struct scd_stream *stream)
{
	stream->next = pipeline->streams;
	if (stream->next)
		stream->next->previous = stream;
	pipeline->streams = stream;
}

static void unlink_stream(struct scd_pipeline *pipeline, struct scd_stream *stream)
{
	if (stream->next)
		stream->next->previous = stream->previous;
	if (stream->previous)
		stream->previous->next = stream->next;
	else
		pipeline->streams = stream->next;
}

static void add_counters(struct scd_sandbox_counters *sum, const struct scd_sandbox_counters *counters)
{
#define X(member, help) sum->member += counters->member;
	SCD_SANDBOX_COUNTERS(X)
#undef X
}

void scd_pipeline_sandboxes(const struct scd_pipeline *pipeline, struct scd_sandbox_counters *ret_counters)
{
	*ret_counters = pipeline->ended;
	for (const struct scd_stream *stream = pipeline->streams; stream; stream = stream->next)
		add_counters(ret_counters, scd_sandbox_counters(stream->sandbox));
}

struct scd_stream *scd_stream_new(struct scd_pipeline *pipeline, const struct scd_stream_info *info)
{
	struct scd_stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->pipeline = pipeline;
	link_stream(pipeline, stream);
	memcpy(stream->nonce, info->nonce, sizeof(stream->nonce));
	stream->identity = info->identity;
	stream->opened_ns = info->opened_ns;
	stream->begun = info->resumed;
	stream->sandbox = scd_sandbox_new(scd_ruleset_reads_env(pipeline->rules));
	if (info->sandbox_id.len)
		stream->sandbox_id = strndup(info->sandbox_id.data, info->sandbox_id.len);
	if (!stream->sandbox || (info->sandbox_id.len && !stream->sandbox_id)) {
		scd_stream_free(&stream);
		return NULL;
	}
	if (info->resumed)
		scd_sandbox_taint(stream->sandbox, SCD_TAINT_RESUMED);
	scd__coverage_settle(stream);
	return stream;
}

uint64_t scd_pipeline_freed_bytes(const struct scd_pipeline *pipeline)
{
	return pipeline->freed_bytes;
}

void scd_stream_free(struct scd_stream **stream)
{
	struct scd_stream *old = *stream;
	if (!old)
		return;
	*stream = NULL;
	unlink_stream(old->pipeline, old);
	scd__coverage_end(old);
	if (old->sandbox) {
		add_counters(&old->pipeline->ended, scd_sandbox_counters(old->sandbox));
		old->pipeline->freed_bytes += scd_sandbox_memory_bytes(old->sandbox);
	}
	scd_sandbox_free(&old->sandbox);
	free(old->sandbox_id);
	free(old);
}

struct scd_alert_origin scd__stream_origin(const struct scd_stream *stream)
{
	struct scd_alert_origin origin = {
		.identity = stream->identity,
		.sandbox_id = scd_stream_sandbox_id(stream),
		.received_ns = stream->pipeline->wall_ns ? stream->pipeline->wall_ns() : 0,
		.dropped_count = stream->dropped_total,
		.watched = scd_stream_watched(stream),
		.taints = scd_sandbox_taints(stream->sandbox),
		.tainted_since_ns = scd_sandbox_tainted_since_ns(stream->sandbox),
		.rules_generation = scd_ruleset_generation(stream->pipeline->rules),
	};
	memcpy(origin.nonce, stream->nonce, sizeof(origin.nonce));
	if (origin.identity == SCD_IDENTITY_UNKNOWN && origin.sandbox_id.len)
		origin.identity = SCD_IDENTITY_CLAIMED;
	return origin;
}

struct scd_str scd_stream_sandbox_id(const struct scd_stream *stream)
{
	return stream->sandbox_id ? scd_str_from(stream->sandbox_id) : scd_sandbox_claimed_id(stream->sandbox);
}

uint64_t scd_stream_message_count(const struct scd_stream *stream)
{
	return stream->sequence;
}

uint64_t scd_stream_dropped_count(const struct scd_stream *stream)
{
	return stream->dropped_total;
}

void scd_stream_lost(struct scd_stream *stream)
{
	stream->sequence++;
	stream->heard = true;
	scd_sandbox_taint(stream->sandbox, SCD_TAINT_UNUSABLE);
	scd__coverage_settle(stream);
}
