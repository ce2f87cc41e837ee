/*
 * From messages to canonical JSON. Walks the descriptors; the depth of the walk is capped, its width is that of the
 * message in memory.
 */
#include "seccheckd/base/pbjson.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/pbjson_field.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"

static size_t valid_prefix(struct scd_str text)
{
	size_t len = 0, step;

	while ((step = scd_str_utf8_length((struct scd_str){ text.data + len, text.len - len })) > 0)
		len += step;
	return len;
}

static json_t *repaired_text(struct scd_str text)
{
	struct scd_buf buf;
	json_t *json;

	scd_buf_init(&buf, SIZE_MAX / 2);
	while (text.len) {
		size_t valid = valid_prefix(text);

		scd_buf_append(&buf, text.data, valid);
		text = (struct scd_str){ text.data + valid, text.len - valid };
		if (text.len) {
			scd_buf_append_str(&buf, SCD_STR("\xef\xbf\xbd"));
			text = (struct scd_str){ text.data + 1, text.len - 1 };
		}
	}
	json = buf.failed ? NULL : json_stringn(buf.data, buf.len);
	scd_buf_done(&buf);
	return json;
}

json_t *scd_pbjson_text(struct scd_str text)
{
	if (text.len == 0)
		return json_string("");
	if (valid_prefix(text) == text.len)
		return json_stringn(text.data, text.len);
	return repaired_text(text);
}

static json_t *int64_json(int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return json_string(text);
}

static json_t *uint64_json(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

static json_t *double_json(double value)
{
	if (isnan(value))
		return json_string("NaN");
	if (isinf(value))
		return json_string(value < 0 ? "-Infinity" : "Infinity");
	return json_real(value);
}

/* The number with the fewest digits that is this float: 0.1 and not 0.10000000149011612. */
static json_t *float_json(float value)
{
	char text[32];

	if (!isfinite(value))
		return double_json((double)value);
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			break;
	}
	return json_real(strtod(text, NULL));
}

static json_t *enum_json(const ProtobufCFieldDescriptor *field, int value)
{
	const ProtobufCEnumValue *named = protobuf_c_enum_descriptor_get_value(field->descriptor, value);

	return named ? json_string(named->name) : json_integer(value);
}

static json_t *bytes_json(const ProtobufCBinaryData *bytes)
{
	char *text = scd__base64_encode(bytes->data, bytes->len);
	json_t *json = text ? json_string(text) : NULL;

	free(text);
	return json;
}

static json_t *scalar_json(const ProtobufCFieldDescriptor *field, const void *member)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32: return json_integer(*(const int32_t *)member);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32: return json_integer(*(const uint32_t *)member);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64: return int64_json(*(const int64_t *)member);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64: return uint64_json(*(const uint64_t *)member);
	case PROTOBUF_C_TYPE_FLOAT: return float_json(*(const float *)member);
	case PROTOBUF_C_TYPE_DOUBLE: return double_json(*(const double *)member);
	case PROTOBUF_C_TYPE_BOOL: return json_boolean(*(const protobuf_c_boolean *)member);
	case PROTOBUF_C_TYPE_ENUM: return enum_json(field, *(const int *)member);
	case PROTOBUF_C_TYPE_STRING: return scd_pbjson_text(scd_str_from(*(const char *const *)member));
	case PROTOBUF_C_TYPE_BYTES: return bytes_json(member);
	case PROTOBUF_C_TYPE_MESSAGE: break;
	}
	return NULL;
}

static int encode_message(const ProtobufCMessage *message, unsigned depth, json_t **ret_json);

static int encode_value(const ProtobufCFieldDescriptor *field, const void *member, unsigned depth, json_t **ret_json)
{
	json_t *json;

	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return encode_message(*(const ProtobufCMessage *const *)member, depth + 1, ret_json);
	json = scalar_json(field, member);
	if (!json)
		return -ENOMEM;
	*ret_json = json;
	return 0;
}

static int encode_repeated(const ProtobufCFieldDescriptor *field, const char *elements, size_t count, unsigned depth,
                           json_t **ret_json)
{
	json_t *array = json_array();
	int r = array ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < count; i++) {
		json_t *element = NULL;

		r = encode_value(field, elements + i * scd__pbjson_member_bytes(field->type), depth, &element);
		if (r == 0 && json_array_append_new(array, element) < 0)
			r = -ENOMEM;
	}
	if (r < 0)
		json_decref(array);
	else
		*ret_json = array;
	return r;
}

/* Whether a member of a message, string or bytes type points to something. Others always have a value. */
static bool has_target(const ProtobufCFieldDescriptor *field, const void *member)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING)
		return *(const void *const *)member != NULL;
	return true;
}

/* proto3's default value: zero, false, empty, no message. */
static bool is_default(const ProtobufCFieldDescriptor *field, const void *member)
{
	static const char zeros[sizeof(uint64_t)];

	if (!has_target(field, member))
		return true;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING: return **(const char *const *)member == '\0';
	case PROTOBUF_C_TYPE_BYTES: return ((const ProtobufCBinaryData *)member)->len == 0;
	case PROTOBUF_C_TYPE_MESSAGE: return false;
	default: return memcmp(member, zeros, scd__pbjson_member_bytes(field->type)) == 0;
	}
}

static bool is_present(const ProtobufCFieldDescriptor *field, const void *member, const void *quantifier)
{
	if (scd__pbjson_is_oneof(field))
		return *(const uint32_t *)quantifier == field->id && has_target(field, member);
	switch (field->label) {
	case PROTOBUF_C_LABEL_REPEATED: return *(const size_t *)quantifier > 0;
	case PROTOBUF_C_LABEL_NONE: return !is_default(field, member);
	case PROTOBUF_C_LABEL_REQUIRED: return has_target(field, member);
	case PROTOBUF_C_LABEL_OPTIONAL: break;
	}
	if (field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING)
		return has_target(field, member);
	return *(const protobuf_c_boolean *)quantifier;
}

static int encode_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, unsigned depth,
                        json_t *object)
{
	const void *member = (const char *)message + field->offset;
	const void *quantifier = (const char *)message + field->quantifier_offset;
	char name[SCD__PBJSON_NAME_BYTES];
	json_t *json = NULL;
	int r;

	if (!is_present(field, member, quantifier))
		return 0;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		r = encode_repeated(field, *(const char *const *)member, *(const size_t *)quantifier, depth, &json);
	else
		r = encode_value(field, member, depth, &json);
	if (r < 0)
		return r;
	scd__pbjson_name(field->name, name);
	return json_object_set_new(object, name, json) < 0 ? -ENOMEM : 0;
}

static int encode_message(const ProtobufCMessage *message, unsigned depth, json_t **ret_json)
{
	json_t *object;
	int r = 0;

	if (depth > SCD_LIMIT_PROTO_DEPTH)
		return -E2BIG;
	object = json_object();
	if (!object)
		return -ENOMEM;
	for (unsigned i = 0; r == 0 && i < message->descriptor->n_fields; i++)
		r = encode_field(message, &message->descriptor->fields[i], depth, object);
	if (r < 0)
		json_decref(object);
	else
		*ret_json = object;
	return r;
}

int scd_pbjson_encode(const ProtobufCMessage *message, json_t **ret_json)
{
	return encode_message(message, 0, ret_json);
}
