/*
 * The decoder's tables against the descriptors, and the descriptors against the list of gVisor's fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "decode/table.h"

#define FIELD_LIST SCD_SOURCE_DIR "/../shared/facts/gvisor-points.tsv"

static void test_table__has_an_action_for_every_field_of_every_point(void **state)
{
	const struct scd__shape *shapes = scd__decode_shapes();

	(void)state;
	for (unsigned id = 1; id < SCD__SHAPE_PEER; id++) {
		const ProtobufCMessageDescriptor *descriptor = shapes[id].descriptor;
		unsigned actions = 0;

		for (unsigned number = 0; number < SCD__FIELD_NUMBERS; number++)
			actions += shapes[id].actions[number].how != SCD__HOW_SKIP;
		assert_int_equal(actions, descriptor->n_fields);
	}
}

static void test_table__clears_no_more_than_the_union(void **state)
{
	const struct scd__shape *shapes = scd__decode_shapes();

	(void)state;
	for (unsigned point = 1; point < SCD_POINT_COUNT; point++)
		assert_in_range(shapes[point].union_bytes, 1, sizeof(((struct scd_event *)NULL)->u));
}

/* No member of an event is written by two fields of a message, except through a shared inner shape. */
static void test_table__no_two_fields_of_a_message_share_a_member(void **state)
{
	size_t count;
	const struct scd__row *rows = scd__decode_rows(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = i + 1; k < count; k++) {
			if (rows[i].shape != rows[k].shape || rows[i].dest == SCD__DEST_MESSAGE ||
			    rows[k].dest == SCD__DEST_MESSAGE)
				continue;
			if (rows[i].offset == rows[k].offset)
				fail_msg("%s and %s", rows[i].field, rows[k].field);
		}
	}
}

static const ProtobufCMessageDescriptor *find_message(const char *package, const char *message)
{
	const struct scd__shape *shapes = scd__decode_shapes();

	for (unsigned id = 1; id < SCD__SHAPE_COUNT; id++) {
		if (strcmp(shapes[id].descriptor->package_name, package) == 0 &&
		    strcmp(shapes[id].descriptor->short_name, message) == 0)
			return shapes[id].descriptor;
	}
	return NULL;
}

static bool is_type(const ProtobufCFieldDescriptor *field, const char *type)
{
	static const struct {
		const char *name;
		ProtobufCType type;
	} types[] = {
		{ "int32", PROTOBUF_C_TYPE_INT32 },   { "uint32", PROTOBUF_C_TYPE_UINT32 },
		{ "int64", PROTOBUF_C_TYPE_INT64 },   { "uint64", PROTOBUF_C_TYPE_UINT64 },
		{ "bool", PROTOBUF_C_TYPE_BOOL },     { "bytes", PROTOBUF_C_TYPE_BYTES },
		{ "string", PROTOBUF_C_TYPE_STRING },
	};
	const ProtobufCMessageDescriptor *inner = field->descriptor;
	const char *dot = strrchr(type, '.');

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, type) == 0)
			return field->type == types[i].type;
	}
	return field->type == PROTOBUF_C_TYPE_MESSAGE && strcmp(inner->short_name, dot ? dot + 1 : type) == 0;
}

static void check_line(const char *line)
{
	char package[64], message[64], name[64], type[64], label[16] = "";
	const ProtobufCMessageDescriptor *descriptor;
	const ProtobufCFieldDescriptor *field;
	unsigned number;

	assert_true(sscanf(line, "%63s %63s %u %63s %63s %15s", package, message, &number, name, type, label) >= 5);
	if (strcmp(message, "Handshake") == 0)
		return;
	descriptor = find_message(package, message);
	field = descriptor ? protobuf_c_message_descriptor_get_field(descriptor, number) : NULL;
	if (!field || strcmp(field->name, name) != 0 || !is_type(field, type) ||
	    (field->label == PROTOBUF_C_LABEL_REPEATED) != (label[0] != 0))
		fail_msg("not in proto/: %s", line);
}

static void test_proto__has_every_field_of_gvisors_list(void **state)
{
	FILE *file = fopen(FIELD_LIST, "r");
	char line[256];
	unsigned count = 0;

	(void)state;
	if (!file) {
		print_message("skipped: no list of fields at " FIELD_LIST "\n");
		skip();
	}
	assert_non_null(fgets(line, sizeof(line), file));
	for (; fgets(line, sizeof(line), file); count++)
		check_line(line);
	fclose(file);
	assert_true(count > 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table__has_an_action_for_every_field_of_every_point),
		cmocka_unit_test(test_table__clears_no_more_than_the_union),
		cmocka_unit_test(test_table__no_two_fields_of_a_message_share_a_member),
		cmocka_unit_test(test_proto__has_every_field_of_gvisors_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
