/*
 * What the programs of tools/ make of texts: functions of tools/lib.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

static const char library[] = SCD_SOURCE_DIR "/tools/lib.sh";

/* Calls a function of it with one argument. */
static void call(struct run *run, const char *function, const char *argument)
{
	const char *const argv[] = {
		"/bin/bash", "-c", ". \"$0\" && \"$1\" \"$2\"", library, function, argument, NULL
	};

	assert_int_equal(run_program(run, &(struct run_options){ .argv = argv }), 0);
	assert_string_equal(run->err.data, "");
}

static const struct {
	const char *name, *event, *text;
} events[] = {
	{ "plain", "{\"hostname\":\"h\",\"output\":\"10:00: Notice x (a=b)\",\"output_fields\":{}}",
	  "10:00: Notice x (a=b)\n" },
	{ "quotes", "{\"output\":\"say \\\"no\\\" to a\\\\b\"}", "say \"no\" to a\\b\n" },
	{ "the same words in a field", "{\"output\":\"x\",\"output_fields\":{\"f\":\"\\\"output\\\":\\\"y\\\"\"}}",
	  "x\n" },
	{ "no alert", "{\"rule\":\"x\"}", "" },
};

static void test_alert_text__is_the_output_of_the_alert(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(events); i++) {
		struct run run;

		call(&run, "alert_text", events[i].event);
		if (strcmp(run.out.data, events[i].text) != 0)
			fail_msg("%s: %s", events[i].name, run.out.data);
		run_done(&run);
	}
}

/* Two programs as ctest logs them: one of three cases, of which two skipped themselves, and one that is all skipped. */
static const char ctest_log[] =
        "1/2 Testing: unit_a\n1/2 Test: unit_a\nCommand: \"/build/unit_a\"\nOutput:\n"
        "----------------------------------------------------------\n"
        "[==========] Running 3 test(s).\n"
        "[ RUN      ] test_one\n[       OK ] test_one\n"
        "[ RUN      ] test_two\nskipped: no /some/file\n[  SKIPPED ] test_two\n"
        "[ RUN      ] test_three\n[  SKIPPED ] test_three\n"
        "[==========] 3 test(s) run.\n[  PASSED  ] 1 test(s).\n"
        "[  SKIPPED ] 2 test(s), listed below:\n[  SKIPPED ] test_two\n[  SKIPPED ] test_three\n"
        "<end of output>\nTest time =   0.01 sec\n"
        "----------------------------------------------------------\n"
        "Test Passed.\n\"unit_a\" end time: Nov 22 07:07 UTC\n\n"
        "2/2 Testing: component_b\n2/2 Test: component_b\nOutput:\n"
        "----------------------------------------------------------\n"
        "skipped: there is no gVisor\n<end of output>\nTest time =   0.01 sec\nTest Passed.\n";

static void test_skipped_cases__are_told_with_their_reasons(void **state)
{
	struct tempdir dir;
	struct run run;
	FILE *file;

	(void)state;
	assert_int_equal(tempdir_make(&dir), 0);
	file = fopen(tempdir_join(&dir, "log"), "we");
	assert_non_null(file);
	assert_true(fputs(ctest_log, file) >= 0);
	assert_int_equal(fclose(file), 0);
	call(&run, "skipped_cases", tempdir_join(&dir, "log"));
	assert_string_equal(run.out.data, "unit_a test_two: no /some/file\n"
	                                  "unit_a test_three: no reason given\n"
	                                  "component_b: there is no gVisor\n");
	run_done(&run);
	tempdir_remove(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alert_text__is_the_output_of_the_alert),
		cmocka_unit_test(test_skipped_cases__are_told_with_their_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
