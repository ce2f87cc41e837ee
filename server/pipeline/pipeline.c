/*
 * The data path. take, at the end, is the one place where it can be read from start to end. Its steps stand before it.
 */
#include <errno.h>
#include <string.h>

#include "pipeline/internal.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"
#include "seccheckd/wire/frame.h"

/* The sink's count of lost messages only grows; the first frame may bring what was lost before it. */
static void note_drops(struct scd_stream *stream, const struct scd_frame *frame)
{
	uint32_t dropped = scd_frame_dropped_since(stream->dropped_count, frame->dropped_count);
	if (dropped == 0)
		return;
	stream->dropped_count = frame->dropped_count;
	stream->dropped_total += dropped;
	stream->pipeline->counters.dropped_by_sender += dropped;
	scd_sandbox_taint(stream->sandbox, SCD_TAINT_DROPPED);
}

/*
 * gVisor tells the start of a sandbox's first container in front of everything else: a stream that begins with another
 * message was joined in the middle, or its session does not have the point. Types that this version does not know prove
 * nothing; state looks after the containers that come later.
 */
static void note_beginning(struct scd_stream *stream, const struct scd_frame *frame)
{
	if (!stream->begun && frame->message_type != SCD_POINT_CONTAINER_START)
		scd_sandbox_taint(stream->sandbox, SCD_TAINT_UNSEEDED);
	stream->begun = stream->heard = true;
}

static void on_match(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	struct scd_stream *stream = user;
	struct scd_pipeline *pipeline = stream->pipeline;
	struct scd_alert_origin origin = scd__stream_origin(stream);
	struct scd_alert *alert = scd_alert_new(&origin, rule, view, &pipeline->who);
	if (!alert) {
		pipeline->counters.alerts_lost++;
		return;
	}
	pipeline->counters.alerts++;
	pipeline->on_alert(pipeline->user, alert);
}

/* A message that cannot be used: what it would have changed is missing from the state. */
static int skip_bad(struct scd_stream *stream, uint64_t *counter, int result)
{
	(*counter)++;
	scd_sandbox_taint(stream->sandbox, result == -ENOMEM ? SCD_TAINT_EXHAUSTED : SCD_TAINT_UNUSABLE);
	return result;
}

/* What rules could not see of an event. A value that found no memory makes comparisons false: that taints. */
static void note_losses(struct scd_stream *stream, const struct scd_field_losses *losses)
{
	struct scd_pipeline_counters *counters = &stream->pipeline->counters;

	counters->fields_truncated += losses->truncated;
	counters->fields_exhausted += losses->exhausted;
	if (losses->exhausted)
		scd_sandbox_taint(stream->sandbox, SCD_TAINT_EXHAUSTED);
}

/*
 * A sandbox's clock is the host's, or nearly so. One that is ahead of it is not believed, where there is a host's clock
 * to ask, which is about once for each SCD_LIMIT_TIME_AHEAD_MS.
 */
static void limit_time(struct scd_stream *stream, int64_t time_ns)
{
	if (!stream->pipeline->wall_ns || time_ns <= stream->time_limit_ns)
		return;
	stream->time_limit_ns = stream->pipeline->wall_ns() + SCD_LIMIT_TIME_AHEAD_MS * INT64_C(1000000);
	scd_sandbox_limit_time(stream->sandbox, stream->time_limit_ns);
}

/* Rules look at an event between the two halves of what it does to the state. */
static void evaluate(struct scd_stream *stream, const struct scd_event *event)
{
	struct scd_pipeline *pipeline = stream->pipeline;
	struct scd_process_ref process;
	if (scd_sandbox_apply(stream->sandbox, event, &process) < 0)
		pipeline->counters.state_exhausted++;
	if (scd_kind_set_has(scd_ruleset_kinds(pipeline->rules), event->kind)) {
		struct scd_field_losses losses = { 0, 0 };
		struct scd_view view = {
			.event = event,
			.sandbox = stream->sandbox,
			.process = scd_sandbox_process(stream->sandbox, process),
			.host = pipeline->host,
			.scratch = &pipeline->scratch,
			.time_ns = event->context.time_ns ? event->context.time_ns
			                                  : scd_sandbox_time_ns(stream->sandbox),
			.losses = &losses,
		};
		pipeline->counters.events++;
		scd_evaluator_run(pipeline->evaluator, &view, on_match, stream);
		if (pipeline->on_view)
			pipeline->on_view(pipeline->user, &view);
		scd_alert_who_done(&pipeline->who);
		note_losses(stream, &losses);
	}
	scd_sandbox_retire(stream->sandbox, event, process);
}

static void evaluate_hidden(struct scd_stream *stream)
{
	struct scd_event hidden;

	while (scd_sandbox_take_hidden(stream->sandbox, &hidden))
		evaluate(stream, &hidden);
}

static int take(struct scd_stream *stream, struct scd_str message)
{
	struct scd_pipeline *pipeline = stream->pipeline;
	struct scd_pipeline_counters *counters = &pipeline->counters;
	struct scd_frame frame;
	struct scd_event event;

	counters->messages++;
	counters->bytes += message.len;
	stream->sequence++;
	if (scd_frame_parse(message, &frame) < 0) {
		stream->heard = true;
		return skip_bad(stream, &counters->bad_frames, -EBADMSG);
	}
	note_drops(stream, &frame);
	if (frame.message_type == SCD_POINT_UNKNOWN || frame.message_type >= SCD_POINT_COUNT) {
		counters->unknown_types++;
		return 0;
	}
	note_beginning(stream, &frame);
	counters->by_point[frame.message_type]++;
	if (!pipeline->needed[frame.message_type]) {
		counters->skipped++;
		return 0;
	}
	scd_arena_reset(&pipeline->scratch);
	int result = scd_decode_event(frame.message_type, frame.payload, pipeline->decode_want, &pipeline->scratch,
	                              &event);
	if (result < 0)
		return skip_bad(stream, result == -ENOMEM ? &counters->exhausted : &counters->bad_payloads, result);
	event.sequence = stream->sequence;
	counters->truncated += event.truncated;
	limit_time(stream, event.context.time_ns);
	if (scd_sandbox_witness(stream->sandbox, &event))
		evaluate_hidden(stream);
	evaluate(stream, &event);
	return 0;
}

/* How well a stream is watched changes with its first message, and with a new reason to doubt its state. */
static bool coverage_may_have_changed(const struct scd_stream *stream)
{
	return stream->heard != stream->settled_heard || scd_sandbox_taints(stream->sandbox) != stream->settled_taints;
}

int scd_pipeline_feed(struct scd_stream *stream, struct scd_str message)
{
	int result = take(stream, message);

	if (coverage_may_have_changed(stream))
		scd__coverage_settle(stream);
	return result;
}

void scd_stream_end(struct scd_stream *stream)
{
	if (!scd_sandbox_end(stream->sandbox))
		return;
	evaluate_hidden(stream);
	if (coverage_may_have_changed(stream))
		scd__coverage_settle(stream);
}
