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
	pipeline->user = options->user;
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

struct scd_stream *scd_stream_new(struct scd_pipeline *pipeline, const struct scd_stream_info *info)
{
	struct scd_stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->pipeline = pipeline;
	memcpy(stream->nonce, info->nonce, sizeof(stream->nonce));
	stream->identity = info->identity;
	stream->sandbox = scd_sandbox_new(scd_ruleset_reads_env(pipeline->rules));
	if (info->sandbox_id.len)
		stream->sandbox_id = strndup(info->sandbox_id.data, info->sandbox_id.len);
	if (!stream->sandbox || (info->sandbox_id.len && !stream->sandbox_id))
		scd_stream_free(&stream);
	return stream;
}

void scd_stream_free(struct scd_stream **stream)
{
	if (!*stream)
		return;
	scd_sandbox_free(&(*stream)->sandbox);
	free((*stream)->sandbox_id);
	free(*stream);
	*stream = NULL;
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
	scd_sandbox_taint(stream->sandbox);
}
