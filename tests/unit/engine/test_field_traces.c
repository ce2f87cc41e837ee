/*
 * Every field over every message of recorded traces: values have the type of their row, texts end where they should,
 * and some answers are known.
 */
#include "field_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "seccheckd/decode/decode.h"
#include "seccheckd/wire/frame.h"
#include "tests/support/rng.h"
#include "tests/support/trace.h"

#define OWN_TRACES    SCD_SOURCE_DIR "/tests/data/traces/"
#define SHARED_TRACES SCD_SOURCE_DIR "/../shared/traces/"

static struct world world;
static struct scd_arena messages;

static int set_up(void **state)
{
	(void)state;
	world_open(&world, true);
	scd_arena_init(&messages, 65536, SCD_LIMIT_EVENT_ARENA_BYTES);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_close(&world);
	scd_arena_done(&messages);
	return 0;
}

/* What is done with each event that rules would see. */
typedef void look_fn(void *user);

/* Decodes and applies one message. True when it was an event. */
static bool feed(struct scd_str message, uint64_t sequence, look_fn *look, void *user)
{
	struct scd_frame frame;
	struct scd_event event;
	struct scd_process_ref process;
	scd_arena_reset(&messages);
	if (scd_frame_parse(message, &frame) < 0 ||
	    scd_decode_event(frame.message_type, frame.payload, SCD_DECODE_ENV, &messages, &event) != 0)
		return false;
	event.sequence = sequence;
	assert_int_equal(scd_sandbox_apply(world.sandbox, &event, &process), 0);
	world_look(&world, &event, process);
	if (event.kind != SCD_KIND_NONE)
		look(user);
	scd_sandbox_retire(world.sandbox, &event, process);
	return event.kind != SCD_KIND_NONE;
}

static struct trace load(const char *folder, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s%s", folder, name);
	return trace_load(path);
}

static size_t walk(const char *folder, const char *name, look_fn *look, void *user)
{
	struct trace trace = load(folder, name);
	size_t events = 0;
	for (size_t i = 0; i < trace.count; i++)
		events += feed(trace.messages[i], i + 1, look, user);
	trace_done(&trace);
	return events;
}

/* Invariants. */

static bool allows_empty_text(const struct scd_field *field)
{
	static const char *const names[] = {
		"proc.args", "proc.env", "proc.aargs", "proc.aenv", "evt.rawarg", "evt.arg"
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (scd_str_is(field->name, names[i]))
			return true;
	return false;
}

static void check_value(const struct scd_field *field, enum scd_type type, const struct scd_value *value)
{
	if (value->type != type)
		fail_msg("%s has a value of type %s", field->name.data, scd_type_name(value->type));
	bool is_text = scd_type_is_text(type) || type == SCD_TYPE_BYTES;
	if (is_text && !value->is_list && value->text.len == 0 && !allows_empty_text(field))
		fail_msg("%s is empty", field->name.data);
	if (type == SCD_TYPE_PORT && !value->is_list)
		assert_true(value->u64 <= 65535);
	for (size_t i = 0; value->is_list && i < value->list.count; i++)
		check_value(field, type, &value->list.items[i]);
}

static void check_use(const struct scd_field_use *use)
{
	struct scd_value value;
	memset(&value, 0xa5, sizeof(value));
	if (!use->field->get || !use->field->get(&world.view, &use->arg, &value))
		return;
	check_value(use->field, use->type, &value);
	if (value.is_list && !use->is_any_of && !(use->field->flags & SCD_FIELD_LIST))
		fail_msg("%s is a list", use->field->name.data);
	scd_buf_reset(&world.text);
	scd_format_value(&value, &world.text);
	assert_false(world.text.failed);
}

static void look_at_all(void *user)
{
	static const char *const with_arguments[] = {
		"evt.arg[0]",       "evt.arg[2]",     "evt.arg.fd",         "evt.arg.args",  "evt.rawarg.res",
		"evt.rawarg.flags", "evt.rawarg.exe", "evt.type.is.openat", "proc.aname[1]", "proc.aname[2]",
		"proc.args[0]",     "proc.env[PATH]", "proc.aenv[PATH]",    "proc.aargs[1]", "proc.apid[1]",
		"proc.acmdline[1]", "proc.aexe[0]",   "evt.abspath",
	};
	(void)user;
	for (size_t i = 0; i < scd_field_count(); i++) {
		const struct scd_field *field = scd_field_at(i);
		if (!(field->flags & SCD_FIELD_ARG_REQUIRED))
			check_use(
			        &(struct scd_field_use){ field, { 0 }, field->type, field->flags & SCD_FIELD_ANY_OF });
	}
	for (size_t i = 0; i < sizeof(with_arguments) / sizeof(with_arguments[0]); i++) {
		struct scd_field_use use = field_use(with_arguments[i]);
		check_use(&use);
	}
}

static void test_all_fields__keep_their_types_on_own_traces(void **state)
{
	(void)state;
	static const char *const traces[] = { "detect-gcc", "detect-python", "all-decoded-python",
		                              "randomx-light-jit-2t" };
	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++)
		assert_true(walk(OWN_TRACES, traces[i], look_at_all, NULL) > 50);
}

static void test_all_fields__keep_their_types_on_shared_traces(void **state)
{
	(void)state;
	static const char *const traces[] = { "gvisor-client-0001", "all-decoded-bash", "all-decoded-gcc",
		                              "detect-bash",        "benign-node-v8",   "probe-report-do" };
	if (!trace_exists(SHARED_TRACES)) {
		print_message("skipped: there is no %s\n", SHARED_TRACES);
		skip();
	}
	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++)
		assert_true(walk(SHARED_TRACES, traces[i], look_at_all, NULL) > 0);
}

/* A few bytes of each message changed: what still decodes is what a hostile sandbox may say. */
static void test_all_fields__keep_their_types_on_damaged_messages(void **state)
{
	(void)state;
	struct scd_rng rng = scd_rng_start("test_all_fields__keep_their_types_on_damaged_messages");
	struct trace trace = load(OWN_TRACES, "all-decoded-python");
	size_t events = 0;
	for (size_t i = 0; i < trace.count; i++) {
		struct scd_str message = trace.messages[i];
		char *damaged = malloc(message.len);
		assert_non_null(damaged);
		memcpy(damaged, message.data, message.len);
		for (unsigned changes = 0; changes < 3 && message.len > 8; changes++)
			damaged[8 + scd_rng_below(&rng, message.len - 8)] = (char)scd_rng_next(&rng);
		events += feed((struct scd_str){ damaged, message.len }, i + 1, look_at_all, NULL);
		free(damaged);
	}
	trace_done(&trace);
	assert_true(events > 0);
}

/* Known answers. */

/* The assembler that gcc starts, by a link. */
static void look_for_assembler(void *user)
{
	static const struct expected_field rows[] = {
		{ "evt.type", "execve" },
		{ "evt.res", "SUCCESS" },
		{ "proc.name", "as" },
		{ "proc.exe", "as" },
		{ "proc.exeline", "as --64 -o /tmp/ccl6CaJu.o /tmp/ccbaBZFv.s" },
		{ "proc.cmdnargs", "4" },
		{ "proc.pname", "gcc" },
		{ "proc.aname", "(gcc,sh)" },
		{ "proc.pexepath", "/usr/bin/x86_64-linux-gnu-gcc-12" },
		{ "proc.pcmdline", "gcc -O2 -o /tmp/hello /tmp/hello.c" },
		{ "proc.apid", "(3,1)" },
		{ "proc.cwd", "/tmp/h2/" },
		{ "proc.aenv[HOME]", "/root" },
		{ "container.id", "runsc-965728" },
		{ "user.uid", "0" },
		{ "user.name", "root" },
		{ "evt.arg.ptid", "gcc" },
		{ "evt.time.s", "00:51:16" },
	};
	const char *path = world.event.point == SCD_POINT_SENTRY_EXEC ? world_get(&world, "proc.exepath") : NULL;
	if (!path || strcmp(path, "/usr/bin/x86_64-linux-gnu-as") != 0)
		return;
	(*(size_t *)user)++;
	WORLD_CHECK(&world, "as", rows);
}

/* The file that cp writes: its own open, and not that of the compiler that reads it. */
static void look_for_copy(void *user)
{
	static const struct expected_field rows[] = {
		{ "evt.type", "openat" },
		{ "fd.name", "/tmp/hello.c" },
		{ "fd.directory", "/tmp" },
		{ "fd.filename", "hello.c" },
		{ "fd.num", "4" },
		{ "evt.is_open_write", "true" },
		{ "evt.arg.flags", "O_EXCL|O_CREAT|O_WRONLY" },
		{ "evt.arg.mode", "0644" },
		{ "proc.name", "cp" },
		{ "proc.cmdline", "cp /tmp/h2/hello.c /tmp/hello.c" },
		{ "proc.pname", "sh" },
		{ "evt.reltime", "8080386" },
	};
	if (world.event.point != SCD_POINT_SYSCALL_OPEN || world.event.exit_errorno != 0 ||
	    strcmp(world_get(&world, "evt.is_open_write"), "true") != 0 ||
	    strcmp(world_get(&world, "fd.name"), "/tmp/hello.c") != 0)
		return;
	(*(size_t *)user)++;
	WORLD_CHECK(&world, "cp", rows);
}

static void test_exec__of_a_compilers_child(void **state)
{
	(void)state;
	size_t found = 0;
	walk(OWN_TRACES, "detect-gcc", look_for_assembler, &found);
	assert_int_equal(found, 1);
}

static void test_open__of_a_copy(void **state)
{
	(void)state;
	size_t found = 0;
	walk(OWN_TRACES, "detect-gcc", look_for_copy, &found);
	assert_int_equal(found, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_all_fields__keep_their_types_on_own_traces),
		TEST(test_all_fields__keep_their_types_on_shared_traces),
		TEST(test_all_fields__keep_their_types_on_damaged_messages),
		TEST(test_exec__of_a_compilers_child),
		TEST(test_open__of_a_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
