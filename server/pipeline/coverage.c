/*
 * How well each sandbox is watched: the gauges, and an alert when it changes for the worse.
 *
 * An alert has its stream's nonce, the number of the message with which it came, and its rule's name for an id, as all
 * have. What is new with one message is told at once, in one alert of each sort, and each reason once for a stream: so
 * ids differ, and a sandbox cannot make more of them than there are reasons.
 */
#include "pipeline/internal.h"

/* More than the texts and the longest name of a sandbox take. */
#define NOTICE_BYTES 2048u

#define NS_PER_S INT64_C(1000000000)

static const struct scd_str tags[] = { SCD_STR_INIT("coverage"), SCD_STR_INIT("seccheckd") };

#define NOTICE(rule_name, rule_desc)                                                                                  \
	{                                                                                                             \
		.name = SCD_STR_INIT(rule_name), .desc = SCD_STR_INIT(rule_desc), .source = SCD_STR_INIT("internal"), \
		.priority = SCD_PRIORITY_NOTICE, .tags = tags, .tag_count = sizeof(tags) / sizeof(tags[0]),           \
	}

static const struct scd_rule mute = NOTICE("seccheckd: sandbox is mute",
                                           "A sandbox connected, and none of its messages has come, but for such of "
                                           "unknown types: what runs in it is not watched.");
static const struct scd_rule tainted = NOTICE("seccheckd: sandbox state is tainted",
                                              "Something of a sandbox was missed: that a thing is not remembered of it "
                                              "no longer proves that it is not there.");

static const struct scd_rule unwatched = NOTICE("seccheckd: sandbox is not watched any more",
                                                "Several workers of the daemon ended while they read what this sandbox "
                                                "sent, so none reads it any more. It may do that on purpose.");

static bool is_resumed(const struct scd_stream *stream)
{
	return scd_sandbox_taints(stream->sandbox) & SCD_TAINT_BIT(SCD_TAINT_RESUMED);
}

/* Nobody knows what the worker before has heard of one that was resumed. */
enum scd_watched scd_stream_watched(const struct scd_stream *stream)
{
	if (stream->silent && !stream->heard && !is_resumed(stream))
		return SCD_WATCHED_MUTE;
	if (scd_sandbox_tainted(stream->sandbox))
		return SCD_WATCHED_TAINTED;
	return stream->heard ? SCD_WATCHED_COVERED : SCD_WATCHED_WAITING;
}

/* NULL for none. */
static uint64_t *gauge(struct scd_pipeline_gauges *gauges, enum scd_watched watched)
{
	switch (watched) {
	case SCD_WATCHED_WAITING: return &gauges->waiting;
	case SCD_WATCHED_COVERED: return &gauges->covered;
	case SCD_WATCHED_MUTE: return &gauges->mute;
	case SCD_WATCHED_TAINTED: return &gauges->tainted;
	default: return NULL;
	}
}

static void leave_gauge(struct scd_stream *stream)
{
	uint64_t *now = gauge(&stream->pipeline->gauges, stream->watched);

	if (now)
		--*now;
}

static void tell(struct scd_stream *stream, const struct scd_rule *rule, int64_t time_ns, struct scd_str text)
{
	struct scd_pipeline *pipeline = stream->pipeline;
	const struct scd_event event = { .kind = SCD_KIND_NONE, .sequence = stream->sequence };
	const struct scd_view view = {
		.event = &event, .sandbox = stream->sandbox, .host = pipeline->host, .time_ns = time_ns
	};
	const struct scd_alert_origin origin = scd__stream_origin(stream);
	struct scd_alert *alert = scd_alert_new_notice(&origin, rule, &view, text);

	if (!alert) {
		pipeline->counters.alerts_lost++;
		return;
	}
	pipeline->counters.coverage_alerts++;
	pipeline->on_alert(pipeline->user, alert);
}

/* ` (… sandbox=ID)`: the end of every text. */
static void append_sandbox(const struct scd_stream *stream, struct scd_buf *text)
{
	scd_buf_printf(text, "sandbox=");
	scd_buf_append_str(text, scd_stream_sandbox_id(stream));
	scd_buf_append_char(text, ')');
}

static void append_reasons(unsigned taints, const char *separator, const char *name(enum scd_taint),
                           struct scd_buf *text)
{
	const char *between = "";

	for (unsigned taint = 1; taint < SCD_TAINT_END; taint++) {
		if (!(taints & SCD_TAINT_BIT(taint)))
			continue;
		scd_buf_printf(text, "%s%s", between, name(taint));
		between = separator;
	}
}

static void tell_tainted(struct scd_stream *stream, unsigned taints)
{
	const int64_t event_ns = scd_sandbox_time_ns(stream->sandbox);
	struct scd_buf text;

	scd_buf_init(&text, NOTICE_BYTES);
	scd_buf_printf(&text, "Sandbox state is tainted: ");
	append_reasons(taints, ", ", scd_taint_help, &text);
	scd_buf_printf(&text, " (reasons=");
	append_reasons(taints, ",", scd_taint_word, &text);
	scd_buf_printf(&text, " dropped=%llu messages=%llu ", (unsigned long long)stream->dropped_total,
	               (unsigned long long)stream->sequence);
	append_sandbox(stream, &text);
	tell(stream, &tainted, event_ns ? event_ns : stream->opened_ns, scd_buf_str(&text));
	scd_buf_done(&text);
}

static void tell_mute(struct scd_stream *stream, int64_t time_ns)
{
	struct scd_buf text;

	scd_buf_init(&text, NOTICE_BYTES);
	scd_buf_printf(&text, "Sandbox is mute: it is connected, and no message has come (");
	if (stream->sequence > 0)
		scd_buf_printf(&text, "unknown=%llu ", (unsigned long long)stream->sequence);
	if (stream->opened_ns > 0 && time_ns > stream->opened_ns)
		scd_buf_printf(&text, "seconds=%lld ", (long long)((time_ns - stream->opened_ns) / NS_PER_S));
	append_sandbox(stream, &text);
	tell(stream, &mute, time_ns, scd_buf_str(&text));
	scd_buf_done(&text);
}

/* Of a sandbox without a name nobody learns much: its first message may bring one. */
static bool is_worth_telling(const struct scd_stream *stream)
{
	return stream->heard || stream->silent || scd_stream_sandbox_id(stream).len > 0;
}

void scd__coverage_settle(struct scd_stream *stream)
{
	const enum scd_watched watched = scd_stream_watched(stream);
	const unsigned taints = scd_sandbox_taints(stream->sandbox), fresh = taints & ~stream->told_taints;

	stream->settled_taints = taints;
	stream->settled_heard = stream->heard;
	if (watched != stream->watched) {
		leave_gauge(stream);
		++*gauge(&stream->pipeline->gauges, watched);
		stream->watched = watched;
	}
	if (!fresh || !is_worth_telling(stream))
		return;
	stream->told_taints = taints;
	if (stream->pipeline->coverage_alerts)
		tell_tainted(stream, fresh);
}

void scd__coverage_end(struct scd_stream *stream)
{
	leave_gauge(stream);
}

void scd_stream_silent(struct scd_stream *stream, int64_t time_ns)
{
	if (stream->silent || stream->heard)
		return;
	stream->silent = true;
	scd__coverage_settle(stream);
	if (stream->watched == SCD_WATCHED_MUTE && stream->pipeline->coverage_alerts)
		tell_mute(stream, time_ns);
}

/* It is a stream for as long as the alert is made, and mute, as nothing of it is heard. */
void scd_pipeline_unwatched(struct scd_pipeline *pipeline, const struct scd_stream_info *info, uint32_t peer_pid)
{
	struct scd_stream_info heard_nothing = *info;
	struct scd_stream *stream;
	struct scd_buf text;

	if (!pipeline->coverage_alerts)
		return;
	heard_nothing.resumed = false;
	stream = scd_stream_new(pipeline, &heard_nothing);
	if (!stream) {
		pipeline->counters.alerts_lost++;
		return;
	}
	stream->silent = true;
	scd_buf_init(&text, NOTICE_BYTES);
	scd_buf_printf(&text, "Sandbox is not watched any more: nobody reads its connection (pid=%u ", peer_pid);
	append_sandbox(stream, &text);
	tell(stream, &unwatched, info->opened_ns, scd_buf_str(&text));
	scd_buf_done(&text);
	scd_stream_free(&stream);
}

const struct scd_pipeline_gauges *scd_pipeline_gauges(const struct scd_pipeline *pipeline)
{
	return &pipeline->gauges;
}
