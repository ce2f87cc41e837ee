/*
 * Waits between tries: growing, bounded, spread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emit/backoff.h"
#include "seccheckd/base/array.h"

#define SAMPLES 2000u

/* The largest n-th wait in a row that many senders draw. */
static unsigned largest(unsigned min_ms, unsigned max_ms, unsigned n, unsigned *ret_smallest)
{
	unsigned most = 0;

	*ret_smallest = UINT32_MAX;
	for (uint64_t seed = 1; seed <= SAMPLES; seed++) {
		uint64_t spread = seed * UINT64_C(0x9e3779b97f4a7c15);
		struct scd__backoff backoff;
		unsigned ms = 0;

		scd__backoff_init(&backoff, min_ms, max_ms, &spread);
		for (unsigned i = 0; i <= n; i++)
			ms = scd__backoff_next_ms(&backoff);
		most = ms > most ? ms : most;
		*ret_smallest = ms < *ret_smallest ? ms : *ret_smallest;
	}
	return most;
}

static void test_backoff__doubles_its_ceiling_up_to_the_maximum(void **state)
{
	static const unsigned ceilings[] = { 100, 200, 400, 800, 1000, 1000 };
	unsigned smallest;

	(void)state;
	for (unsigned n = 0; n < SCD_COUNT(ceilings); n++) {
		unsigned most = largest(100, 1000, n, &smallest);

		assert_true(most <= ceilings[n]);
		assert_true(most > ceilings[n] * 9 / 10);
		assert_true(smallest < ceilings[n] / 10); /* full jitter: also nearly at once */
	}
}

static void test_backoff__reset_begins_again(void **state)
{
	struct scd__backoff backoff;
	const uint64_t seed = 7;

	(void)state;
	scd__backoff_init(&backoff, 10, 100000, &seed);
	for (unsigned i = 0; i < 100; i++)
		assert_true(scd__backoff_next_ms(&backoff) <= 100000);
	scd__backoff_reset(&backoff);
	assert_true(scd__backoff_next_ms(&backoff) <= 10);
}

static void test_backoff__capped_waits_no_longer_whatever_the_minimum(void **state)
{
	struct scd__backoff backoff;
	const uint64_t seed = 7;

	(void)state;
	scd__backoff_init(&backoff, 3600000, 3600000, &seed);
	scd__backoff_cap(&backoff, 500);
	scd__backoff_cap(&backoff, 1000);
	for (unsigned i = 0; i < 100; i++)
		assert_true(scd__backoff_next_ms(&backoff) <= 500);
}

static void test_backoff__has_defaults(void **state)
{
	struct scd__backoff backoff;

	(void)state;
	scd__backoff_init(&backoff, 0, 0, NULL);
	assert_int_equal(backoff.min_ms, 250);
	assert_int_equal(backoff.max_ms, 30000);
	assert_true(scd__backoff_next_ms(&backoff) <= 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff__doubles_its_ceiling_up_to_the_maximum),
		cmocka_unit_test(test_backoff__reset_begins_again),
		cmocka_unit_test(test_backoff__capped_waits_no_longer_whatever_the_minimum),
		cmocka_unit_test(test_backoff__has_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
