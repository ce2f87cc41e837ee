/*
 * The pipeline's streams as a sink of the net: one to one, nothing is added.
 */
#include "streams.h"

#include <assert.h>
#include <string.h>

#include "seccheckd/base/clock.h"

static struct scd_stream_info info_of(const struct scd_custody *connection)
{
	struct scd_stream_info info = {
		.identity = connection->sandbox_id.len ? SCD_IDENTITY_VERIFIED : SCD_IDENTITY_UNKNOWN,
		.sandbox_id = connection->sandbox_id,
		.resumed = connection->resumed,
		.opened_ns = scd_clock_wall_ns(),
	};

	static_assert(sizeof(info.nonce) == sizeof(connection->nonce), "one nonce, handed on");
	memcpy(info.nonce, connection->nonce, sizeof(info.nonce));
	return info;
}

static void *open_stream(void *user, const struct scd_custody *connection)
{
	const struct scd_stream_info info = info_of(connection);

	return scd_stream_new(user, &info);
}

static void tell_unwatched(void *user, const struct scd_custody *connection)
{
	const struct scd_stream_info info = info_of(connection);

	scd_pipeline_unwatched(user, &info, connection->peer_pid);
}

static int feed(void *user, void *stream, struct scd_str message)
{
	int r = scd_pipeline_feed(stream, message);
	enum scd_watched watched = scd_stream_watched(stream);

	(void)user;
	return r == 0 && (watched == SCD_WATCHED_WAITING || watched == SCD_WATCHED_MUTE) ? 1 : r;
}

static void lose(void *user, void *stream)
{
	(void)user;
	scd_stream_lost(stream);
}

static void fall_silent(void *user, void *stream)
{
	(void)user;
	scd_stream_silent(stream, scd_clock_wall_ns());
}

static void summarize(void *user, void *stream, struct scd_net_summary *ret_summary)
{
	(void)user;
	*ret_summary = (struct scd_net_summary){
		.sandbox_id = scd_stream_sandbox_id(stream),
		.message_count = scd_stream_message_count(stream),
		.dropped_count = scd_stream_dropped_count(stream),
	};
}

static void close_stream(void *user, void *stream, enum scd_net_end end)
{
	struct scd_stream *closing = stream;

	(void)user;
	if (end != SCD_NET_END_STOPPED && end != SCD_NET_END_CUT)
		scd_stream_end(closing);
	scd_stream_free(&closing);
}

struct scd_net_sink scd__streams_sink(struct scd_pipeline *pipeline)
{
	static const struct scd_net_sink_ops ops = {
		.open = open_stream,
		.message = feed,
		.lost = lose,
		.silent = fall_silent,
		.summarize = summarize,
		.close = close_stream,
		.unwatched = tell_unwatched,
	};

	return (struct scd_net_sink){ &ops, pipeline };
}
