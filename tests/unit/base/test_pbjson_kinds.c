/*
 * Canonical JSON of what our own .proto files do not have: descriptors made by hand for a message type that contains
 * itself, and for proto2's labels, floats and repeated scalars.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/pbjson.h"

struct nested {
	ProtobufCMessage base;
	struct nested *inner;
};

static const ProtobufCFieldDescriptor nested_fields[];

static void nested_init(ProtobufCMessage *message);

static const ProtobufCIntRange nested_ranges[] = { { 1, 0 }, { 0, 1 } };
static const unsigned nested_by_name[] = { 0 };
static const ProtobufCMessageDescriptor nested_descriptor = {
	.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
	.name = "Nested",
	.sizeof_message = sizeof(struct nested),
	.n_fields = 1,
	.fields = nested_fields,
	.fields_sorted_by_name = nested_by_name,
	.n_field_ranges = 1,
	.field_ranges = nested_ranges,
	.message_init = nested_init,
};
static const ProtobufCFieldDescriptor nested_fields[] = {
	{ .name = "inner",
	  .id = 1,
	  .label = PROTOBUF_C_LABEL_NONE,
	  .type = PROTOBUF_C_TYPE_MESSAGE,
	  .offset = offsetof(struct nested, inner),
	  .descriptor = &nested_descriptor },
};

static void nested_init(ProtobufCMessage *message)
{
	*(struct nested *)message = (struct nested){ .base.descriptor = &nested_descriptor };
}

static void test_pbjson__stops_at_its_depth_limit(void **state)
{
	struct nested chain[SCD_LIMIT_PROTO_DEPTH + 2];
	ProtobufCMessage *message = NULL;
	json_t *json = NULL, *deeper;

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(chain); i++) {
		nested_init(&chain[i].base);
		chain[i].inner = i + 1 < SCD_COUNT(chain) ? &chain[i + 1] : NULL;
	}
	assert_int_equal(scd_pbjson_encode(&chain[0].base, &json), -E2BIG);
	assert_null(json);
	assert_int_equal(scd_pbjson_encode(&chain[1].base, &json), 0);
	assert_int_equal(scd_pbjson_decode(&nested_descriptor, json, &message), 0);
	protobuf_c_message_free_unpacked(message, NULL);
	message = NULL;
	deeper = json_pack("{so}", "inner", json);
	assert_int_equal(scd_pbjson_decode(&nested_descriptor, deeper, &message), -E2BIG);
	assert_null(message);
	json_decref(deeper);
}

/* Fields are in the order of their numbers, which are their index plus one. */
struct kinds {
	ProtobufCMessage base;
	char *required_text;
	protobuf_c_boolean has_optional_int;
	int32_t optional_int;
	char *optional_text;
	float ratio;
	size_t n_numbers;
	int32_t *numbers;
	size_t n_flags;
	protobuf_c_boolean *flags;
	size_t n_reals;
	double *reals;
	size_t n_blobs;
	ProtobufCBinaryData *blobs;
};

#define FIELD(nr, field_name, field_label, field_type, quantifier, member)             \
	{                                                                              \
		.name = field_name, .id = nr, .label = PROTOBUF_C_LABEL_##field_label, \
		.type = PROTOBUF_C_TYPE_##field_type, .quantifier_offset = quantifier, \
		.offset = offsetof(struct kinds, member)                               \
	}

static void kinds_init(ProtobufCMessage *message);

static const ProtobufCFieldDescriptor kinds_fields[] = {
	FIELD(1, "required_text", REQUIRED, STRING, 0, required_text),
	FIELD(2, "optional_int", OPTIONAL, INT32, offsetof(struct kinds, has_optional_int), optional_int),
	FIELD(3, "optional_text", OPTIONAL, STRING, 0, optional_text),
	FIELD(4, "ratio", NONE, FLOAT, 0, ratio),
	FIELD(5, "numbers", REPEATED, SFIXED32, offsetof(struct kinds, n_numbers), numbers),
	FIELD(6, "flags", REPEATED, BOOL, offsetof(struct kinds, n_flags), flags),
	FIELD(7, "reals", REPEATED, DOUBLE, offsetof(struct kinds, n_reals), reals),
	FIELD(8, "blobs", REPEATED, BYTES, offsetof(struct kinds, n_blobs), blobs),
};
static const ProtobufCIntRange kinds_ranges[] = { { 1, 0 }, { 0, SCD_COUNT(kinds_fields) } };
static const ProtobufCMessageDescriptor kinds_descriptor = {
	.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
	.name = "Kinds",
	.sizeof_message = sizeof(struct kinds),
	.n_fields = SCD_COUNT(kinds_fields),
	.fields = kinds_fields,
	.n_field_ranges = 1,
	.field_ranges = kinds_ranges,
	.message_init = kinds_init,
};

static void kinds_init(ProtobufCMessage *message)
{
	*(struct kinds *)message = (struct kinds){ .base.descriptor = &kinds_descriptor };
}

/* 0 when the text decodes to a message that is encoded as `expected`. */
static int check_round(const char *text, const char *expected)
{
	json_t *json = json_loads(text, 0, NULL), *back = NULL;
	ProtobufCMessage *message = NULL;
	char *written;
	int r = scd_pbjson_decode(&kinds_descriptor, json, &message);

	json_decref(json);
	if (r < 0) {
		assert_null(message);
		return r;
	}
	assert_int_equal(scd_pbjson_encode(message, &back), 0);
	written = json_dumps(back, JSON_COMPACT | JSON_REAL_PRECISION(9));
	assert_string_equal(written, expected);
	free(written);
	json_decref(back);
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

static void test_pbjson__knows_every_kind_of_field(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "{}", "{}" },
		{ "{\"requiredText\":\"\"}", "{\"requiredText\":\"\"}" },
		{ "{\"optionalInt\":0}", "{\"optionalInt\":0}" },
		{ "{\"optional_int\":-7,\"optionalText\":\"\"}", "{\"optionalInt\":-7,\"optionalText\":\"\"}" },
		{ "{\"ratio\":0}", "{}" },
		{ "{\"ratio\":0.1}", "{\"ratio\":0.1}" },
		{ "{\"ratio\":\"16777217\"}", "{\"ratio\":16777216.0}" },
		{ "{\"ratio\":1.17549435e-38}", "{\"ratio\":1.1754944e-38}" },
		{ "{\"ratio\":\"NaN\"}", "{\"ratio\":\"NaN\"}" },
		{ "{\"ratio\":\"Infinity\"}", "{\"ratio\":\"Infinity\"}" },
		{ "{\"numbers\":[]}", "{}" },
		{ "{\"numbers\":[1,\"-2\",0]}", "{\"numbers\":[1,-2,0]}" },
		{ "{\"flags\":[true,false]}", "{\"flags\":[true,false]}" },
		{ "{\"reals\":[1.5,\"-Infinity\",2]}", "{\"reals\":[1.5,\"-Infinity\",2.0]}" },
		{ "{\"blobs\":[\"\",\"Zg\"]}", "{\"blobs\":[\"\",\"Zg==\"]}" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		assert_int_equal(check_round(rows[i].text, rows[i].expected), 0);
}

static void test_pbjson_decode__refuses_broken_elements_and_numbers(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ "{\"ratio\":1e39}", -ERANGE },
		{ "{\"ratio\":\"x\"}", -EINVAL },
		{ "{\"numbers\":[1,2147483648]}", -ERANGE },
		{ "{\"numbers\":[1,null]}", -EINVAL },
		{ "{\"numbers\":7}", -EINVAL },
		{ "{\"flags\":[true,1]}", -EINVAL },
		{ "{\"blobs\":[\"Zg\",\"!\"]}", -EINVAL },
		{ "{\"blobs\":[\"Zg\",1]}", -EINVAL },
		{ "{\"optionalInt\":-2147483649}", -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		assert_int_equal(check_round(rows[i].text, ""), rows[i].result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pbjson__stops_at_its_depth_limit),
		cmocka_unit_test(test_pbjson__knows_every_kind_of_field),
		cmocka_unit_test(test_pbjson_decode__refuses_broken_elements_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
