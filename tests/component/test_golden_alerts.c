/*
 * Recorded traces, and the alerts that a reader of them expects: tests/data/golden has them, with the reason of each
 * alert and of each silence that is none by itself. tests/data/golden/README.md says how such a file looks.
 *
 * `seccheckd replay` has to give exactly those alerts, in that order, and twice the same bytes. The upstream rules and
 * some of the traces lie beside the source tree and are no part of it; what needs them is skipped where they are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/run.h"
#include "tests/support/trace.h"

#define GOLDEN        SCD_SOURCE_DIR "/tests/data/golden/"
#define OWN_TRACES    "tests/data/traces/"
#define STABLE_RULES  "../shared/falco/upstream/falco_rules.yaml"
#define BUNDLED_RULES "rules/cryptomining.yaml"
#define INDENT        "    "

/* One golden file while it is compared: the alerts of one rule file over its trace, and how far it is. */
struct golden {
	const char *path, *rules; /* the rule file that is wanted; the sections of others are passed over */
	char *line;               /* the one that was read last */
	size_t line_size, line_number;
	char trace[256];
	bool in_section, had_section, is_skipped;
	json_t *alerts; /* of the replay */
	json_t *alert;  /* borrowed: the one that the lines with fields are about */
	size_t compared;
};

#define FAIL_AT(golden, format, ...) fail_msg("%s:%zu: " format, (golden)->path, (golden)->line_number, __VA_ARGS__)

/* A path of a golden file from the top of the source tree. */
static const char *from_top(const char *path)
{
	static char joined[2][512];
	static unsigned next;
	char *result = joined[next++ % 2];
	snprintf(result, sizeof(joined[0]), SCD_SOURCE_DIR "/%s", path);
	return result;
}

static json_t *parse_lines(char *text)
{
	json_t *alerts = json_array();
	for (char *rest, *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		json_error_t error;
		json_t *alert = json_loads(line, 0, &error);
		if (!alert)
			fail_msg("not JSON: %s (%s)", line, error.text);
		json_array_append_new(alerts, alert);
	}
	return alerts;
}

/* The alerts of a trace, which are the same bytes when it is replayed again. */
static json_t *replay(const char *trace, const char *rules)
{
	const char *const argv[] = { RUN_SECCHECKD, "replay", "--rules", from_top(rules), from_top(trace), NULL };
	struct run first, second;
	json_t *alerts;

	assert_int_equal(run_program(&first, &(struct run_options){ .argv = argv }), 0);
	assert_int_equal(run_program(&second, &(struct run_options){ .argv = argv }), 0);
	assert_int_equal(first.out.len, second.out.len);
	assert_memory_equal(first.out.data, second.out.data, first.out.len);
	alerts = parse_lines(first.out.data);
	run_done(&first);
	run_done(&second);
	return alerts;
}

static const char *rule_of(const json_t *alert)
{
	return json_string_value(json_object_get(alert, "rule"));
}

/* Its number in the trace. */
static long long event_of(const json_t *alert)
{
	return json_integer_value(json_object_get(json_object_get(alert, "seccheckd"), "sequence"));
}

/* All alerts have had their lines. */
static void end_section(struct golden *golden)
{
	size_t count = json_array_size(golden->alerts);
	if (golden->in_section && golden->compared < count) {
		const json_t *alert = json_array_get(golden->alerts, golden->compared);
		FAIL_AT(golden, "%zu alerts more, the first is: %lld %s", count - golden->compared, event_of(alert),
		        rule_of(alert));
	}
	json_decref(golden->alerts);
	golden->alerts = golden->alert = NULL;
	golden->in_section = false;
}

static void begin_section(struct golden *golden, const char *rules)
{
	end_section(golden);
	if (strcmp(rules, golden->rules) != 0)
		return;
	golden->had_section = golden->in_section = true;
	golden->compared = 0;
	golden->alerts = replay(golden->trace, rules);
}

/* `EVENT RULE` */
static void compare_alert(struct golden *golden, const char *line)
{
	char actual[256] = "no alert";

	golden->alert = json_array_get(golden->alerts, golden->compared++);
	if (golden->alert)
		snprintf(actual, sizeof(actual), "%lld %s", event_of(golden->alert), rule_of(golden->alert));
	if (strcmp(actual, line) != 0)
		FAIL_AT(golden, "expected %s, got %s", line, actual);
}

/* The text of a field as golden files have it: strings as they are, everything else as JSON. */
static void format_field(const json_t *alert, const char *name, char *text, size_t size)
{
	const json_t *value = strcmp(name, "output") == 0
	                              ? json_object_get(alert, name)
	                              : json_object_get(json_object_get(alert, "output_fields"), name);
	char *dumped = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
	const char *shown = json_is_string(value) ? json_string_value(value) : dumped ? dumped : "(no such field)";
	snprintf(text, size, "%s", shown);
	free(dumped);
}

/* `FIELD = TEXT` */
static void compare_field(struct golden *golden, char *line)
{
	char *separator = strstr(line, " = "), actual[1024];

	if (!golden->alert || !separator)
		FAIL_AT(golden, "no field of an alert: %s", line);
	*separator = '\0';
	format_field(golden->alert, line, actual, sizeof(actual));
	if (strcmp(actual, separator + 3) != 0)
		FAIL_AT(golden, "%s is '%s', expected '%s'", line, actual, separator + 3);
}

static void read_trace_line(struct golden *golden, const char *path)
{
	snprintf(golden->trace, sizeof(golden->trace), "%s", path);
	golden->is_skipped = !trace_exists(from_top(path));
	if (golden->is_skipped)
		print_message("%s is not there\n", path);
}

static void read_line(struct golden *golden)
{
	char *line = golden->line;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "trace: ", 7) == 0)
		read_trace_line(golden, line + 7);
	else if (strncmp(line, "rules: ", 7) == 0)
		begin_section(golden, line + 7);
	else if (line[0] == '\0' || line[0] == '#' || !golden->in_section)
		return;
	else if (isdigit((unsigned char)line[0]))
		compare_alert(golden, line);
	else if (strncmp(line, INDENT, strlen(INDENT)) == 0)
		compare_field(golden, line + strlen(INDENT));
	else
		FAIL_AT(golden, "what is this: %s", line);
}

/* False when its trace is not there. */
static bool compare_file(const char *path, const char *rules)
{
	struct golden golden = { .path = path, .rules = rules };
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	while (!golden.is_skipped && getline(&golden.line, &golden.line_size, file) >= 0) {
		golden.line_number++;
		read_line(&golden);
	}
	end_section(&golden);
	if (!golden.is_skipped && !golden.had_section)
		FAIL_AT(&golden, "nothing about %s", rules);
	free(golden.line);
	fclose(file);
	return !golden.is_skipped;
}

static void compare_all(const char *rules)
{
	glob_t files;
	size_t compared = 0;

	assert_int_equal(glob(GOLDEN "*.alerts", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		compared += compare_file(files.gl_pathv[i], rules);
	print_message("%zu of %zu traces\n", compared, files.gl_pathc);
	globfree(&files);
	assert_true(compared > 0);
}

static void test_bundled_rules__give_the_alerts_that_a_reader_expects(void **state)
{
	(void)state;
	compare_all(BUNDLED_RULES);
}

static void test_stable_rules__give_the_alerts_that_a_reader_expects(void **state)
{
	(void)state;
	if (!trace_exists(from_top(STABLE_RULES))) {
		print_message("%s is not there\n", STABLE_RULES);
		skip();
	}
	compare_all(STABLE_RULES);
}

static void test_own_traces__are_all_read_by_somebody(void **state)
{
	glob_t traces;

	(void)state;
	assert_int_equal(glob(SCD_SOURCE_DIR "/" OWN_TRACES "*-*", 0, NULL, &traces), 0);
	for (size_t i = 0; i < traces.gl_pathc; i++) {
		char golden[512];
		snprintf(golden, sizeof(golden), GOLDEN "%s.alerts", strrchr(traces.gl_pathv[i], '/') + 1);
		if (!trace_exists(golden))
			fail_msg("%s has no %s", traces.gl_pathv[i], golden);
	}
	globfree(&traces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bundled_rules__give_the_alerts_that_a_reader_expects),
		cmocka_unit_test(test_stable_rules__give_the_alerts_that_a_reader_expects),
		cmocka_unit_test(test_own_traces__are_all_read_by_somebody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
