/*
 * The text of a message against protobuf's own C++ library: `protoc --decode` over random and recorded messages of
 * every type. Many messages go to it at once, as a repeated field of a message that is made for this.
 *
 * Messages with texts that are not UTF-8 are refused by it. They are compared, too, with proto files in which every
 * string is bytes: the text format writes both alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decode/table.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/decode/print.h"
#include "seccheckd/wire/frame.h"
#include "tests/support/random_message.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"
#include "tests/support/trace.h"

#define PROTOC            "/usr/bin/protoc"
#define OWN_TRACES        SCD_SOURCE_DIR "/tests/data/traces/"
#define SHARED_TRACES     SCD_SOURCE_DIR "/../shared/traces/"
#define MESSAGES_PER_TYPE 200u
#define DAMAGED_MESSAGES  150u

static struct tempdir dir;

/* The payloads of one type that go to protoc together. */
struct batch {
	unsigned type;
	struct scd_buf wire;  /* a field 1 for each message */
	struct scd_buf lines; /* what we print of each, without the name, and with a line break */
};

static void batch_init(struct batch *batch, unsigned type)
{
	batch->type = type;
	scd_buf_init(&batch->wire, SIZE_MAX / 2);
	scd_buf_init(&batch->lines, SIZE_MAX / 2);
}

static void batch_done(struct batch *batch)
{
	scd_buf_done(&batch->wire);
	scd_buf_done(&batch->lines);
}

/* What is behind `E NAME ` or `NAME => `. */
static const char *behind_name(const char *line)
{
	const char *end = strchr(line, ' ');

	assert_non_null(end);
	end = strchr(end + 1, ' ');
	assert_non_null(end);
	return end + 1;
}

static void add_message(struct batch *batch, struct scd_str payload)
{
	struct scd_buf line;

	scd_buf_init(&line, SCD_LIMIT_PRINT_BYTES);
	assert_int_equal(scd_print_text(batch->type, payload, &line), SCD_PRINTED_MESSAGE);
	scd_buf_printf(&batch->lines, "%s\n", behind_name(line.data));
	scd_buf_append_char(&batch->wire, 0x0a);
	for (size_t len = payload.len;; len >>= 7) {
		scd_buf_append_char(&batch->wire, (char)(len < 0x80 ? len : len | 0x80));
		if (len < 0x80)
			break;
	}
	scd_buf_append_str(&batch->wire, payload);
	scd_buf_done(&line);
}

/* One line of a message for each message of protoc's answer, which has them as `m {`, indented fields, `}`. */
static void flatten(const char *answer, struct scd_buf *lines)
{
	for (const char *end; *answer; answer = end + 1) {
		end = strchr(answer, '\n');
		assert_non_null(end);
		if (*answer == '}')
			scd_buf_append_char(lines, '\n');
		else if (*answer == ' ')
			scd_buf_append(lines, answer + 2, (size_t)(end - answer) - 2);
		if (*answer == ' ')
			scd_buf_append_char(lines, ' ');
	}
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Starts protoc over the wire bytes of a batch; folder is one of those that set_up made. */
static void run_protoc(struct run *run, const char *folder, unsigned type, struct scd_str wire)
{
	char command[1024], proto[512], path[128];

	snprintf(proto, sizeof(proto),
	         "syntax = \"proto3\";\nimport \"gvisor/container.proto\";\nimport \"gvisor/sentry.proto\";\n"
	         "import \"gvisor/syscall.proto\";\nmessage Batch { repeated %s m = 1; }\n",
	         scd__decode_shapes()[type].descriptor->name);
	snprintf(path, sizeof(path), "%s/%s/batch.proto", dir.path, folder);
	write_file(path, proto, strlen(proto));
	write_file(tempdir_join(&dir, "wire"), wire.data, wire.len);
	snprintf(command, sizeof(command), PROTOC " --proto_path=%s/%s --decode=Batch batch.proto <%s/wire", dir.path,
	         folder, dir.path);
	run_program(run, &(struct run_options){ .argv = (const char *const[]){ "/bin/sh", "-c", command, NULL } });
}

static void report_difference(const struct batch *batch, const char *ours, const char *theirs)
{
	const char *name = scd__decode_shapes()[batch->type].descriptor->name;

	while (strcspn(ours, "\n") == strcspn(theirs, "\n") && strncmp(ours, theirs, strcspn(ours, "\n")) == 0) {
		ours += strcspn(ours, "\n") + 1;
		theirs += strcspn(theirs, "\n") + 1;
	}
	fail_msg("%s\nours:   %.*s\ntheirs: %.*s", name, (int)strcspn(ours, "\n"), ours, (int)strcspn(theirs, "\n"),
	         theirs);
}

static void compare_batch(const struct batch *batch, const char *folder)
{
	struct scd_buf theirs;
	struct run run;

	run_protoc(&run, folder, batch->type, scd_buf_str(&batch->wire));
	if (run.status != 0)
		fail_msg("protoc: %s", run.err.data);
	scd_buf_init(&theirs, SIZE_MAX / 2);
	flatten(run.out.data, &theirs);
	assert_false(batch->lines.failed || theirs.failed);
	if (!scd_str_eq(scd_buf_str(&theirs), scd_buf_str(&batch->lines)))
		report_difference(batch, batch->lines.data, theirs.data);
	scd_buf_done(&theirs);
	run_done(&run);
}

static void compare_random_messages(struct scd_rng *rng, const char *folder, unsigned style)
{
	for (unsigned type = 1; type < SCD_POINT_COUNT; type++) {
		struct batch batch;

		batch_init(&batch, type);
		for (unsigned i = 0; i < MESSAGES_PER_TYPE; i++) {
			struct scd_buf message;

			scd_buf_init(&message, SIZE_MAX / 2);
			random_message(rng, scd__decode_shapes()[type].descriptor, style, &message);
			add_message(&batch, scd_buf_str(&message));
			scd_buf_done(&message);
		}
		compare_batch(&batch, folder);
		batch_done(&batch);
	}
}

static void test_text__is_that_of_protobuf_for_ordinary_messages(void **state)
{
	struct scd_rng rng = scd_rng_start(__func__);

	(void)state;
	compare_random_messages(&rng, "strict", 0);
}

static void test_text__is_that_of_protobuf_for_odd_messages(void **state)
{
	struct scd_rng rng = scd_rng_start(__func__);

	(void)state;
	compare_random_messages(&rng, "strict", RANDOM_MESSAGE_ODD);
}

static void test_text__is_that_of_protobuf_for_bytes_that_are_no_utf8(void **state)
{
	struct scd_rng rng = scd_rng_start(__func__);

	(void)state;
	compare_random_messages(&rng, "relaxed", RANDOM_MESSAGE_ODD | RANDOM_MESSAGE_ANY_TEXT);
}

static void compare_trace(const char *folder, const char *name)
{
	struct batch batches[SCD_POINT_COUNT];
	struct scd_frame frame;
	struct trace trace;
	char path[512];

	snprintf(path, sizeof(path), "%s%s", folder, name);
	trace = trace_load(path);
	for (unsigned type = 1; type < SCD_POINT_COUNT; type++)
		batch_init(&batches[type], type);
	for (size_t i = 0; i < trace.count; i++) {
		assert_int_equal(scd_frame_parse(trace.messages[i], &frame), 0);
		assert_in_range(frame.message_type, 1, SCD_POINT_COUNT - 1);
		add_message(&batches[frame.message_type], frame.payload);
	}
	for (unsigned type = 1; type < SCD_POINT_COUNT; type++) {
		if (batches[type].wire.len > 0)
			compare_batch(&batches[type], "strict");
		batch_done(&batches[type]);
	}
	trace_done(&trace);
}

static void test_text__is_that_of_protobuf_for_own_traces(void **state)
{
	static const char *const names[] = { "detect-gcc", "detect-python", "randomx-light-jit-2t",
		                             "all-decoded-python", "demo-miner" };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(names); i++)
		compare_trace(OWN_TRACES, names[i]);
}

static void test_text__is_that_of_protobuf_for_shared_traces(void **state)
{
	static const char *const names[] = { "all-decoded-bash",     "all-decoded-gcc",   "detect-bash",
		                             "benign-node-v8",       "probe-report-do",   "randomx-light-interp-1t",
		                             "benign-python-256mib", "gvisor-client-0001" };

	(void)state;
	if (!trace_exists(SHARED_TRACES)) {
		print_message("skipped: no traces at " SHARED_TRACES "\n");
		skip();
	}
	for (size_t i = 0; i < SCD_COUNT(names); i++)
		compare_trace(SHARED_TRACES, names[i]);
}

/* Changes one byte, or cuts the message short. */
static void damage(struct scd_rng *rng, struct scd_buf *message)
{
	uint64_t at;

	if (message->len == 0)
		return;
	at = scd_rng_below(rng, message->len);
	if (scd_rng_below(rng, 2))
		message->len = at;
	else
		message->data[at] = (char)scd_rng_next(rng);
}

static bool protobuf_accepts(unsigned type, struct scd_str payload)
{
	struct batch batch;
	struct run run;
	bool accepts;

	batch_init(&batch, type);
	scd_buf_append_char(&batch.wire, 0x0a);
	scd_buf_append_char(&batch.wire, (char)(payload.len | 0x80));
	scd_buf_append_char(&batch.wire, (char)(payload.len >> 7));
	scd_buf_append_str(&batch.wire, payload);
	run_protoc(&run, "relaxed", type, scd_buf_str(&batch.wire));
	accepts = run.status == 0;
	run_done(&run);
	batch_done(&batch);
	return accepts;
}

static void test_text__is_refused_where_protobuf_refuses(void **state)
{
	struct scd_rng rng = scd_rng_start(__func__);
	struct scd_buf message, line;
	unsigned damaged = 0;

	(void)state;
	for (unsigned i = 0; i < DAMAGED_MESSAGES; i++) {
		unsigned type = 1 + (unsigned)scd_rng_below(&rng, SCD_POINT_COUNT - 1);
		int printed;

		scd_buf_init(&message, 1u << 14);
		scd_buf_init(&line, SCD_LIMIT_PRINT_BYTES);
		random_message(&rng, scd__decode_shapes()[type].descriptor, RANDOM_MESSAGE_ODD, &message);
		damage(&rng, &message);
		printed = scd_print_text(type, scd_buf_str(&message), &line);
		assert_true(printed == SCD_PRINTED_MESSAGE || printed == SCD_PRINTED_DAMAGED);
		if ((printed == SCD_PRINTED_MESSAGE) != protobuf_accepts(type, scd_buf_str(&message)))
			fail_msg("message %u: %s", i, line.data);
		damaged += printed == SCD_PRINTED_DAMAGED;
		scd_buf_done(&message);
		scd_buf_done(&line);
	}
	assert_in_range(damaged, DAMAGED_MESSAGES / 10, DAMAGED_MESSAGES - 1);
}

/* Copies proto/ into a folder, with one type for another. */
static int copy_protos(const char *folder, const char *type, const char *instead)
{
	static const char *const names[] = { "common", "container", "sentry", "syscall" };
	char command[1024];
	int r = 0;

	snprintf(command, sizeof(command), "mkdir -p %s/%s/gvisor", dir.path, folder);
	r = system(command);
	for (size_t i = 0; r == 0 && i < SCD_COUNT(names); i++) {
		snprintf(command, sizeof(command),
		         "sed 's/%s /%s /' " SCD_SOURCE_DIR "/proto/gvisor/%s.proto >%s/%s/gvisor/%s.proto", type,
		         instead, names[i], dir.path, folder, names[i]);
		r = system(command);
	}
	return r;
}

static int set_up(void **state)
{
	int r = tempdir_make(&dir);

	(void)state;
	r = r < 0 ? r : copy_protos("strict", "string", "string");
	return r != 0 ? r : copy_protos("relaxed", "string", "bytes");
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text__is_that_of_protobuf_for_ordinary_messages),
		cmocka_unit_test(test_text__is_that_of_protobuf_for_odd_messages),
		cmocka_unit_test(test_text__is_that_of_protobuf_for_bytes_that_are_no_utf8),
		cmocka_unit_test(test_text__is_that_of_protobuf_for_own_traces),
		cmocka_unit_test(test_text__is_that_of_protobuf_for_shared_traces),
		cmocka_unit_test(test_text__is_refused_where_protobuf_refuses),
	};

	if (access(PROTOC, X_OK) != 0) {
		printf("skipped: no " PROTOC " (Debian: protobuf-compiler)\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
