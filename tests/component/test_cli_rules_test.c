/*
 * `seccheckd rules test`: what passes, what fails and how that is told; and the tests of the bundled rules, which have
 * to be complete.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

#define MANUAL   SCD_SOURCE_DIR "/docs/rules.md"
#define TRACES   SCD_SOURCE_DIR "/tests/data/traces/"
#define ARGS_MAX 32

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

static void write_file(const char *name, const char *text, size_t len)
{
	FILE *file = fopen(tempdir_join(&dir, name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static int run_tests_of(struct run *run, const char *option, const char *path)
{
	const char *argv[] = { RUN_SECCHECKD, "rules", "test", path, option, NULL };

	return run_program(run, &(struct run_options){ .argv = argv });
}

static void assert_has(const char *name, const char *what, const char *text, const char *part)
{
	if (part && !strstr(text, part))
		fail_msg("%s: %s has no\n%s\nbut\n%s", name, what, part, text);
}

/* Events and what comes of them. */

#define RULES                                                                                                     \
	"- macro: started\n  condition: (evt.type = execve and evt.failed = false)\n"                             \
	"- rule: Miner\n  desc: d\n  condition: started and proc.name in (xmrig, kinsing)\n"                      \
	"  output: miner %proc.name by %proc.aname[2] of %user.name\n  priority: CRITICAL\n"                      \
	"  exceptions: [{name: benchmarks, fields: [proc.cwd], comps: [startswith], values: [[/bench]]}]\n"       \
	"- rule: Ancestor\n  desc: d\n  condition: evt.type = execve and proc.aname = nginx\n  output: a\n"       \
	"  priority: INFO\n"                                                                                      \
	"- rule: Network\n  desc: d\n  condition: evt.type = connect and fd.net = 10.0.0.0/8 and fd.port = 22\n"  \
	"  output: n %fd.sport\n  priority: NOTICE\n"                                                             \
	"- rule: Image\n  desc: d\n  condition: evt.type = unlink and container.image.repository = busybox and\n" \
	"    proc.duration > 5\n  output: i\n  priority: NOTICE\n"                                                \
	"- rule: Off\n  desc: d\n  condition: evt.type = clone\n  output: o\n  priority: NOTICE\n  enabled: false\n"

#define HEAD "rule_files: [rules.yaml]\ndefaults: {evt.failed: false}\ntests:\n"
#define ONE  HEAD "- name: one\n"
#define EXEC "{evt.type: execve, proc.name: xmrig"

struct row {
	const char *name, *tests;
	int status;
	const char *out, *err; /* parts of them; NULL: anything */
};

static const struct row outcomes[] = {
	{ "a match", ONE "  events: [" EXEC "}]\n  expect: [Miner]\n  expect_silence: all\n", 0, "1 passed, 0 failed\n",
	  "" },
	{ "counts, outputs and fields that fit",
	  ONE "  events: [" EXEC ", 'proc.aname[2]': init}, " EXEC "}]\n"
	      "  expect: [{rule: Miner, count: 2, priority: critical},\n"
	      "    {rule: Miner, count: 1, output_contains: [by init, miner xmrig]},\n"
	      "    {rule: Miner, count: 1, fields: {'proc.aname[2]': null, proc.name: xmrig}}]\n",
	  0, "1 passed, 0 failed\n", "" },
	{ "no match, and why",
	  ONE
	  "  events: [{evt.type: execve}, {evt.type: execve, proc.name: sh}, {evt.type: execve, evt.failed: true}]\n"
	  "  expect: [Miner]\n",
	  1,
	  ":6: FAIL 'one': expected 'Miner' to match, and it matched 0 times: event 1 is nearest, and this does not "
	  "hold: proc.name in (xmrig, kinsing) [proc.name: missing]\n0 passed, 1 failed\n",
	  "" },
	{ "an exception that was in the way", ONE "  events: [" EXEC ", proc.cwd: /bench/1}]\n  expect: [Miner]\n", 1,
	  "does not hold: not benchmarks [proc.cwd: /bench/1]\n", "" },
	{ "too few matches", ONE "  events: [" EXEC "}]\n  expect: [{rule: Miner, count: 2}]\n", 1,
	  "expected 'Miner' to match 2 times, and it matched 1 time\n", "" },
	{ "matches where none was wanted", ONE "  events: [" EXEC "}]\n  expect: [{rule: Miner, count: 0}]\n", 1,
	  "expected 'Miner' to match 0 times, and it matched 1 time\n", "" },
	{ "another priority", ONE "  events: [" EXEC "}]\n  expect: [{rule: Miner, priority: INFO}]\n", 1,
	  "and it matched as expected 0 of 1 time: its priority is Critical\n", "" },
	{ "another output", ONE "  events: [" EXEC "}]\n  expect: [{rule: Miner, output_contains: root}]\n", 1,
	  "its output has no 'root' in it: miner xmrig by <NA> of <NA>\n", "" },
	{ "another value", ONE "  events: [" EXEC "}]\n  expect: [{rule: Miner, fields: {proc.name: sh}}]\n", 1,
	  "proc.name is xmrig\n", "" },
	{ "a field that is not in the output",
	  ONE "  events: [" EXEC "}]\n  expect: [{rule: Miner, fields: {proc.pid: 1}}]\n", 1,
	  "its output has no field proc.pid\n", "" },
	{ "no silence", ONE "  events: [" EXEC "}]\n  expect_silence: [Miner, Ancestor]\n", 1,
	  ":6: FAIL 'one': expected silence of 'Miner', and it matched: event 1: miner xmrig by <NA> of <NA>\n", "" },
	{ "no silence of those that were not expected",
	  ONE "  events: [" EXEC ", proc.aname: [sh, nginx]}]\n  expect: [Miner]\n  expect_silence: all\n", 1,
	  "expected silence of 'Ancestor', and it matched: event 1: a\n", "" },
	{ "no event for the rule", ONE "  events: [" EXEC "}]\n  expect: [Network]\n", 1,
	  "there was no event of a type that the rule looks at\n", "" },
	{ "a rule that is off", ONE "  events: [{evt.type: clone}]\n  expect: ['Off']\n", 1,
	  "the rule is switched off (enabled: false)\n", "" },
	{ "a value that is missing though the defaults have it",
	  HEAD "- {name: one, events: [{evt.type: execve, proc.name: xmrig, evt.failed: null}], expect_silence: all}\n",
	  0, "1 passed", "" },
	{ "ancestors by number out of the list of all",
	  ONE "  events: [" EXEC ", proc.aname: [sh, nginx]}]\n"
	      "  expect: [{rule: Miner, output_contains: by nginx}, Ancestor]\n",
	  0, "1 passed", "" },
	{ "addresses and ports of either end",
	  ONE "  events: [{evt.type: connect, fd.net: [10.1.2.3, 192.0.2.1], fd.port: [40000, 22], fd.sport: 22}]\n"
	      "  expect: [{rule: Network, output_contains: n 22}]\n",
	  0, "1 passed", "" },
	{ "fields that nothing tells on gVisor",
	  ONE "  events: [{evt.type: unlink, container.image.repository: busybox, proc.duration: 6}]\n"
	      "  expect: [Image]\n",
	  0, "1 passed", "" },
	{ "text of an event that would steer a terminal",
	  ONE "  events: [{evt.type: execve, proc.name: \"\\e[2Jsh\"}]\n  expect: [Miner]\n", 1,
	  "[proc.name: \\x1b[2Jsh]\n", "" },
	{ "a trace", ONE "  trace: " TRACES "demo-miner\n  expect: [{rule: Miner, count: 1}]\n  expect_silence: all\n",
	  0, "1 passed", "" },
	{ "a trace and events, in the same file",
	  ONE "  trace: " TRACES "detect-gcc\n  expect: [Miner]\n- {name: two, events: [" EXEC "}], expect: [Miner]}\n",
	  1, "1 passed, 1 failed\n", "" },
	{ "a trace that is not there", ONE "  trace: none.trace\n  expect: [Miner]\n", 1,
	  "0 passed, 0 failed, 1 error in test files\n", "none.trace: " },
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct run run;

		write_file("rules.yaml", RULES, strlen(RULES));
		write_file("test.yaml", rows[i].tests, strlen(rows[i].tests));
		run_tests_of(&run, NULL, tempdir_join(&dir, "test.yaml"));
		assert_has(rows[i].name, "standard output", run.out.data, rows[i].out);
		assert_has(rows[i].name, "standard error", run.err.data, rows[i].err);
		if (rows[i].err && !*rows[i].err)
			assert_string_equal(run.err.data, "");
		if (run.status != rows[i].status)
			fail_msg("%s: status %d", rows[i].name, run.status);
		run_done(&run);
	}
}

static void test_outcomes__are_told_with_what_came_and_why(void **state)
{
	(void)state;
	check_rows(outcomes, SCD_COUNT(outcomes));
}

/* Mistakes in files of tests. */

#define NO_TEST "0 passed, 0 failed, "

static const struct row mistakes[] = {
	{ "no map", "- a\n", 1, NO_TEST, "test.yaml:1:1: a file of tests is one map\n" },
	{ "no YAML", "a: [\n", 1, NO_TEST, "test.yaml:2:1: " },
	{ "nothing", "", 1, NO_TEST, "test.yaml: a file of tests is one map\n" },
	{ "an unknown key", "rule_file: [rules.yaml]\ntests: []\n", 1, NO_TEST,
	  "test.yaml:1:1: unknown key 'rule_file'\n  hint: did you mean 'rule_files'?\n" },
	{ "no tests", "rule_files: [rules.yaml]\n", 1, NO_TEST, "test.yaml:1:1: there is no test in the file\n" },
	{ "no rules", "tests: [{name: a, events: [], expect_silence: all}]\n", 1, NO_TEST,
	  "test.yaml: the file does not say which rules it tests\n  hint: add rule_files: [PATH]" },
	{ "rules that are not there", "rule_files: [none.yaml]\ntests: [{name: a, events: [], expect_silence: all}]\n",
	  1, NO_TEST, "test.yaml: its rules do not load\n" },
	{ "no such rule", ONE "  events: []\n  expect: [{rule: Minner}]\n", 1, NO_TEST,
	  "test.yaml:6:19: there is no rule 'Minner'\n  hint: did you mean 'Miner'?\n" },
	{ "no such rule to be silent", ONE "  events: []\n  expect_silence: [miner]\n", 1, NO_TEST,
	  "test.yaml:6:20: there is no rule 'miner'\n  hint: did you mean 'Miner'?\n" },
	{ "no such field", ONE "  events: [{evt.type: execve, proc.nam: a}]\n  expect: [Miner]\n", 1, NO_TEST,
	  "test.yaml:5:31: 'proc.nam': there is no such field\n  hint: did you mean 'proc.name'?\n" },
	{ "a transformer", ONE "  events: [{evt.type: execve, toupper(proc.name): a}]\n  expect: [Miner]\n", 1, NO_TEST,
	  "test.yaml:5:31: 'toupper(proc.name)': this is no field\n" },
	{ "an argument that is none", ONE "  events: [{evt.type: execve, 'proc.aname[x]': a}]\n  expect: [Miner]\n", 1,
	  NO_TEST, "test.yaml:5:31: 'proc.aname[x]': the argument of 'proc.aname' is a number" },
	{ "no such event type", ONE "  events: [{evt.type: execv}]\n  expect: [Miner]\n", 1, NO_TEST,
	  "test.yaml:5:23: there is no event type 'execv'\n  hint: did you mean 'execve'?\n" },
	{ "no event type", ONE "  events: [{proc.name: a}]\n  expect: [Miner]\n", 1, NO_TEST,
	  "test.yaml:5:12: the event has no evt.type\n" },
	{ "a text for a number", ONE "  events: [{evt.type: execve, proc.pid: one}]\n  expect: [Miner]\n", 1, NO_TEST,
	  "test.yaml:5:41: 'one' is no value of type INT64\n  hint: a whole number\n" },
	{ "no port", ONE "  events: [{evt.type: connect, fd.sport: 65536}]\n  expect: [Miner]\n", 1, NO_TEST,
	  "'65536' is no value of type PORT\n  hint: a port from 0 to 65535\n" },
	{ "no address", ONE "  events: [{evt.type: connect, fd.sip: 10.0.0}]\n  expect: [Miner]\n", 1, NO_TEST,
	  "'10.0.0' is no value of type IPADDR\n" },
	{ "no truth", ONE "  events: [{evt.type: execve, evt.failed: maybe}]\n  expect: [Miner]\n", 1, NO_TEST,
	  "'maybe' is no value of type BOOL\n  hint: true or false\n" },
	{ "a list for a single value", ONE "  events: [{evt.type: execve, proc.name: [a]}]\n  expect: [Miner]\n", 1,
	  NO_TEST, "test.yaml:5:42: a value of a field is a text, a number or a list of such\n" },
	{ "an event that is no map", ONE "  events: [execve]\n  expect: [Miner]\n", 1, NO_TEST,
	  "test.yaml:5:12: an event is a map from fields to values\n" },
	{ "events and a trace", ONE "  events: []\n  trace: x\n  expect: [Miner]\n", 1, NO_TEST,
	  "test.yaml:4:3: a test has events or a trace, and not both\n" },
	{ "neither", ONE "  expect: [Miner]\n", 1, NO_TEST, "test.yaml:4:3: a test has events or a trace\n" },
	{ "nothing expected", ONE "  events: []\n", 1, NO_TEST, "test.yaml:4:3: the test expects nothing\n" },
	{ "no name", HEAD "- events: []\n", 1, NO_TEST, "test.yaml:4:3: the test has no name\n" },
	{ "no count", ONE "  events: []\n  expect: [{rule: Miner, count: many}]\n", 1, NO_TEST,
	  "test.yaml:6:33: count is no number\n" },
	{ "no priority", ONE "  events: []\n  expect: [{rule: Miner, priority: HIGH}]\n", 1, NO_TEST,
	  "test.yaml:6:36: this is no priority\n  hint: write one of EMERGENCY" },
	{ "an expectation without a rule", ONE "  events: []\n  expect: [{count: 1}]\n", 1, NO_TEST,
	  "test.yaml:6:12: it does not say which rule\n" },
};

static void test_mistakes__have_a_place_and_a_hint(void **state)
{
	(void)state;
	check_rows(mistakes, SCD_COUNT(mistakes));
}

static void test_files__with_mistakes_do_not_keep_others_from_being_run(void **state)
{
	static const char good[] = ONE "  events: [" EXEC "}]\n  expect: [Miner]\n";
	const char *argv[] = { RUN_SECCHECKD, "rules", "test", NULL, NULL, NULL, NULL };
	struct run run;

	(void)state;
	write_file("rules.yaml", RULES, strlen(RULES));
	write_file("bad.yaml", "a", 1);
	write_file("good.yaml", good, strlen(good));
	argv[3] = tempdir_join(&dir, "none.yaml");
	argv[4] = tempdir_join(&dir, "bad.yaml");
	argv[5] = tempdir_join(&dir, "good.yaml");
	assert_int_equal(run_program(&run, &(struct run_options){ .argv = argv }), 1);
	assert_string_equal(run.out.data, "1 passed, 0 failed, 2 errors in test files\n");
	assert_has("a file that is not there", "standard error", run.err.data, "none.yaml: ");
	run_done(&run);
}

/* Other rules than those of the file, and whether all have tests. */

static void test_complete__wants_both_kinds_of_tests_for_each_rule(void **state)
{
	static const char tests[] = ONE "  events: [" EXEC "}]\n  expect: [Miner]\n  expect_silence: all\n"
	                                "- {name: two, events: [" EXEC
	                                "}], expect: [Miner], expect_silence: [Network]}\n";
	struct run run;

	(void)state;
	write_file("rules.yaml", RULES, strlen(RULES));
	write_file("test.yaml", tests, strlen(tests));
	assert_int_equal(run_tests_of(&run, "--complete", tempdir_join(&dir, "test.yaml")), 1);
	assert_string_equal(run.out.data, "no test in which 'Miner' is silent\n"
	                                  "no test in which 'Ancestor' matches\n"
	                                  "no test in which 'Network' matches\n"
	                                  "no test in which 'Image' matches, and none in which it is silent\n"
	                                  "2 passed, 0 failed\n");
	run_done(&run);
}

static void test_rules_option__stands_for_the_files_rules(void **state)
{
	static const char tests[] = HEAD "- {name: one, events: [" EXEC "}], expect: [Other]}\n";
	static const char other[] = "- rule: Other\n  desc: d\n  condition: evt.type = execve\n  output: o\n"
	                            "  priority: INFO\n";
	const char *argv[] = { RUN_SECCHECKD, "rules", "test", "--rules", NULL, NULL, NULL };
	struct run run;

	(void)state;
	write_file("other.yaml", other, strlen(other));
	write_file("test.yaml", tests, strlen(tests));
	argv[4] = tempdir_join(&dir, "other.yaml");
	argv[5] = tempdir_join(&dir, "test.yaml");
	assert_int_equal(run_program(&run, &(struct run_options){ .argv = argv }), 0);
	assert_string_equal(run.out.data, "1 passed, 0 failed\n");
	run_done(&run);
}

static void test_json__has_tests_failures_errors_and_rules(void **state)
{
	static const char tests[] = ONE "  events: [" EXEC "}]\n  expect: [Miner, Network]\n";
	const json_t *test, *failure;
	struct run run;
	json_t *json;

	(void)state;
	write_file("rules.yaml", RULES, strlen(RULES));
	write_file("test.yaml", tests, strlen(tests));
	assert_int_equal(run_tests_of(&run, "--json", tempdir_join(&dir, "test.yaml")), 1);
	json = json_loads(run.out.data, 0, NULL);
	assert_non_null(json);
	test = json_array_get(json_object_get(json, "tests"), 0);
	failure = json_array_get(json_object_get(test, "failures"), 0);
	assert_true(json_is_false(json_object_get(json, "ok")));
	assert_int_equal(json_integer_value(json_object_get(json, "failed")), 1);
	assert_string_equal(json_string_value(json_object_get(test, "name")), "one");
	assert_int_equal(json_integer_value(json_object_get(failure, "line")), 6);
	assert_string_equal(json_string_value(json_object_get(failure, "why")),
	                    "there was no event of a type that the rule looks at");
	assert_int_equal(json_array_size(json_object_get(json, "rules")), 4); /* one is off */
	assert_int_equal(json_array_size(json_object_get(json, "errors")), 0);
	json_decref(json);
	run_done(&run);
}

/* The pack. */

static void test_bundled_rules__pass_their_tests_which_are_complete(void **state)
{
	const char *argv[ARGS_MAX + 1] = { RUN_SECCHECKD, "rules",   "test",
		                           "--complete",  "--rules", SCD_SOURCE_DIR "/rules" };
	size_t count = 6;
	struct run run;
	glob_t found;

	(void)state;
	assert_int_equal(glob(SCD_SOURCE_DIR "/rules/tests/"
	                                     "*.yaml",
	                      0, NULL, &found),
	                 0);
	for (size_t i = 0; i < found.gl_pathc && count < ARGS_MAX; i++)
		argv[count++] = found.gl_pathv[i];
	assert_true(count < ARGS_MAX);
	run_program(&run, &(struct run_options){ .argv = argv });
	if (run.status != 0)
		fail_msg("rules/tests:\n%s%s", run.out.data, run.err.data);
	globfree(&found);
	run_done(&run);
}

/* The manual's example. */

/* Writes the block behind `<!-- example: NAME -->` into a file of that name; what follows. */
static const char *write_example(const char *text)
{
	static const char mark[] = "<!-- example: ", fence[] = "```yaml\n";
	const char *name = strstr(text, mark), *start, *end;
	char file[64];

	assert_non_null(name);
	name += strlen(mark);
	snprintf(file, sizeof(file), "%.*s", (int)strcspn(name, " "), name);
	start = strstr(name, fence);
	assert_non_null(start);
	start += strlen(fence);
	end = strstr(start, "```");
	assert_non_null(end);
	write_file(file, start, (size_t)(end - start));
	return end + 3;
}

static void test_manual__shows_an_example_that_does_what_it_says(void **state)
{
	char *manual = calloc(1, 1 << 20), expected[128];
	FILE *file = fopen(MANUAL, "re");
	const char *rest, *shown;
	struct run run;

	(void)state;
	assert_non_null(file);
	assert_non_null(manual);
	assert_true(fread(manual, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	rest = write_example(write_example(manual));
	shown = strstr(rest, "$ seccheckd rules test web_test.yaml\n");
	assert_non_null(shown);
	shown = strchr(shown, '\n') + 1;
	snprintf(expected, sizeof(expected), "%.*s\n", (int)strcspn(shown, "\n"), shown);
	assert_int_equal(run_tests_of(&run, "--complete", tempdir_join(&dir, "web_test.yaml")), 0);
	assert_string_equal(run.out.data, expected);
	run_done(&run);
	free(manual);
}

static void test_usage__needs_a_file(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(run_tests_of(&run, NULL, NULL), 2);
	assert_has("no file", "standard error", run.err.data, "FILE... is missing\n");
	run_done(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_outcomes__are_told_with_what_came_and_why, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mistakes__have_a_place_and_a_hint, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_files__with_mistakes_do_not_keep_others_from_being_run, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_complete__wants_both_kinds_of_tests_for_each_rule, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_rules_option__stands_for_the_files_rules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_json__has_tests_failures_errors_and_rules, set_up, tear_down),
		cmocka_unit_test(test_bundled_rules__pass_their_tests_which_are_complete),
		cmocka_unit_test_setup_teardown(test_manual__shows_an_example_that_does_what_it_says, set_up,
		                                tear_down),
		cmocka_unit_test(test_usage__needs_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
