/*
 * Recordings: files as the messages came, and descriptions that say whose they are.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/wire/trace.h"
#include "tests/support/trace.h"
#include "tests/unit/record/world.h"

static void expect_same_file(const char *path, const char *expected_path)
{
	struct trace got = trace_load(path), expected = trace_load(expected_path);
	struct stat status, expected_status;

	assert_int_equal(got.count, expected.count);
	for (size_t i = 0; i < got.count; i++)
		assert_true(scd_str_eq(got.messages[i], expected.messages[i]));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(stat(expected_path, &expected_status), 0);
	assert_int_equal(status.st_size, expected_status.st_size);
	trace_done(&got);
	trace_done(&expected);
}

static void test_recording__is_the_trace_that_was_sent(void **state)
{
	static const char path[] = SCD_SOURCE_DIR "/tests/data/traces/detect-gcc";
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	struct trace trace = trace_load(path);
	json_int_t count = (json_int_t)trace.count;

	for (size_t i = 0; i < trace.count; i++) {
		scd_recording_add(recording, trace.messages[i]);
		if (i % 10 == 0)
			uv_run(&fixture->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(scd_recording_message_count(recording), trace.count);
	trace_done(&trace);
	scd_recording_end(&recording, "closed", NULL);
	assert_null(recording);
	settle(fixture);
	expect_same_file(tempdir_join(&fixture->dir, "client-0001"), path);
	expect_meta(fixture, "client-0001.meta.json", count, 0, NULL);
	assert_string_equal(fixture->finished_names, "client-0001 ");
	assert_int_equal(counters(fixture)->complete, 1);
	assert_int_equal(counters(fixture)->messages, count);
}

static void test_recording__keeps_messages_of_any_size(void **state)
{
	static const size_t sizes[] = { 8, 0, 4u << 20, 1, SCD_LIMIT_MESSAGE_BYTES, 8 };
	enum { COUNT = SCD_COUNT(sizes) };
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	struct trace trace;

	for (size_t i = 0; i < COUNT; i++) {
		add_zeros(recording, sizes[i]);
		settle(fixture);
	}
	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	trace = trace_load(tempdir_join(&fixture->dir, "client-0001"));
	assert_int_equal(trace.count, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(trace.messages[i].len, sizes[i]);
	trace_done(&trace);
	expect_meta(fixture, "client-0001.meta.json", COUNT, 0, NULL);
}

static void test_recording__of_nothing_is_a_trace_too(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	struct trace trace;

	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	trace = trace_load(tempdir_join(&fixture->dir, "client-0001"));
	assert_int_equal(trace.count, 0);
	trace_done(&trace);
	expect_meta(fixture, "client-0001.meta.json", 0, 0, NULL);
	assert_int_equal(fixture->finished_count, 1);
}

static void test_recording__does_not_mix_connections(void **state)
{
	enum { COUNT = 20, EACH = 50 };
	struct fixture *fixture = *state;
	struct scd_recording *recordings[COUNT];

	for (int i = 0; i < COUNT; i++)
		recordings[i] = start(fixture);
	for (int k = 0; k < EACH; k++) {
		for (int i = 0; i < COUNT; i++) {
			char text[32];
			int len = snprintf(text, sizeof(text), "message %d of connection %d", k, i + 1);

			scd_recording_add(recordings[i], (struct scd_str){ text, (size_t)len });
		}
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	}
	for (int i = 0; i < COUNT; i++)
		scd_recording_end(&recordings[i], "closed", NULL);
	settle(fixture);
	for (int i = 0; i < COUNT; i++) {
		struct trace trace;
		char text[32];

		snprintf(text, sizeof(text), "client-%04d", i + 1);
		trace = trace_load(tempdir_join(&fixture->dir, text));
		assert_int_equal(trace.count, EACH);
		for (int k = 0; k < EACH; k++) {
			snprintf(text, sizeof(text), "message %d of connection %d", k, i + 1);
			assert_true(scd_str_is(trace.messages[k], text));
		}
		trace_done(&trace);
	}
	assert_int_equal(fixture->finished_count, COUNT);
}

static void test_recording__describes_the_connection(void **state)
{
	/* Frames that say that 3 messages were dropped so far, then 5, and still 5. */
	static const char frames[][8] = { { 8, 0, 1, 0, 3 }, { 8, 0, 1, 0, 5 }, { 8, 0, 1, 0, 5 } };
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	json_t *meta;

	for (size_t i = 0; i < 3; i++)
		scd_recording_add(recording, (struct scd_str){ frames[i], 8 });
	scd_recording_claim_sandbox_id(recording, SCD_STR("some\xff id"));
	assert_true(scd_str_is(scd_recording_sandbox_id(recording), "some\xff id"));
	assert_int_equal(scd_recording_dropped_count(recording), 5);
	scd_recording_end(&recording, "reset", NULL);
	settle(fixture);
	meta = load_meta(fixture, "client-0001.meta.json");
	expect_count(meta, "version", 1);
	expect_text(meta, "trace", "client-0001");
	expect_text(meta, "hostname", "test-host");
	expect_text(meta, "boot_id", "test-boot");
	expect_text(meta, "listener", "/run/s");
	expect_text(meta, "sandbox_id", "some\xef\xbf\xbd id");
	expect_text(meta, "identity", "claimed");
	expect_text(meta, "end", "reset");
	expect_count(json_object_get(meta, "peer"), "pid", 42);
	expect_count(json_object_get(meta, "peer"), "uid", 7);
	expect_count(meta, "messages", 3);
	expect_count(meta, "bytes", SCD_TRACE_HEAD_BYTES + 3 * 16);
	expect_count(meta, "dropped_by_sender", 5);
	assert_true(strcmp(json_string_value(json_object_get(meta, "started_at")),
	                   json_string_value(json_object_get(meta, "ended_at"))) <= 0);
	json_decref(meta);
}

static void test_recording__is_named_by_the_host_side_before_all(void **state)
{
	const struct scd_recording_info info = { .sandbox_id = SCD_STR_INIT("established") };
	struct fixture *fixture = *state;
	struct scd_recording *recording = scd_recording_start(fixture->recorder, &info);
	json_t *meta;

	assert_non_null(recording);
	scd_recording_claim_sandbox_id(recording, SCD_STR("another"));
	assert_true(scd_str_is(scd_recording_sandbox_id(recording), "established"));
	settle(fixture);
	for (int i = 0; i < 2; i++) { /* from the start, and at the end */
		meta = load_meta(fixture, "client-0001.meta.json");
		expect_text(meta, "sandbox_id", "established");
		expect_text(meta, "identity", "verified");
		json_decref(meta);
		if (recording)
			scd_recording_end(&recording, "closed", NULL);
		settle(fixture);
	}
}

/* Whoever looks while it is written, or after the recorder was killed, learns that it is not whole. */
static void test_recording__is_not_complete_before_its_end(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	json_t *meta;

	scd_recording_add(recording, SCD_STR("message"));
	settle(fixture);
	meta = load_meta(fixture, "client-0001.meta.json");
	assert_true(json_is_false(json_object_get(meta, "complete")));
	assert_null(json_object_get(meta, "ended_at"));
	expect_count(json_object_get(meta, "peer"), "pid", 42);
	json_decref(meta);
	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	expect_meta(fixture, "client-0001.meta.json", 1, 0, NULL);
}

static void test_recording__tells_what_nobody_received(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);

	scd_recording_add(recording, SCD_STR("one"));
	scd_recording_end(&recording, "stopped", "it was cut");
	settle(fixture);
	expect_meta(fixture, "client-0001.meta.json", 1, 0, "it was cut");
	assert_int_equal(counters(fixture)->incomplete, 1);
}

static void test_recording__tells_of_a_message_that_could_not_be_received(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);

	scd_recording_add(recording, SCD_STR("one"));
	scd_recording_lost(recording);
	scd_recording_add(recording, SCD_STR("two"));
	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	expect_meta(fixture, "client-0001.meta.json", 2, 1, "a message was longer than a message may be");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_recording__is_the_trace_that_was_sent),
		TEST(test_recording__keeps_messages_of_any_size),
		TEST(test_recording__of_nothing_is_a_trace_too),
		TEST(test_recording__does_not_mix_connections),
		TEST(test_recording__describes_the_connection),
		TEST(test_recording__is_named_by_the_host_side_before_all),
		TEST(test_recording__is_not_complete_before_its_end),
		TEST(test_recording__tells_what_nobody_received),
		TEST(test_recording__tells_of_a_message_that_could_not_be_received),
	};
#undef TEST

	return cmocka_run_group_tests_name("record/recording", tests, prepare, NULL);
}
