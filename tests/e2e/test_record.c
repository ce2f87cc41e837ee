/*
 * Real sandboxes recorded, and the recordings replayed: the rules catch in them what they would have caught live.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/sandbox.h"
#include "tests/support/trace.h"

static const char miner_script[] = "cp /bin/true /tmp/xmrig && cd /tmp && "
                                   "./xmrig -o stratum+tcp://127.0.0.1:3333 -u wallet -p x";

static void require_runsc(void)
{
	const char *why = sandbox_unavailable();
	if (why) {
		print_message("skipped: %s\n", why);
		skip();
	}
}

/* The alerts of the bundled rules over a trace, as an array. */
static json_t *replay(const char *trace)
{
	const char *const argv[] = { RUN_SECCHECKD, "replay", "--rules", SCD_SOURCE_DIR "/rules", trace, NULL };
	json_t *alerts = json_array();
	struct run run;
	if (run_program(&run, &(struct run_options){ .argv = argv }) != 0)
		fail_msg("replay of %s ended with %d: %s", trace, run.status, run.err.data);
	for (char *rest, *line = strtok_r(run.out.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		json_t *alert = json_loads(line, 0, NULL);
		assert_non_null(alert);
		json_array_append_new(alerts, alert);
	}
	run_done(&run);
	return alerts;
}

/* An alert of this rule, or NULL. */
static const json_t *find_alert(const json_t *alerts, const char *rule)
{
	size_t i;
	const json_t *alert;
	json_array_foreach(alerts, i, alert)
	{
		if (strcmp(json_string_value(json_object_get(alert, "rule")), rule) == 0)
			return alert;
	}
	return NULL;
}

static json_t *load_meta(const char *path)
{
	json_error_t error;
	json_t *meta = json_load_file(path, 0, &error);
	if (!meta)
		fail_msg("%s: %s", path, error.text);
	return meta;
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));
	return value ? value : "(none)";
}

static void test_record__a_recorded_miner_is_caught_in_its_replay(void **state)
{
	(void)state;
	struct daemon recorder;
	struct run sandbox;
	require_runsc();
	recorder_start(&recorder);
	sandbox_start(&sandbox, &recorder, miner_script);
	sandbox_finish(&sandbox);
	assert_true(run_until(&recorder.run, "closed by the sandbox"));
	assert_int_equal(recorder_stop(&recorder), 0);

	const char *path = tempdir_join(&recorder.dir, "out/client-0001");
	json_t *alerts = replay(path);
	const json_t *alert = find_alert(alerts, "Crypto miner executed");
	if (!alert)
		fail_msg("the miner was not caught; log: %s", recorder.run.err.data);
	assert_non_null(find_alert(alerts, "Program started with mining pool options"));

	json_t *meta = load_meta(tempdir_join(&recorder.dir, "out/client-0001.meta.json"));
	struct trace trace = trace_load(path);
	assert_true(json_is_true(json_object_get(meta, "complete")));
	assert_int_equal(json_integer_value(json_object_get(meta, "messages")), trace.count);
	assert_string_equal(text(meta, "end"), "closed");
	assert_string_equal(text(meta, "sandbox_id"), text(json_object_get(alert, "seccheckd"), "sandbox_id"));
	trace_done(&trace);
	json_decref(meta);
	json_decref(alerts);
	daemon_done(&recorder);
}

/* Every alert of a trace is about the sandbox that its description names; whether the miner is among them. */
static bool replay_own(struct daemon *recorder, const char *trace, const char *description)
{
	json_t *meta = load_meta(tempdir_join(&recorder->dir, description));
	json_t *alerts = replay(tempdir_join(&recorder->dir, trace));
	bool has_miner = find_alert(alerts, "Crypto miner executed") != NULL;
	size_t i;
	const json_t *alert;
	json_array_foreach(alerts, i, alert)
	        assert_string_equal(text(json_object_get(alert, "seccheckd"), "sandbox_id"), text(meta, "sandbox_id"));
	json_decref(alerts);
	json_decref(meta);
	return has_miner;
}

static void test_record__two_at_once_are_not_mixed(void **state)
{
	(void)state;
	struct daemon recorder;
	struct run miner, innocent;
	require_runsc();
	recorder_start(&recorder);
	sandbox_start(&miner, &recorder, miner_script);
	sandbox_start(&innocent, &recorder, "for i in 1 2 3 4 5; do cat /etc/hostname; done");
	sandbox_finish(&miner);
	sandbox_finish(&innocent);
	assert_int_equal(recorder_stop(&recorder), 0);
	bool first = replay_own(&recorder, "out/client-0001", "out/client-0001.meta.json");
	bool second = replay_own(&recorder, "out/client-0002", "out/client-0002.meta.json");
	assert_int_equal(first + second, 1);
	daemon_done(&recorder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record__a_recorded_miner_is_caught_in_its_replay),
		cmocka_unit_test(test_record__two_at_once_are_not_mixed),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed == 0 && sandbox_unavailable() ? 77 : failed;
}
