/*
 * How well a sandbox is watched: covered, mute or tainted, why, and who is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "tests/support/feed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START_NS  INT64_C(1700000000000000001)
#define OPENED_NS INT64_C(1699999999000000000)

#define MUTE_RULE  "seccheckd: sandbox is mute"
#define TAINT_RULE "seccheckd: sandbox state is tainted"

#define UNWATCHED_RULE "seccheckd: sandbox is not watched any more"

static const char rules[] = "- rule: Exec\n  desc: d\n  priority: WARNING\n  condition: evt.type = execve\n"
                            "  output: exec of %proc.name\n"
                            "- rule: Connect\n  desc: d\n  priority: WARNING\n  condition: evt.type = connect\n"
                            "  output: connect of %proc.name\n";

static const struct scd_stream_info named = { .nonce = { 4, 5, 6 },
	                                      .identity = SCD_IDENTITY_VERIFIED,
	                                      .sandbox_id = SCD_STR_INIT("sandbox-1"),
	                                      .opened_ns = OPENED_NS };

static const struct actor shell = { .tid = 1, .tgid = 1, .time_ns = START_NS, .container = "sandbox-1", .name = "sh" };

static int open_feed(void **state)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	feed_open_text(feed, rules);
	feed_restart(feed, &named, true);
	*state = feed;
	return 0;
}

static int close_feed(void **state)
{
	feed_close(*state);
	free(*state);
	return 0;
}

static void restart_resumed(struct feed *feed, const char *sandbox_id)
{
	struct scd_stream_info info = named;

	info.resumed = true;
	info.sandbox_id = scd_str_from(sandbox_id);
	feed_forget(feed);
	feed_restart(feed, &info, true);
}

static void send_start_of(struct feed *feed, const char *container)
{
	static const char *const args[] = { "sh", NULL };
	struct message message = { 0 };
	struct actor actor = shell;

	actor.container = container;
	message_start(&message, &actor, container, args);
	assert_int_equal(feed_message(feed, &message), 0);
	message_done(&message);
}

static void send_start(struct feed *feed)
{
	send_start_of(feed, shell.container);
}

static void send_exec_in(struct feed *feed, const char *container, uint32_t dropped_count)
{
	static const char *const argv[] = { "job", NULL };
	struct message message = { 0 };
	struct actor actor = shell;

	actor.time_ns = START_NS + 100;
	actor.container = container;
	actor.dropped_count = dropped_count;
	message_exec(&message, &actor, "/bin/job", argv);
	assert_int_equal(feed_message(feed, &message), 0);
	message_done(&message);
}

static void send_exec(struct feed *feed, uint32_t dropped_count)
{
	send_exec_in(feed, shell.container, dropped_count);
}

static const json_t *last_alert(const struct feed *feed, const char *rule)
{
	for (size_t i = feed->alert_count; i > 0; i--)
		if (strcmp(json_string_value(json_object_get(feed->alerts[i - 1], "rule")), rule) == 0)
			return feed->alerts[i - 1];
	return NULL;
}

static size_t count_alerts(const struct feed *feed, const char *rule)
{
	size_t count = 0;

	for (size_t i = 0; i < feed->alert_count; i++)
		count += strcmp(json_string_value(json_object_get(feed->alerts[i], "rule")), rule) == 0;
	return count;
}

/* The value of a key of ours in the last alert of a rule. */
static const json_t *told(const struct feed *feed, const char *rule, const char *key)
{
	const json_t *alert = last_alert(feed, rule);

	if (!alert)
		fail_msg("no alert of %s", rule);
	return json_object_get(json_object_get(alert, "seccheckd"), key);
}

static void assert_reasons(const struct feed *feed, const char *rule, const char *expected)
{
	char *reasons = json_dumps(told(feed, rule, "taint_reasons"), JSON_COMPACT);

	assert_string_equal(reasons, expected);
	free(reasons);
}

static const char *output_of(const struct feed *feed, const char *rule)
{
	const json_t *alert = last_alert(feed, rule);

	assert_non_null(alert);
	return json_string_value(json_object_get(alert, "output"));
}

static void assert_gauges(const struct feed *feed, uint64_t waiting, uint64_t covered, uint64_t mute, uint64_t tainted)
{
	const struct scd_pipeline_gauges *gauges = scd_pipeline_gauges(feed->pipeline);

	assert_int_equal(gauges->waiting, waiting);
	assert_int_equal(gauges->covered, covered);
	assert_int_equal(gauges->mute, mute);
	assert_int_equal(gauges->tainted, tainted);
}

/* Time. */

static int64_t wall_ns(void)
{
	return START_NS + INT64_C(3600000000000);
}

static void send_exec_at(struct feed *feed, int64_t time_ns)
{
	static const char *const argv[] = { "job", NULL };
	struct message message = { 0 };
	struct actor actor = shell;

	actor.time_ns = time_ns;
	message_exec(&message, &actor, "/bin/job", argv);
	assert_int_equal(feed_message(feed, &message), 0);
	message_done(&message);
}

static const char *time_of(const struct feed *feed, const char *rule)
{
	return json_string_value(json_object_get(last_alert(feed, rule), "time"));
}

/* The host's clock stands beside it, and what comes later without a time does not get it. */
static void test_time__of_a_sandbox_that_lies_is_its_own(void **state)
{
	const int64_t far_ns = START_NS + INT64_C(100000000000000000);
	struct feed *feed = *state;

	for (unsigned live = 0; live < 2; live++) {
		feed->wall_ns = live ? wall_ns : NULL;
		feed_forget(feed);
		feed_restart(feed, &named, true);
		send_start(feed);
		send_exec_at(feed, far_ns);
		assert_string_equal(time_of(feed, "Exec"), "2027-01-15T08:00:00.000000001Z");
		assert_int_equal(json_integer_value(told(feed, "Exec", "received_ns")), live ? wall_ns() : 0);
		send_exec_at(feed, 0);
		assert_string_equal(time_of(feed, "Exec"),
		                    live ? "2023-11-14T22:13:20.000000001Z" : "2027-01-15T08:00:00.000000001Z");
	}
}

/* The end. */

/* A raw exit of a connect (CallContext: exit, sysno 42), whose sibling never comes, as its thread says nothing more. */
static void test_stream_end__tells_what_was_hidden(void **state)
{
	static const char yaml[] = "- rule: Hidden\n  desc: d\n  priority: NOTICE\n  condition: evt.type = hidden\n"
	                           "  output: hidden\n";
	static const char raw[] = { 8,    0,    SCD_POINT_SYSCALL_RAW,
		                    0,    0,    0,
		                    0,    0, /* context: thread 5 of process 5 */
		                    0x0a, 4,    0x10,
		                    5,    0x20, 5,
		                    0x12, 0,    0x20,
		                    42 };
	struct feed feed;

	(void)state;
	feed_open_text(&feed, yaml);
	for (unsigned ends = 0; ends < 2; ends++) {
		feed_restart(&feed, &named, false);
		assert_int_equal(scd_pipeline_feed(feed.stream, (struct scd_str){ raw, sizeof(raw) }), 0);
		if (ends)
			scd_stream_end(feed.stream);
		assert_int_equal(feed.alert_count, ends);
	}
	feed_close(&feed);
}

/* Covered. */

static void test_watched__waits_is_covered_and_tainted(void **state)
{
	struct feed *feed = *state;

	assert_gauges(feed, 1, 0, 0, 0);
	assert_int_equal(scd_stream_watched(feed->stream), SCD_WATCHED_WAITING);
	send_start(feed);
	assert_gauges(feed, 0, 1, 0, 0);
	assert_string_equal(json_string_value(told(feed, "Exec", "watched")), "covered");
	assert_reasons(feed, "Exec", "[]");
	send_exec(feed, 1);
	assert_gauges(feed, 0, 0, 0, 1);
	assert_string_equal(json_string_value(told(feed, "Exec", "watched")), "tainted");
	assert_reasons(feed, "Exec", "[\"dropped\"]");
	assert_int_equal(json_integer_value(told(feed, "Exec", "tainted_since_ns")), START_NS);
	scd_stream_free(&feed->stream);
	assert_gauges(feed, 0, 0, 0, 0);
}

static void test_gauges__count_streams_by_themselves(void **state)
{
	struct feed *feed = *state;
	struct scd_stream *other = scd_stream_new(feed->pipeline, &named);

	assert_non_null(other);
	send_start(feed);
	assert_gauges(feed, 1, 1, 0, 0);
	scd_stream_lost(other);
	assert_gauges(feed, 0, 1, 0, 1);
	scd_stream_free(&other);
	assert_gauges(feed, 0, 1, 0, 0);
}

/* Mute. */

static void test_mute__is_told_once_and_ends_with_a_message(void **state)
{
	struct feed *feed = *state;
	const char *output;

	scd_stream_silent(feed->stream, OPENED_NS + INT64_C(61500000000));
	scd_stream_silent(feed->stream, OPENED_NS + INT64_C(99500000000));
	assert_gauges(feed, 0, 0, 1, 0);
	assert_int_equal(feed->alert_count, 1);
	output = output_of(feed, MUTE_RULE);
	if (!strstr(output, "seconds=61 ") || !strstr(output, "sandbox=sandbox-1"))
		fail_msg("%s", output);
	assert_string_equal(json_string_value(told(feed, MUTE_RULE, "watched")), "mute");
	assert_string_equal(json_string_value(told(feed, MUTE_RULE, "identity")), "verified");
	assert_true(json_is_false(told(feed, MUTE_RULE, "tainted")));
	send_start(feed);
	assert_gauges(feed, 0, 1, 0, 0);
	assert_string_equal(json_string_value(told(feed, "Exec", "watched")), "covered");
}

static void test_mute__is_not_who_has_said_something(void **state)
{
	struct feed *feed = *state;

	send_start(feed);
	scd_stream_silent(feed->stream, OPENED_NS + INT64_C(60000000000));
	assert_int_equal(scd_stream_watched(feed->stream), SCD_WATCHED_COVERED);
	assert_null(feed_alert(feed, MUTE_RULE));
}

/* Nobody knows what the worker before has heard. */
static void test_mute__is_not_who_was_resumed(void **state)
{
	struct feed *feed = *state;

	restart_resumed(feed, "sandbox-1");
	scd_stream_silent(feed->stream, OPENED_NS + INT64_C(60000000000));
	assert_gauges(feed, 0, 0, 0, 1);
	assert_null(feed_alert(feed, MUTE_RULE));
}

static void test_unwatched__is_told_in_an_alert_of_its_own(void **state)
{
	struct feed *feed = *state;
	struct scd_stream_info info = named;
	const char *output;

	info.resumed = true;
	scd_pipeline_unwatched(feed->pipeline, &info, 4711);
	assert_int_equal(feed->alert_count, 1);
	output = output_of(feed, UNWATCHED_RULE);
	if (!strstr(output, "pid=4711 ") || !strstr(output, "sandbox=sandbox-1"))
		fail_msg("%s", output);
	assert_string_equal(json_string_value(told(feed, UNWATCHED_RULE, "watched")), "mute");
	assert_string_equal(json_string_value(told(feed, UNWATCHED_RULE, "identity")), "verified");
	assert_gauges(feed, 1, 0, 0, 0); /* the stream of the test */
	feed_restart(feed, &named, false);
	scd_pipeline_unwatched(feed->pipeline, &info, 4711);
	assert_int_equal(feed->alert_count, 1);
}

/* Nobody can use a message of a type that is not known: whoever sends nothing else is not watched. */
static void test_mute__does_not_end_with_messages_of_unknown_types(void **state)
{
	static const char unknown[] = { 8, 0, 0x60, (char)0xea, 0, 0, 0, 0 };
	struct feed *feed = *state;

	assert_int_equal(scd_pipeline_feed(feed->stream, (struct scd_str){ unknown, sizeof(unknown) }), 0);
	assert_gauges(feed, 1, 0, 0, 0);
	scd_stream_silent(feed->stream, OPENED_NS + INT64_C(60000000000));
	assert_gauges(feed, 0, 0, 1, 0);
	assert_non_null(strstr(output_of(feed, MUTE_RULE), "unknown=1 "));
	assert_int_equal(scd_pipeline_feed(feed->stream, (struct scd_str){ unknown, sizeof(unknown) }), 0);
	assert_gauges(feed, 0, 0, 1, 0);
	send_start(feed);
	assert_gauges(feed, 0, 1, 0, 0);
}

/* A message that makes no sense is a sign of life too. */
static void test_mute__ends_with_a_bad_message(void **state)
{
	struct feed *feed = *state;

	scd_stream_silent(feed->stream, OPENED_NS);
	assert_int_not_equal(scd_pipeline_feed(feed->stream, SCD_STR("x")), 0);
	assert_gauges(feed, 0, 0, 0, 1);
}

/* Tainted. */

static void lose_by_drop(struct feed *feed)
{
	send_start(feed);
	send_exec(feed, 3);
}

static void lose_by_bad_frame(struct feed *feed)
{
	send_start(feed);
	assert_int_not_equal(scd_pipeline_feed(feed->stream, SCD_STR("short")), 0);
	send_exec(feed, 0);
}

static void lose_by_length(struct feed *feed)
{
	send_start(feed);
	scd_stream_lost(feed->stream);
	send_exec(feed, 0);
}

static void lose_by_containers(struct feed *feed)
{
	for (size_t i = 0; i <= SCD_LIMIT_SANDBOX_CONTAINERS; i++) {
		char id[32];

		snprintf(id, sizeof(id), "container-%zu", i);
		send_start_of(feed, id);
		feed_forget(feed);
	}
	send_exec_in(feed, "container-1", 0);
	assert_non_null(last_alert(feed, "Exec"));
}

static void lose_by_long_id(struct feed *feed)
{
	char id[SCD_LIMIT_CONTAINER_ID_BYTES + 2];

	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	send_start_of(feed, id);
	send_exec_in(feed, id, 0);
}

static void lose_by_restart(struct feed *feed)
{
	restart_resumed(feed, "sandbox-1");
	send_exec(feed, 0);
}

static void lose_the_start(struct feed *feed)
{
	send_exec(feed, 0);
}

static void lose_the_start_of_another(struct feed *feed)
{
	send_start(feed);
	send_exec_in(feed, "container-2", 0);
}

static void test_taint__has_its_reason(void **state)
{
	static const struct {
		void (*lose)(struct feed *feed);
		const char *reasons;
	} rows[] = {
		{ lose_by_drop, "[\"dropped\"]" },    { lose_by_bad_frame, "[\"unusable\"]" },
		{ lose_by_length, "[\"unusable\"]" }, { lose_by_containers, "[\"evicted\"]" },
		{ lose_by_long_id, "[\"id_cut\"]" },  { lose_by_restart, "[\"resumed\"]" },
		{ lose_the_start, "[\"unseeded\"]" }, { lose_the_start_of_another, "[\"unseeded\"]" },
	};
	struct feed *feed = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		feed_forget(feed);
		feed_restart(feed, &named, true);
		rows[i].lose(feed);
		assert_reasons(feed, "Exec", rows[i].reasons);
		assert_string_equal(json_string_value(told(feed, "Exec", "watched")), "tainted");
	}
}

static void test_taint__words_are_all_different(void **state)
{
	(void)state;
	for (unsigned i = 1; i < SCD_TAINT_END; i++) {
		assert_true(strlen(scd_taint_help(i)) > 0);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(scd_taint_word(i), scd_taint_word(j));
	}
}

static void test_unseeded__is_not_said_of_what_is_not_known(void **state)
{
	static const char unknown[] = "\x08\0\xff\x7f\0\0\0\0whatever";
	struct feed *feed = *state;

	assert_int_equal(scd_pipeline_feed(feed->stream, SCD_STR(unknown)), 0);
	send_start(feed);
	assert_int_equal(scd_stream_watched(feed->stream), SCD_WATCHED_COVERED);
}

/* Messages that nobody needs are not decoded, and are a beginning all the same. */
static void test_unseeded__is_seen_in_messages_that_nobody_needs(void **state)
{
	static const char read_message[] = "\x08\0\x09\0\0\0\0";
	struct feed *feed = *state;

	assert_int_equal(scd_pipeline_feed(feed->stream, (struct scd_str){ read_message, 8 }), 0);
	assert_int_equal(scd_pipeline_counters(feed->pipeline)->skipped, 1);
	assert_int_equal(scd_stream_watched(feed->stream), SCD_WATCHED_TAINTED);
}

static void test_unseeded__is_no_pod_whose_containers_all_start(void **state)
{
	struct feed *feed = *state;

	send_start(feed);
	send_start_of(feed, "container-2");
	send_exec_in(feed, "container-2", 0);
	send_exec(feed, 0);
	assert_int_equal(scd_stream_watched(feed->stream), SCD_WATCHED_COVERED);
}

/* dropped_count: cumulative, modulo 2^32, and all that a sandbox says of it is only its own. */

static void test_drops__are_added_up_across_a_wrap(void **state)
{
	static const struct {
		uint32_t count;
		uint64_t total;
	} rows[] = {
		{ 0, 0 },
		{ UINT32_MAX - 1, UINT32_MAX - UINT64_C(1) }, /* the first that says so may say a lot */
		{ UINT32_MAX - 1, UINT32_MAX - UINT64_C(1) },
		{ 3, UINT32_MAX + UINT64_C(4) },    /* over the end: 5 more */
		{ 2, 2 * (UINT64_C(1) << 32) + 2 }, /* less than before is a wrap */
		{ 2, 2 * (UINT64_C(1) << 32) + 2 },
	};
	struct feed *feed = *state;

	send_start(feed);
	for (size_t i = 0; i < COUNT(rows); i++) {
		send_exec(feed, rows[i].count);
		assert_int_equal(json_integer_value(told(feed, "Exec", "dropped")), rows[i].total);
		assert_int_equal(scd_stream_dropped_count(feed->stream), rows[i].total);
		assert_int_equal(scd_pipeline_counters(feed->pipeline)->dropped_by_sender, rows[i].total);
	}
	assert_int_equal(count_alerts(feed, TAINT_RULE), 1);
}

static void test_drops__before_the_first_message_count(void **state)
{
	struct feed *feed = *state;

	send_exec(feed, 4000000000u);
	assert_int_equal(json_integer_value(told(feed, "Exec", "dropped")), 4000000000);
	assert_reasons(feed, "Exec", "[\"dropped\",\"unseeded\"]");
}

static void test_drops__are_those_of_the_sandbox(void **state)
{
	struct feed *feed = *state;
	struct scd_stream *first = feed->stream;

	send_start(feed);
	send_exec(feed, 9);
	feed->stream = scd_stream_new(feed->pipeline, &named);
	assert_non_null(feed->stream);
	send_start(feed);
	assert_int_equal(json_integer_value(told(feed, "Exec", "dropped")), 0);
	assert_true(json_is_false(told(feed, "Exec", "tainted")));
	scd_stream_free(&first);
}

/* Alerts. */

static void test_alert__is_one_of_ours(void **state)
{
	struct feed *feed = *state;
	const json_t *alert;

	send_start(feed);
	send_exec(feed, 7);
	alert = last_alert(feed, TAINT_RULE);
	assert_non_null(alert);
	assert_string_equal(json_string_value(json_object_get(alert, "source")), "internal");
	assert_string_equal(json_string_value(json_object_get(alert, "priority")), "Notice");
	assert_string_equal(json_string_value(json_array_get(json_object_get(alert, "tags"), 0)), "coverage");
	assert_string_equal(json_string_value(json_array_get(json_object_get(alert, "tags"), 1)), "seccheckd");
	assert_string_equal(json_string_value(json_object_get(alert, "hostname")), "test-host");
	assert_string_equal(json_string_value(json_object_get(alert, "output")),
	                    "22:13:20.000000101: Notice Sandbox state is tainted: the sandbox dropped messages "
	                    "(reasons=dropped dropped=7 messages=2 sandbox=sandbox-1)");
	assert_int_equal(json_object_size(json_object_get(alert, "output_fields")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(alert, "output_fields"), "evt.time")),
	                 START_NS + 100);
	assert_string_equal(json_string_value(told(feed, TAINT_RULE, "sandbox_id")), "sandbox-1");
	assert_string_equal(json_string_value(told(feed, TAINT_RULE, "event_type")), "");
	assert_string_equal(json_string_value(told(feed, TAINT_RULE, "event_point")), "");
	assert_int_equal(json_integer_value(told(feed, TAINT_RULE, "sequence")), 2);
	assert_null(told(feed, TAINT_RULE, "process"));
	assert_int_equal(scd_pipeline_counters(feed->pipeline)->coverage_alerts, 1);
}

static void test_alert__comes_once_for_a_reason(void **state)
{
	struct feed *feed = *state;

	send_start(feed);
	for (uint32_t dropped = 1; dropped < 20; dropped++)
		send_exec(feed, dropped);
	assert_int_equal(count_alerts(feed, TAINT_RULE), 1);
	for (size_t i = 0; i < 20; i++)
		assert_int_not_equal(scd_pipeline_feed(feed->stream, SCD_STR("short")), 0);
	assert_int_equal(count_alerts(feed, TAINT_RULE), 2);
	assert_non_null(strstr(output_of(feed, TAINT_RULE), "(reasons=unusable dropped=19 messages=21 "));
	assert_reasons(feed, TAINT_RULE, "[\"dropped\",\"unusable\"]");
}

static void test_alert__tells_what_is_new_with_one_message_at_once(void **state)
{
	struct feed *feed = *state;

	send_exec(feed, 5);
	assert_int_equal(count_alerts(feed, TAINT_RULE), 1);
	assert_non_null(strstr(output_of(feed, TAINT_RULE), "(reasons=dropped,unseeded dropped=5 messages=1 "));
}

static void test_alert__has_ids_that_differ_and_repeat(void **state)
{
	struct feed *feed = *state;
	char first[64], second[64];

	for (size_t i = 0; i < 2; i++) {
		feed_forget(feed);
		feed_restart(feed, &named, true);
		scd_stream_silent(feed->stream, OPENED_NS);
		send_exec(feed, 5);
		snprintf(i ? second : first, sizeof(first), "%s",
		         json_string_value(told(feed, TAINT_RULE, "event_id")));
		assert_string_not_equal(json_string_value(told(feed, TAINT_RULE, "event_id")),
		                        json_string_value(told(feed, MUTE_RULE, "event_id")));
	}
	assert_string_equal(first, second);
}

static void test_alert__of_a_resumed_sandbox_comes_at_once(void **state)
{
	struct feed *feed = *state;

	restart_resumed(feed, "sandbox-1");
	assert_int_equal(feed->alert_count, 1);
	assert_reasons(feed, TAINT_RULE, "[\"resumed\"]");
	assert_int_equal(json_integer_value(told(feed, TAINT_RULE, "tainted_since_ns")), 0);
	assert_int_equal(
	        json_integer_value(json_object_get(json_object_get(feed->alerts[0], "output_fields"), "evt.time")),
	        OPENED_NS);
	send_exec(feed, 0);
	assert_int_equal(count_alerts(feed, TAINT_RULE), 1);
}

/* A name that was not established is known when a message has said it. */
static void test_alert__waits_for_the_name_of_a_resumed_sandbox(void **state)
{
	struct feed *feed = *state;

	restart_resumed(feed, "");
	assert_int_equal(feed->alert_count, 0);
	send_exec(feed, 0);
	assert_int_equal(count_alerts(feed, TAINT_RULE), 1);
	assert_string_equal(json_string_value(told(feed, TAINT_RULE, "sandbox_id")), "sandbox-1");
	restart_resumed(feed, "");
	scd_stream_silent(feed->stream, OPENED_NS);
	assert_int_equal(feed->alert_count, 1);
}

static void test_alert__does_not_come_unless_asked_for(void **state)
{
	struct feed *feed = *state;
	struct scd_stream_info resumed = named;

	resumed.resumed = true;
	feed_restart(feed, &named, false);
	scd_stream_silent(feed->stream, OPENED_NS);
	send_exec(feed, 5);
	assert_int_equal(feed->alert_count, 1);
	assert_non_null(feed_alert(feed, "Exec"));
	feed_restart(feed, &resumed, false);
	assert_int_equal(feed->alert_count, 1);
}

/* What states count. */

static void test_sandboxes__are_summed_up_living_and_ended(void **state)
{
	struct feed *feed = *state;
	struct scd_sandbox_counters sum;
	struct scd_stream *ended = feed->stream;

	lose_by_long_id(feed);
	scd_pipeline_sandboxes(feed->pipeline, &sum);
	const uint64_t once = sum.strings_cut;
	assert_true(once > 0);
	feed->stream = scd_stream_new(feed->pipeline, &named);
	assert_non_null(feed->stream);
	lose_by_long_id(feed);
	scd_pipeline_sandboxes(feed->pipeline, &sum);
	assert_int_equal(sum.strings_cut, 2 * once);
	scd_stream_free(&ended);
	scd_pipeline_sandboxes(feed->pipeline, &sum);
	assert_int_equal(sum.strings_cut, 2 * once);
}

/* An exec that was not seen. */

static void test_process__says_that_its_exec_was_hidden(void **state)
{
	struct feed *feed = *state;
	struct message message = { 0 };
	struct actor actor = shell;
	const json_t *process;

	send_start(feed);
	message_connect(&message, &actor, "198.51.100.9", 3333, 0);
	assert_int_equal(feed_message(feed, &message), 0);
	assert_true(json_is_false(json_object_get(told(feed, "Connect", "process"), "hidden_exec")));
	message_execve_enter(&message, &actor, "/tmp/unseen");
	assert_int_equal(feed_message(feed, &message), 0);
	actor.name = "unseen"; /* no sentry/execve came, and yet the name has changed */
	message_connect(&message, &actor, "198.51.100.9", 3333, 0);
	assert_int_equal(feed_message(feed, &message), 0);
	process = told(feed, "Connect", "process");
	assert_true(json_is_true(json_object_get(process, "hidden_exec")));
	assert_string_equal(json_string_value(json_object_get(process, "exe")), "");
	assert_string_equal(json_string_value(json_object_get(process, "exe_path")), "");
	message_done(&message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_feed, close_feed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_time__of_a_sandbox_that_lies_is_its_own),
		cmocka_unit_test(test_stream_end__tells_what_was_hidden),
		TEST(test_watched__waits_is_covered_and_tainted),
		TEST(test_gauges__count_streams_by_themselves),
		TEST(test_unwatched__is_told_in_an_alert_of_its_own),
		TEST(test_mute__is_told_once_and_ends_with_a_message),
		TEST(test_mute__is_not_who_has_said_something),
		TEST(test_mute__is_not_who_was_resumed),
		TEST(test_mute__does_not_end_with_messages_of_unknown_types),
		TEST(test_mute__ends_with_a_bad_message),
		TEST(test_taint__has_its_reason),
		cmocka_unit_test(test_taint__words_are_all_different),
		TEST(test_unseeded__is_not_said_of_what_is_not_known),
		TEST(test_unseeded__is_seen_in_messages_that_nobody_needs),
		TEST(test_unseeded__is_no_pod_whose_containers_all_start),
		TEST(test_drops__are_added_up_across_a_wrap),
		TEST(test_drops__before_the_first_message_count),
		TEST(test_drops__are_those_of_the_sandbox),
		TEST(test_alert__is_one_of_ours),
		TEST(test_alert__comes_once_for_a_reason),
		TEST(test_alert__tells_what_is_new_with_one_message_at_once),
		TEST(test_alert__has_ids_that_differ_and_repeat),
		TEST(test_alert__of_a_resumed_sandbox_comes_at_once),
		TEST(test_alert__waits_for_the_name_of_a_resumed_sandbox),
		TEST(test_alert__does_not_come_unless_asked_for),
		TEST(test_sandboxes__are_summed_up_living_and_ended),
		TEST(test_process__says_that_its_exec_was_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
