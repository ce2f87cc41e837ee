/*
 * A configuration out of defaults, a file and flags, in this order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/settings.h"
#include "seccheckd/base/array.h"
#include "tests/support/tempdir.h"

static const struct scd__flag flags[] = {
	SCD__FLAG_CONFIG,
	SCD__FLAG_RULES,
	{ .name = "listen", .value = "PATH", .key = "listen" },
	{ .name = "control-plane", .value = "URL", .key = "control_plane.url" },
	{ .name = "stats", .help = "No key." },
};

enum { CONFIG, RULES, LISTEN, CONTROL_PLANE, STATS };

static const struct scd__command command = {
	.name = "test",
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
};

static struct tempdir dir;
static char config_path[128];

static int setup(void **state)
{
	FILE *file;

	(void)state;
	if (tempdir_make(&dir) < 0)
		return -1;
	snprintf(config_path, sizeof(config_path), "%s", tempdir_join(&dir, "config.yaml"));
	file = fopen(config_path, "we");
	if (!file)
		return -1;
	fputs("listen: [/file]\nrules_files: [/file.yaml]\ncontrol_plane: {url: 'http://file/'}\n", file);
	return fclose(file);
}

static int teardown(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

static int read_settings(struct scd_config *config, struct scd__arg *items, size_t count)
{
	const struct scd__args args = { .command = &command, .items = items, .count = count };

	scd_config_init(config);
	return scd__settings_read(&args, config);
}

static void test_settings__are_those_of_the_file(void **state)
{
	struct scd__arg items[] = { { &flags[STATS], NULL }, { &flags[CONFIG], config_path } };
	struct scd_config config;

	(void)state;
	assert_int_equal(read_settings(&config, items, 2), SCD__EXIT_SUCCESS);
	assert_int_equal(config.listen.count, 1);
	assert_string_equal(config.listen.items[0], "/file");
	assert_string_equal(config.control_plane.url, "http://file/");
	scd_config_done(&config);
}

/* Whatever the order: the flags come before --config here. */
static void test_settings__flags_replace_what_the_file_says(void **state)
{
	struct scd__arg items[] = { { &flags[LISTEN], "/a" },
		                    { &flags[CONTROL_PLANE], "http://flag/" },
		                    { &flags[LISTEN], "/b" },
		                    { &flags[CONFIG], config_path } };
	struct scd_config config;

	(void)state;
	assert_int_equal(read_settings(&config, items, 4), SCD__EXIT_SUCCESS);
	assert_int_equal(config.listen.count, 2);
	assert_string_equal(config.listen.items[0], "/a");
	assert_string_equal(config.listen.items[1], "/b");
	assert_string_equal(config.control_plane.url, "http://flag/");
	assert_int_equal(config.rules_files.count, 1);
	assert_string_equal(config.rules_files.items[0], "/file.yaml");
	scd_config_done(&config);
}

static void test_settings__without_a_file_are_flags_over_defaults(void **state)
{
	struct scd__arg items[] = { { &flags[RULES], "/r" } };
	struct scd_config config;

	(void)state;
	assert_int_equal(read_settings(&config, items, 1), SCD__EXIT_SUCCESS);
	assert_int_equal(config.listen.count, 0);
	assert_int_equal(config.rules_files.count, 1);
	assert_string_equal(config.log_level, "info");
	scd_config_done(&config);
}

static void test_settings__tell_a_bad_flag_from_a_bad_file(void **state)
{
	struct scd__arg bad_flag[] = { { &flags[CONTROL_PLANE], "flag" } };
	struct scd__arg bad_file[] = { { &flags[CONFIG], "/nonexistent" } };
	struct scd_config config;

	(void)state;
	assert_int_equal(read_settings(&config, bad_flag, 1), SCD__EXIT_USAGE);
	scd_config_done(&config);
	assert_int_equal(read_settings(&config, bad_file, 1), SCD__EXIT_FAILURE);
	scd_config_done(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings__are_those_of_the_file),
		cmocka_unit_test(test_settings__flags_replace_what_the_file_says),
		cmocka_unit_test(test_settings__without_a_file_are_flags_over_defaults),
		cmocka_unit_test(test_settings__tell_a_bad_flag_from_a_bad_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
