/*
 * What a program can do so that gVisor tells nothing of a call, with real sandboxes: each shows all the same, as a
 * hidden call, or as drops that are counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "tests/support/sandbox.h"

static const char rules[] = "- rule: Hidden\n  desc: d\n  priority: NOTICE\n  output: hidden call of %proc.vpid\n"
                            "  condition: evt.type = hidden\n"
                            "- rule: Connect\n  desc: d\n  priority: NOTICE\n  output: connect to %fd.sport\n"
                            "  condition: evt.type = connect and fd.sport = 4242\n"
                            "- rule: True\n  desc: d\n  priority: NOTICE\n  output: exec of %proc.exepath\n"
                            "  condition: evt.type = execve and proc.exepath endswith /true\n"
                            "- rule: Last\n  desc: d\n  priority: NOTICE\n  output: exec of %proc.exepath\n"
                            "  condition: evt.type = execve and proc.exepath endswith /hostname\n";

static void require_runsc(void)
{
	const char *why = sandbox_unavailable();

	if (why) {
		print_message("skipped: %s\n", why);
		skip();
	}
}

static const json_t *ours(const json_t *alert, const char *key)
{
	return json_object_get(json_object_get(alert, "seccheckd"), key);
}

/* Alerts of a rule; the last of them. */
static unsigned count_alerts(const struct daemon *daemon, const char *rule, const json_t **ret_last)
{
	const json_t *alert;
	unsigned count = 0;
	size_t i;

	json_array_foreach(daemon->alerts, i, alert)
	{
		if (strcmp(json_string_value(json_object_get(alert, "rule")), rule) != 0)
			continue;
		*ret_last = alert;
		count++;
	}
	return count;
}

/* A sandbox in which the program hides one call in one way, and another program runs afterwards. */
static void run_hider(struct daemon *daemon, const char *way, const char *call)
{
	struct run sandbox;
	char script[512];

	daemon_start(daemon, rules, "");
	snprintf(script, sizeof(script), "ulimit -s unlimited; %s/tests/hider %s %s && /bin/hostname", SCD_BINARY_DIR,
	         way, call);
	sandbox_start(&sandbox, daemon, script);
	sandbox_finish(&sandbox);
	assert_int_equal(daemon_stop(daemon), 0);
}

static void test_hidden__calls_are_told_as_such(void **state)
{
	static const struct {
		const char *way, *call;
		unsigned hidden, connects, execs; /* the connect in front of it among them */
	} rows[] = {
		{ "none", "connect", 0, 2, 0 },  { "none", "exec", 0, 1, 1 },    { "name", "connect", 1, 1, 0 },
		{ "name", "exec", 1, 1, 0 },     { "cwd", "connect", 1, 1, 0 },  { "cwd", "exec", 1, 1, 0 },
		{ "argument", "exec", 1, 1, 0 }, { "environ", "exec", 1, 1, 0 }, { "path", "exec", 1, 1, 0 },
	};

	(void)state;
	require_runsc();
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		const json_t *hidden = NULL, *other = NULL;
		struct daemon daemon;

		print_message("%s, %s\n", rows[i].way, rows[i].call);
		run_hider(&daemon, rows[i].way, rows[i].call);
		assert_int_equal(count_alerts(&daemon, "Hidden", &hidden), rows[i].hidden);
		assert_int_equal(count_alerts(&daemon, "Connect", &other), rows[i].connects);
		assert_int_equal(count_alerts(&daemon, "True", &other), rows[i].execs);
		if (hidden && strcmp(rows[i].call, "exec") == 0)
			assert_true(json_is_true(json_object_get(ours(hidden, "process"), "hidden_exec")));
		daemon_done(&daemon);
	}
}

/*
 * Its message is larger than any socket takes: the sandbox counts it as dropped, and tells so with the next one. The
 * witness has no strings, so the exec is a hidden one besides.
 */
static void test_hidden__an_exec_too_long_for_any_message_is_hidden_and_counted(void **state)
{
	const json_t *hidden = NULL, *last = NULL, *exec = NULL;
	struct daemon daemon;

	(void)state;
	require_runsc();
	run_hider(&daemon, "long", "exec");
	assert_int_equal(count_alerts(&daemon, "True", &exec), 0);
	assert_int_equal(count_alerts(&daemon, "Hidden", &hidden), 1);
	assert_true(json_is_true(json_object_get(ours(hidden, "process"), "hidden_exec")));
	assert_int_equal(count_alerts(&daemon, "Last", &last), 1);
	assert_true(json_integer_value(ours(last, "dropped")) > 0);
	assert_true(json_is_true(ours(last, "tainted")));
	daemon_done(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hidden__calls_are_told_as_such),
		cmocka_unit_test(test_hidden__an_exec_too_long_for_any_message_is_hidden_and_counted),
	};
	int failed = cmocka_run_group_tests_name("hidden", tests, NULL, NULL);

	return failed == 0 && sandbox_unavailable() ? 77 : failed;
}
