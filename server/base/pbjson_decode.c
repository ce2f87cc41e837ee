/*
 * From canonical JSON to messages. A message under construction is always one that protobuf_c_message_free_unpacked
 * can free: a member is written when its value is complete, an array counts the elements that are. The walk follows the
 * descriptor and looks its fields up in the JSON, so keys that are not known are never seen.
 */
#include "seccheckd/base/pbjson.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/pbjson_field.h"
#include "seccheckd/base/limits.h"

/* What a value is answered with that a newer writer may send and that is passed over. */
#define PASSED_OVER 1

static struct scd_str text_of(const json_t *json)
{
	return (struct scd_str){ json_string_value(json), json_string_length(json) };
}

static int decode_i64(const json_t *json, int64_t *ret_value)
{
	double real = json_real_value(json);

	if (json_is_string(json))
		return scd_str_to_i64(text_of(json), ret_value);
	if (!json_is_number(json))
		return -EINVAL;
	if (json_is_integer(json)) {
		*ret_value = json_integer_value(json);
		return 0;
	}
	if (!(real >= -0x1p63 && real < 0x1p63))
		return -ERANGE;
	if (real != (double)(int64_t)real)
		return -EINVAL;
	*ret_value = (int64_t)real;
	return 0;
}

static int decode_u64(const json_t *json, uint64_t *ret_value)
{
	double real = json_real_value(json);
	int64_t value;
	int r;

	if (json_is_string(json))
		return scd_str_to_u64(text_of(json), ret_value);
	if (json_is_real(json) && real >= 0x1p63 && real < 0x1p64) {
		*ret_value = (uint64_t)real;
		return 0;
	}
	r = decode_i64(json, &value);
	if (r < 0)
		return r;
	if (value < 0)
		return -ERANGE;
	*ret_value = (uint64_t)value;
	return 0;
}

static int decode_i32(const json_t *json, int32_t *ret_value)
{
	int64_t value;
	int r = decode_i64(json, &value);

	if (r < 0)
		return r;
	if (value < INT32_MIN || value > INT32_MAX)
		return -ERANGE;
	*ret_value = (int32_t)value;
	return 0;
}

static int decode_u32(const json_t *json, uint32_t *ret_value)
{
	uint64_t value;
	int r = decode_u64(json, &value);

	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret_value = (uint32_t)value;
	return 0;
}

static int decode_double(const json_t *json, double *ret_value)
{
	const char *text = json_string_value(json);
	char *end;

	if (json_is_number(json)) {
		*ret_value = json_number_value(json);
		return 0;
	}
	/* strtod knows "NaN" and "Infinity", but also blanks in front and hexadecimal digits. */
	if (!text || strspn(text, "+-.0123456789eENaInfity") != json_string_length(json) || !*text)
		return -EINVAL;
	*ret_value = strtod(text, &end);
	return *end ? -EINVAL : 0;
}

static int decode_float(const json_t *json, float *ret_value)
{
	double value;
	int r = decode_double(json, &value);

	if (r < 0)
		return r;
	if (isfinite(value) && !isfinite((float)value))
		return -ERANGE;
	*ret_value = (float)value;
	return 0;
}

static int decode_bool(const json_t *json, protobuf_c_boolean *ret_value)
{
	if (!json_is_boolean(json))
		return -EINVAL;
	*ret_value = json_is_true(json);
	return 0;
}

static int decode_enum(const ProtobufCFieldDescriptor *field, const json_t *json, int *ret_value)
{
	const ProtobufCEnumValue *named;
	int32_t number;
	int r;

	if (json_is_string(json)) {
		named = protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, json_string_value(json));
		if (!named)
			return PASSED_OVER;
		*ret_value = named->value;
		return 0;
	}
	r = decode_i32(json, &number);
	if (r == 0)
		*ret_value = number;
	return r;
}

static int decode_string(const json_t *json, char **ret_text)
{
	struct scd_str text = text_of(json);
	char *copy;

	if (!json_is_string(json) || memchr(text.data, '\0', text.len))
		return -EINVAL;
	copy = strdup(text.data);
	if (!copy)
		return -ENOMEM;
	*ret_text = copy;
	return 0;
}

static int decode_bytes(const json_t *json, ProtobufCBinaryData *ret_bytes)
{
	ProtobufCBinaryData bytes;
	int r;

	if (!json_is_string(json))
		return -EINVAL;
	r = scd__base64_decode(text_of(json), &bytes.data, &bytes.len);
	if (r == 0)
		*ret_bytes = bytes;
	return r;
}

static int decode_message(const ProtobufCMessageDescriptor *descriptor, const json_t *json, unsigned depth,
                          ProtobufCMessage **ret_message);

/* 0, PASSED_OVER, or an error; the member is written in the first case only. */
static int decode_value(const ProtobufCFieldDescriptor *field, const json_t *json, unsigned depth, void *ret_member)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32: return decode_i32(json, ret_member);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32: return decode_u32(json, ret_member);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64: return decode_i64(json, ret_member);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64: return decode_u64(json, ret_member);
	case PROTOBUF_C_TYPE_FLOAT: return decode_float(json, ret_member);
	case PROTOBUF_C_TYPE_DOUBLE: return decode_double(json, ret_member);
	case PROTOBUF_C_TYPE_BOOL: return decode_bool(json, ret_member);
	case PROTOBUF_C_TYPE_ENUM: return decode_enum(field, json, ret_member);
	case PROTOBUF_C_TYPE_STRING: return decode_string(json, ret_member);
	case PROTOBUF_C_TYPE_BYTES: return decode_bytes(json, ret_member);
	case PROTOBUF_C_TYPE_MESSAGE: return decode_message(field->descriptor, json, depth + 1, ret_member);
	}
	return -EINVAL;
}

static int decode_repeated(const ProtobufCFieldDescriptor *field, const json_t *json, unsigned depth, void *member,
                           size_t *count)
{
	size_t element_bytes = scd__pbjson_member_bytes(field->type);
	size_t wanted = json_array_size(json);
	char *elements;

	if (!json_is_array(json))
		return -EINVAL;
	if (wanted == 0)
		return 0;
	elements = calloc(wanted, element_bytes);
	if (!elements)
		return -ENOMEM;
	*(void **)member = elements;
	for (size_t i = 0; i < wanted; i++) {
		int r = decode_value(field, json_array_get(json, i), depth, elements + *count * element_bytes);

		if (r < 0)
			return r;
		*count += r != PASSED_OVER;
	}
	return 0;
}

static int decode_single(const ProtobufCFieldDescriptor *field, const json_t *json, unsigned depth, void *member,
                         void *quantifier)
{
	int r;

	if (scd__pbjson_is_oneof(field) && *(uint32_t *)quantifier != 0)
		return -EINVAL;
	r = decode_value(field, json, depth, member);
	if (r != 0)
		return r < 0 ? r : 0;
	if (scd__pbjson_is_oneof(field))
		*(uint32_t *)quantifier = field->id;
	else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset != 0)
		*(protobuf_c_boolean *)quantifier = true;
	return 0;
}

static int decode_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, const json_t *object,
                        unsigned depth)
{
	void *member = (char *)message + field->offset;
	void *quantifier = (char *)message + field->quantifier_offset;
	char name[SCD__PBJSON_NAME_BYTES];
	const json_t *json;

	scd__pbjson_name(field->name, name);
	json = json_object_get(object, name);
	if (!json)
		json = json_object_get(object, field->name);
	if (!json || json_is_null(json))
		return 0;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return decode_repeated(field, json, depth, member, quantifier);
	return decode_single(field, json, depth, member, quantifier);
}

static int decode_message(const ProtobufCMessageDescriptor *descriptor, const json_t *json, unsigned depth,
                          ProtobufCMessage **ret_message)
{
	ProtobufCMessage *message;
	int r = 0;

	if (depth > SCD_LIMIT_PROTO_DEPTH)
		return -E2BIG;
	if (!json_is_object(json))
		return -EINVAL;
	message = malloc(descriptor->sizeof_message);
	if (!message)
		return -ENOMEM;
	protobuf_c_message_init(descriptor, message);
	for (unsigned i = 0; r == 0 && i < descriptor->n_fields; i++)
		r = decode_field(message, &descriptor->fields[i], json, depth);
	if (r < 0)
		protobuf_c_message_free_unpacked(message, NULL);
	else
		*ret_message = message;
	return r;
}

int scd_pbjson_decode(const ProtobufCMessageDescriptor *descriptor, const json_t *json, ProtobufCMessage **ret_message)
{
	return decode_message(descriptor, json, 0, ret_message);
}
