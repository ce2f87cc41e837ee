/*
 * `cmake --install` into an empty folder: what is there afterwards, and that it works from there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

#define ANALYZE "/usr/bin/systemd-analyze"
#define UNIT    "lib/systemd/system/seccheckd.service"

static struct tempdir prefix;

static int setup(void **state)
{
	struct run run;
	int status;

	(void)state;
	if (tempdir_make(&prefix) < 0)
		return -1;
	{
		const char *const argv[] = { "/usr/bin/env", "cmake",     "--install", SCD_BINARY_DIR,
			                     "--prefix",     prefix.path, NULL };

		status = run_program(&run, &(struct run_options){ .argv = argv });
	}
	if (status != 0)
		print_message("%s%s", run.out.data, run.err.data);
	run_done(&run);
	return status;
}

static int teardown(void **state)
{
	(void)state;
	tempdir_remove(&prefix);
	return 0;
}

static void test_install__has_the_program_its_rules_and_samples(void **state)
{
	static const char *const names[] = {
		"sbin/seccheckd",
		"share/seccheckd/rules/cryptomining.yaml",
		"share/doc/seccheckd/seccheckd.yaml",
		"share/doc/seccheckd/session.json",
		"lib/sysusers.d/seccheckd.conf",
		UNIT,
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(names); i++) {
		if (access(tempdir_join(&prefix, names[i]), R_OK) < 0)
			fail_msg("%s is not there", names[i]);
	}
	/* Tests of rules are no rules. */
	assert_int_equal(access(tempdir_join(&prefix, "share/seccheckd/rules/tests"), F_OK), -1);
}

/* Without --rules: those beside it. */
static void test_install__the_program_finds_its_rules(void **state)
{
	char program[PATH_MAX];
	const char *const argv[] = { program, "replay", SCD_SOURCE_DIR "/tests/data/traces/demo-miner", NULL };
	struct run run;

	(void)state;
	snprintf(program, sizeof(program), "%s", tempdir_join(&prefix, "sbin/seccheckd"));
	assert_int_equal(run_program(&run, &(struct run_options){ .argv = argv }), 0);
	assert_true(run_count(&run.out, "\"rule\":\"Crypto miner executed\"") > 0);
	assert_string_equal(run.err.data, "");
	run_done(&run);
}

static void test_install__the_unit_starts_the_program_that_was_installed(void **state)
{
	char unit[PATH_MAX], expected[PATH_MAX + 64], text[8192] = "";
	const char *const argv[] = { ANALYZE, "verify", "--man=no", unit, NULL };
	struct run run;
	FILE *file;

	(void)state;
	snprintf(unit, sizeof(unit), "%s", tempdir_join(&prefix, UNIT));
	file = fopen(unit, "re");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	snprintf(expected, sizeof(expected), "\nExecStart=%s/sbin/seccheckd serve ", prefix.path);
	assert_non_null(strstr(text, expected));
	if (access(ANALYZE, X_OK) < 0) {
		print_message("skipped: there is no " ANALYZE "\n");
		skip();
	}
	run_program(&run, &(struct run_options){ .argv = argv });
	if (strstr(run.err.data, "seccheckd.service"))
		fail_msg("%s", run.err.data);
	if (run.status != 0) {
		print_message("skipped: %s", run.err.data);
		skip();
	}
	run_done(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_install__has_the_program_its_rules_and_samples),
		cmocka_unit_test(test_install__the_program_finds_its_rules),
		cmocka_unit_test(test_install__the_unit_starts_the_program_that_was_installed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
