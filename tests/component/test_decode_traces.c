/*
 * The decoder against protobuf-c on recorded traces: every message as it is, and damaged in many ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"
#include "seccheckd/wire/frame.h"
#include "tests/support/decode_model.h"
#include "tests/support/rng.h"
#include "tests/support/trace.h"

#define OWN_TRACES    SCD_SOURCE_DIR "/tests/data/traces/"
#define SHARED_TRACES SCD_SOURCE_DIR "/../shared/traces/"

/* Damaged messages in one run. */
#define MUTATIONS 200000u

static const char *const own_traces[] = {
	"detect-gcc",
	"detect-python",
	"randomx-light-jit-2t",
	"all-decoded-python",
};

static const char *const shared_traces[] = {
	"gvisor-client-0001", "all-decoded-bash", "all-decoded-gcc",         "detect-bash",
	"benign-node-v8",     "probe-report-do",  "randomx-light-interp-1t", "benign-python-256mib",
};

static int set_up(void **state)
{
	static struct scd_arena scratch;

	scd_arena_init(&scratch, 65536, SCD_LIMIT_EVENT_ARENA_BYTES);
	*state = &scratch;
	return 0;
}

static int tear_down(void **state)
{
	scd_arena_done(*state);
	return 0;
}

static struct trace load(const char *folder, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s%s", folder, name);
	return trace_load(path);
}

static void compare_trace(struct scd_arena *scratch, const char *folder, const char *name)
{
	struct trace trace = load(folder, name);
	char why[DECODE_MODEL_WHY_BYTES];

	assert_true(trace.count > 0);
	for (size_t i = 0; i < trace.count; i++) {
		struct scd_frame frame;
		bool accepted;

		assert_int_equal(scd_frame_parse(trace.messages[i], &frame), 0);
		if (!decode_model_agrees(frame.message_type, frame.payload, scratch, &accepted, why))
			fail_msg("%s, message %zu: %s", name, i, why);
		assert_true(accepted);
	}
	trace_done(&trace);
}

static void test_decode__agrees_with_protobuf_c_on_own_traces(void **state)
{
	for (size_t i = 0; i < sizeof(own_traces) / sizeof(own_traces[0]); i++)
		compare_trace(*state, OWN_TRACES, own_traces[i]);
}

static void test_decode__agrees_with_protobuf_c_on_more_traces(void **state)
{
	if (!trace_exists(SHARED_TRACES)) {
		print_message("skipped: no further traces in " SHARED_TRACES "\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(shared_traces) / sizeof(shared_traces[0]); i++)
		compare_trace(*state, SHARED_TRACES, shared_traces[i]);
}

static void flip_bits(struct scd_rng *rng, char *data, size_t len)
{
	for (uint64_t flips = 1 + scd_rng_below(rng, 4); len > 0 && flips > 0; flips--)
		data[scd_rng_below(rng, len)] ^= (char)(1u << scd_rng_below(rng, 8));
}

/* The front of one message with the back of another. */
static size_t splice(struct scd_rng *rng, char *data, struct scd_str front, struct scd_str back)
{
	size_t keep = scd_rng_below(rng, front.len + 1);
	size_t from = scd_rng_below(rng, back.len + 1);

	memcpy(data, front.data, keep);
	memcpy(data + keep, back.data + from, back.len - from);
	return keep + back.len - from;
}

/* A damaged message on the heap, no byte larger than it is. */
static struct scd_str mutate(struct scd_rng *rng, struct scd_str message, struct scd_str other)
{
	char *data = malloc(message.len + other.len + 1);
	size_t len = message.len;
	char *exact;

	assert_non_null(data);
	memcpy(data, message.data, message.len);
	switch (scd_rng_below(rng, 4)) {
	case 0: flip_bits(rng, data, len); break;
	case 1: len = scd_rng_below(rng, len + 1); break;
	case 2: len = splice(rng, data, message, other); break;
	default:
		len = splice(rng, data, message, other);
		flip_bits(rng, data, len);
		break;
	}
	exact = realloc(data, len > 0 ? len : 1);
	assert_non_null(exact);
	return (struct scd_str){ exact, len };
}

static void test_decode__agrees_with_protobuf_c_on_damaged_messages(void **state)
{
	struct scd_rng rng = scd_rng_start(__func__);
	struct trace trace = load(OWN_TRACES, "all-decoded-python");
	size_t refused = 0;

	for (size_t i = 0; i < MUTATIONS; i++) {
		char why[DECODE_MODEL_WHY_BYTES];
		struct scd_frame frame, other;
		struct scd_str payload;
		union {
			const char *in;
			char *out;
		} cast;
		bool accepted;

		assert_int_equal(scd_frame_parse(trace.messages[scd_rng_below(&rng, trace.count)], &frame), 0);
		assert_int_equal(scd_frame_parse(trace.messages[scd_rng_below(&rng, trace.count)], &other), 0);
		payload = mutate(&rng, frame.payload, other.payload);
		if (!decode_model_agrees(frame.message_type, payload, *state, &accepted, why))
			fail_msg("damaged message %zu: %s", i, why);
		refused += !accepted;
		cast.in = payload.data;
		free(cast.out);
	}
	assert_in_range(refused, MUTATIONS / 10, MUTATIONS - MUTATIONS / 10);
	trace_done(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode__agrees_with_protobuf_c_on_own_traces),
		cmocka_unit_test(test_decode__agrees_with_protobuf_c_on_more_traces),
		cmocka_unit_test(test_decode__agrees_with_protobuf_c_on_damaged_messages),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
