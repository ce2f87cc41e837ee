/*
 * What messages say of their processes, against a model that simply keeps the last words: which process a message
 * belongs to, its name, directory and container are mostly those of the message before, and state has short cuts for
 * that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/state/sandbox.h"

#define TGIDS  6
#define EVENTS 20000
#define LONG   (SCD_LIMIT_PROCESS_PATH_BYTES + 2)

/* Texts that differ in their last byte, in their length only, and behind what is kept of them. */
static char long_a[LONG + 1], long_b[LONG + 1];
static const char *const texts[] = { "", "a", "ab", "ac", "abcdefghijklmno", "abcdefghijklmnopq", long_a, long_b };
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

struct model {
	bool live;
	struct scd_str name, cwd, container_id;
};

struct world {
	struct scd_sandbox *sandbox;
	struct model processes[TGIDS + 1]; /* by thread group id, from 1 */
	unsigned seed;
};

static unsigned draw(struct world *world, unsigned below)
{
	return (unsigned)rand_r(&world->seed) % below;
}

static struct scd_str draw_text(struct world *world)
{
	return scd_str_from(texts[draw(world, TEXTS)]);
}

static void keep(struct scd_str *kept, struct scd_str told, size_t most)
{
	if (told.len)
		*kept = (struct scd_str){ told.data, told.len < most ? told.len : most };
}

static struct model *apply(struct world *world, const struct scd_event *event)
{
	struct model *model = &world->processes[event->context.thread_group_id];

	if (!model->live)
		*model = (struct model){ .live = true };
	keep(&model->name, event->context.process_name, SCD_LIMIT_PROCESS_NAME_BYTES);
	keep(&model->cwd, event->context.cwd, SCD_LIMIT_PROCESS_PATH_BYTES);
	keep(&model->container_id, event->context.container_id, SCD_LIMIT_CONTAINER_ID_BYTES);
	if (event->point == SCD_POINT_CONTAINER_START)
		keep(&model->container_id, event->u.start.id, SCD_LIMIT_CONTAINER_ID_BYTES);
	if (event->point == SCD_POINT_SENTRY_CLONE)
		world->processes[event->u.clone_info.created_thread_group_id] = *model;
	return model;
}

static void draw_event(struct world *world, struct scd_event *ret_event)
{
	static const enum scd_point points[] = { SCD_POINT_SYSCALL_CONNECT, SCD_POINT_SYSCALL_OPEN,
		                                 SCD_POINT_SYSCALL_CLOSE,   SCD_POINT_SYSCALL_DUP,
		                                 SCD_POINT_SENTRY_CLONE,    SCD_POINT_SENTRY_TASK_EXIT,
		                                 SCD_POINT_CONTAINER_START };
	int32_t tgid = 1 + (int32_t)draw(world, TGIDS), child = 1 + (int32_t)draw(world, TGIDS);

	*ret_event = (struct scd_event){ .point = points[draw(world, sizeof(points) / sizeof(points[0]))], .fd = -1 };
	ret_event->context.thread_id = ret_event->context.thread_group_id = tgid;
	ret_event->context.process_name = draw_text(world);
	ret_event->context.cwd = draw_text(world);
	ret_event->context.container_id = draw_text(world);
	if (ret_event->point == SCD_POINT_SENTRY_CLONE && (child == tgid || world->processes[child].live))
		ret_event->point = SCD_POINT_SYSCALL_CHDIR;
	if (ret_event->point == SCD_POINT_SENTRY_CLONE)
		ret_event->u.clone_info.created_thread_id = ret_event->u.clone_info.created_thread_group_id = child;
	if (ret_event->point == SCD_POINT_CONTAINER_START) {
		ret_event->u.start.id = draw_text(world);
		ret_event->context.process_name = scd_str_from("start");
	}
}

static void assert_text(struct scd_str text, struct scd_str expected)
{
	assert_true(scd_str_eq(text, expected));
}

static void check(const struct world *world)
{
	for (int32_t tgid = 1; tgid <= TGIDS; tgid++) {
		const struct model *model = &world->processes[tgid];
		const struct scd_process *process = scd_sandbox_process(world->sandbox,
		                                                        scd_sandbox_find(world->sandbox, tgid));

		assert_int_equal(process != NULL, model->live);
		if (!process)
			continue;
		assert_int_equal(process->tgid, tgid);
		assert_text(process->name, model->name);
		assert_text(process->cwd, model->cwd);
		assert_text(process->container_id, model->container_id);
	}
}

static void step(struct world *world)
{
	struct scd_process_ref ref;
	struct scd_event event;
	struct model *model;

	draw_event(world, &event);
	model = apply(world, &event);
	assert_int_equal(scd_sandbox_apply(world->sandbox, &event, &ref), 0);
	check(world);
	assert_int_equal(scd_sandbox_process(world->sandbox, ref)->tgid, event.context.thread_group_id);
	if (event.point == SCD_POINT_SENTRY_TASK_EXIT)
		model->live = false;
	scd_sandbox_retire(world->sandbox, &event, ref);
	check(world);
}

static void test_contexts__processes_are_what_their_last_messages_said(void **state)
{
	struct world world = { .seed = (unsigned)time(NULL) };

	(void)state;
	print_message("seed %u\n", world.seed);
	memset(long_a, 'x', LONG);
	memset(long_b, 'x', LONG);
	long_b[LONG - 1] = 'y';
	world.sandbox = scd_sandbox_new(false);
	assert_non_null(world.sandbox);
	for (unsigned i = 0; i < EVENTS; i++)
		step(&world);
	scd_sandbox_free(&world.sandbox);
}

/* Each message with a text that is cut counts, also where what is kept of it stays the same. */
static void test_contexts__cuts_are_counted_with_every_message(void **state)
{
	struct scd_event event = { .point = SCD_POINT_SYSCALL_CONNECT, .fd = -1 };
	struct scd_sandbox *sandbox = scd_sandbox_new(false);
	struct scd_process_ref ref;

	(void)state;
	assert_non_null(sandbox);
	event.context.thread_id = event.context.thread_group_id = 1;
	memset(long_a, 'x', LONG);
	event.context.cwd = scd_str_from(long_a);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(scd_sandbox_apply(sandbox, &event, &ref), 0);
		assert_int_equal(scd_sandbox_counters(sandbox)->strings_cut, i);
	}
	assert_true(scd_sandbox_process(sandbox, ref)->texts_cut);
	scd_sandbox_free(&sandbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contexts__processes_are_what_their_last_messages_said),
		cmocka_unit_test(test_contexts__cuts_are_counted_with_every_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
