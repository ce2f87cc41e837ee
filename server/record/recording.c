/*
 * One recording: messages in, jobs out.
 *
 *    message ──▶ filling ──▶ (no job under way) ──▶ writing ──▶ file
 *                   ▲                                  │ job done: what has collected meanwhile is the next job
 *                   ╰──────────────────────────────────╯
 *
 * The first job, at the start, makes the file; the last one closes it and writes the description. What a job uses is
 * its own until it is done (internal.h), so there is no lock. The trace ends at the first error of the disk; messages
 * go on being counted.
 */
#include <stdlib.h>
#include <string.h>

#include "record/internal.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"
#include "seccheckd/wire/frame.h"

/* Why messages are left out, as descriptions say it. */
static const char at_cap[] = "the file has reached its cap";
static const char slow_disk[] = "the disk was slower than the connection";
static const char oversized[] = "a message was longer than a message may be";
static const char no_memory[] = "out of memory";

/* Why the beginning is missing. */
static const char resumed[] = "it begins where an earlier worker ended, and what that one had read is not here";

uint64_t scd__recording_left_out_count(const struct scd_recording *recording)
{
	return recording->received_count - recording->message_count;
}

const char *scd__recording_reason(const struct scd_recording *recording)
{
	if (recording->error)
		return strerrordesc_np(-recording->error);
	return recording->reason || !recording->resumed ? recording->reason : resumed;
}

/* The job, on a thread of the pool. */

static void write_collected(struct scd_recording *recording)
{
	if (!recording->writer && !recording->error) {
		recording->error = scd__recorder_make_file(recording);
		if (recording->writer)
			recording->meta_error = scd__meta_write(recording);
	}
	if (!recording->writer)
		return;
	recording->error = scd_trace_writer_write(recording->writer, scd_buf_str(&recording->writing));
	recording->message_count = scd_trace_writer_message_count(recording->writer);
	recording->byte_count = scd_trace_writer_byte_count(recording->writer);
}

static void finish(struct scd_recording *recording)
{
	const struct scd_recorder *recorder = recording->recorder;
	int r = scd_trace_writer_close(&recording->writer);
	struct scd_recording_result result;

	if (!recording->error)
		recording->error = r;
	if (!recording->meta_error)
		recording->meta_error = scd__meta_write(recording);
	result = (struct scd_recording_result){
		.name = recording->name,
		.message_count = recording->message_count,
		.byte_count = recording->byte_count,
		.left_out_count = scd__recording_left_out_count(recording),
		.reason = scd__recording_reason(recording),
	};
	recorder->ops->finished(recorder->user, &result);
}

static void work(uv_work_t *request)
{
	struct scd_recording *recording = request->data;

	write_collected(recording);
	if (recording->last && recording->writer)
		finish(recording);
}

/* Between jobs, on the loop. */

static void on_done(uv_work_t *request, int status);

static void start_job(struct scd_recording *recording)
{
	recording->busy = true;
	recording->last = recording->how != NULL;
	recording->writing = recording->filling;
	scd_buf_init(&recording->filling, SCD_LIMIT_RECORDING_QUEUE_BYTES);
	uv_queue_work(recording->recorder->options.loop, &recording->work, work, on_done);
}

static void log_error(const struct scd_recording *recording, const char *what, int error)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(5);

	scd_log_gated(&gate, SCD_LOG_ERROR, "recording %s of pid %u: %s: %s",
	              recording->name[0] ? recording->name : "(no file)", recording->peer_pid, what,
	              strerrordesc_np(-error));
}

/* After the first error the file takes no more; what comes is only counted. */
static void close_on_error(struct scd_recording *recording)
{
	if (!recording->error || recording->failure_told)
		return;
	recording->failure_told = true;
	recording->closed = true;
	log_error(recording, recording->name[0] ? "cannot write any further" : "cannot make a trace file",
	          recording->error);
}

static uint64_t *kind_of_end(struct scd_recording *recording)
{
	struct scd_recorder_counters *counters = &recording->recorder->counters;

	if (!recording->name[0])
		return &counters->failed;
	if (!scd__recording_reason(recording))
		return &counters->complete;
	return scd__recording_reason(recording) == at_cap && !recording->resumed ? &counters->capped
	                                                                         : &counters->incomplete;
}

static void free_recording(struct scd_recording *recording)
{
	free(recording->listener);
	free(recording->sandbox_id);
	free(recording);
}

static void count_end(struct scd_recording *recording)
{
	struct scd_recorder *recorder = recording->recorder;

	recorder->recording_count--;
	recorder->counters.messages += recording->message_count;
	recorder->counters.left_out += scd__recording_left_out_count(recording);
	(*kind_of_end(recording))++;
	if (!recording->meta_error)
		return;
	recorder->counters.meta_errors++;
	log_error(recording, "cannot write its description", recording->meta_error);
}

static void on_done(uv_work_t *request, int status)
{
	struct scd_recording *recording = request->data;

	(void)status; /* jobs are not cancelled */
	recording->busy = false;
	recording->recorder->queued_bytes -= recording->writing.len;
	scd_buf_done(&recording->writing);
	close_on_error(recording);
	if (recording->last) {
		count_end(recording);
		free_recording(recording);
	} else if (recording->filling.len > 0 || recording->how) {
		start_job(recording);
	}
}

/* A connection's life. */

static char *copy(struct scd_str text)
{
	return text.len ? strndup(text.data, text.len) : strdup("");
}

struct scd_recording *scd_recording_start(struct scd_recorder *recorder, const struct scd_recording_info *info)
{
	struct scd_recording *recording = calloc(1, sizeof(*recording));

	if (!recording)
		return NULL;
	recording->verified = info->sandbox_id.len > 0;
	recording->listener = copy(info->listener);
	if (recording->verified)
		recording->sandbox_id = copy(info->sandbox_id);
	if (!recording->listener || (recording->verified && !recording->sandbox_id)) {
		free_recording(recording);
		return NULL;
	}
	recording->recorder = recorder;
	recording->resumed = info->resumed;
	recording->peer_pid = info->peer_pid;
	recording->peer_uid = info->peer_uid;
	recording->started_ns = scd_clock_wall_ns();
	recording->accepted_bytes = SCD_TRACE_HEAD_BYTES;
	recording->number = atomic_fetch_add(&recorder->next_number, 1);
	recording->work.data = recording;
	recorder->recording_count++;
	recorder->counters.started++;
	start_job(recording);
	return recording;
}

static void count_message(struct scd_recording *recording, struct scd_str message)
{
	struct scd_frame frame;

	recording->received_count++;
	if (scd_frame_parse(message, &frame) < 0)
		return;
	recording->dropped_total += scd_frame_dropped_since(recording->dropped_count, frame.dropped_count);
	recording->dropped_count = frame.dropped_count;
}

/* NULL, or why the message is left out. */
static const char *collect(struct scd_recording *recording, struct scd_str message)
{
	struct scd_recorder *recorder = recording->recorder;
	const size_t len = SCD_TRACE_SIZE_BYTES + message.len;
	int r;

	if (recorder->options.max_bytes && recording->accepted_bytes + len > recorder->options.max_bytes) {
		recording->closed = true;
		return at_cap;
	}
	if (len > SCD_LIMIT_RECORDER_QUEUE_BYTES - recorder->queued_bytes)
		return slow_disk;
	r = scd_trace_format(&recording->filling, message);
	if (r < 0)
		return r == -EMSGSIZE ? oversized : r == -ENOBUFS ? slow_disk : no_memory;
	recorder->queued_bytes += len;
	recording->accepted_bytes += len;
	return NULL;
}

static void leave_out(struct scd_recording *recording, const char *reason)
{
	if (!recording->reason)
		recording->reason = reason;
}

void scd_recording_add(struct scd_recording *recording, struct scd_str message)
{
	const char *reason;

	count_message(recording, message);
	if (recording->closed)
		return;
	reason = collect(recording, message);
	if (reason)
		leave_out(recording, reason);
	else if (!recording->busy)
		start_job(recording);
}

void scd_recording_lost(struct scd_recording *recording)
{
	recording->received_count++;
	leave_out(recording, oversized);
}

void scd_recording_claim_sandbox_id(struct scd_recording *recording, struct scd_str sandbox_id)
{
	if (recording->verified)
		return;
	if (sandbox_id.len > SCD_LIMIT_CONTAINER_ID_BYTES)
		sandbox_id.len = SCD_LIMIT_CONTAINER_ID_BYTES;
	free(recording->sandbox_id);
	recording->sandbox_id = copy(sandbox_id);
}

struct scd_str scd_recording_sandbox_id(const struct scd_recording *recording)
{
	return scd_str_from(recording->sandbox_id);
}

uint64_t scd_recording_message_count(const struct scd_recording *recording)
{
	return recording->received_count;
}

uint64_t scd_recording_dropped_count(const struct scd_recording *recording)
{
	return recording->dropped_total;
}

void scd_recording_end(struct scd_recording **recording, const char *how, const char *missing)
{
	struct scd_recording *r = *recording;

	*recording = NULL;
	leave_out(r, missing);
	r->how = how;
	r->ended_ns = scd_clock_wall_ns();
	if (!r->busy)
		start_job(r);
}
