/*
 * The whole data path. scd_pipeline_feed is the one place where it can be read from start to end.
 */
#include "seccheckd/pipeline/pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"
#include "seccheckd/wire/frame.h"

/* Scratch memory that is kept between events; a larger event borrows more and gives it back. */
#define SCRATCH_CHUNK_BYTES 65536u

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

/* Points that change what is remembered: always decoded, whatever the rules read. */
static bool state_needs(unsigned point)
{
	switch (point) {
	case SCD_POINT_CONTAINER_START:
	case SCD_POINT_SENTRY_CLONE:
	case SCD_POINT_SENTRY_EXEC:
	case SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT:
	case SCD_POINT_SENTRY_TASK_EXIT:
	case SCD_POINT_SYSCALL_EXECVE: return true;
	default: return false;
	}
}

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
		pipeline->needed[point] = state_needs(point) || rules_need(kinds, point);
	pipeline->decode_want = scd_ruleset_reads_env(pipeline->rules) ? SCD_DECODE_ENV : 0;
}

struct scd_pipeline *scd_pipeline_new(struct scd_ruleset *rules, const struct scd_host *host, scd_alert_fn *on_alert,
                                      void *user)
{
	struct scd_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (!pipeline)
		return NULL;
	pipeline->rules = scd_ruleset_ref(rules);
	pipeline->evaluator = scd_evaluator_new(rules);
	pipeline->host = host;
	pipeline->on_alert = on_alert;
	pipeline->user = user;
	scd_arena_init(&pipeline->scratch, SCRATCH_CHUNK_BYTES, SCD_LIMIT_EVENT_ARENA_BYTES);
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

/* The sink's count of lost messages only grows; the first frame may bring what was lost before it. */
static void note_drops(struct scd_stream *stream, const struct scd_frame *frame)
{
	uint32_t dropped = scd_frame_dropped_since(stream->dropped_count, frame->dropped_count);
	if (dropped == 0)
		return;
	stream->dropped_count = frame->dropped_count;
	stream->dropped_total += dropped;
	stream->pipeline->counters.dropped_by_sender += dropped;
	scd_sandbox_taint(stream->sandbox);
}

static struct scd_alert_origin origin_of(const struct scd_stream *stream)
{
	struct scd_alert_origin origin = {
		.identity = stream->identity,
		.sandbox_id = scd_stream_sandbox_id(stream),
		.dropped_count = stream->dropped_total,
		.tainted = scd_sandbox_tainted(stream->sandbox),
		.rules_generation = scd_ruleset_generation(stream->pipeline->rules),
	};
	memcpy(origin.nonce, stream->nonce, sizeof(origin.nonce));
	if (origin.identity == SCD_IDENTITY_UNKNOWN && origin.sandbox_id.len)
		origin.identity = SCD_IDENTITY_CLAIMED;
	return origin;
}

static void on_match(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	struct scd_stream *stream = user;
	struct scd_pipeline *pipeline = stream->pipeline;
	struct scd_alert_origin origin = origin_of(stream);
	struct scd_alert *alert = scd_alert_new(&origin, rule, view);
	if (!alert) {
		pipeline->counters.alerts_lost++;
		return;
	}
	pipeline->counters.alerts++;
	pipeline->on_alert(pipeline->user, alert);
}

/* Rules look at an event between the two halves of what it does to the state. */
static void evaluate(struct scd_pipeline *pipeline, struct scd_stream *stream, const struct scd_event *event)
{
	struct scd_process_ref process;
	if (scd_sandbox_apply(stream->sandbox, event, &process) < 0)
		pipeline->counters.state_exhausted++;
	if (scd_kind_set_has(scd_ruleset_kinds(pipeline->rules), event->kind)) {
		struct scd_view view = {
			.event = event,
			.sandbox = stream->sandbox,
			.process = scd_sandbox_process(stream->sandbox, process),
			.host = pipeline->host,
			.scratch = &pipeline->scratch,
			.time_ns = event->context.time_ns ? event->context.time_ns
			                                  : scd_sandbox_time_ns(stream->sandbox),
		};
		pipeline->counters.events++;
		scd_evaluator_run(pipeline->evaluator, &view, on_match, stream);
	}
	scd_sandbox_retire(stream->sandbox, event, process);
}

int scd_pipeline_feed(struct scd_pipeline *pipeline, struct scd_stream *stream, struct scd_str message)
{
	struct scd_pipeline_counters *counters = &pipeline->counters;
	struct scd_frame frame;
	struct scd_event event;

	counters->messages++;
	counters->bytes += message.len;
	stream->sequence++;
	if (scd_frame_parse(message, &frame) < 0) {
		counters->bad_frames++;
		return -EBADMSG;
	}
	note_drops(stream, &frame);
	if (frame.message_type == SCD_POINT_UNKNOWN || frame.message_type >= SCD_POINT_COUNT) {
		counters->unknown_types++;
		return 0;
	}
	counters->by_point[frame.message_type]++;
	if (!pipeline->needed[frame.message_type]) {
		counters->skipped++;
		return 0;
	}
	scd_arena_reset(&pipeline->scratch);
	int result = scd_decode_event(frame.message_type, frame.payload, pipeline->decode_want, &pipeline->scratch,
	                              &event);
	if (result != 0) {
		counters->bad_payloads++;
		scd_sandbox_taint(stream->sandbox);
		return -EBADMSG;
	}
	event.sequence = stream->sequence;
	counters->truncated += event.truncated;
	evaluate(pipeline, stream, &event);
	return 0;
}
