/*
 * The walk over the protobuf wire format, straight into struct scd_event.
 *
 *    payload:  tag value | tag value | tag length bytes… | …
 *              tag = field number << 3 | wire type
 *
 * For each field: the number picks an action out of the shape (table.h), the wire type must be the action's, the
 * value is stored at the action's offset. A message inside is the same walk with another shape and base. Numbers are
 * copied out, strings stay where they are.
 *
 * proto3's meaning is kept: fields may come in any order, the last value of a field wins, messages inside are merged,
 * repeated ones appended, unknown fields skipped. What is accepted is what protobuf-c accepts, quirks too, so that
 * the two can be compared on any bytes:
 *    - a tag has at most 5 bytes, a number at most 10, a length at most 5;
 *    - groups (wire types 3 and 4) are refused, known or not: no proto3 message has them;
 *    - a bool may have any wire type, and is true if any of its bytes has a bit other than the 8th.
 * Where protobuf-c differs from protobuf itself in meaning (it forgets the numbers of the first part of a message
 * that comes in two), this follows protobuf.
 *
 * The depth of the walk is that of the shapes, since only known fields are entered: four.
 */
#include "seccheckd/decode/decode.h"

#include <errno.h>
#include <string.h>

#include "decode/table.h"
#include "seccheckd/base/limits.h"

enum wire {
	WIRE_VARINT = 0,
	WIRE_64 = 1,
	WIRE_LENGTH = 2,
	WIRE_32 = 5,
};

struct cursor {
	const uint8_t *at, *end;
};

struct field {
	const uint8_t *tag; /* where the field begins */
	uint32_t number;
	unsigned wire;
	uint64_t value;      /* of WIRE_VARINT */
	const uint8_t *body; /* behind the tag */
	struct scd_str text; /* of WIRE_LENGTH */
};

/* What does not change during one walk. */
struct decoding {
	const struct scd__shape *shapes;
	struct scd_arena *scratch;
	unsigned want;
	bool truncated;
};

/* A number of two bytes or more. Bits over the 64th are dropped, as protobuf does. */
static bool read_long_varint(struct cursor *cursor, uint64_t *ret_value)
{
	uint64_t value = 0;
	const uint8_t *at = cursor->at;

	for (unsigned shift = 0; shift < 70 && at < cursor->end; shift += 7) {
		value |= (uint64_t)(*at & 0x7f) << shift;
		if (*at++ < 0x80) {
			cursor->at = at;
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static inline bool read_varint(struct cursor *cursor, uint64_t *ret_value)
{
	if (cursor->at < cursor->end && *cursor->at < 0x80) {
		*ret_value = *cursor->at++;
		return true;
	}
	return read_long_varint(cursor, ret_value);
}

/* A tag whose first byte is below 8 has the field number 0, which protobuf-c refuses in this, shortest form only. */
static inline bool read_tag(struct cursor *cursor, struct field *field)
{
	const uint8_t *begin = cursor->at;
	uint64_t tag;

	if (*begin < 8 || !read_varint(cursor, &tag) || cursor->at - begin > 5)
		return false;
	field->tag = begin;
	field->number = (uint32_t)(tag >> 3);
	field->wire = tag & 7;
	return true;
}

static inline bool read_text(struct cursor *cursor, struct scd_str *ret_text)
{
	const uint8_t *begin = cursor->at;
	uint64_t length;

	if (!read_varint(cursor, &length) || cursor->at - begin > 5)
		return false;
	if (length > (size_t)(cursor->end - cursor->at))
		return false;
	*ret_text = (struct scd_str){ (const char *)cursor->at, (size_t)length };
	cursor->at += length;
	return true;
}

static inline bool skip_bytes(struct cursor *cursor, size_t count)
{
	if ((size_t)(cursor->end - cursor->at) < count)
		return false;
	cursor->at += count;
	return true;
}

/* Reads one field; the cursor is not at its end. False: malformed. */
static inline bool next_field(struct cursor *cursor, struct field *field)
{
	if (!read_tag(cursor, field))
		return false;
	field->body = cursor->at;
	switch (field->wire) {
	case WIRE_VARINT: return read_varint(cursor, &field->value);
	case WIRE_LENGTH: return read_text(cursor, &field->text);
	case WIRE_64: return skip_bytes(cursor, 8);
	case WIRE_32: return skip_bytes(cursor, 4);
	default: return false;
	}
}

static bool any_bit(const uint8_t *at, const uint8_t *end)
{
	for (; at < end; at++) {
		if (*at & 0x7f)
			return true;
	}
	return false;
}

/* How often a repeated field comes from here to the end. False: malformed. */
static bool count_texts(struct cursor cursor, uint32_t number, size_t *ret_count)
{
	struct field field;
	size_t count = 0;

	while (cursor.at < cursor.end) {
		if (!next_field(&cursor, &field))
			return false;
		count += field.number == number && field.wire == WIRE_LENGTH;
	}
	*ret_count = count;
	return true;
}

/*
 * Stores the texts of a repeated field: of `count` the first `head`, and of the last as many as there is room for.
 */
static void store_texts(struct cursor cursor, uint32_t number, size_t count, size_t head, struct scd_str *items,
                        size_t room)
{
	struct field field;
	size_t seen = 0;

	while (seen < count && next_field(&cursor, &field)) {
		if (field.number != number || field.wire != WIRE_LENGTH)
			continue;
		if (seen < head)
			items[seen] = field.text;
		else if (count - seen <= room - head)
			items[room - (count - seen)] = field.text;
		seen++;
	}
}

/*
 * A repeated field at its first occurrence: all of them at once, so that the array is allocated with its final size.
 * Of more than the limit, the first and the last halves are kept.
 */
static int collect_texts(struct decoding *decoding, const struct field *first, const uint8_t *end,
                         struct scd_strings *strings)
{
	struct cursor cursor = { first->tag, end };
	size_t count, room;
	struct scd_str *items;

	if (strings->items)
		return 0;
	if (!count_texts(cursor, first->number, &count))
		return -EBADMSG;
	room = count < SCD_LIMIT_EVENT_STRINGS ? count : SCD_LIMIT_EVENT_STRINGS;
	items = scd_arena_alloc(decoding->scratch, room * sizeof(*items));
	if (!items)
		return -ENOMEM;
	store_texts(cursor, first->number, count, room == count ? room : room / 2, items, room);
	*strings = (struct scd_strings){ items, room };
	decoding->truncated |= room < count;
	return 0;
}

static int walk(struct decoding *decoding, const struct scd__shape *shape, struct cursor cursor, char *base);

static int enter(struct decoding *decoding, const struct scd__action *action, struct scd_str text, char *base)
{
	const uint8_t *begin = (const uint8_t *)text.data;

	base[action->mark_at] = (char)(base[action->mark_at] | action->mark);
	return walk(decoding, &decoding->shapes[action->inner], (struct cursor){ begin, begin + text.len },
	            base + action->offset);
}

/* A field whose wire type is not the one it should have: harmless if unknown, allowed for a bool, else an error. */
static int put_oddly_typed(const struct scd__action *action, const struct field *field, const uint8_t *end, char *base)
{
	switch (action->how) {
	case SCD__HOW_SKIP: return 0;
	case SCD__HOW_BOOL: *(bool *)(base + action->offset) = any_bit(field->body, end); return 0;
	default: return -EBADMSG;
	}
}

/* Stores a field; the cursor is behind it. */
static inline int put(struct decoding *decoding, const struct scd__action *action, const struct field *field,
                      struct cursor cursor, char *base)
{
	char *member = base + action->offset;
	uint32_t low = (uint32_t)field->value;
	int64_t wide = (int32_t)low;

	if (field->wire != action->wire)
		return put_oddly_typed(action, field, cursor.at, base);
	switch (action->how) {
	case SCD__HOW_32: memcpy(member, &low, sizeof(low)); break;
	case SCD__HOW_64: memcpy(member, &field->value, sizeof(field->value)); break;
	case SCD__HOW_WIDEN: memcpy(member, &wide, sizeof(wide)); break;
	case SCD__HOW_BOOL: *(bool *)member = any_bit(field->body, cursor.at); break;
	case SCD__HOW_STR: memcpy(member, &field->text, sizeof(field->text)); break;
	case SCD__HOW_MESSAGE: return enter(decoding, action, field->text, base);
	case SCD__HOW_ENV:
		if (!(decoding->want & SCD_DECODE_ENV))
			break;
		/* fall through */
	case SCD__HOW_STRINGS: return collect_texts(decoding, field, cursor.end, (struct scd_strings *)(void *)member);
	default: break;
	}
	return 0;
}

static int walk(struct decoding *decoding, const struct scd__shape *shape, struct cursor cursor, char *base)
{
	struct field field = { 0 };

	while (cursor.at < cursor.end) {
		uint32_t number;
		int rc;

		if (!next_field(&cursor, &field))
			return -EBADMSG;
		number = field.number < SCD__FIELD_NUMBERS ? field.number : 0;
		rc = put(decoding, &shape->actions[number], &field, cursor, base);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Clears what will be read: the head, and the member of the union that this point has. */
static void clear(struct scd_event *event, size_t union_bytes, int64_t fd)
{
	memset(event, 0, offsetof(struct scd_event, u));
	memset(&event->u, 0, union_bytes);
	event->fd = fd;
	event->kind = SCD_KIND_NONE;
}

/* proto3 sends no zeros, so these were on the wire if and only if they have a value. */
static void mark_values(struct scd_context *context)
{
	if (context->parent_thread_group_id != 0)
		context->has |= SCD_HAS_PARENT;
	if (context->is_exec_session)
		context->has |= SCD_HAS_EXEC_SESSION;
}

int scd_decode_event(unsigned message_type, struct scd_str payload, unsigned want, struct scd_arena *scratch,
                     struct scd_event *ret_event)
{
	struct decoding decoding = { scd__decode_shapes(), scratch, want, false };
	const uint8_t *begin = (const uint8_t *)payload.data;
	const struct scd__shape *shape;
	int rc;

	if (message_type == SCD_POINT_UNKNOWN || message_type >= SCD_POINT_COUNT) {
		clear(ret_event, 0, -1);
		return 1;
	}
	shape = &decoding.shapes[message_type];
	clear(ret_event, shape->union_bytes, shape->has_fd ? 0 : -1);
	rc = walk(&decoding, shape, (struct cursor){ begin, begin + payload.len }, (char *)ret_event);
	if (rc < 0)
		return rc;
	ret_event->point = (enum scd_point)message_type;
	ret_event->truncated = decoding.truncated;
	ret_event->kind = scd_decode_kind(message_type, ret_event->sysno, ret_event->has_exit, ret_event->exit_errorno);
	mark_values(&ret_event->context);
	return 0;
}
