/*
 * The data path from raw messages to SecurityEvents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "tests/support/feed.h"

static const char rules[] =
        "- rule: Exec\n  desc: d\n  priority: WARNING\n  tags: [b, a]\n  condition: evt.type = execve and not "
        "proc.name = sh\n"
        "  output: exec of %proc.name by %proc.pname\n"
        "- rule: Connect\n  desc: d\n  priority: CRITICAL\n  condition: evt.type = connect\n"
        "  output: to %fd.sip %fd.sport\n"
        "- rule: Open\n  desc: d\n  priority: NOTICE\n  condition: evt.type in (open, openat, creat) and fd.name "
        "endswith shadow\n"
        "  output: opened %fd.name\n"
        "- rule: Exit\n  desc: d\n  priority: NOTICE\n  condition: evt.type = procexit and proc.name = miner\n"
        "  output: end of %proc.name\n";

static struct actor shell = {
	.tid = 1,
	.tgid = 1,
	.time_ns = 1700000000000000001,
	.start_ns = 1700000000000000000,
	.container = "0123456789abcdef",
	.cwd = "/root",
	.name = "sh",
	.has_uid = true,
	.uid = 1000,
};
static struct actor child = {
	.tid = 2,
	.tgid = 2,
	.time_ns = 1700000000000000005,
	.container = "0123456789abcdef",
	.cwd = "/root",
	.name = "sh",
	.has_uid = true,
	.uid = 1000,
};

static int open_feed(void **state)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	feed_open_text(feed, rules);
	*state = feed;
	return 0;
}

static int close_feed(void **state)
{
	feed_close(*state);
	free(*state);
	return 0;
}

static void send_start(struct feed *feed)
{
	struct message message = { 0 };
	message_start(&message, &shell, "0123456789abcdef", (const char *[]){ "sh", "-c", "job", NULL });
	assert_int_equal(feed_message(feed, &message), 0);
	message_clone(&message, &shell, 2, 2, 1700000000000000004);
	assert_int_equal(feed_message(feed, &message), 0);
	message_done(&message);
}

static void send_exec(struct feed *feed)
{
	struct message message = { 0 };
	message_exec(&message, &child, "/tmp/miner", (const char *[]){ "./miner", "-x", "--password=secret1", NULL });
	assert_int_equal(feed_message(feed, &message), 0);
	message_done(&message);
}

static const char *text_at(const json_t *object, const char *key, const char *inner)
{
	const json_t *value = json_object_get(object, key);
	if (inner)
		value = json_object_get(value, inner);
	return json_string_value(value);
}

static void test_exec__alert_tells_process_lineage_and_container(void **state)
{
	struct feed *feed = *state;
	send_start(feed);
	send_exec(feed);
	json_t *alert = feed_alert(feed, "Exec");
	assert_non_null(alert);
	const json_t *ours = json_object_get(alert, "seccheckd"), *process = json_object_get(ours, "process");
	assert_string_equal(text_at(alert, "priority", NULL), "Warning");
	assert_string_equal(text_at(alert, "source", NULL), "syscall");
	assert_string_equal(text_at(alert, "hostname", NULL), "test-host");
	assert_string_equal(text_at(alert, "output_fields", "proc.name"), "miner");
	assert_string_equal(text_at(alert, "output_fields", "proc.pname"), "sh");
	assert_non_null(strstr(text_at(alert, "output", NULL), "exec of miner by sh"));
	assert_string_equal(text_at(alert, "time", NULL), "2023-11-14T22:13:20.000000005Z");
	assert_string_equal(text_at(ours, "container_id", NULL), "0123456789abcdef");
	assert_string_equal(text_at(ours, "sandbox_id", NULL), "0123456789abcdef");
	assert_int_equal(json_integer_value(json_object_get(process, "pid")), 2);
	assert_int_equal(json_integer_value(json_object_get(process, "start_time_ns")), 1700000000000000004);
	assert_int_equal(json_integer_value(json_object_get(process, "uid")), 1000);
	assert_string_equal(text_at(process, "cwd", NULL), "/root");
	const json_t *lineage = json_object_get(ours, "lineage");
	assert_int_equal(json_array_size(lineage), 1);
	assert_string_equal(text_at(json_array_get(lineage, 0), "name", NULL), "sh");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(lineage, 0), "pid")), 1);
}

static void test_exec__secrets_do_not_leave(void **state)
{
	struct feed *feed = *state;
	send_start(feed);
	send_exec(feed);
	char *text = json_dumps(feed_alert(feed, "Exec"), 0);
	assert_null(strstr(text, "secret1"));
	assert_non_null(strstr(text, "--password"));
	free(text);
}

static void test_connect__alert_names_address_and_image(void **state)
{
	struct feed *feed = *state;
	struct message message = { 0 };
	struct actor actor = child;
	actor.name = "miner";
	send_start(feed);
	send_exec(feed);
	message_connect(&message, &actor, "198.51.100.9", 3333, 115);
	assert_int_equal(feed_message(feed, &message), 0);
	json_t *alert = feed_alert(feed, "Connect");
	assert_string_equal(text_at(alert, "output_fields", "fd.sip"), "198.51.100.9");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(alert, "output_fields"), "fd.sport")),
	                 3333);
	assert_string_equal(text_at(json_object_get(json_object_get(alert, "seccheckd"), "process"), "exe_path", NULL),
	                    "/tmp/miner");
	message_done(&message);
}

static void test_open__relative_path_is_resolved_against_cwd(void **state)
{
	struct feed *feed = *state;
	struct message message = { 0 };
	send_start(feed);
	message_open(&message, &child, "../etc/shadow", O_RDONLY, 3, 0);
	assert_int_equal(feed_message(feed, &message), 0);
	assert_string_equal(text_at(feed_alert(feed, "Open"), "output_fields", "fd.name"), "/etc/shadow");
	message_done(&message);
}

static void test_exit__rules_still_see_the_process(void **state)
{
	struct feed *feed = *state;
	struct message message = { 0 };
	struct actor actor = child;
	actor.name = "miner";
	send_start(feed);
	send_exec(feed);
	message_exit(&message, &actor, 0);
	assert_int_equal(feed_message(feed, &message), 0);
	assert_non_null(feed_alert(feed, "Exit"));
	message_done(&message);
}

static void test_drops__are_told_and_taint(void **state)
{
	struct feed *feed = *state;
	struct message message = { 0 };
	struct actor actor = child;
	send_start(feed);
	actor.dropped_count = 7;
	message_exec(&message, &actor, "/tmp/miner", (const char *[]){ "miner", NULL });
	assert_int_equal(feed_message(feed, &message), 0);
	const json_t *ours = json_object_get(feed_alert(feed, "Exec"), "seccheckd");
	assert_int_equal(json_integer_value(json_object_get(ours, "dropped")), 7);
	assert_true(json_is_true(json_object_get(ours, "tainted")));
	assert_int_equal(scd_pipeline_counters(feed->pipeline)->dropped_by_sender, 7);
	message_done(&message);
}

static void test_ids__differ_by_message_and_rule_and_repeat_in_a_replay(void **state)
{
	struct feed *feed = *state, again;
	send_start(feed);
	send_exec(feed);
	send_exec(feed);
	assert_int_equal(feed->alert_count, 2);
	const char *first = text_at(feed->alerts[0], "seccheckd", "event_id");
	assert_string_not_equal(first, text_at(feed->alerts[1], "seccheckd", "event_id"));
	feed_open_text(&again, rules);
	send_start(&again);
	send_exec(&again);
	char *a = json_dumps(feed->alerts[0], JSON_SORT_KEYS), *b = json_dumps(again.alerts[0], JSON_SORT_KEYS);
	assert_string_equal(a, b);
	free(a);
	free(b);
	feed_close(&again);
}

/* Hostile messages: counted, skipped, and what follows is judged. */
static void test_bad_messages__are_counted_and_the_next_is_judged(void **state)
{
	struct feed *feed = *state;
	const struct scd_pipeline_counters *counters = scd_pipeline_counters(feed->pipeline);
	static const struct {
		const char *name;
		struct scd_str bytes;
	} rows[] = {
		{ "empty", SCD_STR_INIT("") },
		{ "seven bytes", SCD_STR_INIT("\x08\0\x03\0\0\0\0") },
		{ "header size 7", SCD_STR_INIT("\x07\0\x03\0\0\0\0\0") },
		{ "header size over the message", SCD_STR_INIT("\x09\0\x03\0\0\0\0\0") },
		{ "broken varint", SCD_STR_INIT("\x08\0\x03\0\0\0\0\0\x08\xff") },
		{ "length over the message", SCD_STR_INIT("\x08\0\x03\0\0\0\0\0\x12\x7f") },
		{ "group that does not end", SCD_STR_INIT("\x08\0\x03\0\0\0\0\0\x0b\x0b\x0b") },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (scd_pipeline_feed(feed->stream, rows[i].bytes) == 0)
			fail_msg("%s: accepted", rows[i].name);
	assert_int_equal(counters->bad_frames, 4);
	assert_int_equal(counters->bad_payloads, 3);
	static const char unknown[] = "\x08\0\xff\x7f\0\0\0\0whatever";
	assert_int_equal(scd_pipeline_feed(feed->stream, SCD_STR(unknown)), 0);
	assert_int_equal(counters->unknown_types, 1);
	send_start(feed);
	send_exec(feed);
	assert_int_equal(feed->alert_count, 1);
}

static void test_header_only__is_an_event_of_nobody(void **state)
{
	struct feed *feed = *state;
	for (unsigned type = 1; type < SCD_POINT_COUNT; type++) {
		uint8_t bytes[8] = { 8, 0, (uint8_t)type };
		assert_int_equal(scd_pipeline_feed(feed->stream, (struct scd_str){ (char *)bytes, 8 }), 0);
	}
}

static void test_skipped__what_nobody_reads_is_not_decoded(void **state)
{
	struct feed *feed = *state;
	static const char broken_read[] = "\x08\0\x09\0\0\0\0\0\xff\xff";
	assert_int_equal(scd_pipeline_feed(feed->stream, SCD_STR(broken_read)), 0);
	assert_int_equal(scd_pipeline_counters(feed->pipeline)->skipped, 1);
}

/* A rule must mean the same whatever other rules are loaded beside it. */
static void test_alerts__of_a_rule_do_not_depend_on_other_rules(void **state)
{
	static const char alone[] = "- rule: Close\n  desc: d\n  priority: INFO\n  output: o %proc.name\n"
	                            "  condition: evt.type = socket and proc.pname = sh\n";
	static const char other[] =
	        "- rule: Accept\n  desc: d\n  priority: INFO\n  output: o\n  condition: evt.type = accept\n";
	struct message message = { 0 };
	struct actor stranger = { .tid = 9, .tgid = 9, .parent_tgid = 1, .time_ns = 5, .name = "x" };
	size_t alerts[2];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct feed feed;
		char yaml[1024];
		snprintf(yaml, sizeof(yaml), "%s%s", alone, i ? other : "");
		feed_open_text(&feed, yaml);
		send_start(&feed);
		message_syscall(&message, SCD_POINT_SYSCALL_ACCEPT, &stranger);
		assert_int_equal(feed_message(&feed, &message), 0);
		message_syscall(&message, SCD_POINT_SYSCALL_SOCKET, &stranger);
		assert_int_equal(feed_message(&feed, &message), 0);
		alerts[i] = feed_alert(&feed, "Close") != NULL;
		feed_close(&feed);
	}
	assert_int_equal(alerts[0], alerts[1]);
	message_done(&message);
}

static void test_losses__of_every_sort_taint(void **state)
{
	(void)state;
	static const struct scd_str losses[] = {
		SCD_STR_INIT("short"),                        /* no header */
		SCD_STR_INIT("\x08\0\x03\0\0\0\0\0\x08\xff"), /* no protobuf */
		SCD_STR_INIT(""),                             /* too long to be received: told by scd_stream_lost */
	};
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		struct feed feed;
		feed_open_text(&feed, rules);
		if (losses[i].len)
			scd_pipeline_feed(feed.stream, losses[i]);
		else
			scd_stream_lost(feed.stream);
		assert_int_equal(scd_stream_message_count(feed.stream), 1);
		send_start(&feed);
		send_exec(&feed);
		const json_t *ours = json_object_get(feed_alert(&feed, "Exec"), "seccheckd");
		assert_true(json_is_true(json_object_get(ours, "tainted")));
		feed_close(&feed);
	}
}

/* Output and the key beside it name the same container. */
static void test_container__of_an_alert_is_one(void **state)
{
	struct feed feed;
	struct message message = { 0 };
	struct actor actor = shell;
	(void)state;
	actor.container = "AAAA";
	feed_open_text(&feed, "- rule: Start\n  desc: d\n  priority: INFO\n  output: c=%container.full_id\n  "
	                      "condition: evt.type = execve\n");
	message_start(&message, &actor, "BBBB", (const char *[]){ "sh", NULL });
	assert_int_equal(feed_message(&feed, &message), 0);
	const json_t *alert = feed_alert(&feed, "Start");
	assert_string_equal(text_at(alert, "output_fields", "container.full_id"), "BBBB");
	assert_string_equal(text_at(json_object_get(alert, "seccheckd"), "container_id", NULL), "BBBB");
	message_done(&message);
	feed_close(&feed);
}

/* They share what was made once; the next event has its own. */
static void test_alerts__of_one_event_tell_the_same_process(void **state)
{
	static const char three[] =
	        "- rule: A\n  desc: d\n  priority: INFO\n  output: o\n  condition: evt.type = execve\n"
	        "- rule: B\n  desc: d\n  priority: INFO\n  output: o\n  condition: evt.type = execve\n";
	static const char *const paths[] = { "/bin/sh",    "/bin/sh",    "/tmp/miner",
		                             "/tmp/miner", "/tmp/other", "/tmp/other" };
	struct message message = { 0 };
	struct feed feed;
	(void)state;
	feed_open_text(&feed, three);
	message_start(&message, &shell, "0123456789abcdef", (const char *[]){ "/bin/sh", NULL });
	assert_int_equal(feed_message(&feed, &message), 0);
	message_clone(&message, &shell, 2, 2, 1700000000000000004);
	assert_int_equal(feed_message(&feed, &message), 0);
	for (size_t i = 2; i < 6; i += 2) {
		message_exec(&message, &child, paths[i], (const char *[]){ "x", NULL });
		assert_int_equal(feed_message(&feed, &message), 0);
	}
	assert_int_equal(feed.alert_count, 6);
	for (size_t i = 0; i < 6; i++) {
		const json_t *ours = json_object_get(feed.alerts[i], "seccheckd");
		assert_string_equal(text_at(ours, "process", "exe_path"), paths[i]);
		assert_int_equal(json_array_size(json_object_get(ours, "lineage")), i < 2 ? 0 : 1);
		assert_true(json_is_false(json_object_get(ours, "lineage_truncated")));
	}
	message_done(&message);
	feed_close(&feed);
}

/* A tenant's own arguments must never suppress an alert about it. */
static void test_lineage__of_fat_ancestors_does_not_suppress_an_alert(void **state)
{
	enum { DEPTH = 34, ARGUMENTS = 16384 };
	struct feed *feed = *state;
	struct message message = { 0 };
	static const char *argv[ARGUMENTS + 1];
	struct actor actor = shell;
	for (size_t i = 0; i < ARGUMENTS; i++)
		argv[i] = i ? "" : "sh";
	for (int32_t pid = 1; pid <= DEPTH; pid++) {
		actor.tid = actor.tgid = pid;
		message_exec(&message, &actor, "/bin/sh", argv);
		assert_int_equal(feed_message(feed, &message), 0);
		message_clone(&message, &actor, pid + 1, pid + 1, 0);
		assert_int_equal(feed_message(feed, &message), 0);
	}
	actor.tid = actor.tgid = DEPTH + 1;
	message_exec(&message, &actor, "/tmp/miner", (const char *[]){ "miner", NULL });
	assert_int_equal(feed_message(feed, &message), 0);
	const json_t *ours = json_object_get(feed_alert(feed, "Exec"), "seccheckd");
	assert_non_null(ours);
	assert_int_equal(json_array_size(json_object_get(ours, "lineage")), SCD_LIMIT_LINEAGE_DEPTH);
	assert_int_equal(scd_pipeline_counters(feed->pipeline)->alerts_lost, 0);
	message_done(&message);
}

/* The rest of a secret that was too long to be kept is not shown as an argument of its own. */
static void test_exec__a_cut_secret_does_not_leave(void **state)
{
	struct feed *feed = *state;
	struct message message = { 0 };
	static char secret[24000];
	struct actor actor = child;
	memset(secret, 'S', sizeof(secret) - 1);
	memcpy(secret, "--token=", 8);
	send_start(feed);
	message_exec(&message, &child, "/tmp/miner", (const char *[]){ "miner", secret, "-o", "x", NULL });
	assert_int_equal(feed_message(feed, &message), 0);
	actor.name = "miner";
	message_connect(&message, &actor, "198.51.100.9", 3333, 0);
	assert_int_equal(feed_message(feed, &message), 0);
	for (size_t i = 0; i < feed->alert_count; i++) {
		char *text = json_dumps(feed->alerts[i], 0);
		assert_null(strstr(text, "SSSS"));
		free(text);
	}
	assert_int_equal(feed->alert_count, 2);
	message_done(&message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_feed, close_feed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exec__alert_tells_process_lineage_and_container),
		TEST(test_exec__secrets_do_not_leave),
		TEST(test_connect__alert_names_address_and_image),
		TEST(test_open__relative_path_is_resolved_against_cwd),
		TEST(test_exit__rules_still_see_the_process),
		TEST(test_drops__are_told_and_taint),
		TEST(test_ids__differ_by_message_and_rule_and_repeat_in_a_replay),
		TEST(test_bad_messages__are_counted_and_the_next_is_judged),
		TEST(test_header_only__is_an_event_of_nobody),
		TEST(test_alerts__of_a_rule_do_not_depend_on_other_rules),
		TEST(test_losses__of_every_sort_taint),
		TEST(test_container__of_an_alert_is_one),
		TEST(test_alerts__of_one_event_tell_the_same_process),
		TEST(test_lineage__of_fat_ancestors_does_not_suppress_an_alert),
		TEST(test_exec__a_cut_secret_does_not_leave),
		TEST(test_skipped__what_nobody_reads_is_not_decoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
