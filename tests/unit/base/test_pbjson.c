/*
 * Canonical JSON: its form on hand-made messages, and decode(encode(m)) == m for random messages of every type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "gvisor/common.pb-c.h"
#include "gvisor/container.pb-c.h"
#include "gvisor/sentry.pb-c.h"
#include "gvisor/syscall.pb-c.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/pbjson.h"
#include "seccheckd/v1/security_event.pb-c.h"
#include "tests/support/rng.h"

/* What encode makes of the message, as text that the caller frees. */
static char *encoded(const void *message)
{
	json_t *json = NULL;
	char *text;

	assert_int_equal(scd_pbjson_encode(message, &json), 0);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

static void assert_encodes_to(const void *message, const char *expected)
{
	char *text = encoded(message);

	assert_string_equal(text, expected);
	free(text);
}

static int decode(const ProtobufCMessageDescriptor *descriptor, const char *text, void *ret_message)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	int r;

	assert_non_null(json);
	r = scd_pbjson_decode(descriptor, json, ret_message);
	json_decref(json);
	return r;
}

static void test_pbjson_encode__leaves_out_what_has_its_default(void **state)
{
	Gvisor__Container__Start start;

	(void)state;
	gvisor__container__start__init(&start);
	assert_encodes_to(&start, "{}");
}

static void test_pbjson_encode__writes_the_canonical_form(void **state)
{
	Gvisor__Common__ContextData context;
	Gvisor__Container__Start start;
	char *args[] = { "sh", "", "-c" };
	char id[] = "a\xff\"b", cwd[] = "/r\xc3\xb6t";

	(void)state;
	gvisor__common__context_data__init(&context);
	gvisor__container__start__init(&start);
	context.time_ns = INT64_MIN;
	context.thread_id = -1;
	start.context_data = &context;
	start.id = id;
	start.cwd = cwd;
	start.args = args;
	start.n_args = SCD_COUNT(args);
	start.terminal = true;
	assert_encodes_to(&start, "{\"contextData\":{\"timeNs\":\"-9223372036854775808\",\"threadId\":-1},"
	                          "\"id\":\"a\xef\xbf\xbd\\\"b\",\"cwd\":\"/r\xc3\xb6t\",\"args\":[\"sh\",\"\",\"-c\"],"
	                          "\"terminal\":true}");
}

static void test_pbjson_encode__keeps_the_empty_message(void **state)
{
	Gvisor__Common__ContextData context;
	Gvisor__Container__Start start;

	(void)state;
	gvisor__common__context_data__init(&context);
	gvisor__container__start__init(&start);
	start.context_data = &context;
	assert_encodes_to(&start, "{\"contextData\":{}}");
}

static void test_pbjson_encode__writes_bytes_as_base64(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
	} rows[] = {
		{ "f", 1, "Zg==" },
		{ "fo", 2, "Zm8=" },
		{ "foo", 3, "Zm9v" },
		{ "foob", 4, "Zm9vYg==" },
		{ "\xfb\xff\xfe\0", 4, "+//+AA==" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		Gvisor__Syscall__Connect connect;
		char bytes[8], expected[64];

		gvisor__syscall__connect__init(&connect);
		memcpy(bytes, rows[i].bytes, rows[i].len);
		connect.address.data = (uint8_t *)bytes;
		connect.address.len = rows[i].len;
		snprintf(expected, sizeof(expected), "{\"address\":\"%s\"}", rows[i].text);
		assert_encodes_to(&connect, expected);
	}
}

static void test_pbjson_encode__names_enum_values_that_have_a_name(void **state)
{
	Seccheckd__V1__Rule rule;

	(void)state;
	seccheckd__v1__rule__init(&rule);
	rule.priority = SECCHECKD__V1__PRIORITY__PRIORITY_CRITICAL;
	assert_encodes_to(&rule, "{\"priority\":\"PRIORITY_CRITICAL\"}");
	rule.priority = (Seccheckd__V1__Priority)77;
	assert_encodes_to(&rule, "{\"priority\":77}");
}

static void test_pbjson_encode__writes_the_member_of_a_oneof_that_is_set(void **state)
{
	Seccheckd__V1__OutputField field;

	(void)state;
	seccheckd__v1__output_field__init(&field);
	field.value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_UNSIGNED_INTEGER;
	assert_encodes_to(&field, "{\"unsignedInteger\":\"0\"}");
	field.value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_BOOLEAN;
	assert_encodes_to(&field, "{\"boolean\":false}");
	field.value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_REAL;
	field.real = NAN;
	assert_encodes_to(&field, "{\"real\":\"NaN\"}");
	field.real = -INFINITY;
	assert_encodes_to(&field, "{\"real\":\"-Infinity\"}");
	field.real = INFINITY;
	assert_encodes_to(&field, "{\"real\":\"Infinity\"}");
	field.real = 1.5;
	assert_encodes_to(&field, "{\"real\":1.5}");
}

static void test_pbjson_text__replaces_what_is_not_utf8_byte_by_byte(void **state)
{
	static const struct {
		struct scd_str text, expected;
	} rows[] = {
		{ { NULL, 0 }, SCD_STR_INIT("") },
		{ SCD_STR_INIT("plain"), SCD_STR_INIT("plain") },
		{ SCD_STR_INIT("\xe2\x82\xac"), SCD_STR_INIT("\xe2\x82\xac") },
		{ SCD_STR_INIT("a\0b"), SCD_STR_INIT("a\0b") },
		{ SCD_STR_INIT("\0\xff"), SCD_STR_INIT("\0\xef\xbf\xbd") },
		{ SCD_STR_INIT("\xe2\x82"), SCD_STR_INIT("\xef\xbf\xbd\xef\xbf\xbd") },
		{ SCD_STR_INIT("a\xed\xa0\x80z"), SCD_STR_INIT("a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz") },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		json_t *json = scd_pbjson_text(rows[i].text);

		assert_non_null(json);
		assert_int_equal(json_string_length(json), rows[i].expected.len);
		assert_memory_equal(json_string_value(json), rows[i].expected.data, rows[i].expected.len);
		json_decref(json);
	}
}

static void test_pbjson_decode__reads_what_other_writers_write(void **state)
{
	static const struct {
		const char *name, *text, *canonical;
	} rows[] = {
		{ "original names", "{\"time_ns\":\"5\",\"thread_id\":6}", "{\"timeNs\":\"5\",\"threadId\":6}" },
		{ "64-bit number", "{\"timeNs\":-5}", "{\"timeNs\":\"-5\"}" },
		{ "32-bit string", "{\"threadId\":\"-6\"}", "{\"threadId\":-6}" },
		{ "whole real", "{\"timeNs\":5e3,\"threadId\":7.0}", "{\"timeNs\":\"5000\",\"threadId\":7}" },
		{ "null", "{\"timeNs\":null,\"cwd\":null,\"credentials\":null}", "{}" },
		{ "unknown keys", "{\"new\":[1,{}],\"threadId\":1}", "{\"threadId\":1}" },
		{ "camelCase first", "{\"thread_id\":2,\"threadId\":1}", "{\"threadId\":1}" },
		{ "empty string", "{\"cwd\":\"\"}", "{}" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		ProtobufCMessage *message = NULL;
		char *text;

		if (decode(&gvisor__common__context_data__descriptor, rows[i].text, &message) < 0)
			fail_msg("%s", rows[i].name);
		text = encoded(message);
		assert_string_equal(text, rows[i].canonical);
		free(text);
		protobuf_c_message_free_unpacked(message, NULL);
	}
}

static void test_pbjson_decode__passes_over_enum_names_of_newer_writers(void **state)
{
	Seccheckd__V1__SecurityEventAck *ack = NULL;

	(void)state;
	assert_int_equal(decode(&seccheckd__v1__security_event_ack__descriptor,
	                        "{\"acceptedIds\":[\"a\"],\"verdicts\":[{\"sandboxId\":\"s\",\"action\":\"FREEZE\"},"
	                        "{\"sandboxId\":\"t\",\"action\":\"VERDICT_ACTION_KILL\"},{\"action\":1}]}",
	                        &ack),
	                 0);
	assert_int_equal(ack->n_accepted_ids, 1);
	assert_int_equal(ack->n_verdicts, 3);
	assert_int_equal(ack->verdicts[0]->action, SECCHECKD__V1__VERDICT_ACTION__VERDICT_ACTION_UNSPECIFIED);
	assert_string_equal(ack->verdicts[0]->sandbox_id, "s");
	assert_int_equal(ack->verdicts[1]->action, SECCHECKD__V1__VERDICT_ACTION__VERDICT_ACTION_KILL);
	assert_int_equal(ack->verdicts[2]->action, SECCHECKD__V1__VERDICT_ACTION__VERDICT_ACTION_IGNORE);
	seccheckd__v1__security_event_ack__free_unpacked(ack, NULL);
}

static void test_pbjson_decode__takes_either_base64_with_or_without_padding(void **state)
{
	static const struct {
		const char *text;
		int result;
		struct scd_str bytes;
	} rows[] = {
		{ "", 0, SCD_STR_INIT("") },
		{ "Zg==", 0, SCD_STR_INIT("f") },
		{ "Zg", 0, SCD_STR_INIT("f") },
		{ "Zm8=", 0, SCD_STR_INIT("fo") },
		{ "Zm9v", 0, SCD_STR_INIT("foo") },
		{ "-__-AA", 0, SCD_STR_INIT("\xfb\xff\xfe\0") },
		{ "+//+AA==", 0, SCD_STR_INIT("\xfb\xff\xfe\0") },
		{ "Z", -EINVAL, { NULL, 0 } },
		{ "Z===", -EINVAL, { NULL, 0 } },
		{ "====", -EINVAL, { NULL, 0 } },
		{ "Zg=", -EINVAL, { NULL, 0 } },
		{ "Zm 9v", -EINVAL, { NULL, 0 } },
		{ "Zm\\u00009", -EINVAL, { NULL, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		Gvisor__Syscall__Connect *connect = NULL;
		char text[64];

		snprintf(text, sizeof(text), "{\"address\":\"%s\"}", rows[i].text);
		assert_int_equal(decode(&gvisor__syscall__connect__descriptor, text, &connect), rows[i].result);
		if (rows[i].result < 0)
			continue;
		assert_int_equal(connect->address.len, rows[i].bytes.len);
		assert_memory_equal(connect->address.data, rows[i].bytes.data, rows[i].bytes.len);
		gvisor__syscall__connect__free_unpacked(connect, NULL);
	}
}

static void test_pbjson_decode__refuses_values_that_do_not_fit(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ "[]", -EINVAL },
		{ "\"text\"", -EINVAL },
		{ "{\"name\":1}", -EINVAL },
		{ "{\"name\":\"a\\u0000b\"}", -EINVAL },
		{ "{\"boolean\":\"true\"}", -EINVAL },
		{ "{\"boolean\":0}", -EINVAL },
		{ "{\"signedInteger\":\"1x\"}", -EINVAL },
		{ "{\"signedInteger\":1.5}", -EINVAL },
		{ "{\"signedInteger\":1e30}", -ERANGE },
		{ "{\"signedInteger\":\"9223372036854775808\"}", -ERANGE },
		{ "{\"unsignedInteger\":-1}", -ERANGE },
		{ "{\"unsignedInteger\":1e20}", -ERANGE },
		{ "{\"unsignedInteger\":true}", -EINVAL },
		{ "{\"real\":\"0x10\"}", -EINVAL },
		{ "{\"real\":\" 1\"}", -EINVAL },
		{ "{\"real\":\"\"}", -EINVAL },
		{ "{\"real\":\"1\\u0000\"}", -EINVAL },
		{ "{\"list\":[]}", -EINVAL },
		{ "{\"list\":{\"items\":\"a\"}}", -EINVAL },
		{ "{\"list\":{\"items\":[\"a\",null]}}", -EINVAL },
		{ "{\"text\":\"a\",\"boolean\":true}", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		Seccheckd__V1__OutputField *field = NULL;

		if (decode(&seccheckd__v1__output_field__descriptor, rows[i].text, &field) != rows[i].result)
			fail_msg("%s", rows[i].text);
		assert_null(field);
	}
}

static void test_pbjson_decode__reads_the_largest_numbers(void **state)
{
	Seccheckd__V1__OutputField *field = NULL;

	(void)state;
	assert_int_equal(decode(&seccheckd__v1__output_field__descriptor,
	                        "{\"unsignedInteger\":\"18446744073709551615\"}", &field),
	                 0);
	assert_true(field->unsigned_integer == UINT64_MAX);
	seccheckd__v1__output_field__free_unpacked(field, NULL);
	assert_int_equal(decode(&seccheckd__v1__output_field__descriptor, "{\"unsignedInteger\":1e19}", &field), 0);
	assert_true(field->unsigned_integer == 10000000000000000000u);
	seccheckd__v1__output_field__free_unpacked(field, NULL);
	assert_int_equal(decode(&seccheckd__v1__output_field__descriptor, "{\"real\":\"-Infinity\"}", &field), 0);
	assert_true(isinf(field->real) && field->real < 0);
	seccheckd__v1__output_field__free_unpacked(field, NULL);
}

static ProtobufCMessage *random_message(struct scd_rng *rng, const ProtobufCMessageDescriptor *descriptor);

static char *random_text(struct scd_rng *rng)
{
	static const char *const pieces[] = {
		"a", "Z", "\"", "\\", "\n", "\x7f", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"
	};
	size_t count = scd_rng_below(rng, 9);
	char *text = calloc(1, 4 * count + 1);

	for (size_t i = 0, len = 0; i < count; i++) {
		const char *piece = pieces[scd_rng_below(rng, SCD_COUNT(pieces))];

		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	return text;
}

static ProtobufCBinaryData random_bytes(struct scd_rng *rng)
{
	ProtobufCBinaryData bytes = { .len = scd_rng_below(rng, 12) };

	bytes.data = malloc(bytes.len + 1);
	for (size_t i = 0; i < bytes.len; i++)
		bytes.data[i] = (uint8_t)scd_rng_next(rng);
	return bytes;
}

/* Small numbers, numbers of any size, and the extremes. */
static uint64_t random_bits(struct scd_rng *rng)
{
	switch (scd_rng_below(rng, 4)) {
	case 0: return scd_rng_below(rng, 3) - 1;
	case 1: return (uint64_t)1 << 63 | (uint64_t)1 << 31;
	case 2: return ((uint64_t)1 << 63 | (uint64_t)1 << 31) - 1;
	default: return scd_rng_next(rng);
	}
}

static void random_value(struct scd_rng *rng, const ProtobufCFieldDescriptor *field, void *member)
{
	uint64_t bits = random_bits(rng);

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING: *(char **)member = random_text(rng); return;
	case PROTOBUF_C_TYPE_BYTES: *(ProtobufCBinaryData *)member = random_bytes(rng); return;
	case PROTOBUF_C_TYPE_MESSAGE: *(ProtobufCMessage **)member = random_message(rng, field->descriptor); return;
	case PROTOBUF_C_TYPE_BOOL: *(protobuf_c_boolean *)member = bits & 1; return;
	case PROTOBUF_C_TYPE_DOUBLE: *(double *)member = (double)(int64_t)bits / 1024; return;
	case PROTOBUF_C_TYPE_FLOAT: *(float *)member = (float)(int32_t)bits / 1024; return;
	case PROTOBUF_C_TYPE_ENUM: *(int *)member = (int)scd_rng_below(rng, 50) - 5; return;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64: *(uint64_t *)member = bits; return;
	default: *(uint32_t *)member = (uint32_t)bits; return;
	}
}

static size_t member_bytes(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING: return sizeof(void *);
	case PROTOBUF_C_TYPE_ENUM: return sizeof(int);
	default: fail_msg("no message of ours repeats such a scalar: %s", field->name); return 0;
	}
}

static void random_field(struct scd_rng *rng, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	char *member = (char *)message + field->offset;
	char *quantifier = (char *)message + field->quantifier_offset;

	if (scd_rng_below(rng, 3) == 0)
		return;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t count = scd_rng_below(rng, 4);

		*(size_t *)(void *)quantifier = count;
		*(void **)(void *)member = count ? calloc(count, member_bytes(field)) : NULL;
		for (size_t i = 0; i < count; i++)
			random_value(rng, field, *(char **)(void *)member + i * member_bytes(field));
		return;
	}
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		if (*(uint32_t *)(void *)quantifier != 0)
			return;
		*(uint32_t *)(void *)quantifier = field->id;
	}
	random_value(rng, field, member);
}

static ProtobufCMessage *random_message(struct scd_rng *rng, const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = malloc(descriptor->sizeof_message);

	protobuf_c_message_init(descriptor, message);
	for (unsigned i = 0; i < descriptor->n_fields; i++)
		random_field(rng, &descriptor->fields[i], message);
	return message;
}

static void assert_same(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	size_t bytes = protobuf_c_message_get_packed_size(a);
	uint8_t *packed_a = malloc(bytes + 1), *packed_b = malloc(bytes + 1);

	assert_int_equal(protobuf_c_message_get_packed_size(b), bytes);
	protobuf_c_message_pack(a, packed_a);
	protobuf_c_message_pack(b, packed_b);
	assert_memory_equal(packed_a, packed_b, bytes);
	free(packed_a);
	free(packed_b);
}

/* Through the text form too: what jansson writes and reads. */
static void round_trip(const ProtobufCMessage *message)
{
	char *text = encoded(message);
	ProtobufCMessage *back = NULL;

	assert_int_equal(decode(message->descriptor, text, &back), 0);
	assert_same(message, back);
	protobuf_c_message_free_unpacked(back, NULL);
	free(text);
}

static void test_pbjson__round_trips_random_messages_of_every_type(void **state)
{
	static const ProtobufCMessageDescriptor *const descriptors[] = {
		&gvisor__common__context_data__descriptor,      &gvisor__container__start__descriptor,
		&gvisor__sentry__execve_info__descriptor,       &gvisor__sentry__clone_info__descriptor,
		&gvisor__sentry__task_exit__descriptor,         &gvisor__syscall__open__descriptor,
		&gvisor__syscall__execve__descriptor,           &gvisor__syscall__connect__descriptor,
		&gvisor__syscall__prlimit__descriptor,          &gvisor__syscall__syscall__descriptor,
		&seccheckd__v1__security_event__descriptor,     &seccheckd__v1__security_event_batch__descriptor,
		&seccheckd__v1__security_event_ack__descriptor,
	};
	struct scd_rng rng = scd_rng_start("pbjson");

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(descriptors); i++) {
		for (unsigned round = 0; round < 100; round++) {
			ProtobufCMessage *message = random_message(&rng, descriptors[i]);

			round_trip(message);
			protobuf_c_message_free_unpacked(message, NULL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pbjson_encode__leaves_out_what_has_its_default),
		cmocka_unit_test(test_pbjson_encode__writes_the_canonical_form),
		cmocka_unit_test(test_pbjson_encode__keeps_the_empty_message),
		cmocka_unit_test(test_pbjson_encode__writes_bytes_as_base64),
		cmocka_unit_test(test_pbjson_encode__names_enum_values_that_have_a_name),
		cmocka_unit_test(test_pbjson_encode__writes_the_member_of_a_oneof_that_is_set),
		cmocka_unit_test(test_pbjson_text__replaces_what_is_not_utf8_byte_by_byte),
		cmocka_unit_test(test_pbjson_decode__reads_what_other_writers_write),
		cmocka_unit_test(test_pbjson_decode__passes_over_enum_names_of_newer_writers),
		cmocka_unit_test(test_pbjson_decode__takes_either_base64_with_or_without_padding),
		cmocka_unit_test(test_pbjson_decode__refuses_values_that_do_not_fit),
		cmocka_unit_test(test_pbjson_decode__reads_the_largest_numbers),
		cmocka_unit_test(test_pbjson__round_trips_random_messages_of_every_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
