/*
 * The manual and the sample configuration against the table of keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/config/config.h"

#define MANUAL SCD_SOURCE_DIR "/docs/configuration.md"
#define SAMPLE SCD_SOURCE_DIR "/docker/seccheckd.yaml"

static char text[1 << 20];

static void read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		fail_msg("cannot open %s", path);
	len = fread(text, 1, sizeof(text) - 1, file);
	assert_true(len > 0 && len < sizeof(text) - 1);
	text[len] = '\0';
	fclose(file);
}

/* The row of a key in a table of the manual. */
static const char *find_row(const char *path)
{
	char row[128];

	snprintf(row, sizeof(row), "\n| `%s` | ", path);
	return strstr(text, row);
}

static void test_manual__has_every_key_with_its_default_and_words(void **state)
{
	size_t count;
	const struct scd_config_option *options = scd_config_options(&count);

	(void)state;
	read_text(MANUAL);
	for (size_t i = 0; i < count; i++) {
		const char *at = find_row(options[i].path);
		char row[1024], quoted[64];

		if (!at)
			fail_msg("no row for %s", options[i].path);
		snprintf(row, sizeof(row), "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
		snprintf(quoted, sizeof(quoted), "`%s`", options[i].initial ? options[i].initial : options[i].path);
		if (!strstr(row, quoted))
			fail_msg("%s: no default %s", options[i].path, quoted);
		for (size_t j = 0; options[i].words && options[i].words[j]; j++) {
			snprintf(quoted, sizeof(quoted), "`%s`", options[i].words[j]);
			if (!strstr(row, quoted))
				fail_msg("%s: no word %s", options[i].path, quoted);
		}
		snprintf(quoted, sizeof(quoted), " %u to %u ", options[i].min, options[i].max);
		if (options[i].type == SCD_CONFIG_NUMBER && !strstr(row, quoted))
			fail_msg("%s: no range %s", options[i].path, quoted);
	}
}

static void test_manual__has_no_other_key(void **state)
{
	(void)state;
	read_text(MANUAL);
	for (const char *at = text; (at = strstr(at, "\n| `")); at++) {
		char path[64];

		snprintf(path, sizeof(path), "%.*s", (int)strcspn(at + 4, "`"), at + 4);
		if (strcmp(path, "FALCO_HOSTNAME") != 0 && strcmp(path, "true") != 0 && !scd_config_option(path))
			fail_msg("%s is no key", path);
	}
}

static void test_sample__is_right_and_changes_no_default(void **state)
{
	struct scd_config config, defaults;
	struct scd_error err = { 0 };

	(void)state;
	scd_config_init(&defaults);
	scd_config_init(&config);
	if (scd_config_read_file(&config, SAMPLE, &err) < 0 || scd_config_check(&config, &err) < 0)
		fail_msg("%u:%u: %s", err.line, err.column, err.what);
	assert_int_equal(config.listen.count, 1);
	assert_true(config.stdout_output.enabled);
	assert_string_equal(config.priority, defaults.priority);
	assert_string_equal(config.rule_matching, defaults.rule_matching);
	assert_int_equal(config.coverage_alerts, defaults.coverage_alerts);
	assert_int_equal(config.worker_threads, defaults.worker_threads);
	assert_string_equal(config.log_level, defaults.log_level);
	assert_string_equal(config.control_plane.format, defaults.control_plane.format);
	assert_string_equal(config.control_plane.ack, defaults.control_plane.ack);
	assert_int_equal(config.control_plane.batch_max_count, defaults.control_plane.batch_max_count);
	assert_int_equal(config.control_plane.timeout_ms, defaults.control_plane.timeout_ms);
	assert_int_equal(config.control_plane.backoff_min_ms, defaults.control_plane.backoff_min_ms);
	assert_int_equal(config.control_plane.backoff_max_ms, defaults.control_plane.backoff_max_ms);
	scd_config_done(&config);
	scd_config_done(&defaults);
}

/* The line at or behind `from` that sets a key, or would if it were not commented out; NULL: none. */
static const char *find_key(const char *from, const char *key, size_t len)
{
	for (const char *line = from; *line; line += strcspn(line, "\n") + 1) {
		const char *word = line + strspn(line, " #");

		if (strncmp(word, key, len) == 0 && word[len] == ':')
			return line;
	}
	return NULL;
}

static void test_sample__has_every_key(void **state)
{
	size_t count;
	const struct scd_config_option *options = scd_config_options(&count);

	(void)state;
	read_text(SAMPLE);
	for (size_t i = 0; i < count; i++) {
		const char *key = options[i].path;
		const char *at = text;

		for (size_t len = strcspn(key, "."); at && key[len]; len = strcspn(key, ".")) {
			at = find_key(at, key, len);
			key += len + 1;
		}
		if (!at || !find_key(at, key, strlen(key)))
			fail_msg("%s is not in the sample", options[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manual__has_every_key_with_its_default_and_words),
		cmocka_unit_test(test_manual__has_no_other_key),
		cmocka_unit_test(test_sample__is_right_and_changes_no_default),
		cmocka_unit_test(test_sample__has_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
