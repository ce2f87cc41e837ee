/*
 * The wire format once more, for printing: decode.c is built for speed and for what protobuf-c accepts, this for what
 * protobuf itself accepts and prints.
 *
 *    - a number has at most 10 bytes; a tag and a length 5, and 10 where protobuf only guesses that something is a
 *      message (its older reader does that); bits that are too many are dropped;
 *    - the field number 0 and the wire types 6 and 7 are refused;
 *    - a known field with the wrong wire type is a field that we do not know;
 *    - groups are fields that we do not know. Their ends must match, and messages and groups together are nested at
 *      most 100 deep.
 *
 * A message is checked once, as a whole; all that comes after can rely on it.
 */
#include "view.h"

#include <errno.h>
#include <string.h>

#include "seccheckd/base/limits.h"

#define VARINT_BYTES 10u

/* What is accepted. */
struct rules {
	unsigned short_bytes; /* at most, of a tag or of a length */
	unsigned depth;       /* how many levels of messages and groups are left */
};

static const struct rules any = { VARINT_BYTES, SCD_LIMIT_PRINT_DEPTH };

static struct rules inside(const struct rules *rules)
{
	return (struct rules){ rules->short_bytes, rules->depth - 1 };
}

/* All takers take from the front of *rest. False: it is malformed, or cut short. */
static bool take_varint(struct scd_str *rest, unsigned max_bytes, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < max_bytes && i < rest->len; i++) {
		uint8_t byte = (uint8_t)rest->data[i];

		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*rest = (struct scd_str){ rest->data + i + 1, rest->len - i - 1 };
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool take_bytes(struct scd_str *rest, size_t len, struct scd_str *ret_text)
{
	if (len > rest->len)
		return false;
	*ret_text = (struct scd_str){ rest->data, len };
	*rest = (struct scd_str){ rest->data + len, rest->len - len };
	return true;
}

/* A little-endian number of this many bytes. */
static bool take_fixed(struct scd_str *rest, size_t len, uint64_t *ret_value)
{
	struct scd_str bytes;

	if (!take_bytes(rest, len, &bytes))
		return false;
	*ret_value = 0;
	memcpy(ret_value, bytes.data, len);
	return true;
}

static bool take_text(struct scd_str *rest, const struct rules *rules, struct scd_str *ret_text)
{
	uint64_t len;

	return take_varint(rest, rules->short_bytes, &len) && take_bytes(rest, (uint32_t)len, ret_text);
}

static bool take_field(struct scd_str *rest, const struct rules *rules, struct scd__wire_field *ret_field);

/* The fields of a group, and its end. */
static bool take_group(struct scd_str *rest, const struct rules *rules, uint32_t number, struct scd_str *ret_text)
{
	struct rules inner = inside(rules);
	struct scd__wire_field field;
	const char *begin = rest->data, *end;

	if (rules->depth == 0)
		return false;
	do {
		end = rest->data;
		if (!take_field(rest, &inner, &field))
			return false;
	} while (field.wire != SCD__WIRE_GROUP_END);
	*ret_text = (struct scd_str){ begin, (size_t)(end - begin) };
	return field.number == number;
}

/* The one taker that lets an end of a group pass. */
static bool take_field(struct scd_str *rest, const struct rules *rules, struct scd__wire_field *ret_field)
{
	uint64_t tag;

	if (!take_varint(rest, rules->short_bytes, &tag))
		return false;
	*ret_field = (struct scd__wire_field){ .number = (uint32_t)tag >> 3, .wire = (enum scd__wire)(tag & 7) };
	if (ret_field->number == 0)
		return false;
	switch (ret_field->wire) {
	case SCD__WIRE_VARINT: return take_varint(rest, VARINT_BYTES, &ret_field->value);
	case SCD__WIRE_64: return take_fixed(rest, 8, &ret_field->value);
	case SCD__WIRE_TEXT: return take_text(rest, rules, &ret_field->text);
	case SCD__WIRE_GROUP: return take_group(rest, rules, ret_field->number, &ret_field->text);
	case SCD__WIRE_GROUP_END: return true;
	case SCD__WIRE_32: return take_fixed(rest, 4, &ret_field->value);
	}
	return false;
}

static enum scd__wire wire_of(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE: return SCD__WIRE_TEXT;
	default: return SCD__WIRE_VARINT;
	}
}

/* Without a descriptor, no message inside is known. */
static bool check(const ProtobufCMessageDescriptor *descriptor, struct scd_str bytes, const struct rules *rules)
{
	struct scd__view view = { descriptor, bytes };
	struct rules inner = inside(rules);
	struct scd__wire_field field;

	while (bytes.len > 0) {
		const ProtobufCFieldDescriptor *known;

		if (!take_field(&bytes, rules, &field) || field.wire == SCD__WIRE_GROUP_END)
			return false;
		known = descriptor ? scd__view_known(&view, &field) : NULL;
		if (!known || known->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (rules->depth == 0 || !check(known->descriptor, field.text, &inner))
			return false;
	}
	return true;
}

bool scd__view_is_whole(const ProtobufCMessageDescriptor *descriptor, struct scd_str bytes)
{
	return check(descriptor, bytes, &(struct rules){ 5, SCD_LIMIT_PRINT_DEPTH });
}

bool scd__view_looks_whole(struct scd_str bytes, unsigned group_depth)
{
	return check(NULL, bytes, &(struct rules){ VARINT_BYTES, group_depth });
}

bool scd__view_next(struct scd_str *bytes, struct scd__wire_field *ret_field)
{
	return bytes->len > 0 && take_field(bytes, &any, ret_field);
}

const ProtobufCFieldDescriptor *scd__view_known(const struct scd__view *view, const struct scd__wire_field *field)
{
	const ProtobufCFieldDescriptor *known = protobuf_c_message_descriptor_get_field(view->descriptor,
	                                                                                field->number);

	return known && wire_of(known) == field->wire ? known : NULL;
}

bool scd__view_next_of(const ProtobufCFieldDescriptor *field, struct scd_str *bytes, struct scd__wire_field *ret_value)
{
	while (scd__view_next(bytes, ret_value)) {
		if (ret_value->number == field->id && ret_value->wire == wire_of(field))
			return true;
	}
	return false;
}

static bool is_default(const ProtobufCFieldDescriptor *field, const struct scd__wire_field *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32: return (uint32_t)value->value == 0;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES: return value->text.len == 0;
	default: return value->value == 0;
	}
}

bool scd__view_scalar(const struct scd__view *view, const ProtobufCFieldDescriptor *field,
                      struct scd__wire_field *ret_value)
{
	struct scd_str rest = view->bytes;
	struct scd__wire_field value;
	bool found = false;

	while (scd__view_next_of(field, &rest, &value)) {
		*ret_value = value;
		found = true;
	}
	return found && !is_default(field, ret_value);
}

static int join(const struct scd__view *view, const ProtobufCFieldDescriptor *field, size_t len,
                struct scd_arena *scratch, struct scd_str *ret_whole)
{
	char *whole = scd_arena_alloc(scratch, len), *end = whole;
	struct scd_str rest = view->bytes;
	struct scd__wire_field part;

	if (!whole)
		return -ENOMEM;
	for (; scd__view_next_of(field, &rest, &part); end += part.text.len)
		memcpy(end, part.text.data, part.text.len);
	*ret_whole = (struct scd_str){ whole, len };
	return 0;
}

int scd__view_inner(const struct scd__view *view, const ProtobufCFieldDescriptor *field, struct scd_arena *scratch,
                    struct scd__view *ret_inner)
{
	struct scd__view inner = { field->descriptor, { NULL, 0 } };
	struct scd_str rest = view->bytes;
	struct scd__wire_field part;
	size_t count = 0, len = 0;

	for (; scd__view_next_of(field, &rest, &part); count++) {
		inner.bytes = part.text;
		len += part.text.len;
	}
	if (count > 1 && join(view, field, len, scratch, &inner.bytes) < 0)
		return -ENOMEM;
	if (count > 0)
		*ret_inner = inner;
	return count > 0;
}
