/*
 * The data path: one message in, alerts out.
 *
 *    frame → decode → state → rules → alert → retire
 *
 * Pure: no event loop, no clock, no thread, no I/O. The same messages in the same order give the same alerts, byte
 * for byte; serve and replay differ only in who calls feed. One pipeline per worker thread, with any number of
 * streams; a stream is one sandbox's connection (or one trace file) and belongs to one pipeline for life.
 */
#ifndef SECCHECKD_PIPELINE_PIPELINE_H
#define SECCHECKD_PIPELINE_PIPELINE_H

#include "seccheckd/alert/alert.h"

/* X(member, "help") — one counter each; names become metrics. */
#define SCD_PIPELINE_COUNTERS(X)                                                             \
	X(messages, "Messages received.")                                                    \
	X(bytes, "Bytes received.")                                                          \
	X(events, "Messages that became events for rules.")                                  \
	X(skipped, "Messages that neither state nor any rule needs.")                        \
	X(unknown_types, "Messages of a type this version does not know.")                   \
	X(bad_frames, "Messages whose header is wrong.")                                     \
	X(bad_payloads, "Messages whose protobuf does not decode.")                          \
	X(exhausted, "Messages that need more memory than an event may have.")               \
	X(truncated, "Messages of which a limit on content cut something.")                  \
	X(dropped_by_sender, "Messages that the sandbox dropped, as told by dropped_count.") \
	X(fields_truncated, "Values for rules of which the middle was left out.")            \
	X(fields_exhausted, "Values for rules that found no memory.")                        \
	X(state_exhausted, "Events that state had no memory for.")                           \
	X(alerts, "Matches that became alerts.")                                             \
	X(alerts_lost, "Alerts that found no memory.")                                       \
	X(coverage_alerts, "Alerts that say how well a sandbox is watched.")

struct scd_pipeline_counters {
#define X(member, help) uint64_t member;
	SCD_PIPELINE_COUNTERS(X)
#undef X
	uint64_t by_point[SCD_POINT_COUNT];
};

/*
 * How many streams there are now, by how well their sandboxes are watched. X(member, "help") — one gauge each.
 *
 *              first message                something is missed
 *     waiting ───────────────▶ covered ──────────────────────────▶ tainted
 *        │ long silence           ▲                                   ▲
 *        └────────▶ mute ─────────┘ first message                     │ from its start: resumed
 *
 * Messages of unknown types do not count here: nobody can use them.
 */
#define SCD_PIPELINE_GAUGES(X)                                                   \
	X(waiting, "Sandboxes whose first message has not come yet.")            \
	X(covered, "Sandboxes of which no message is known to be missing.")      \
	X(mute, "Sandboxes that have been connected for long and said nothing.") \
	X(tainted, "Sandboxes of which something was missed.")

struct scd_pipeline_gauges {
#define X(member, help) uint64_t member;
	SCD_PIPELINE_GAUGES(X)
#undef X
};

struct scd_pipeline;
struct scd_stream;

/* Takes over the caller's reference on the alert (give). */
typedef void scd_alert_fn(void *user, struct scd_alert *alert);

/* An event that rules look at, after they have, and before what it ended is taken out of the state. */
typedef void scd_view_fn(void *user, const struct scd_view *view);

struct scd_pipeline_options {
	struct scd_ruleset *rules;   /* referenced */
	const struct scd_host *host; /* outlives the pipeline */
	scd_alert_fn *on_alert;
	scd_view_fn *on_view; /* for tools that look at rules; NULL: nobody */
	void *user;           /* of on_alert and on_view */
	/*
	 * Alerts also when a sandbox is mute, and when it is tainted for a new reason: once each for a stream and a
	 * reason, with the source `internal`.
	 */
	bool coverage_alerts;
	/*
	 * The host's clock, asked for each alert, and when a sandbox's time is ahead of it. NULL: there is none, as in
	 * a replay, which must give the same alerts whenever it runs.
	 */
	int64_t (*wall_ns)(void);
};

/* The options are copied. NULL on exhaustion. */
struct scd_pipeline *scd_pipeline_new(const struct scd_pipeline_options *options);

/* Every stream of it is freed before. */
void scd_pipeline_free(struct scd_pipeline **pipeline);
const struct scd_pipeline_counters *scd_pipeline_counters(const struct scd_pipeline *pipeline);
const struct scd_pipeline_gauges *scd_pipeline_gauges(const struct scd_pipeline *pipeline);

/* What the states of all its streams have counted, of those that have ended too. Goes through the living ones. */
void scd_pipeline_sandboxes(const struct scd_pipeline *pipeline, struct scd_sandbox_counters *ret_counters);

/* The memory that states of streams which have ended gave back to malloc, in all. */
uint64_t scd_pipeline_freed_bytes(const struct scd_pipeline *pipeline);

/*
 * What is known of a connection before its first message. sandbox_id may be empty: then the first container's id is
 * taken, as claimed.
 */
struct scd_stream_info {
	uint8_t nonce[16];
	enum scd_identity identity;
	struct scd_str sandbox_id; /* copied */
	/*
	 * An earlier worker read the beginning: tainted from the start. Nobody knows then what it has heard, so silence
	 * does not make it mute.
	 */
	bool resumed;
	int64_t opened_ns; /* when it was connected: the time of what is told of it before any event; 0: not known */
};

/* NULL on exhaustion. May call on_alert. */
struct scd_stream *scd_stream_new(struct scd_pipeline *pipeline, const struct scd_stream_info *info);
void scd_stream_free(struct scd_stream **stream);

/*
 * One raw message, header included, borrowed for the call. 0, also for types nobody needs; -EBADMSG: the header or the
 * payload is wrong; -ENOMEM: it needs more memory than an event may have. Both are counted and taint; the connection
 * goes on: what one message broke, the next need not.
 */
int scd_pipeline_feed(struct scd_stream *stream, struct scd_str message);

/*
 * The sandbox has ended: no message will come any more, to nobody. May call on_alert: of what the next messages would
 * have shown. Not for streams that end because we stop, since their sandboxes go on.
 */
void scd_stream_end(struct scd_stream *stream);

/* A message was received that cannot even be fed (it was longer than a message may be): numbered, and tainting. */
void scd_stream_lost(struct scd_stream *stream);

/*
 * Nothing has come for long since it was opened; it is time_ns now. If that is so, the sandbox is mute until its first
 * message.
 */
void scd_stream_silent(struct scd_stream *stream, int64_t time_ns);

/*
 * Nobody reads this connection any more, as too many workers ended while they did: an alert, if there are any of
 * coverage, with the time info->opened_ns. peer_pid: of the process that connected.
 */
void scd_pipeline_unwatched(struct scd_pipeline *pipeline, const struct scd_stream_info *info, uint32_t peer_pid);

enum scd_watched scd_stream_watched(const struct scd_stream *stream);

/* For logs and status. */
struct scd_str scd_stream_sandbox_id(const struct scd_stream *stream);
uint64_t scd_stream_message_count(const struct scd_stream *stream);
uint64_t scd_stream_dropped_count(const struct scd_stream *stream);

#endif
