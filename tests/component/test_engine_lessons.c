/*
 * What went wrong in the engine that read gVisor's points before us, as behaviours of ours. Each row here is a test;
 * rows that concern sockets and processes have theirs where those are tested:
 *
 *    one silent client blocks all others      hostile/greetings "says nothing", test_handshake__waits_for_the_peer
 *    a reset ends the program                 hostile/messages "resets with data in flight",
 *                                             test_net__survives_a_reset_and_reads_what_came_before
 *    an unknown type ends the program         hostile/messages "sends an unknown type first", and below
 *    the socket's mode is 0777                test_listener_open__makes_a_private_socket_whatever_the_umask,
 *                                             test_serve__refuses_other_users
 *    nobody looks who connects                test_identify__gives_a_reason_for_everybody_else,
 *                                             test_serve__does_not_believe_a_sandbox_that_names_another
 *    drops are counted wrongly after a wrap   test_frame_dropped_since__counts_across_the_wrap, and below
 *
 * Everything goes through the whole data path: a message in, an alert out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gvisor/syscall.pb-c.h"
#include "seccheckd/base/array.h"
#include "tests/support/feed.h"

/* No decoded point has it. */
#define UNKNOWN_TYPE 40000

static const char rules[] = "- rule: Any event\n  desc: d\n  priority: INFO\n"
                            "  output: \"%evt.type uid=%user.uid container=%container.full_id name=%proc.name\"\n"
                            "  condition: evt.num >= 0\n";

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct feed));
	feed_open_text(*state, rules);
	return 0;
}

static int tear_down(void **state)
{
	feed_close(*state);
	free(*state);
	return 0;
}

static const json_t *field(const json_t *alert, const char *name)
{
	return json_object_get(json_object_get(alert, "output_fields"), name);
}

static const char *field_text(const json_t *alert, const char *name)
{
	const char *text = json_string_value(field(alert, name));

	return text ? text : "(none)";
}

static const json_t *ours(const json_t *alert, const char *key)
{
	return json_object_get(json_object_get(alert, "seccheckd"), key);
}

/* Feeds it; the one alert it gives, which the next one replaces. */
static const json_t *alert_of(struct feed *feed, const struct message *message)
{
	feed_forget(feed);
	assert_int_equal(feed_message(feed, message), 0);
	assert_int_equal(feed->alert_count, 1);
	return feed->alerts[0];
}

static const struct actor actor = { .tid = 7, .tgid = 7, .time_ns = 1, .container = "pod", .name = "sh" };

/* It ended the program there. */
static void test_engine__skips_a_message_of_an_unknown_type_and_reads_on(void **state)
{
	static const char longer[] = "\x08\0\x40\x9c\0\0\0\0whatever a newer runsc has to say";
	struct feed *feed = *state;
	struct message message = { 0 };
	uint8_t header[8] = { 8, 0, UNKNOWN_TYPE & 0xff, UNKNOWN_TYPE >> 8 };

	assert_int_equal(scd_pipeline_feed(feed->stream, (struct scd_str){ (char *)header, sizeof(header) }), 0);
	assert_int_equal(scd_pipeline_feed(feed->stream, SCD_STR(longer)), 0);
	assert_int_equal(feed->alert_count, 0);
	message_exec(&message, &actor, "/bin/true", (const char *[]){ "true", NULL });
	alert_of(feed, &message);
	assert_int_equal(scd_pipeline_counters(feed->pipeline)->unknown_types, 2);
	message_done(&message);
}

/* It ended the program there. */
static void test_engine__takes_a_container_start_without_arguments(void **state)
{
	struct feed *feed = *state;
	struct message message = { 0 };
	const json_t *alert;

	message_start(&message, &actor, "pod", (const char *[]){ NULL });
	alert = alert_of(feed, &message);
	assert_string_equal(field_text(alert, "evt.type"), "execve");
	assert_string_equal(field_text(alert, "container.full_id"), "pod");
	assert_int_equal(json_array_size(json_object_get(ours(alert, "process"), "args")), 0);
	message_done(&message);
}

/* The message of a point that is no system call: context_data is field 1 of each. */
static void message_context(struct message *message, enum scd_point point)
{
	Gvisor__Common__ContextData context;
	Gvisor__Syscall__Fork any;

	gvisor__common__context_data__init(&context);
	gvisor__syscall__fork__init(&any);
	context.time_ns = actor.time_ns;
	context.thread_id = context.thread_group_id = actor.tgid;
	any.context_data = &context;
	message_frame(message, point, 0, &any.base);
}

/* fcntl or prlimit64, which its own session asked for, ended the program there. */
static void test_engine__takes_every_type_of_message(void **state)
{
	struct feed *feed = *state;
	const struct scd_pipeline_counters *counters = scd_pipeline_counters(feed->pipeline);
	struct message message = { 0 };

	for (unsigned point = 1; point < SCD_POINT_COUNT; point++) {
		if (strncmp(scd_point_name(point), "syscall/", 8) == 0)
			message_syscall(&message, (enum scd_point)point, &actor);
		else
			message_context(&message, (enum scd_point)point);
		if (feed_message(feed, &message) != 0)
			fail_msg("%s", scd_point_name(point));
		assert_int_equal(counters->by_point[point], 1);
	}
	assert_int_equal(counters->messages, SCD_POINT_COUNT - 1);
	assert_int_equal(counters->unknown_types, 0);
	assert_int_equal(counters->bad_payloads, 0);
	message_done(&message);
}

/* A call's message with nothing but its number: field 3 of every one but the raw one. */
static void message_numbered(struct message *message, enum scd_point point, uint64_t sysno)
{
	Gvisor__Syscall__Fork call;
	Gvisor__Syscall__Exit result;

	gvisor__syscall__fork__init(&call);
	gvisor__syscall__exit__init(&result);
	call.exit = &result;
	call.sysno = sysno;
	message_frame(message, point, 0, &call.base);
}

/* fork fell through to vfork there, and the newer of two calls lost its number. */
static void test_engine__tells_calls_apart_that_share_a_message(void **state)
{
	static const struct {
		const char *name;
		enum scd_point point;
		uint64_t sysno;
	} rows[] = {
		{ "fork", SCD_POINT_SYSCALL_FORK, 57 },
		{ "vfork", SCD_POINT_SYSCALL_FORK, 58 },
		{ "pipe", SCD_POINT_SYSCALL_PIPE, 22 },
		{ "pipe2", SCD_POINT_SYSCALL_PIPE, 293 },
		{ "eventfd", SCD_POINT_SYSCALL_EVENTFD, 284 },
		{ "eventfd2", SCD_POINT_SYSCALL_EVENTFD, 290 },
		{ "signalfd", SCD_POINT_SYSCALL_SIGNALFD, 282 },
		{ "signalfd4", SCD_POINT_SYSCALL_SIGNALFD, 289 },
		{ "inotify_init", SCD_POINT_SYSCALL_INOTIFY_INIT, 253 },
		{ "inotify_init1", SCD_POINT_SYSCALL_INOTIFY_INIT, 294 },
		{ "fcntl", SCD_POINT_SYSCALL_FCNTL, 72 },
		{ "prlimit", SCD_POINT_SYSCALL_PRLIMIT64, 302 },
	};
	struct feed *feed = *state;
	struct message message = { 0 };

	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		message_numbered(&message, rows[i].point, rows[i].sysno);
		assert_string_equal(field_text(alert_of(feed, &message), "evt.type"), rows[i].name);
	}
	message_done(&message);
}

/* Ids were written as 0 there, so that everybody was root. */
static void test_engine__reports_an_exec_of_uid_1000_as_1000(void **state)
{
	struct feed *feed = *state;
	struct actor user = actor;
	struct message message = { 0 };
	const json_t *alert;

	user.has_uid = true;
	user.uid = 1000;
	message_exec(&message, &user, "/bin/id", (const char *[]){ "id", NULL });
	alert = alert_of(feed, &message);
	assert_int_equal(json_integer_value(field(alert, "user.uid")), 1000);
	assert_int_equal(json_integer_value(json_object_get(ours(alert, "process"), "uid")), 1000);
	message_done(&message);
}

/* And where nobody told, nobody is root. */
static void test_engine__reports_no_uid_when_it_was_told_none(void **state)
{
	struct message message = { 0 };
	const json_t *alert;

	message_exec(&message, &actor, "/bin/id", (const char *[]){ "id", NULL });
	alert = alert_of(*state, &message);
	assert_false(json_is_integer(field(alert, "user.uid")));
	assert_null(json_object_get(ours(alert, "process"), "uid"));
	message_done(&message);
}

/* The second one was made the first one's process there, and had the identity of whoever had spoken first. */
static void test_engine__keeps_containers_of_one_sandbox_apart(void **state)
{
	static const char *const ids[] = { "pod", "sidecar" };
	struct feed *feed = *state;
	struct message message = { 0 };

	for (int32_t i = 0; i < 2; i++) {
		struct actor first = { .tid = 1 + 10 * i, .tgid = 1 + 10 * i, .time_ns = 1, .container = ids[i] };

		message_start(&message, &first, ids[i], (const char *[]){ ids[i], NULL });
		assert_string_equal(field_text(alert_of(feed, &message), "container.full_id"), ids[i]);
	}
	for (int32_t i = 1; i >= 0; i--) {
		struct actor first = { .tid = 1 + 10 * i, .tgid = 1 + 10 * i, .time_ns = 2, .container = ids[i] };
		const json_t *alert;

		message_syscall(&message, SCD_POINT_SYSCALL_SOCKET, &first);
		alert = alert_of(feed, &message);
		assert_string_equal(field_text(alert, "container.full_id"), ids[i]);
		assert_string_equal(json_string_value(ours(alert, "container_id")), ids[i]);
		assert_string_equal(field_text(alert, "proc.name"), ids[i]);
		assert_int_equal(json_integer_value(json_object_get(ours(alert, "process"), "pid")), first.tgid);
	}
	message_done(&message);
}

static int64_t dropped_in(const json_t *alert)
{
	return json_integer_value(ours(alert, "dropped"));
}

/* Only a metric of all sandboxes there, and wrong after 2^32. */
static void test_engine__tells_drops_of_each_sandbox_in_its_alerts_also_across_the_wrap(void **state)
{
	const struct scd_stream_info info = { .nonce = { 9 }, .sandbox_id = SCD_STR_INIT("other") };
	struct feed *feed = *state;
	struct scd_stream *first = feed->stream, *other = scd_stream_new(feed->pipeline, &info);
	struct actor dropping = actor, other_actor = { .tid = 1, .tgid = 1, .time_ns = 1, .container = "other" };
	struct message message = { 0 };

	assert_non_null(other);
	dropping.dropped_count = UINT32_MAX - 1;
	message_syscall(&message, SCD_POINT_SYSCALL_SOCKET, &dropping);
	assert_int_equal(dropped_in(alert_of(feed, &message)), UINT32_MAX - 1);
	dropping.dropped_count = 3; /* five more: two to the wrap, three behind it */
	message_syscall(&message, SCD_POINT_SYSCALL_SOCKET, &dropping);
	assert_int_equal(dropped_in(alert_of(feed, &message)), INT64_C(4294967299));
	assert_true(json_is_true(ours(feed->alerts[0], "tainted")));

	feed->stream = other;
	message_start(&message, &other_actor, "other", (const char *[]){ "sh", NULL });
	assert_int_equal(dropped_in(alert_of(feed, &message)), 0);
	assert_false(json_is_true(ours(feed->alerts[0], "tainted")));
	feed->stream = first;
	scd_stream_free(&other);
	message_done(&message);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_engine__skips_a_message_of_an_unknown_type_and_reads_on),
		TEST(test_engine__takes_a_container_start_without_arguments),
		TEST(test_engine__takes_every_type_of_message),
		TEST(test_engine__tells_calls_apart_that_share_a_message),
		TEST(test_engine__reports_an_exec_of_uid_1000_as_1000),
		TEST(test_engine__reports_no_uid_when_it_was_told_none),
		TEST(test_engine__keeps_containers_of_one_sandbox_apart),
		TEST(test_engine__tells_drops_of_each_sandbox_in_its_alerts_also_across_the_wrap),
	};
#undef TEST

	return cmocka_run_group_tests_name("engine_lessons", tests, NULL, NULL);
}
