/*
 * The rule files of falcosecurity/rules load unchanged: each alone, all together, and with the bundled rules in either
 * order. They are read where they lie beside the source tree, and are no part of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "seccheckd/engine/ruleset.h"

#define UPSTREAM   SCD_SOURCE_DIR "/../shared/falco/upstream"
#define STABLE     UPSTREAM "/falco_rules.yaml"
#define INCUBATING UPSTREAM "/falco-incubating_rules.yaml"
#define SANDBOX    UPSTREAM "/falco-sandbox_rules.yaml"
#define BUNDLED    SCD_SOURCE_DIR "/rules"

static size_t load(const char *const *paths)
{
	const struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG };
	struct scd_ruleset *set = NULL;
	struct scd_diags diags;
	struct scd_loader *loader;
	size_t count = 0;

	scd_diags_init(&diags);
	loader = scd_loader_new(&diags);
	assert_non_null(loader);
	for (; *paths; paths++)
		scd_loader_add_path(loader, *paths);
	scd_loader_build(loader, &options, &set);
	scd_loader_free(&loader);
	if (diags.error_count)
		scd_diags_print(&diags, stderr);
	assert_non_null(set);
	count = scd_ruleset_rule_count(set);
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
	return count;
}

#define LOAD(...) load((const char *const[]){ __VA_ARGS__, NULL })

static void test_upstream__each_file_loads_alone(void **state)
{
	(void)state;
	assert_int_equal(LOAD(STABLE), 25);
	assert_int_equal(LOAD(INCUBATING), 31);
	assert_int_equal(LOAD(SANDBOX), 37);
}

static void test_upstream__all_load_together(void **state)
{
	(void)state;
	assert_int_equal(LOAD(STABLE, INCUBATING, SANDBOX), 93);
	assert_int_equal(LOAD(SANDBOX, STABLE, INCUBATING), 93);
	assert_int_equal(LOAD(UPSTREAM), 93);
}

static void test_upstream__loads_beside_the_bundled_rules_in_either_order(void **state)
{
	size_t bundled = LOAD(BUNDLED);

	(void)state;
	assert_true(bundled > 0);
	assert_int_equal(LOAD(UPSTREAM, BUNDLED), 93 + bundled);
	assert_int_equal(LOAD(BUNDLED, UPSTREAM), 93 + bundled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upstream__each_file_loads_alone),
		cmocka_unit_test(test_upstream__all_load_together),
		cmocka_unit_test(test_upstream__loads_beside_the_bundled_rules_in_either_order),
	};

	if (access(STABLE, R_OK) < 0) {
		printf("skipped: the rules of falcosecurity are not there (%s)\n", STABLE);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
