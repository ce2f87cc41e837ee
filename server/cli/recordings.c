/*
 * Recordings as a sink of the net.
 *
 * Messages are recorded as they come, whatever is in them. Only for the description of a sandbox that the host side
 * did not name, the first few are decoded, until one names the container: gVisor's sandbox id is the id of its first
 * container.
 */
#include "recordings.h"

#include <stdlib.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"
#include "seccheckd/wire/frame.h"

/* container/start is the first message; a session that begins later names the container in all of them or in none. */
#define LOOK_MESSAGES 64

#define SCRATCH_CHUNK_BYTES 4096u

struct stream {
	struct scd_recording *recording;
	unsigned looked_count; /* messages that were looked at for a name */
};

static void *open_recording(void *user, const struct scd_custody *connection)
{
	const struct scd_recording_info info = {
		.resumed = connection->resumed,
		.peer_pid = connection->peer_pid,
		.peer_uid = connection->peer_uid,
		.listener = connection->listener,
		.sandbox_id = connection->sandbox_id,
	};
	struct scd__recordings *recordings = user;
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->looked_count = connection->sandbox_id.len ? LOOK_MESSAGES : 0;
	stream->recording = scd_recording_start(recordings->recorder, &info);
	if (stream->recording)
		return stream;
	free(stream);
	return NULL;
}

static struct scd_str claimed_id(const struct scd_event *event)
{
	if (event->point == SCD_POINT_CONTAINER_START && event->u.start.id.len)
		return event->u.start.id;
	return event->context.container_id;
}

static void look_for_name(struct scd__recordings *recordings, struct stream *stream, struct scd_str message)
{
	struct scd_frame frame;
	struct scd_event event;

	stream->looked_count++;
	if (scd_frame_parse(message, &frame) < 0)
		return;
	if (scd_decode_event(frame.message_type, frame.payload, 0, &recordings->scratch, &event) == 0 &&
	    claimed_id(&event).len) {
		scd_recording_claim_sandbox_id(stream->recording, claimed_id(&event));
		stream->looked_count = LOOK_MESSAGES;
	}
	scd_arena_reset(&recordings->scratch);
}

static int record(void *user, void *of_stream, struct scd_str message)
{
	struct stream *stream = of_stream;

	scd_recording_add(stream->recording, message);
	if (stream->looked_count < LOOK_MESSAGES)
		look_for_name(user, stream, message);
	return 0;
}

static void lose(void *user, void *of_stream)
{
	struct stream *stream = of_stream;

	(void)user;
	scd_recording_lost(stream->recording);
}

static void summarize(void *user, void *of_stream, struct scd_net_summary *ret_summary)
{
	const struct stream *stream = of_stream;

	(void)user;
	*ret_summary = (struct scd_net_summary){
		.sandbox_id = scd_recording_sandbox_id(stream->recording),
		.message_count = scd_recording_message_count(stream->recording),
		.dropped_count = scd_recording_dropped_count(stream->recording),
	};
}

static void end_recording(void *user, void *of_stream, enum scd_net_end end)
{
	static const char *const how[] = {
		[SCD_NET_END_CLOSED] = "closed",   [SCD_NET_END_RESET] = "reset", [SCD_NET_END_BROKEN] = "broken",
		[SCD_NET_END_STOPPED] = "stopped", [SCD_NET_END_CUT] = "stopped",
	};
	const char *missing = end == SCD_NET_END_CUT ? "the recorder stopped before everything was read" : NULL;
	struct stream *stream = of_stream;

	(void)user;
	scd_recording_end(&stream->recording, how[end], missing);
	free(stream);
}

void scd__recordings_init(struct scd__recordings *recordings, struct scd_recorder *recorder)
{
	recordings->recorder = recorder;
	scd_arena_init(&recordings->scratch, SCRATCH_CHUNK_BYTES, (size_t)SCD_LIMIT_EVENT_ARENA_BYTES);
}

void scd__recordings_done(struct scd__recordings *recordings)
{
	scd_arena_done(&recordings->scratch);
}

struct scd_net_sink scd__recordings_sink(struct scd__recordings *recordings)
{
	static const struct scd_net_sink_ops ops = {
		.open = open_recording,
		.message = record,
		.lost = lose,
		.summarize = summarize,
		.close = end_recording,
	};

	return (struct scd_net_sink){ &ops, recordings };
}
