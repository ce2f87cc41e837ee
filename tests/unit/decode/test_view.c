/*
 * What the views of messages rely on: descriptors of the kinds that they know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/table.h"
#include "decode/view.h"
#include "seccheckd/base/limits.h"

static bool is_supported(const ProtobufCFieldDescriptor *field)
{
	bool is_repeated = field->label == PROTOBUF_C_LABEL_REPEATED;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING: return is_repeated || field->label == PROTOBUF_C_LABEL_NONE;
	case PROTOBUF_C_TYPE_MESSAGE: return !is_repeated;
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_UINT64: return field->label == PROTOBUF_C_LABEL_NONE;
	default: return false;
	}
}

static void check_message(const ProtobufCMessageDescriptor *descriptor, unsigned depth)
{
	assert_true(depth <= SCD_LIMIT_PROTO_DEPTH);
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (!is_supported(field) || field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			fail_msg("%s.%s: print_text.c and print_json.c cannot print it", descriptor->name, field->name);
		if (i > 0 && descriptor->fields[i - 1].id > field->id)
			fail_msg("%s.%s: not in the order of the numbers", descriptor->name, field->name);
		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			check_message(field->descriptor, depth + 1);
	}
}

static void test_view__supports_every_field_of_every_message(void **state)
{
	(void)state;
	for (unsigned point = 1; point < SCD_POINT_COUNT; point++)
		check_message(scd__decode_shapes()[point].descriptor, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view__supports_every_field_of_every_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
