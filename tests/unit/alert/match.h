/*
 * A match as the engine would report it: a rule with an output, and a sandbox that events have filled.
 */
#ifndef SCD_TESTS_UNIT_ALERT_MATCH_H
#define SCD_TESTS_UNIT_ALERT_MATCH_H

#include "seccheckd/alert/alert.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/format.h"
#include "seccheckd/v1/security_event.pb-c.h"

#define MATCH_TIME_NS INT64_C(1700000000123456789)

struct match {
	struct scd_arena arena, scratch;
	struct scd_sandbox *sandbox;
	struct scd_event event;
	struct scd_host host;
	struct scd_view view;
	struct scd_rule rule;
	struct scd_alert_origin origin;
};

static inline void match_open(struct match *match)
{
	static const struct scd_str tags[] = { SCD_STR_INIT("T1496"), SCD_STR_INIT("mining") };

	memset(match, 0, sizeof(*match));
	scd_arena_init(&match->arena, 65536, 0);
	scd_arena_init(&match->scratch, 65536, SCD_LIMIT_EVENT_ARENA_BYTES);
	match->sandbox = scd_sandbox_new(false);
	assert_non_null(match->sandbox);
	match->host = (struct scd_host){ SCD_STR("node-1"), SCD_STR("b00t") };
	match->rule = (struct scd_rule){ .name = SCD_STR("A rule"),
		                         .desc = SCD_STR("What it is for"),
		                         .source = SCD_STR("syscall"),
		                         .priority = SCD_PRIORITY_CRITICAL,
		                         .tags = tags,
		                         .tag_count = 2 };
	match->origin = (struct scd_alert_origin){ .nonce = { 1, 2, 3 },
		                                   .identity = SCD_IDENTITY_VERIFIED,
		                                   .sandbox_id = SCD_STR("sandbox-1"),
		                                   .dropped_count = 7,
		                                   .rules_generation = "0123456789abcdef" };
}

static inline void match_close(struct match *match)
{
	scd_sandbox_free(&match->sandbox);
	scd_arena_done(&match->arena);
	scd_arena_done(&match->scratch);
}

/* Begins the next event; its context is that of a process of container c0ffee. */
static inline struct scd_event *match_event(struct match *match, enum scd_point point, int32_t tgid)
{
	struct scd_event *event = &match->event;
	uint64_t sequence = event->sequence + 1;

	memset(event, 0, sizeof(*event));
	event->sequence = sequence;
	event->point = point;
	event->kind = point == SCD_POINT_SENTRY_EXEC ? SCD_KIND_EXECVE : SCD_KIND_NONE;
	event->context.time_ns = MATCH_TIME_NS;
	event->context.thread_id = event->context.thread_group_id = tgid;
	event->context.container_id = SCD_STR("c0ffee");
	event->context.cwd = SCD_STR("/work");
	event->context.process_name = SCD_STR("sh");
	event->context.has = SCD_HAS_CONTEXT | SCD_HAS_CREDENTIALS;
	return event;
}

/* Applies the event; the view then is what rules would look at. */
static inline void match_apply(struct match *match)
{
	struct scd_process_ref process;

	assert_int_equal(scd_sandbox_apply(match->sandbox, &match->event, &process), 0);
	match->view = (struct scd_view){ .event = &match->event,
		                         .sandbox = match->sandbox,
		                         .process = scd_sandbox_process(match->sandbox, process),
		                         .host = &match->host,
		                         .scratch = &match->scratch,
		                         .time_ns = match->event.context.time_ns };
}

static inline void match_clone(struct match *match, int32_t parent, int32_t child)
{
	struct scd_event *event = match_event(match, SCD_POINT_SENTRY_CLONE, parent);

	event->u.clone_info.created_thread_id = event->u.clone_info.created_thread_group_id = child;
	event->u.clone_info.created_thread_start_time_ns = MATCH_TIME_NS + child;
	match_apply(match);
}

static inline void match_exec(struct match *match, int32_t tgid, struct scd_str path, const struct scd_str *argv,
                              size_t argc)
{
	struct scd_event *event = match_event(match, SCD_POINT_SENTRY_EXEC, tgid);

	event->u.exec.binary_path = path;
	event->u.exec.argv = (struct scd_strings){ argv, argc };
	match_apply(match);
}

/* Gives the rule this output. */
static inline void match_output(struct match *match, const char *output)
{
	struct scd_error err;

	if (scd_format_new(scd_str_from(output), &match->arena, &match->rule.output, &err) < 0)
		fail_msg("%s", err.what);
}

static inline struct scd_alert *match_alert(struct match *match)
{
	struct scd_alert_who who = { 0 };
	struct scd_alert *alert = scd_alert_new(&match->origin, &match->rule, &match->view, &who);

	assert_non_null(alert);
	scd_alert_who_done(&who);
	return alert;
}

/* The alert unpacked; freed with seccheckd__v1__security_event__free_unpacked. */
static inline Seccheckd__V1__SecurityEvent *match_message(struct match *match)
{
	struct scd_alert *alert = match_alert(match);
	struct scd_str packed = scd_alert_protobuf(alert);
	Seccheckd__V1__SecurityEvent *message = seccheckd__v1__security_event__unpack(NULL, packed.len,
	                                                                              (const uint8_t *)packed.data);

	assert_non_null(message);
	scd_alert_unref(&alert);
	assert_null(alert);
	return message;
}

static inline void match_free(Seccheckd__V1__SecurityEvent *message)
{
	seccheckd__v1__security_event__free_unpacked(message, NULL);
}

#endif
