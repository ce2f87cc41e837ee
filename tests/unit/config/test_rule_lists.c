/*
 * `rules` and `append_output`: what becomes of them, and what is said to mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/config/config.h"

static char path[] = "/tmp/test-rule-lists-XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static int read_text(struct scd_config *config, const char *text, struct scd_error *err)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	scd_config_init(config);
	return scd_config_read_file(config, path, err);
}

static void test_rules__switch_in_order(void **state)
{
	struct scd_config config;
	struct scd_error err = { 0 };

	(void)state;
	assert_int_equal(read_text(&config,
	                           "rules:\n  - disable:\n      rule: \"*\"\n  - enable: {tag: network}\n"
	                           "  - enable: {rule: Netcat*}\n",
	                           &err),
	                 0);
	assert_int_equal(scd_config_add_switch(&config, false, SCD_CONFIG_BY_SUBSTRING, "cat"), 0);
	assert_int_equal(config.rules.count, 4);
	assert_false(config.rules.items[0].enable);
	assert_string_equal(config.rules.items[0].text, "*");
	assert_true(config.rules.items[1].enable);
	assert_int_equal(config.rules.items[1].by, SCD_CONFIG_BY_TAG);
	assert_int_equal(config.rules.items[2].by, SCD_CONFIG_BY_NAME);
	assert_int_equal(config.rules.items[3].by, SCD_CONFIG_BY_SUBSTRING);
	scd_config_done(&config);
}

static void test_append_output__has_texts_and_what_they_match(void **state)
{
	struct scd_config config;
	struct scd_error err = { 0 };

	(void)state;
	assert_int_equal(read_text(&config,
	                           "append_output:\n  - extra_output: a=%proc.name\n"
	                           "  - {match: {rule: R, source: syscall, tags: [x, y]}, extra_output: b}\n",
	                           &err),
	                 0);
	assert_int_equal(config.append_output.count, 2);
	assert_string_equal(config.append_output.items[0].text, "a=%proc.name");
	assert_null(config.append_output.items[0].rule);
	assert_string_equal(config.append_output.items[1].rule, "R");
	assert_int_equal(config.append_output.items[1].tags.count, 2);
	assert_string_equal(config.append_output.items[1].tags.items[1], "y");
	scd_config_done(&config);
}

static const struct {
	const char *text;
	unsigned line;
	const char *what;
} mistakes[] = {
	{ "rules: all\n", 1, "rules is not a list" },
	{ "rules:\n  - on: {rule: x}\n", 2, "neither 'enable' nor 'disable'" },
	{ "rules:\n  - enable: {rule: x}\n    disable: {rule: y}\n", 2, "neither 'enable' nor 'disable'" },
	{ "rules:\n  - enable: x\n", 2, "neither a 'rule' nor a 'tag'" },
	{ "rules:\n  - enable: {rule: x, tag: y}\n", 2, "neither a 'rule' nor a 'tag'" },
	{ "rules:\n  - enable: {rule: [x]}\n", 2, "rule is not a text" },
	{ "rules:\n  - x\n", 2, "neither 'enable' nor 'disable'" },
	{ "append_output: {extra_output: x}\n", 1, "append_output is not a list" },
	{ "append_output:\n  - match: {rule: x}\n", 2, "other keys than extra_output and match" },
	{ "append_output:\n  - {suggested_output: true, extra_output: x}\n", 2, "other keys" },
	{ "append_output:\n  - {extra_output: x, match: {name: y}}\n", 2, "match is no map of" },
	{ "append_output:\n  - {extra_output: x, match: {tags: y}}\n", 2, "tags is not a list" },
};

static void test_mistakes__are_told_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(mistakes); i++) {
		struct scd_error err = { 0 };
		struct scd_config config;

		assert_int_equal(read_text(&config, mistakes[i].text, &err), -EINVAL);
		assert_int_equal(err.line, mistakes[i].line);
		if (!strstr(err.what, mistakes[i].what))
			fail_msg("%s: %s", mistakes[i].text, err.what);
		assert_true(err.hint[0] != '\0');
		scd_config_done(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules__switch_in_order),
		cmocka_unit_test(test_append_output__has_texts_and_what_they_match),
		cmocka_unit_test(test_mistakes__are_told_with_their_place),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
