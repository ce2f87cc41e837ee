/*
 * Upstream's behaviour: the vectors that were read out of the tests of Falco, where they are at hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "tests/support/vectors.h"

#define VECTORS SCD_SOURCE_DIR "/../shared/falco/vectors/dev.jsonl"

static void test_falco_vectors__all_pass(void **state)
{
	struct vectors_totals totals = { 0 };

	(void)state;
	assert_int_equal(vectors_run_file(VECTORS, stdout, &totals), 0);
	vectors_print_totals(&totals, stdout);
	assert_int_equal(totals.failed, 0);
	assert_true(totals.passed > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_falco_vectors__all_pass),
	};

	if (access(VECTORS, R_OK) < 0) {
		printf("skipped: Falco's vectors are not there (%s)\n", VECTORS);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
