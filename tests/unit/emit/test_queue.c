/*
 * The queue of one output: order, both bounds, whose alerts are dropped, and who holds the references.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "emit/queue.h"
#include "seccheckd/base/array.h"
#include "tests/support/alerts.h"
#include "tests/support/rng.h"

/* With it the sandboxes of these tests have different shares; a random one would have them meet now and then. */
#define SEED 2

static void open_queue(struct scd__queue *queue, size_t max_count, size_t max_bytes)
{
	scd__queue_init(queue, max_count, max_bytes, SEED);
}

static long take(struct scd__queue *queue)
{
	struct scd_alert *alert = scd__queue_pop(queue);
	long number = alert ? alert_number(scd_alert_id(alert)) : -1;

	scd_alert_unref(&alert);
	return number;
}

static void test_queue__is_first_in_first_out(void **state)
{
	struct scd__queue queue;
	unsigned in = 0, out = 0;

	(void)state;
	open_queue(&queue, 1000, SIZE_MAX);
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 7; i++)
			assert_int_equal(scd__queue_push(&queue, alert_make(in++)), 0);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(take(&queue), out++);
		assert_int_equal(alert_number(scd_alert_id(scd__queue_peek(&queue))), out);
		assert_int_equal(alert_number(scd_alert_id(TAILQ_LAST(&queue.items, scd__queue_list)->alert)), in - 1);
	}
	assert_int_equal(queue.count, in - out);
	while (queue.count)
		assert_int_equal(take(&queue), out++);
	assert_int_equal(take(&queue), -1);
	assert_null(scd__queue_peek(&queue));
	assert_int_equal(queue.bytes, 0);
	scd__queue_done(&queue);
}

static void test_queue__over_its_count_drops_the_oldest_of_a_sandbox(void **state)
{
	struct scd__queue queue;

	(void)state;
	open_queue(&queue, 3, SIZE_MAX);
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
	open_queue(&queue, 1000, 10 * bytes + 2000);
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
	open_queue(&queue, 1000, 100);
	assert_int_equal(scd__queue_push(&queue, alert_make_long(0, 1000)), 0);
	assert_int_equal(scd__queue_push(&queue, alert_make_long(1, 1000)), 1);
	assert_int_equal(take(&queue), 1);
	scd__queue_done(&queue);
}

static size_t push(struct scd__queue *queue, const char *sandbox, unsigned n)
{
	return scd__queue_push(queue, alert_make_of(sandbox, n, 10));
}

static void test_queue__a_flood_does_not_displace_the_alert_of_another_sandbox(void **state)
{
	struct scd__queue queue;
	size_t dropped_count = 0;

	(void)state;
	open_queue(&queue, 100, SIZE_MAX);
	assert_int_equal(push(&queue, "early", 1), 0);
	for (unsigned n = 1000; n < 6000; n++) {
		dropped_count += push(&queue, "flood", n);
		if (n == 3000)
			dropped_count += push(&queue, "late", 2);
	}
	assert_int_equal(dropped_count, 5002 - 100);
	assert_int_equal(queue.count, 100);
	assert_int_equal(take(&queue), 1);
	assert_int_equal(take(&queue), 6000 - 98);
	assert_int_equal(take(&queue), 2);
	for (unsigned n = 6000 - 97; n < 6000; n++)
		assert_int_equal(take(&queue), n);
	assert_int_equal(queue.bytes, 0);
	scd__queue_done(&queue);
}

static void test_queue__sandboxes_take_turns(void **state)
{
	static const unsigned expected[] = { 0, 100, 200, 1, 101, 2, 102, 3, 300, 4, 5 };
	struct scd__queue queue;

	(void)state;
	open_queue(&queue, 100, SIZE_MAX);
	for (unsigned n = 0; n < 6; n++)
		push(&queue, "a", n);
	for (unsigned n = 100; n < 103; n++)
		push(&queue, "b", n);
	push(&queue, "c", 200);
	for (size_t i = 0; i < SCD_COUNT(expected); i++) {
		if (i == 7)
			push(&queue, "c", 300); /* again, behind those who wait */
		assert_int_equal(alert_number(scd_alert_id(scd__queue_peek(&queue))), expected[i]);
		assert_int_equal(take(&queue), expected[i]);
	}
	assert_null(scd__queue_peek(&queue));
	scd__queue_done(&queue);
}

/* Few and large against many and small: what is full are the bytes, and who has most of these loses. */
static void test_queue__full_of_bytes_weighs_bytes(void **state)
{
	struct scd__queue queue;
	size_t dropped_count = 0;

	(void)state;
	open_queue(&queue, 1000, 1u << 20);
	for (unsigned n = 0; n < 100; n++)
		assert_int_equal(push(&queue, "small", n), 0);
	for (unsigned n = 100; n < 200; n++)
		dropped_count += scd__queue_push(&queue, alert_make_of("large", n, 50000));
	assert_true(dropped_count > 50);
	assert_int_equal(queue.count, 200 - dropped_count);
	for (unsigned n = 0; n < 100; n++) {
		assert_int_equal(take(&queue), n);
		if (n + 100 + dropped_count < 200)
			assert_int_equal(take(&queue), n + 100 + (long)dropped_count);
	}
	assert_int_equal(queue.count, 0);
	scd__queue_done(&queue);
}

static void test_queue__among_equals_drops_the_oldest_of_all(void **state)
{
	struct scd__queue queue;

	(void)state;
	open_queue(&queue, 3, SIZE_MAX);
	assert_int_equal(push(&queue, "c", 0), 0);
	assert_int_equal(push(&queue, "a", 1), 0);
	assert_int_equal(push(&queue, "b", 2), 0);
	assert_int_equal(push(&queue, "d", 3), 1);
	for (unsigned n = 1; n <= 3; n++)
		assert_int_equal(take(&queue), n);
	scd__queue_done(&queue);
}

/* What the queue should hold, and whose turn it is, in plain arrays that are searched. */
struct model {
	size_t count;
	struct {
		unsigned number, owner;
	} alerts[32];
	size_t turn_count;
	unsigned turn[32]; /* owners that have alerts, the next one first */
};

static size_t model_count_of(const struct model *model, unsigned owner)
{
	size_t count = 0;

	for (size_t i = 0; i < model->count; i++)
		count += model->alerts[i].owner == owner;
	return count;
}

static size_t model_oldest_of(const struct model *model, unsigned owner)
{
	size_t i = 0;

	while (model->alerts[i].owner != owner)
		i++;
	return i;
}

static void model_leave_turn(struct model *model, unsigned owner)
{
	size_t i = 0;

	while (model->turn[i] != owner)
		i++;
	memmove(&model->turn[i], &model->turn[i + 1], (--model->turn_count - i) * sizeof(model->turn[0]));
}

static void model_remove(struct model *model, size_t at)
{
	unsigned owner = model->alerts[at].owner;

	memmove(&model->alerts[at], &model->alerts[at + 1], (--model->count - at) * sizeof(model->alerts[0]));
	if (model_count_of(model, owner) == 0)
		model_leave_turn(model, owner);
}

static void model_add(struct model *model, unsigned number, unsigned owner)
{
	if (model_count_of(model, owner) == 0)
		model->turn[model->turn_count++] = owner;
	model->alerts[model->count].number = number;
	model->alerts[model->count++].owner = owner;
}

/* The number of the alert that is next. */
static unsigned model_take(struct model *model)
{
	unsigned owner = model->turn[0];
	size_t at = model_oldest_of(model, owner);
	unsigned number = model->alerts[at].number;

	model_leave_turn(model, owner);
	model->turn[model->turn_count++] = owner;
	model_remove(model, at);
	return number;
}

/* Where the queue and the model, which has one more, first differ. */
static size_t first_difference(const struct scd__queue *queue, const struct model *model)
{
	const struct scd__queue_item *item = TAILQ_FIRST(&queue->items);
	size_t i = 0;

	for (; item && alert_number(scd_alert_id(item->alert)) == model->alerts[i].number; i++)
		item = TAILQ_NEXT(item, in_queue);
	return i;
}

/* Who lost one has most; it is his oldest; and where the oldest of all is of one with as many, it is that. */
static void check_victim(const struct model *model, size_t victim, unsigned owners)
{
	unsigned owner = model->alerts[victim].owner, first = model->alerts[0].owner;
	size_t most = model_count_of(model, owner);

	for (unsigned i = 0; i < owners; i++)
		assert_true(model_count_of(model, i) <= most);
	assert_int_equal(victim, model_oldest_of(model, owner));
	if (model_count_of(model, first) == most)
		assert_int_equal(victim, 0);
}

static void test_queue__drops_and_takes_as_a_search_of_all_would(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "" };
	struct scd_rng rng = scd_rng_start("queue");
	struct model model = { .count = 0 };
	struct scd__queue queue;

	(void)state;
	open_queue(&queue, 20, SIZE_MAX);
	for (unsigned n = 0; n < 5000; n++) {
		unsigned owner = scd_rng_below(&rng, 2) ? 0 : (unsigned)scd_rng_below(&rng, SCD_COUNT(names));
		size_t victim;

		if (model.count && scd_rng_below(&rng, 4) == 0)
			assert_int_equal(take(&queue), model_take(&model));
		model_add(&model, n, owner);
		assert_int_equal(push(&queue, names[owner], n), model.count > 20);
		victim = first_difference(&queue, &model);
		assert_int_equal(victim<model.count, model.count> 20);
		if (victim == model.count)
			continue;
		check_victim(&model, victim, SCD_COUNT(names));
		model_remove(&model, victim);
		assert_int_equal(first_difference(&queue, &model), model.count);
	}
	scd__queue_done(&queue);
}

static void test_queue__holds_one_reference(void **state)
{
	struct scd_alert *alert = alert_make(5);
	struct scd__queue queue;

	(void)state;
	open_queue(&queue, 10, SIZE_MAX);
	scd__queue_push(&queue, scd_alert_ref(alert));
	scd__queue_done(&queue);
	assert_int_equal(alert_number(scd_alert_id(alert)), 5);
	scd_alert_unref(&alert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue__is_first_in_first_out),
		cmocka_unit_test(test_queue__over_its_count_drops_the_oldest_of_a_sandbox),
		cmocka_unit_test(test_queue__a_flood_does_not_displace_the_alert_of_another_sandbox),
		cmocka_unit_test(test_queue__sandboxes_take_turns),
		cmocka_unit_test(test_queue__full_of_bytes_weighs_bytes),
		cmocka_unit_test(test_queue__among_equals_drops_the_oldest_of_all),
		cmocka_unit_test(test_queue__drops_and_takes_as_a_search_of_all_would),
		cmocka_unit_test(test_queue__over_its_bytes_drops_as_many_as_needed),
		cmocka_unit_test(test_queue__one_alert_larger_than_the_bound_is_taken),
		cmocka_unit_test(test_queue__holds_one_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
