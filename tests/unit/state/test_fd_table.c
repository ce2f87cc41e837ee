/*
 * Tables of descriptors against a model that copies everything and searches one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "state/fd_table.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/rng.h"

#define PAGE_NUMBERS 32 /* neighbours that are forgotten together */

static struct scd__fd_pool pool;

static int set_up(void **state)
{
	(void)state;
	memset(&pool, 0, sizeof(pool));
	return 0;
}

/* Every test frees its tables: nothing may be left in the account but spares, and nothing without them. */
static int tear_down(void **state)
{
	(void)state;
	scd__fd_pool_done(&pool);
	return pool.bytes == 0 ? 0 : -1;
}

/* A file that is told from others by its protocol. */
static struct scd__file *file_with(int32_t id)
{
	struct scd__file *file = scd__file_new(&pool, 0);
	assert_non_null(file);
	file->pub.protocol = id;
	return file;
}

static void put(struct scd__fd_table *table, int64_t number, int32_t id)
{
	assert_int_equal(scd__fd_table_put(&pool, table, number, file_with(id), SCD__CLOEXEC_NO), 0);
}

/* 0: nothing known. */
static int32_t id_at(const struct scd__fd_table *table, int64_t number)
{
	const struct scd__file *file = scd__fd_table_get(table, number);
	return file ? file->pub.protocol : 0;
}

/* Numbers. */

static void test_numbers__any_that_the_kernel_has(void **state)
{
	(void)state;
	static const int64_t numbers[] = { 0, 1, 31, 32, 63, 255, 4095, 1 << 20, INT32_MAX };
	struct scd__fd_table *table = scd__fd_table_new(&pool);
	for (size_t i = 0; i < SCD_COUNT(numbers); i++)
		put(table, numbers[i], (int32_t)i + 1);
	for (size_t i = 0; i < SCD_COUNT(numbers); i++)
		assert_int_equal(id_at(table, numbers[i]), i + 1);
	assert_int_equal(scd__fd_table_count(table), SCD_COUNT(numbers));
	scd__fd_table_unref(&pool, &table);
	assert_null(table);
}

static void test_numbers__that_cannot_be_are_nothing(void **state)
{
	(void)state;
	static const int64_t numbers[] = { -1, -100, (int64_t)INT32_MAX + 1, INT64_MIN, INT64_MAX };
	struct scd__fd_table *table = scd__fd_table_new(&pool);
	for (size_t i = 0; i < SCD_COUNT(numbers); i++) {
		put(table, numbers[i], 1);
		assert_int_equal(id_at(table, numbers[i]), 0);
		assert_int_equal(scd__fd_table_cloexec(table, numbers[i]), SCD__CLOEXEC_UNKNOWN);
	}
	assert_int_equal(scd__fd_table_count(table), 0);
	assert_null(scd__fd_table_get(NULL, 3));
	scd__fd_table_unref(&pool, &table);
}

static void test_ranges__end_where_they_should(void **state)
{
	(void)state;
	static const struct {
		uint32_t first, last;
		const char *left; /* of 30 to 34 and 64 */
	} rows[] = {
		{ 30, 34, "64" },
		{ 31, 32, "30 33 34 64" },
		{ 0, UINT32_MAX, "" },
		{ 32, 32, "30 31 33 34 64" },
		{ 33, 64, "30 31 32" },
		{ 65, UINT32_MAX, "30 31 32 33 34 64" },
		{ 34, 30, "30 31 32 33 34 64" },
	};
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd__fd_table *table = scd__fd_table_new(&pool);
		char left[64] = "";
		for (int64_t number = 30; number < 35; number++)
			put(table, number, 1);
		put(table, 64, 1);
		assert_int_equal(scd__fd_table_remove(&pool, table, rows[i].first, rows[i].last), 0);
		for (int number = 0; number < 100; number++)
			if (id_at(table, number))
				snprintf(left + strlen(left), sizeof(left) - strlen(left), *left ? " %d" : "%d",
				         number);
		assert_string_equal(left, rows[i].left);
		scd__fd_table_unref(&pool, &table);
	}
}

/* Bounds. */

static void test_bounds__the_page_written_to_longest_ago_is_forgotten(void **state)
{
	(void)state;
	struct scd__fd_table *table = scd__fd_table_new(&pool);
	for (int32_t number = 0; number < (int32_t)SCD_LIMIT_PROCESS_FDS; number++)
		put(table, number, number + 1);
	assert_int_equal(scd__fd_table_count(table), SCD_LIMIT_PROCESS_FDS);
	assert_int_equal(pool.forgotten_count, 0);
	put(table, 1, 7); /* the first page is the newest now */
	put(table, SCD_LIMIT_PROCESS_FDS, 8);
	assert_int_equal(pool.forgotten_count, PAGE_NUMBERS);
	assert_int_equal(scd__fd_table_count(table), SCD_LIMIT_PROCESS_FDS - PAGE_NUMBERS + 1);
	assert_int_equal(id_at(table, 1), 7);
	assert_int_equal(id_at(table, PAGE_NUMBERS), 0);
	assert_int_equal(id_at(table, 2 * PAGE_NUMBERS), 2 * PAGE_NUMBERS + 1);
	assert_int_equal(id_at(table, SCD_LIMIT_PROCESS_FDS), 8);
	scd__fd_table_unref(&pool, &table);
}

static void test_bounds__empty_pages_go_without_a_count(void **state)
{
	(void)state;
	struct scd__fd_table *table = scd__fd_table_new(&pool);
	for (uint32_t number = 0; number < 10 * SCD_LIMIT_PROCESS_FDS; number++) {
		put(table, number, 1);
		assert_int_equal(scd__fd_table_remove(&pool, table, number, number), 0);
	}
	assert_int_equal(pool.forgotten_count, 0);
	assert_true(pool.bytes < 64 * 1024);
	scd__fd_table_unref(&pool, &table);
}

static void test_bounds__numbers_far_apart(void **state)
{
	(void)state;
	struct scd__fd_table *table = scd__fd_table_new(&pool);
	struct scd_rng rng = scd_rng_start("test_bounds__numbers_far_apart");
	for (unsigned i = 0; i < 100000; i++)
		put(table, (int64_t)scd_rng_below(&rng, INT32_MAX), 1);
	assert_true(scd__fd_table_count(table) <= SCD_LIMIT_PROCESS_FDS);
	assert_true(pool.forgotten_count > 90000);
	assert_true(pool.bytes < 128 * 1024);
	scd__fd_table_unref(&pool, &table);
}

/* A fork takes no copy of thousands of descriptors, and neither does the first change: it copies one page. */
static void test_fork__costs_what_is_changed(void **state)
{
	(void)state;
	struct scd__fd_table *table = scd__fd_table_new(&pool);
	for (int32_t number = 0; number < (int32_t)SCD_LIMIT_PROCESS_FDS; number++)
		put(table, number, 1);
	size_t before = pool.bytes;
	struct scd__fd_table *fork = scd__fd_table_fork(&pool, table);
	assert_true(pool.bytes - before < 64);
	put(fork, 100, 2);
	assert_true(pool.bytes - before < 4096);
	assert_int_equal(id_at(table, 100), 1);
	assert_int_equal(id_at(fork, 100), 2);
	scd__fd_table_unref(&pool, &table);
	assert_int_equal(id_at(fork, 101), 1);
	scd__fd_table_unref(&pool, &fork);
}

/*
 * Nor does an exec, however many descriptors there are of which close-on-exec is not known, or which it closes: a
 * sandbox would make everybody on its thread wait for them with a message of a hundred bytes.
 */
static void test_exec__costs_the_map_and_no_file(void **state)
{
	static const enum scd__cloexec kinds[] = { SCD__CLOEXEC_UNKNOWN, SCD__CLOEXEC_YES };
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(kinds); i++) {
		struct scd__fd_table *table = scd__fd_table_new(&pool);
		for (int32_t number = 0; number < (int32_t)SCD_LIMIT_PROCESS_FDS; number++)
			assert_int_equal(scd__fd_table_put(&pool, table, number, file_with(number + 1), kinds[i]), 0);
		size_t before = pool.bytes;
		struct scd__fd_table *fork = scd__fd_table_fork(&pool, table);
		assert_int_equal(scd__fd_table_exec(&pool, fork), 0);
		assert_true(pool.bytes - before < 8192);
		bool is_kept = kinds[i] == SCD__CLOEXEC_UNKNOWN;
		assert_int_equal(scd__fd_table_count(fork), is_kept ? SCD_LIMIT_PROCESS_FDS : 0);
		assert_int_equal(scd__fd_table_maybe_closed(fork, 100), is_kept);
		assert_int_equal(scd__fd_table_count(table), SCD_LIMIT_PROCESS_FDS);
		assert_false(scd__fd_table_maybe_closed(table, 100));
		put(fork, 100, 7);
		assert_false(scd__fd_table_maybe_closed(fork, 100));
		assert_int_equal(id_at(table, 100), 101);
		scd__fd_table_unref(&pool, &fork);
		scd__fd_table_unref(&pool, &table);
	}
}

#ifdef SCD_FAILING_ALLOC
static unsigned long allocations_since_arm(void)
{
	return ULONG_MAX - scd_failing_alloc.pass;
}
#endif

static void test_open_and_close__allocate_nothing(void **state)
{
	(void)state;
#ifdef SCD_FAILING_ALLOC
	const struct scd_fd file = { .type = SCD_FD_FILE };
	struct scd__fd_table *table = scd__fd_table_new(&pool);
	for (unsigned round = 0; round < 2; round++) {
		scd_failing_alloc_arm(ULONG_MAX);
		for (unsigned i = 0; i < 1000; i++) {
			struct scd__file *opened = scd__file_like(&pool, &file, SCD_STR("/usr/lib/libc.so.6"));
			(void)scd__fd_table_put(&pool, table, 3 + i % 5, opened, SCD__CLOEXEC_YES);
			(void)scd__fd_table_remove(&pool, table, 3 + i % 5, 3 + i % 5);
		}
		unsigned long allocations = allocations_since_arm();
		(void)scd_failing_alloc_disarm();
		if (round > 0)
			assert_int_equal(allocations, 0);
	}
	scd__fd_table_unref(&pool, &table);
#else
	skip();
#endif
}

/* Sharing. */

static void test_shared__one_table_of_two_processes(void **state)
{
	(void)state;
	struct scd__fd_table *table = scd__fd_table_new(&pool), *other = scd__fd_table_ref(table);
	assert_false(scd__fd_table_is_own(table));
	put(other, 5, 1);
	assert_int_equal(id_at(table, 5), 1);
	scd__fd_table_unref(&pool, &table);
	assert_int_equal(id_at(other, 5), 1);
	assert_true(scd__fd_table_is_own(other));
	scd__fd_table_unref(&pool, &other);
}

static void test_given_up__knows_nothing_any_more(void **state)
{
	(void)state;
	struct scd__fd_table *table = scd__fd_table_new(&pool);
	put(table, 5, 1);
	scd__fd_table_give_up(&pool, table);
	assert_int_equal(id_at(table, 5), 0);
	put(table, 5, 2);
	assert_int_equal(id_at(table, 5), 0);
	struct scd__fd_table *fork = scd__fd_table_fork(&pool, table);
	put(fork, 5, 3);
	assert_int_equal(id_at(fork, 5), 3);
	scd__fd_table_unref(&pool, &table);
	scd__fd_table_unref(&pool, &fork);
}

static void test_forgotten__starts_again(void **state)
{
	(void)state;
	struct scd__fd_table *table = scd__fd_table_new(&pool);
	put(table, 5, 1);
	put(table, 500, 1);
	scd__fd_table_forget(&pool, table);
	assert_int_equal(pool.forgotten_count, 2);
	assert_int_equal(scd__fd_table_count(table), 0);
	put(table, 5, 2);
	assert_int_equal(id_at(table, 5), 2);
	scd__fd_table_unref(&pool, &table);
}

/* Files. */

static void test_file__path_of_any_length(void **state)
{
	(void)state;
	static const size_t lengths[] = { 0, 1, 112, 113, 4096 };
	char text[4096];
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < SCD_COUNT(lengths); i++) {
		const struct scd_fd fd = { .type = SCD_FD_FILE, .protocol = 3 };
		struct scd__file *file = scd__file_like(&pool, &fd, (struct scd_str){ text, lengths[i] });
		assert_int_equal(file->pub.path.len, lengths[i]);
		assert_int_equal(file->pub.protocol, 3);
		scd__file_set_path(file, SCD_STR("/short"));
		assert_true(scd_str_is(file->pub.path, "/short"));
		scd__file_unref(&pool, file);
	}
}

static void test_file__no_room_for_the_path_is_no_path(void **state)
{
	(void)state;
	char text[200] = { 'x' };
	struct scd__file *file = scd__file_new(&pool, 0);
	scd__file_set_path(file, (struct scd_str){ text, sizeof(text) });
	assert_int_equal(file->pub.path.len, 0);
	scd__file_unref(&pool, file);
}

/* The model. */

#define MODEL_NUMBERS 48
#define MODEL_TABLES  6
#define MODEL_FILES   4096

struct model_file {
	int32_t id;
	bool connected;
};

struct model_slot {
	struct model_file *file; /* NULL: not known */
	enum scd__cloexec cloexec;
	bool maybe_closed;
};

struct model_table {
	struct model_slot slots[MODEL_NUMBERS];
	unsigned refs; /* processes that share it */
};

/* A process: a handle on the real table, and on the model's. */
struct model_process {
	struct scd__fd_table *real;
	struct model_table *model;
};

struct model {
	int64_t numbers[MODEL_NUMBERS]; /* sorted */
	struct model_process processes[MODEL_TABLES];
	struct model_file files[MODEL_FILES];
	size_t file_count;
};

/* Dense at the bottom, as programs have them, and a few anywhere. */
static void model_open(struct model *model, struct scd_rng *rng)
{
	memset(model, 0, sizeof(*model));
	for (int64_t i = 0; i < MODEL_NUMBERS; i++)
		model->numbers[i] = i < 40 ? i : i * 1000000 + (int64_t)scd_rng_below(rng, 1000000);
}

static struct model_file *model_file(struct model *model, int32_t id)
{
	struct model_file *file = &model->files[model->file_count++];
	assert_true(model->file_count <= MODEL_FILES);
	*file = (struct model_file){ .id = id };
	return file;
}

static void model_release(struct model_process *process)
{
	if (!process->real)
		return;
	scd__fd_table_unref(&pool, &process->real);
	if (--process->model->refs == 0)
		free(process->model);
	process->model = NULL;
}

static void model_start(struct model_process *process)
{
	model_release(process);
	process->real = scd__fd_table_new(&pool);
	process->model = calloc(1, sizeof(*process->model));
	process->model->refs = 1;
}

static void model_fork(struct model_process *child, const struct model_process *parent)
{
	model_release(child);
	child->real = scd__fd_table_fork(&pool, parent->real);
	child->model = malloc(sizeof(*child->model));
	*child->model = *parent->model;
	child->model->refs = 1;
}

static void model_share(struct model_process *child, const struct model_process *parent)
{
	model_release(child);
	child->real = scd__fd_table_ref(parent->real);
	child->model = parent->model;
	child->model->refs++;
}

static void model_put(struct model *model, struct model_process *process, size_t at, enum scd__cloexec cloexec)
{
	int32_t id = (int32_t)model->file_count + 1;
	assert_int_equal(scd__fd_table_put(&pool, process->real, model->numbers[at], file_with(id), cloexec), 0);
	process->model->slots[at] = (struct model_slot){ model_file(model, id), cloexec, false };
}

static void model_duplicate(struct model *model, struct model_process *process, size_t from, size_t to)
{
	struct scd__file *file = scd__fd_table_get(process->real, model->numbers[from]);
	if (!file)
		return;
	assert_int_equal(
	        scd__fd_table_put(&pool, process->real, model->numbers[to], scd__file_ref(file), SCD__CLOEXEC_NO), 0);
	process->model->slots[to] = (struct model_slot){ process->model->slots[from].file, SCD__CLOEXEC_NO, false };
}

static void model_remove(struct model *model, struct model_process *process, size_t first, size_t last)
{
	assert_int_equal(scd__fd_table_remove(&pool, process->real, (uint32_t)model->numbers[first],
	                                      (uint32_t)model->numbers[last]),
	                 0);
	for (size_t i = first; i <= last; i++)
		process->model->slots[i].file = NULL;
}

static void model_set_cloexec(struct model *model, struct model_process *process, size_t first, size_t last, bool on)
{
	assert_int_equal(scd__fd_table_set_cloexec(&pool, process->real, (uint32_t)model->numbers[first],
	                                           (uint32_t)model->numbers[last], on),
	                 0);
	for (size_t i = first; i <= last; i++)
		process->model->slots[i].cloexec = on ? SCD__CLOEXEC_YES : SCD__CLOEXEC_NO;
}

static void model_connect(struct model *model, struct model_process *process, size_t at)
{
	struct scd__file *file = scd__fd_table_get(process->real, model->numbers[at]);
	if (file)
		file->pub.connected = process->model->slots[at].file->connected = true;
}

/* Only a table of one process execs: the caller of the real one makes it so. */
static void model_exec(struct model_process *process)
{
	if (process->model->refs > 1)
		return;
	assert_int_equal(scd__fd_table_exec(&pool, process->real), 0);
	for (size_t i = 0; i < MODEL_NUMBERS; i++) {
		struct model_slot *slot = &process->model->slots[i];
		if (slot->file && slot->cloexec == SCD__CLOEXEC_YES)
			slot->file = NULL;
		if (slot->file && slot->cloexec == SCD__CLOEXEC_UNKNOWN)
			slot->maybe_closed = true;
	}
}

static void model_compare(const struct model *model, const struct model_process *process)
{
	size_t count = 0;
	for (size_t i = 0; i < MODEL_NUMBERS; i++) {
		const struct scd__file *file = scd__fd_table_get(process->real, model->numbers[i]);
		const struct model_slot *slot = &process->model->slots[i];
		if (!file != !slot->file)
			fail_msg("descriptor %lld: %s", (long long)model->numbers[i], file ? "too much" : "missing");
		if (!file)
			continue;
		count++;
		assert_int_equal(file->pub.protocol, slot->file->id);
		assert_int_equal(file->pub.connected, slot->file->connected);
		assert_int_equal(scd__fd_table_maybe_closed(process->real, model->numbers[i]), slot->maybe_closed);
		assert_int_equal(scd__fd_table_cloexec(process->real, model->numbers[i]), slot->cloexec);
	}
	assert_int_equal(scd__fd_table_count(process->real), count);
}

static void model_step(struct model *model, struct scd_rng *rng)
{
	struct model_process *process = &model->processes[scd_rng_below(rng, MODEL_TABLES)];
	struct model_process *other = &model->processes[scd_rng_below(rng, MODEL_TABLES)];
	size_t at = scd_rng_below(rng, MODEL_NUMBERS), to = at + scd_rng_below(rng, MODEL_NUMBERS - at);
	switch (scd_rng_below(rng, 16)) {
	case 0: model_start(process); break;
	case 1: model_exec(process); break;
	case 2:
	case 3:
		if (process != other)
			model_fork(process, other);
		break;
	case 4:
		if (process != other)
			model_share(process, other);
		break;
	case 5: model_remove(model, process, at, to); break;
	case 6: model_set_cloexec(model, process, at, to, scd_rng_below(rng, 2)); break;
	case 7: model_connect(model, process, at); break;
	case 8: model_duplicate(model, process, at, to); break;
	case 9:
	case 10: model_remove(model, process, at, at); break;
	default: model_put(model, process, at, (enum scd__cloexec)scd_rng_below(rng, 3)); break;
	}
}

static void test_random_changes__agree_with_the_model(void **state)
{
	(void)state;
	static struct model model;
	struct scd_rng rng = scd_rng_start("test_random_changes__agree_with_the_model");
	for (unsigned round = 0; round < 60; round++) {
		model_open(&model, &rng);
		for (size_t i = 0; i < MODEL_TABLES; i++)
			model_start(&model.processes[i]);
		for (unsigned step = 0; step < 300; step++) {
			model_step(&model, &rng);
			for (size_t i = 0; i < MODEL_TABLES; i++)
				model_compare(&model, &model.processes[i]);
		}
		for (size_t i = 0; i < MODEL_TABLES; i++)
			model_release(&model.processes[i]);
	}
	assert_int_equal(pool.forgotten_count, 0);
}

/* Memory. */

#ifdef SCD_FAILING_ALLOC
/* A life of a table; -ENOMEM when something failed on the way. */
static int live_once(void)
{
	struct scd__fd_table *table = scd__fd_table_new(&pool), *fork = NULL;
	int result = table ? 0 : -ENOMEM;
	for (int64_t number = 0; table && number < 300; number += 30) {
		struct scd__file *file = scd__file_new(&pool, 0);
		enum scd__cloexec cloexec = (enum scd__cloexec)(number / 30 % 3);
		result |= file ? scd__fd_table_put(&pool, table, number, file, cloexec) : -ENOMEM;
	}
	fork = table ? scd__fd_table_fork(&pool, table) : NULL;
	if (fork) {
		result |= scd__fd_table_remove(&pool, fork, 60, 100);
		result |= scd__fd_table_set_cloexec(&pool, fork, 0, 40, true);
		result |= scd__fd_table_exec(&pool, fork);
	}
	result |= fork ? 0 : -ENOMEM;
	scd__fd_table_unref(&pool, &fork);
	scd__fd_table_unref(&pool, &table);
	scd__fd_pool_done(&pool);
	return result ? -ENOMEM : 0;
}
#endif

static void test_memory__each_allocation_may_fail(void **state)
{
	(void)state;
#ifdef SCD_FAILING_ALLOC
	long live = scd_failing_alloc_live();
	for (unsigned long n = 0;; n++) {
		scd_failing_alloc_arm(n);
		int result = live_once();
		bool failed = scd_failing_alloc_disarm();
		assert_int_equal(result, failed ? -ENOMEM : 0);
		assert_int_equal(pool.bytes, 0);
		assert_int_equal(scd_failing_alloc_live(), live);
		if (!failed)
			break;
	}
#else
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_numbers__any_that_the_kernel_has),
		TEST(test_numbers__that_cannot_be_are_nothing),
		TEST(test_ranges__end_where_they_should),
		TEST(test_bounds__the_page_written_to_longest_ago_is_forgotten),
		TEST(test_bounds__empty_pages_go_without_a_count),
		TEST(test_bounds__numbers_far_apart),
		TEST(test_fork__costs_what_is_changed),
		TEST(test_exec__costs_the_map_and_no_file),
		TEST(test_open_and_close__allocate_nothing),
		TEST(test_shared__one_table_of_two_processes),
		TEST(test_given_up__knows_nothing_any_more),
		TEST(test_forgotten__starts_again),
		TEST(test_file__path_of_any_length),
		TEST(test_file__no_room_for_the_path_is_no_path),
		TEST(test_random_changes__agree_with_the_model),
		TEST(test_memory__each_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
