/*
 * `seccheckd rules explain`: what it says of a rule over a recorded trace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

/* Starts of sh, of cp, and of a program from /tmp that is called xmrig; it opens an msr and connects to port 3333. */
#define MINER_TRACE SCD_SOURCE_DIR "/tests/data/traces/demo-miner"
#define PACK        SCD_SOURCE_DIR "/rules"

static struct tempdir dir;

static int set_up(void **state)
{
	(void)state;
	return tempdir_make(&dir);
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

static const char *write_file(const char *name, const char *text, size_t len)
{
	const char *path = tempdir_join(&dir, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	return path;
}

/* options: up to two, NULL for none. */
static int explain(struct run *run, const char *rules, const char *rule, const char *trace, const char *option,
                   const char *value)
{
	const char *argv[] = { RUN_SECCHECKD, "rules", "explain", "--rules", rules, rule, trace, option, value, NULL };

	return run_program(run, &(struct run_options){ .argv = argv });
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("there is no\n%s\nin\n%s", part, text);
}

#define RULES                                                                                                  \
	"- macro: started\n  condition: (evt.type = execve and evt.failed = false)\n"                          \
	"- rule: Found\n  desc: d\n  condition: started and (proc.name startswith xmr or proc.exepath = /x)\n" \
	"  output: o\n  priority: INFO\n  enabled: false\n"                                                    \
	"  exceptions: [{name: known paths, fields: proc.exepath, values: [/opt/xmrig, /usr/bin/xmrig]}]\n"    \
	"- rule: Missing\n  desc: d\n  condition: evt.type = connect and not container.name = a and\n"         \
	"    container.image.repository = b and tolower(proc.name) = XMRIG\n  output: o\n  priority: INFO\n"   \
	"- rule: Never\n  desc: d\n  condition: evt.type = execve and evt.type = connect\n  output: o\n"       \
	"  priority: INFO\n"                                                                                   \
	"- rule: Elsewhere\n  desc: d\n  condition: evt.type = chroot\n  output: o\n  priority: INFO\n"

static const char *rules_path(void)
{
	return write_file("rules.yaml", RULES, strlen(RULES));
}

static void test_text__has_matches_and_nearest_misses_with_values(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(explain(&run, rules_path(), "Found", MINER_TRACE, NULL, NULL), 0);
	assert_string_equal(run.err.data, "");
	assert_has(run.out.data, "event 1  2026-11-22T05:18:18.927812348+0000  execve  process 1 sh: does not match, "
	                         "for want of 1 check\n"
	                         "  true     started: all of\n"
	                         "  true       evt.type = execve    [evt.type: execve]\n"
	                         "  true       evt.failed = false    [evt.failed: false]\n"
	                         "  false    any of\n"
	                         "  false      proc.name startswith xmr    [proc.name: sh]\n"
	                         "  false      proc.exepath = /x    [proc.exepath: /bin/sh]\n"
	                         "  true     not\n"
	                         "  false      exception known paths\n"
	                         "  false        proc.exepath in (/opt/xmrig, /usr/bin/xmrig)\n\n");
	assert_has(run.out.data, "execve  process 3 xmrig: matches\n");
	assert_has(run.out.data,
	           "27 messages, 3 events that the rule looks at: 1 match, 2 miss by 1 check, 0 by more; 2 "
	           "shown, 1 failed like one of these\n");
	run_done(&run);
}

static void test_text__says_what_is_absent(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(explain(&run, rules_path(), "Missing", MINER_TRACE, NULL, NULL), 0);
	assert_has(run.out.data,
	           "xmrig: does not match, for want of 2 checks\n"
	           "  true     evt.type = connect    [evt.type: connect]\n"
	           "  true     not\n"
	           "  absent     container.name = a    [container.name: missing]\n"
	           "  absent   container.image.repository = b    [container.image.repository: missing]\n"
	           "  false    tolower(proc.name) = XMRIG    [tolower(proc.name): xmrig, proc.name: xmrig]\n");
	run_done(&run);
}

static void test_options__choose_what_is_shown(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(explain(&run, rules_path(), "Found", MINER_TRACE, "--all", NULL), 0);
	assert_int_equal(run_count(&run.out, "\nevent ") + 1, 3);
	assert_has(run.out.data, "; 3 shown\n");
	run_done(&run);
	assert_int_equal(explain(&run, rules_path(), "Found", MINER_TRACE, "--limit", "1"), 0);
	assert_int_equal(strncmp(run.out.data, "event 1 ", strlen("event 1 ")), 0);
	assert_has(run.out.data, "; 1 shown, 1 failed like one of these, 1 left out (--limit)\n");
	run_done(&run);
}

static void test_text__says_why_there_is_no_event(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(explain(&run, rules_path(), "Elsewhere", MINER_TRACE, NULL, NULL), 0);
	assert_has(run.out.data, "27 messages, 0 events that the rule looks at: 0 match; 0 shown\n"
	                         "no message of the trace is an event of a type that the rule can match");
	run_done(&run);
	assert_int_equal(explain(&run, rules_path(), "Never", MINER_TRACE, NULL, NULL), 0);
	assert_has(run.out.data, "the rule looks at no event type: its checks of evt.type exclude each other\n");
	run_done(&run);
}

/* JSON. */

static json_t *next_line(const char **text)
{
	size_t len = strcspn(*text, "\n");
	json_t *json = json_loadb(*text, len, 0, NULL);

	assert_non_null(json);
	*text += len + 1;
	return json;
}

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "(none)";
}

static void test_json__has_the_tree_with_its_truths(void **state)
{
	const json_t *condition, *check;
	const char *text;
	struct run run;
	json_t *json;

	(void)state;
	assert_int_equal(explain(&run, rules_path(), "Missing", MINER_TRACE, "--json", NULL), 0);
	text = run.out.data;
	json = next_line(&text);
	condition = json_object_get(json, "condition");
	assert_true(json_is_false(json_object_get(json, "matches")));
	assert_int_equal(json_integer_value(json_object_get(json, "checks_missing")), 2);
	assert_string_equal(text_of(json, "type"), "connect");
	assert_string_equal(text_of(json, "process"), "xmrig");
	assert_string_equal(text_of(condition, "kind"), "and");
	check = json_array_get(json_object_get(condition, "children"), 2);
	assert_string_equal(text_of(check, "truth"), "absent");
	assert_string_equal(text_of(check, "text"), "container.image.repository = b");
	assert_true(json_is_null(json_object_get(json_object_get(check, "fields"), "container.image.repository")));
	json_decref(json);
	json = next_line(&text);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "summary"), "nearest_misses")), 1);
	json_decref(json);
	assert_string_equal(text, "");
	run_done(&run);
}

/* The alerts of a rule in a replay. */
static size_t count_alerts(const char *rule)
{
	const char *argv[] = { RUN_SECCHECKD, "replay", "--rules", PACK, MINER_TRACE, NULL };
	char key[128];
	struct run run;
	size_t count;

	snprintf(key, sizeof(key), "\"rule\":\"%s\"", rule);
	assert_int_equal(run_program(&run, &(struct run_options){ .argv = argv }), 0);
	count = run_count(&run.out, key);
	run_done(&run);
	return count;
}

static void test_matches__are_those_of_a_replay(void **state)
{
	static const char *const rules[] = { "Crypto miner executed", "Miner connected to a pool port",
		                             "Processor registers opened for mining", "Program executed from memory",
		                             "Program executed from a temporary folder" };
	size_t matched = 0;

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rules); i++) {
		size_t expected = count_alerts(rules[i]);
		struct run run;

		assert_int_equal(explain(&run, PACK, rules[i], MINER_TRACE, "--json", NULL), 0);
		assert_int_equal(run_count(&run.out, "\"matches\":true"), expected);
		matched += expected;
		run_done(&run);
	}
	assert_true(matched >= 4);
}

/* What is wrong. */

static void test_rule__that_is_not_there_is_an_error_with_the_nearest(void **state)
{
	static const struct {
		const char *rule, *err;
	} rows[] = {
		{ "Fuond", "there is no rule 'Fuond', did you mean 'Found'?\n" },
		{ "else", "there is no rule 'else', did you mean 'Elsewhere'?\n" },
		{ "nothing like that", "there is no rule 'nothing like that'\n'seccheckd rules list' prints" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct run run;

		assert_int_equal(explain(&run, rules_path(), rows[i].rule, MINER_TRACE, NULL, NULL), 1);
		assert_has(run.err.data, rows[i].err);
		assert_string_equal(run.out.data, "");
		run_done(&run);
	}
}

static void test_rules__that_do_not_load_are_an_error(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(explain(&run, tempdir_join(&dir, "none.yaml"), "Found", MINER_TRACE, NULL, NULL), 1);
	assert_has(run.err.data, "LOAD_ERR_FILE_READ");
	run_done(&run);
}

static void test_trace__that_is_cut_is_shown_up_to_there(void **state)
{
	char *trace = calloc(1, 1 << 20);
	FILE *file = fopen(MINER_TRACE, "re");
	const char *path;
	struct run run;
	size_t len;

	(void)state;
	assert_non_null(trace);
	assert_non_null(file);
	len = fread(trace, 1, 1 << 20, file);
	fclose(file);
	path = write_file("cut.trace", trace, len - 10);
	assert_int_equal(explain(&run, rules_path(), "Found", path, NULL, NULL), 1);
	assert_has(run.out.data, "xmrig: matches\n");
	assert_has(run.out.data, "26 messages, ");
	assert_has(run.err.data, "cut.trace: ");
	run_done(&run);
	assert_int_equal(explain(&run, rules_path(), "Found", tempdir_join(&dir, "none"), NULL, NULL), 1);
	assert_string_equal(run.out.data, "");
	run_done(&run);
	free(trace);
}

static void test_usage__wants_a_rule_and_one_trace(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(explain(&run, PACK, "Found", NULL, NULL, NULL), 2);
	assert_has(run.err.data, "RULE TRACE is missing\n");
	run_done(&run);
	assert_int_equal(explain(&run, PACK, "Found", MINER_TRACE, MINER_TRACE, NULL), 2);
	assert_has(run.err.data, "unexpected argument ");
	run_done(&run);
	assert_int_equal(explain(&run, PACK, "Found", MINER_TRACE, "--limit", "none"), 2);
	assert_has(run.err.data, "--limit: 'none' is not a number from 1\n");
	run_done(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text__has_matches_and_nearest_misses_with_values),
		cmocka_unit_test(test_text__says_what_is_absent),
		cmocka_unit_test(test_options__choose_what_is_shown),
		cmocka_unit_test(test_text__says_why_there_is_no_event),
		cmocka_unit_test(test_json__has_the_tree_with_its_truths),
		cmocka_unit_test(test_matches__are_those_of_a_replay),
		cmocka_unit_test(test_rule__that_is_not_there_is_an_error_with_the_nearest),
		cmocka_unit_test(test_rules__that_do_not_load_are_an_error),
		cmocka_unit_test(test_trace__that_is_cut_is_shown_up_to_there),
		cmocka_unit_test(test_usage__wants_a_rule_and_one_trace),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
