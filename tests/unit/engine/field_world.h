/*
 * For tests of fields: one sandbox to which hand-made events are applied, and the fields of the last one as text.
 */
#ifndef SCD_TESTS_UNIT_ENGINE_FIELD_WORLD_H
#define SCD_TESTS_UNIT_ENGINE_FIELD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/engine/field.h"
#include "seccheckd/engine/format.h"

#define NS INT64_C(1000000000)

/* 2023-11-14T22:13:20.123456789 */
#define NOW_NS (1700000000 * NS + 123456789)

struct world {
	struct scd_sandbox *sandbox;
	struct scd_arena scratch;
	struct scd_host host;
	struct scd_event event;
	struct scd_view view;
	struct scd_field_losses losses; /* of the last event */
	struct scd_buf text;
};

static inline void world_open(struct world *world, bool keep_env)
{
	*world = (struct world){ .host.hostname = SCD_STR("test-host") };
	world->sandbox = scd_sandbox_new(keep_env);
	assert_non_null(world->sandbox);
	scd_arena_init(&world->scratch, 4096, SCD_LIMIT_EVENT_ARENA_BYTES);
	scd_buf_init(&world->text, 1u << 20);
}

static inline void world_close(struct world *world)
{
	scd_sandbox_free(&world->sandbox);
	scd_arena_done(&world->scratch);
	scd_buf_done(&world->text);
}

/* A view of the event without applying it: `process` is NULL for an event of nobody. */
static inline void world_look(struct world *world, const struct scd_event *event, struct scd_process_ref process)
{
	scd_arena_reset(&world->scratch);
	world->event = *event;
	world->losses = (struct scd_field_losses){ 0 };
	world->view = (struct scd_view){
		.event = &world->event,
		.sandbox = world->sandbox,
		.process = scd_sandbox_process(world->sandbox, process),
		.host = &world->host,
		.scratch = &world->scratch,
		.time_ns = event->context.time_ns ? event->context.time_ns : scd_sandbox_time_ns(world->sandbox),
		.losses = &world->losses,
	};
}

static inline void world_apply(struct world *world, const struct scd_event *event)
{
	struct scd_process_ref process;
	assert_int_equal(scd_sandbox_apply(world->sandbox, event, &process), 0);
	world_look(world, event, process);
}

/* `proc.aname[2]` as a rule would write it. Fails the test when there is no such field. */
static inline struct scd_field_use field_use(const char *written)
{
	struct scd_str name = scd_str_from(written), arg = { NULL, 0 };
	struct scd_field_use use;
	struct scd_error err = { 0 };
	const char *bracket = strchr(written, '[');
	if (bracket) {
		name.len = (size_t)(bracket - written);
		arg = (struct scd_str){ bracket + 1, strlen(bracket + 1) - 1 };
	}
	if (scd_field_resolve(name, bracket != NULL, arg, &use, &err) < 0)
		fail_msg("%s: %s", written, err.what);
	return use;
}

/* The field's value as outputs show it (a list as `(a,b)`), valid until the next call; NULL: ABSENT. */
static inline const char *world_get(struct world *world, const char *written)
{
	struct scd_field_use use = field_use(written);
	struct scd_value value;
	if (!scd_field_get(&use, &world->view, &value))
		return NULL;
	scd_buf_reset(&world->text);
	scd_format_value(&value, &world->text);
	scd_buf_append(&world->text, "", 0);
	assert_false(world->text.failed);
	return world->text.data ? world->text.data : "";
}

struct expected_field {
	const char *field;
	const char *text; /* NULL: ABSENT */
};

static inline void world_check(struct world *world, const char *name, const struct expected_field *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *got = world_get(world, rows[i].field);
		if (!got != !rows[i].text || (got && strcmp(got, rows[i].text) != 0))
			fail_msg("%s: %s is %s, expected %s", name, rows[i].field, got ? got : "ABSENT",
			         rows[i].text ? rows[i].text : "ABSENT");
	}
}

#define WORLD_CHECK(world, name, rows) world_check((world), (name), (rows), sizeof(rows) / sizeof((rows)[0]))

/* The context of a single-threaded process one second old. */
static inline struct scd_context context_of(int32_t tgid, const char *name)
{
	return (struct scd_context){
		.time_ns = NOW_NS,
		.thread_id = tgid,
		.thread_group_id = tgid,
		.has = SCD_HAS_CONTEXT,
		.container_id = SCD_STR("0123456789abcdef0123"),
		.process_name = scd_str_from(name),
	};
}

/* An exec; items: argv, which has to live as long as the event. */
static inline struct scd_event exec_event(int32_t tgid, const char *path, const struct scd_str *argv, size_t argc)
{
	struct scd_event event = {
		.point = SCD_POINT_SENTRY_EXEC,
		.kind = SCD_KIND_EXECVE,
		.context = context_of(tgid, "before"),
		.fd = -1,
	};
	event.u.exec.binary_path = scd_str_from(path);
	event.u.exec.argv = (struct scd_strings){ argv, argc };
	return event;
}

static inline struct scd_event clone_event(int32_t parent, int32_t child, int64_t start_ns)
{
	struct scd_event event = {
		.point = SCD_POINT_SENTRY_CLONE,
		.kind = SCD_KIND_CLONE,
		.context = context_of(parent, ""),
		.fd = -1,
	};
	event.u.clone_info.created_thread_id = child;
	event.u.clone_info.created_thread_group_id = child;
	event.u.clone_info.created_thread_start_time_ns = start_ns;
	return event;
}

/* The exit of a system call with this result, or of one that failed (errorno not 0). */
static inline struct scd_event call_event(enum scd_point point, const char *name, int64_t result, int64_t errorno)
{
	int kind = scd_kind_find(scd_str_from(name), 0);
	assert_true(kind >= 0);
	return (struct scd_event){
		.point = point,
		.kind = (unsigned)kind,
		.sysno = (uint64_t)kind,
		.context = context_of(7, "worker"),
		.has_exit = true,
		.exit_result = errorno ? 0 : result,
		.exit_errorno = errorno,
		.fd = -1,
	};
}

/* Process 7 opens a file: an event of a point that state looks at, so that what its context tells is remembered. */
static inline struct scd_event plain_event(void)
{
	struct scd_event event = call_event(SCD_POINT_SYSCALL_OPEN, "openat", 3, 0);
	event.u.open.pathname = SCD_STR("/dev/null");
	return event;
}

#endif
