/*
 * The queue of one output: order, both bounds, and who holds the references.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emit/queue.h"
#include "tests/support/alerts.h"

static long take(struct scd__queue *queue)
{
	struct scd_alert *alert = scd__queue_pop(queue);
	long number = alert ? alert_number(scd_alert_id(alert)) : -1;

	scd_alert_unref(&alert);
	return number;
}

static void test_queue__first_in_first_out_while_it_grows_and_wraps(void **state)
{
	struct scd__queue queue;
	unsigned in = 0, out = 0;

	(void)state;
	scd__queue_init(&queue, 1000, SIZE_MAX);
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 7; i++)
			assert_int_equal(scd__queue_push(&queue, alert_make(in++)), 0);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(take(&queue), out++);
		assert_int_equal(alert_number(scd_alert_id(scd__queue_peek(&queue))), out);
		assert_int_equal(alert_number(scd_alert_id(scd__queue_at(&queue, queue.count - 1))), in - 1);
	}
	assert_int_equal(queue.count, in - out);
	while (queue.count)
		assert_int_equal(take(&queue), out++);
	assert_int_equal(take(&queue), -1);
	assert_null(scd__queue_peek(&queue));
	assert_int_equal(queue.bytes, 0);
	scd__queue_done(&queue);
}

static void test_queue__over_its_count_drops_the_oldest(void **state)
{
	struct scd__queue queue;

	(void)state;
	scd__queue_init(&queue, 3, SIZE_MAX);
	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(scd__queue_push(&queue, alert_make(n)), 0);
	assert_int_equal(scd__queue_push(&queue, alert_make(3)), 1);
	assert_int_equal(queue.count, 3);
	assert_int_equal(take(&queue), 1);
	scd__queue_done(&queue);
}

static void test_queue__over_its_bytes_drops_as_many_as_needed(void **state)
{
	struct scd_alert *small = alert_make(1);
	size_t bytes = scd_alert_protobuf(small).len;
	struct scd__queue queue;

	(void)state;
	scd__queue_init(&queue, 1000, 10 * bytes + 2000);
	assert_int_equal(scd__queue_push(&queue, small), 0);
	for (unsigned n = 2; n <= 10; n++)
		assert_int_equal(scd__queue_push(&queue, alert_make(n)), 0);
	assert_int_equal(scd__queue_push(&queue, alert_make_long(11, 2000 + 4 * bytes)), 5);
	assert_int_equal(queue.count, 6);
	assert_int_equal(take(&queue), 6);
	scd__queue_done(&queue);
}

/* Nothing else is in the queue then: it would never be delivered if it were refused. */
static void test_queue__one_alert_larger_than_the_bound_is_taken(void **state)
{
	struct scd__queue queue;

	(void)state;
	scd__queue_init(&queue, 1000, 100);
	assert_int_equal(scd__queue_push(&queue, alert_make_long(0, 1000)), 0);
	assert_int_equal(scd__queue_push(&queue, alert_make_long(1, 1000)), 1);
	assert_int_equal(take(&queue), 1);
	scd__queue_done(&queue);
}

static void test_queue__holds_one_reference(void **state)
{
	struct scd_alert *alert = alert_make(5);
	struct scd__queue queue;

	(void)state;
	scd__queue_init(&queue, 10, SIZE_MAX);
	scd__queue_push(&queue, scd_alert_ref(alert));
	scd__queue_done(&queue);
	assert_int_equal(alert_number(scd_alert_id(alert)), 5);
	scd_alert_unref(&alert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue__first_in_first_out_while_it_grows_and_wraps),
		cmocka_unit_test(test_queue__over_its_count_drops_the_oldest),
		cmocka_unit_test(test_queue__over_its_bytes_drops_as_many_as_needed),
		cmocka_unit_test(test_queue__one_alert_larger_than_the_bound_is_taken),
		cmocka_unit_test(test_queue__holds_one_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
