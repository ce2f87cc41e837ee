/*
 * Alerts on their way between threads: order, whose are lost, and the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emit/posted.h"
#include "tests/support/alerts.h"

#define ALERT_BYTES 100

static size_t put(struct scd__posted *posted, const char *sandbox, unsigned n)
{
	return scd__posted_put(posted, alert_make_of(sandbox, n, ALERT_BYTES));
}

/* The number of the next alert of a queue that was taken; -1 when it is empty. */
static long next(struct scd__queue *queue)
{
	struct scd_alert *alert = scd__queue_pop(queue);
	long number = alert ? alert_number(scd_alert_id(alert)) : -1;

	scd_alert_unref(&alert);
	return number;
}

static void test_posted__keeps_the_order_of_a_sandbox(void **state)
{
	struct scd__posted posted;
	struct scd__queue *queue;

	(void)state;
	assert_int_equal(scd__posted_init(&posted, 100, SIZE_MAX), 0);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned n = 0; n < 10; n++)
			assert_int_equal(put(&posted, "one", n), 0);
		queue = scd__posted_take(&posted);
		for (unsigned n = 0; n < 10; n++)
			assert_int_equal(next(queue), n);
		assert_int_equal(next(queue), -1);
	}
	scd__posted_done(&posted);
}

/* What comes while the other end empties its half waits for the next time. */
static void test_posted__is_filled_while_it_is_emptied(void **state)
{
	struct scd__posted posted;
	struct scd__queue *queue;

	(void)state;
	assert_int_equal(scd__posted_init(&posted, 100, SIZE_MAX), 0);
	assert_int_equal(put(&posted, "one", 1), 0);
	queue = scd__posted_take(&posted);
	assert_int_equal(put(&posted, "one", 2), 0);
	assert_int_equal(next(queue), 1);
	assert_int_equal(next(queue), -1);
	queue = scd__posted_take(&posted);
	assert_int_equal(next(queue), 2);
	scd__posted_done(&posted);
}

static void test_posted__a_flood_loses_its_own(void **state)
{
	struct scd_emitter_counters counters;
	struct scd__posted posted;
	struct scd__queue *queue;
	size_t lost = 0;

	(void)state;
	assert_int_equal(scd__posted_init(&posted, 10, SIZE_MAX), 0);
	assert_int_equal(put(&posted, "quiet", 7), 0);
	for (unsigned n = 100; n < 1100; n++)
		lost += put(&posted, "flood", n);
	assert_int_equal(lost, 991);
	queue = scd__posted_take(&posted);
	assert_int_equal(next(queue), 7);
	for (unsigned n = 1091; n < 1100; n++)
		assert_int_equal(next(queue), n);
	assert_int_equal(next(queue), -1);
	scd__posted_counters(&posted, &counters);
	assert_int_equal(counters.posted, 1001);
	assert_int_equal(counters.dropped, 991);
	scd__posted_done(&posted);
}

static void test_posted__is_bounded_by_bytes(void **state)
{
	struct scd__posted posted;
	size_t lost = 0;

	(void)state;
	assert_int_equal(scd__posted_init(&posted, SIZE_MAX, 20 * ALERT_BYTES), 0);
	for (unsigned n = 0; n < 100; n++)
		lost += put(&posted, "one", n);
	assert_in_range(lost, 80, 99);
	assert_int_equal(scd__posted_take(&posted)->count, 100 - lost);
	scd__posted_done(&posted); /* gives up what was taken, too */
}

static void test_posted__drops_and_counts_what_comes_after_the_end(void **state)
{
	struct scd_emitter_counters counters;
	struct scd__posted posted;

	(void)state;
	assert_int_equal(scd__posted_init(&posted, 10, SIZE_MAX), 0);
	assert_int_equal(put(&posted, "one", 1), 0);
	scd__posted_close(&posted);
	assert_int_equal(put(&posted, "one", 2), 1);
	assert_int_equal(next(scd__posted_take(&posted)), 1);
	assert_int_equal(scd__posted_take(&posted)->count, 0);
	scd__posted_counters(&posted, &counters);
	assert_int_equal(counters.posted, 2);
	assert_int_equal(counters.dropped, 1);
	scd__posted_done(&posted);
}

enum { THREADS = 4, EACH = 2000 };

/* One that puts alerts of its own sandbox, numbered from its own thousand on. */
struct putter {
	pthread_t thread;
	struct scd__posted *posted;
	unsigned index;
	char sandbox[8];
};

static void *put_all(void *user)
{
	struct putter *putter = user;

	for (unsigned n = 0; n < EACH; n++)
		put(putter->posted, putter->sandbox, putter->index * EACH + n);
	return NULL;
}

/* Reads all there is; false when an alert is not the next one of its putter. */
static bool read_in_order(struct scd__queue *queue, unsigned seen[THREADS])
{
	for (long number; (number = next(queue)) >= 0;) {
		unsigned index = (unsigned)number / EACH;

		if ((unsigned)number % EACH != seen[index]++)
			return false;
	}
	return true;
}

static void test_posted__loses_and_mixes_nothing_of_many_threads(void **state)
{
	struct putter putters[THREADS];
	unsigned seen[THREADS] = { 0 };
	struct scd__posted posted;
	bool in_order = true;

	(void)state;
	assert_int_equal(scd__posted_init(&posted, THREADS * EACH, SIZE_MAX), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		putters[i] = (struct putter){ .posted = &posted, .index = i, .sandbox = { (char)('a' + i) } };
		assert_int_equal(pthread_create(&putters[i].thread, NULL, put_all, &putters[i]), 0);
	}
	for (unsigned turn = 0; turn < 1000 && in_order; turn++)
		in_order = read_in_order(scd__posted_take(&posted), seen);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(putters[i].thread, NULL);
	assert_true(in_order);
	assert_true(read_in_order(scd__posted_take(&posted), seen));
	assert_true(read_in_order(scd__posted_take(&posted), seen));
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(seen[i], EACH);
	scd__posted_done(&posted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_posted__keeps_the_order_of_a_sandbox),
		cmocka_unit_test(test_posted__is_filled_while_it_is_emptied),
		cmocka_unit_test(test_posted__a_flood_loses_its_own),
		cmocka_unit_test(test_posted__is_bounded_by_bytes),
		cmocka_unit_test(test_posted__drops_and_counts_what_comes_after_the_end),
		cmocka_unit_test(test_posted__loses_and_mixes_nothing_of_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
