/*
 * The JSON of a message against the model: protobuf-c unpacks it, and base/pbjson.h encodes what came out. On messages
 * as a sink writes them; what the model cannot say (texts with NUL, messages in parts) is in the unit tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "decode/table.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/pbjson.h"
#include "seccheckd/decode/print.h"
#include "seccheckd/wire/frame.h"
#include "tests/support/random_message.h"
#include "tests/support/trace.h"

#define OWN_TRACES        SCD_SOURCE_DIR "/tests/data/traces/"
#define MESSAGES_PER_TYPE 500u

/* The model's object, with the type as its first key. */
static json_t *model(const ProtobufCMessageDescriptor *descriptor, struct scd_str payload)
{
	ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, payload.len,
	                                                      (const uint8_t *)payload.data);
	json_t *object = json_pack("{s:o}", "@type", json_sprintf("type.googleapis.com/%s", descriptor->name));
	json_t *fields = NULL;

	assert_non_null(message);
	assert_non_null(object);
	assert_int_equal(scd_pbjson_encode(message, &fields), 0);
	assert_int_equal(json_object_update(object, fields), 0);
	json_decref(fields);
	protobuf_c_message_free_unpacked(message, NULL);
	return object;
}

static char *dump(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	assert_non_null(text);
	json_decref(object);
	return text;
}

/* Both are dumped by jansson, so that escapes do not differ and the order of keys counts. */
static void compare(unsigned type, struct scd_str payload)
{
	struct scd_buf line;
	json_error_t error;
	json_t *printed;
	char *ours, *theirs;

	scd_buf_init(&line, SCD_LIMIT_PRINT_BYTES);
	assert_int_equal(scd_print_json(type, payload, &line), SCD_PRINTED_MESSAGE);
	assert_null(memchr(line.data, '\n', line.len));
	printed = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!printed)
		fail_msg("%s: %s", error.text, line.data);
	ours = dump(printed);
	theirs = dump(model(scd__decode_shapes()[type].descriptor, payload));
	if (strcmp(ours, theirs) != 0)
		fail_msg("ours:   %s\ntheirs: %s", ours, theirs);
	free(ours);
	free(theirs);
	scd_buf_done(&line);
}

static void test_json__is_that_of_the_model_for_random_messages(void **state)
{
	struct scd_rng rng = scd_rng_start(__func__);

	(void)state;
	for (unsigned type = 1; type < SCD_POINT_COUNT; type++) {
		for (unsigned i = 0; i < MESSAGES_PER_TYPE; i++) {
			struct scd_buf message;

			scd_buf_init(&message, SIZE_MAX / 2);
			random_message(&rng, scd__decode_shapes()[type].descriptor, 0, &message);
			compare(type, scd_buf_str(&message));
			scd_buf_done(&message);
		}
	}
}

static void test_json__is_that_of_the_model_for_recorded_messages(void **state)
{
	static const char *const names[] = { "detect-gcc", "randomx-light-jit-2t", "all-decoded-python", "demo-miner" };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(names); i++) {
		char path[512];
		struct trace trace;

		snprintf(path, sizeof(path), "%s%s", OWN_TRACES, names[i]);
		trace = trace_load(path);
		for (size_t k = 0; k < trace.count; k++) {
			struct scd_frame frame;

			assert_int_equal(scd_frame_parse(trace.messages[k], &frame), 0);
			compare(frame.message_type, frame.payload);
		}
		trace_done(&trace);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json__is_that_of_the_model_for_random_messages),
		cmocka_unit_test(test_json__is_that_of_the_model_for_recorded_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
