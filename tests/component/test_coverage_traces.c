/*
 * Real recordings: complete ones are covered from their first to their last message, and a replay gives the same bytes
 * again, whatever is alerted of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "seccheckd/pipeline/pipeline.h"
#include "tests/support/rules.h"
#include "tests/support/trace.h"

#define OWN_TRACES    SCD_SOURCE_DIR "/tests/data/traces/"
#define SHARED_TRACES SCD_SOURCE_DIR "/../shared/traces/"

static void append_alert(void *user, struct scd_alert *alert)
{
	scd_buf_append_str(user, scd_alert_protobuf(alert));
	scd_alert_unref(&alert);
}

/* All alerts of a trace, packed, from which every other form is made; how its sandbox is watched in the end. */
static enum scd_watched replay(struct scd_ruleset *set, const struct trace *trace, struct scd_buf *ret_alerts)
{
	static const struct scd_host host = { SCD_STR_INIT("test-host"), SCD_STR_INIT("") };
	const struct scd_pipeline_options options = {
		.rules = set, .host = &host, .on_alert = append_alert, .user = ret_alerts, .coverage_alerts = true
	};
	struct scd_pipeline *pipeline = scd_pipeline_new(&options);
	const struct scd_stream_info info = { .nonce = { 7 } };
	struct scd_stream *stream;
	enum scd_watched watched;

	assert_non_null(pipeline);
	stream = scd_stream_new(pipeline, &info);
	assert_non_null(stream);
	for (size_t i = 0; i < trace->count; i++)
		scd_pipeline_feed(stream, trace->messages[i]);
	watched = scd_stream_watched(stream);
	scd_stream_free(&stream);
	scd_pipeline_free(&pipeline);
	return watched;
}

static void check_trace(struct scd_ruleset *set, const char *folder, const char *name)
{
	struct scd_buf first, second;
	struct trace trace;
	char path[1024];

	snprintf(path, sizeof(path), "%s%s", folder, name);
	trace = trace_load(path);
	scd_buf_init(&first, SIZE_MAX);
	scd_buf_init(&second, SIZE_MAX);
	if (replay(set, &trace, &first) != SCD_WATCHED_COVERED)
		fail_msg("%s is complete, and yet not covered", name);
	replay(set, &trace, &second);
	assert_false(first.failed);
	assert_true(first.len > 0);
	assert_true(scd_str_eq(scd_buf_str(&first), scd_buf_str(&second)));
	scd_buf_done(&first);
	scd_buf_done(&second);
	trace_done(&trace);
}

static void check_traces(const char *folder)
{
	struct scd_ruleset *set;
	struct scd_diags diags;
	struct dirent *entry;
	size_t count = 0;
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	scd_diags_init(&diags);
	set = rules_load_condition("evt.type in (execve, clone, connect, procexit)", &diags);
	assert_non_null(set);
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_REG || strchr(entry->d_name, '.'))
			continue;
		check_trace(set, folder, entry->d_name);
		count++;
	}
	assert_true(count > 0);
	closedir(dir);
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
}

static void test_recordings__are_covered_and_repeat_byte_for_byte(void **state)
{
	(void)state;
	check_traces(OWN_TRACES);
}

static void test_recordings__that_are_shared_are_covered_and_repeat(void **state)
{
	(void)state;
	if (!trace_exists(SHARED_TRACES)) {
		print_message("skipped: no further traces in " SHARED_TRACES "\n");
		skip();
	}
	check_traces(SHARED_TRACES);
}

/* The same recording without its first message was joined in the middle. */
static void test_recordings__without_their_beginning_are_unseeded(void **state)
{
	struct trace trace = trace_load(OWN_TRACES "demo-miner"), rest = { trace.messages + 1, trace.count - 1 };
	struct scd_ruleset *set;
	struct scd_diags diags;
	static const char reasons[] = "(reasons=unseeded dropped=0 messages=1 ";
	struct scd_buf alerts;

	(void)state;
	scd_diags_init(&diags);
	set = rules_load_condition("evt.type = execve", &diags);
	scd_buf_init(&alerts, SIZE_MAX);
	assert_int_equal(replay(set, &rest, &alerts), SCD_WATCHED_TAINTED);
	assert_non_null(memmem(alerts.data, alerts.len, reasons, strlen(reasons)));
	scd_buf_done(&alerts);
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
	trace_done(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recordings__are_covered_and_repeat_byte_for_byte),
		cmocka_unit_test(test_recordings__that_are_shared_are_covered_and_repeat),
		cmocka_unit_test(test_recordings__without_their_beginning_are_unseeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
