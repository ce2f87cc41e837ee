/*
 * Alerts that several threads post, up to the file: each once, each sandbox's in order, and none that nobody accounts
 * for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "tests/support/emit_world.h"
#include "tests/support/tempdir.h"

enum { THREADS = 4, EACH = 1000 };

/* One that posts alerts of its own sandbox, numbered from its own thousand on. */
struct poster {
	uv_thread_t thread;
	struct emit_world *world;
	unsigned index;
	char sandbox[8];
	atomic_bool *stop; /* post until then; NULL: EACH */
	size_t posted_count;
};

struct posting {
	struct emit_world world;
	struct tempdir dir;
	const char *path;
	atomic_bool stop;
	struct poster posters[THREADS];
	unsigned long seen[THREADS];
};

static int set_up(void **state)
{
	struct posting *posting = calloc(1, sizeof(*posting));
	struct scd_error err;

	assert_non_null(posting);
	emit_open(&posting->world);
	assert_int_equal(tempdir_make(&posting->dir), 0);
	posting->path = tempdir_join(&posting->dir, "alerts");
	assert_int_equal(scd_emitter_add_file(posting->world.emitter, posting->path, &err), 0);
	*state = posting;
	return 0;
}

static int tear_down(void **state)
{
	struct posting *posting = *state;

	emit_close(&posting->world);
	tempdir_remove(&posting->dir);
	free(posting);
	return 0;
}

static void post_all(void *user)
{
	struct poster *poster = user;
	unsigned n = 0;

	for (; poster->stop ? !atomic_load(poster->stop) : n < EACH; n++)
		scd_emitter_post(poster->world->emitter,
		                 alert_make_of(poster->sandbox, poster->index * EACH + n % EACH, 100));
	poster->posted_count = n;
}

static void start(struct posting *posting, atomic_bool *stop)
{
	for (unsigned i = 0; i < THREADS; i++) {
		struct poster *poster = &posting->posters[i];

		*poster = (struct poster){ .world = &posting->world, .index = i, .stop = stop };
		poster->sandbox[0] = (char)('a' + i);
		assert_int_equal(uv_thread_create(&poster->thread, post_all, poster), 0);
	}
}

/* How many alerts they have posted. */
static size_t join(struct posting *posting)
{
	size_t sum = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		uv_thread_join(&posting->posters[i].thread);
		sum += posting->posters[i].posted_count;
	}
	return sum;
}

/* Counts what is in the file, for each poster; whether it is the next one of its poster each time. */
static bool read_in_order(struct posting *posting)
{
	FILE *file = fopen(posting->path, "re");
	char *line = NULL;
	size_t room = 0;
	bool in_order = true;

	assert_non_null(file);
	while (getline(&line, &room, file) > 0) {
		const char *id = strstr(line, "a1e27000");
		long number = id ? alert_number(id) : -1;

		assert_true(number >= 0);
		in_order = in_order && (unsigned long)number % EACH == posting->seen[number / EACH] % EACH;
		posting->seen[number / EACH]++;
	}
	free(line);
	fclose(file);
	return in_order;
}

static bool has_delivered_some(void *user)
{
	return emit_status(user, 0).delivered > 0;
}

static bool has_delivered_all(void *user)
{
	return emit_status(user, 0).delivered == THREADS * EACH;
}

static void test_post__reaches_the_output_once_and_in_order(void **state)
{
	struct posting *posting = *state;

	start(posting, NULL);
	assert_true(loop_run_until(&posting->world.loop, has_delivered_all, &posting->world));
	assert_int_equal(join(posting), THREADS * EACH);
	assert_int_equal(emit_drain(&posting->world, 60000), 0);
	assert_true(read_in_order(posting));
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(posting->seen[i], EACH);
}

/* The loop did not run since: the drain looks itself. */
static void test_post__before_the_drain_is_part_of_it(void **state)
{
	struct posting *posting = *state;
	struct scd_emitter_counters counters;

	start(posting, NULL);
	join(posting);
	assert_int_equal(emit_drain(&posting->world, 60000), 0);
	assert_true(read_in_order(posting));
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(posting->seen[i], EACH);
	scd_emitter_counters(posting->world.emitter, &counters);
	assert_int_equal(counters.posted, THREADS * EACH);
	assert_int_equal(counters.dropped, 0);
}

/* Threads that do not know of the end: what they post is delivered, left or dropped, and the sum is right. */
static void test_post__during_the_end_is_accounted_for(void **state)
{
	struct posting *posting = *state;
	struct scd_emitter_counters counters;
	struct scd_output_status status;
	size_t undelivered, posted;

	start(posting, &posting->stop);
	assert_true(loop_run_until(&posting->world.loop, has_delivered_some, &posting->world));
	undelivered = emit_drain(&posting->world, 50);
	atomic_store(&posting->stop, true);
	posted = join(posting);
	scd_emitter_counters(posting->world.emitter, &counters);
	status = emit_status(&posting->world, 0);
	assert_int_equal(counters.posted, posted);
	assert_int_equal(status.delivered + status.dropped + undelivered + counters.dropped, posted);
}

/* Nobody empties the place between the threads; that its flood leaves room for others is in the test of the queue. */
static void test_post__of_more_than_there_is_room_for_is_counted(void **state)
{
	struct scd_alert *alert = alert_make(1);
	struct scd_emitter_counters counters;
	struct emit_world world;

	(void)state;
	emit_open(&world);
	for (unsigned n = 0; n < SCD_LIMIT_OUTPUT_QUEUE_COUNT + 9; n++)
		scd_emitter_post(world.emitter, scd_alert_ref(alert));
	scd_emitter_counters(world.emitter, &counters);
	assert_int_equal(counters.posted, SCD_LIMIT_OUTPUT_QUEUE_COUNT + 9);
	assert_int_equal(counters.dropped, 9);
	assert_int_equal(emit_drain(&world, 60000), 0);
	emit_close(&world);
	scd_alert_unref(&alert);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_post__reaches_the_output_once_and_in_order),
		TEST(test_post__before_the_drain_is_part_of_it),
		TEST(test_post__during_the_end_is_accounted_for),
		cmocka_unit_test(test_post__of_more_than_there_is_room_for_is_counted),
	};
#undef TEST

	return cmocka_run_group_tests_name("emit/post", tests, NULL, NULL);
}
