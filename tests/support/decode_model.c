/*
 * The comparison is driven by the decoder's rows and by protobuf-c's descriptors; it knows no message.
 */
#include "tests/support/decode_model.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/table.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"

/* Joined messages are hardly longer than they were in parts. */
#define JOINED_MAX_BYTES (2u * SCD_LIMIT_MESSAGE_BYTES)
#define FIELDS_MAX       32u

/* Joining the parts of messages inside. The input has been accepted by protobuf-c: it is well-formed. */

static struct scd_str take_bytes(struct scd_str *rest, size_t count)
{
	struct scd_str taken = { rest->data, count };

	assert(rest->len >= count);
	rest->data += count;
	rest->len -= count;
	return taken;
}

static uint64_t take_varint(struct scd_str *rest)
{
	uint64_t value = 0;

	for (unsigned shift = 0;; shift += 7) {
		uint8_t byte = (uint8_t)take_bytes(rest, 1).data[0];

		value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
		if (byte < 0x80)
			return value;
	}
}

static void put_varint(struct scd_buf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		scd_buf_append_char(out, (char)(value | 0x80));
	scd_buf_append_char(out, (char)value);
}

/* Takes the value behind a tag; the text of a length-prefixed one. */
static struct scd_str take_value(struct scd_str *rest, unsigned wire)
{
	switch (wire) {
	case PROTOBUF_C_WIRE_TYPE_VARINT: take_varint(rest); return (struct scd_str){ 0 };
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED: return take_bytes(rest, (size_t)take_varint(rest));
	case PROTOBUF_C_WIRE_TYPE_64BIT: return take_bytes(rest, 8);
	default: return take_bytes(rest, 4);
	}
}

static void join(const ProtobufCMessageDescriptor *descriptor, struct scd_str in, struct scd_buf *out)
{
	struct scd_buf parts[FIELDS_MAX];
	bool present[FIELDS_MAX] = { false };

	assert(descriptor->n_fields <= FIELDS_MAX);
	for (unsigned i = 0; i < descriptor->n_fields; i++)
		scd_buf_init(&parts[i], JOINED_MAX_BYTES);
	while (in.len > 0) {
		const char *begin = in.data;
		uint64_t tag = take_varint(&in);
		const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor,
		                                                                                (uint32_t)(tag >> 3));
		struct scd_str text = take_value(&in, tag & 7);

		if (field && field->type == PROTOBUF_C_TYPE_MESSAGE) {
			scd_buf_append_str(&parts[field - descriptor->fields], text);
			present[field - descriptor->fields] = true;
		} else {
			scd_buf_append(out, begin, (size_t)(in.data - begin));
		}
	}
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		struct scd_buf inner;

		scd_buf_init(&inner, JOINED_MAX_BYTES);
		if (present[i]) {
			join(descriptor->fields[i].descriptor, scd_buf_str(&parts[i]), &inner);
			put_varint(out, (uint64_t)descriptor->fields[i].id << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
			put_varint(out, inner.len);
			scd_buf_append_str(out, scd_buf_str(&inner));
		}
		scd_buf_done(&inner);
		scd_buf_done(&parts[i]);
	}
}

/* Comparing. */

struct comparison {
	const struct scd_event *event;
	const char *why; /* the field that differs */
};

/* protobuf-c ends strings with a NUL and does not keep their length: what follows a NUL inside is not comparable. */
static bool same_string(struct scd_str ours, const char *theirs)
{
	size_t len = strlen(theirs);

	return ours.len >= len && (len == 0 || memcmp(ours.data, theirs, len) == 0) &&
	       (ours.len == len || ours.data[len] == 0);
}

static bool same_text(const ProtobufCFieldDescriptor *field, struct scd_str ours, const void *theirs)
{
	ProtobufCBinaryData bytes;
	const char *text;

	if (field->type == PROTOBUF_C_TYPE_STRING) {
		memcpy(&text, theirs, sizeof(text));
		return same_string(ours, text);
	}
	memcpy(&bytes, theirs, sizeof(bytes));
	return ours.len == bytes.len && (bytes.len == 0 || memcmp(ours.data, bytes.data, bytes.len) == 0);
}

/* Of more than the limit, the first and the last halves. */
static bool same_texts(const struct scd_event *event, const struct scd_strings *ours, char *const *theirs, size_t count)
{
	size_t kept = count < SCD_LIMIT_EVENT_STRINGS ? count : SCD_LIMIT_EVENT_STRINGS;

	if (ours->count != kept || (kept < count && !event->truncated))
		return false;
	for (size_t i = 0; i < kept; i++) {
		size_t from = kept == count || i < kept / 2 ? i : count - (kept - i);

		if (!same_string(ours->items[i], theirs[from]))
			return false;
	}
	return true;
}

static bool same_value(const struct scd_event *event, const struct scd__row *row, const ProtobufCFieldDescriptor *field,
                       const char *ours, const ProtobufCMessage *message)
{
	const char *theirs = (const char *)message + field->offset;
	const struct scd_strings *strings = (const struct scd_strings *)(const void *)ours;
	int64_t wide;

	switch (row->dest) {
	case SCD__DEST_I32:
	case SCD__DEST_U32: return memcmp(ours, theirs, 4) == 0;
	case SCD__DEST_I64:
	case SCD__DEST_U64:
		if (field->type != PROTOBUF_C_TYPE_INT32)
			return memcmp(ours, theirs, 8) == 0;
		wide = *(const int32_t *)(const void *)theirs;
		return memcmp(ours, &wide, sizeof(wide)) == 0;
	case SCD__DEST_BOOL: return *(const bool *)ours == (*(const protobuf_c_boolean *)(const void *)theirs != 0);
	case SCD__DEST_STR: return same_text(field, *(const struct scd_str *)(const void *)ours, theirs);
	case SCD__DEST_STRINGS:
	case SCD__DEST_ENV:
		return same_texts(event, strings, *(char *const *const *)(const void *)theirs,
		                  *(const size_t *)(const void *)((const char *)message + field->quantifier_offset));
	default: return false;
	}
}

static bool same_message(struct comparison *comparison, unsigned shape, const ProtobufCMessage *message,
                         const char *base);

/* A message inside that is not there must have left its members as an empty one does. */
static bool same_inner(struct comparison *comparison, const struct scd__row *row,
                       const ProtobufCMessageDescriptor *descriptor, const ProtobufCMessage *inner, const char *base)
{
	bool marked = (base[row->mark_at] & row->mark) != 0;
	ProtobufCMessage *empty;
	bool same;

	if (row->mark != 0 && marked != (inner != NULL))
		return false;
	if (inner)
		return same_message(comparison, row->inner, inner, base + row->offset);
	empty = malloc(descriptor->sizeof_message);
	assert(empty != NULL);
	protobuf_c_message_init(descriptor, empty);
	same = same_message(comparison, row->inner, empty, base + row->offset);
	free(empty);
	return same;
}

static bool same_row(struct comparison *comparison, const struct scd__row *row, const ProtobufCMessage *message,
                     const char *base)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor,
	                                                                                        row->field);
	const char *theirs = (const char *)message + field->offset;

	if (row->dest == SCD__DEST_MESSAGE)
		return same_inner(comparison, row, field->descriptor,
		                  *(const ProtobufCMessage *const *)(const void *)theirs, base);
	return same_value(comparison->event, row, field, base + row->offset, message);
}

static bool same_message(struct comparison *comparison, unsigned shape, const ProtobufCMessage *message,
                         const char *base)
{
	size_t count;
	const struct scd__row *rows = scd__decode_rows(&count);

	for (size_t i = 0; i < count; i++) {
		if (rows[i].shape != shape || same_row(comparison, &rows[i], message, base))
			continue;
		if (!comparison->why)
			comparison->why = rows[i].field;
		return false;
	}
	return true;
}

/* What the decoder says beyond the fields. */
static bool same_head(struct comparison *comparison, unsigned type, const struct scd_event *event)
{
	const struct scd_context *context = &event->context;
	bool parent = context->has & SCD_HAS_PARENT, session = context->has & SCD_HAS_EXEC_SESSION;

	if (event->sequence != 0 || event->point != type)
		comparison->why = "the head";
	else if (!scd__decode_shapes()[type].has_fd && event->fd != -1)
		comparison->why = "the fd of a message without one";
	else if (event->kind != scd_decode_kind(type, event->sysno, event->has_exit, event->exit_errorno))
		comparison->why = "the kind";
	else if (parent != (context->parent_thread_group_id != 0) || session != context->is_exec_session)
		comparison->why = "a bit of context.has";
	return comparison->why == NULL;
}

static bool same_values(unsigned type, struct scd_str payload, const struct scd_event *event,
                        char ret_why[DECODE_MODEL_WHY_BYTES])
{
	const ProtobufCMessageDescriptor *descriptor = scd__decode_shapes()[type].descriptor;
	struct comparison comparison = { event, NULL };
	struct scd_buf joined;
	ProtobufCMessage *message;
	bool same;

	scd_buf_init(&joined, JOINED_MAX_BYTES);
	join(descriptor, payload, &joined);
	assert(!joined.failed);
	message = protobuf_c_message_unpack(descriptor, NULL, joined.len, (const uint8_t *)joined.data);
	assert(message != NULL);
	same = same_head(&comparison, type, event) && same_message(&comparison, type, message, (const char *)event);
	if (!same)
		snprintf(ret_why, DECODE_MODEL_WHY_BYTES, "%s: %s differs", descriptor->name, comparison.why);
	protobuf_c_message_free_unpacked(message, NULL);
	scd_buf_done(&joined);
	return same;
}

static bool model_accepts(unsigned type, struct scd_str payload)
{
	const ProtobufCMessageDescriptor *descriptor = scd__decode_shapes()[type].descriptor;
	ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, payload.len,
	                                                      (const uint8_t *)payload.data);

	protobuf_c_message_free_unpacked(message, NULL);
	return message != NULL;
}

bool decode_model_agrees(unsigned type, struct scd_str payload, struct scd_arena *scratch, bool *ret_accepted,
                         char ret_why[DECODE_MODEL_WHY_BYTES])
{
	bool accepted = model_accepts(type, payload), same;
	struct scd_event event;
	int rc;

	memset(&event, 0xa5, sizeof(event)); /* what the decoder forgets to clear shows */
	rc = scd_decode_event(type, payload, SCD_DECODE_ENV, scratch, &event);
	if (ret_accepted)
		*ret_accepted = accepted;
	same = accepted ? rc == 0 : rc == -EBADMSG;
	if (!same)
		snprintf(ret_why, DECODE_MODEL_WHY_BYTES, "%s: protobuf-c %s, the decoder says %d",
		         scd_point_name(type), accepted ? "accepts" : "refuses", rc);
	else if (accepted)
		same = same_values(type, payload, &event, ret_why);
	scd_arena_reset(scratch);
	return same;
}
