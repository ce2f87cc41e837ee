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

/* What does not change during one walk. */
struct decoding {
	const struct scd__shape *shapes;
	struct scd_arena *scratch;
	unsigned want;
	bool truncated;
};

/*
 * All readers take the place where they begin and the end of the message that they are in, and return the place
 * behind what they read, NULL when it is malformed. Places and not structs, so that they stay in registers.
 */
static const uint8_t *read_slow_varint(const uint8_t *at, const uint8_t *end, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70 && at < end; shift += 7) {
		value |= (uint64_t)(*at & 0x7f) << shift;
		if (*at++ < 0x80) {
			*ret_value = value;
			return at;
		}
	}
	return NULL;
}

/* Eight groups of 7 bits, each in a byte of its own, moved together: pairs, then fours, then all. */
static inline uint64_t squeeze(uint64_t groups)
{
	groups &= 0x7f7f7f7f7f7f7f7fu;
	groups = (groups & 0x007f007f007f007fu) | (groups & 0x7f007f007f007f00u) >> 1;
	groups = (groups & 0x00003fff00003fffu) | (groups & 0x3fff00003fff0000u) >> 2;
	return (groups & 0x000000000fffffffu) | (groups & 0x0fffffff00000000u) >> 4;
}

/*
 * A number: of up to eight bytes in one step, since the times in every message have nine. Bits over the 64th are
 * dropped, as protobuf does.
 */
static inline const uint8_t *read_varint(const uint8_t *at, const uint8_t *end, uint64_t *ret_value)
{
	uint64_t groups, stops;

	if (at < end && *at < 0x80) {
		*ret_value = *at;
		return at + 1;
	}
	if (end - at < 10)
		return read_slow_varint(at, end, ret_value);
	memcpy(&groups, at, sizeof(groups));
	stops = ~groups & 0x8080808080808080u;
	if (stops != 0) {
		*ret_value = squeeze(groups & (stops ^ (stops - 1)));
		return at + __builtin_ctzll(stops) / 8 + 1;
	}
	*ret_value = squeeze(groups) | (uint64_t)(at[8] & 0x7f) << 56;
	if (at[8] < 0x80)
		return at + 9;
	*ret_value |= (uint64_t)at[9] << 63;
	return at[9] < 0x80 ? at + 10 : NULL;
}

/*
 * A tag or a length, which hardly ever have more than two bytes and may not have more than five. There is at least
 * one byte before the end.
 */
static inline const uint8_t *read_short_varint(const uint8_t *at, const uint8_t *end, uint64_t *ret_value)
{
	const uint8_t *behind;

	if (*at < 0x80) {
		*ret_value = *at;
		return at + 1;
	}
	behind = read_slow_varint(at, end, ret_value);
	return behind && behind - at <= 5 ? behind : NULL;
}

/* A tag whose first byte is below 8 has the field number 0, which protobuf-c refuses in this, shortest form only. */
static inline const uint8_t *read_tag(const uint8_t *at, const uint8_t *end, uint64_t *ret_tag)
{
	return *at < 8 ? NULL : read_short_varint(at, end, ret_tag);
}

static inline const uint8_t *read_text(const uint8_t *at, const uint8_t *end, struct scd_str *ret_text)
{
	uint64_t length;

	at = at < end ? read_short_varint(at, end, &length) : NULL;
	if (!at || length > (size_t)(end - at))
		return NULL;
	*ret_text = (struct scd_str){ (const char *)at, (size_t)length };
	return at + length;
}

/* Reads over the value behind a tag; *ret_text is set for WIRE_LENGTH. */
static const uint8_t *skip_value(const uint8_t *at, const uint8_t *end, unsigned wire, struct scd_str *ret_text)
{
	uint64_t value;

	switch (wire) {
	case WIRE_VARINT: return read_varint(at, end, &value);
	case WIRE_LENGTH: return read_text(at, end, ret_text);
	case WIRE_64: return end - at >= 8 ? at + 8 : NULL;
	case WIRE_32: return end - at >= 4 ? at + 4 : NULL;
	default: return NULL;
	}
}

/* The next text of a repeated field, from here to the end. At the end without one: the end, and a text of NULL. */
static const uint8_t *next_text(const uint8_t *at, const uint8_t *end, uint64_t wanted_tag, struct scd_str *ret_text)
{
	while (at && at < end) {
		uint64_t tag;

		at = read_tag(at, end, &tag);
		at = at ? skip_value(at, end, tag & 7, ret_text) : NULL;
		if (at && tag == wanted_tag)
			return at;
	}
	ret_text->data = NULL;
	return at;
}

/*
 * Behind the next text of a repeated field, where it follows at once and is short, as nearly all do; else NULL. A
 * sandbox may send two million empty ones, which nobody looks at, so they must cost next to nothing.
 */
static inline const uint8_t *behind_short_text(const uint8_t *at, const uint8_t *end, uint64_t tag)
{
	if (end - at < 2 || at[0] != tag || at[0] >= 0x80 || at[1] >= 0x80 || at[1] > end - at - 2)
		return NULL;
	return at + 2 + at[1];
}

static const uint8_t *skip_short_texts(const uint8_t *at, const uint8_t *end, uint64_t tag)
{
	const uint8_t *behind;

	while ((behind = behind_short_text(at, end, tag)))
		at = behind;
	return at;
}

#define HALF (SCD_LIMIT_EVENT_STRINGS / 2)

/* A place in front of a text of a repeated field, and how many of them come before. */
struct mark {
	const uint8_t *at;
	size_t count;
};

/* Counts the texts from here to the end; *ret_tail is in front of the last HALF of them, or a little earlier. */
static int count_texts(const uint8_t *first, const uint8_t *end, uint64_t tag, size_t *ret_count, struct mark *ret_tail)
{
	struct mark here = { first, 0 }, last = here, before = here;
	struct scd_str text;

	for (;;) {
		const uint8_t *behind = behind_short_text(here.at, end, tag);

		text.data = "";
		if (!behind)
			behind = next_text(here.at, end, tag, &text);
		if (!behind)
			return -EBADMSG;
		if (!text.data)
			break;
		here = (struct mark){ behind, here.count + 1 };
		if (here.count - last.count == HALF) {
			before = last;
			last = here;
		}
	}
	*ret_count = here.count;
	*ret_tail = before;
	return 0;
}

/* Stores texts up to a count, without the first ones. */
static void store_texts(struct mark from, const uint8_t *end, uint64_t tag, size_t without, size_t count,
                        struct scd_str *items)
{
	struct scd_str text;

	while (from.count < count) {
		from.at = next_text(from.at, end, tag, &text);
		if (from.count++ >= without)
			*items++ = text;
	}
}

/*
 * A repeated field at its first occurrence: all of them at once, so that the array is allocated with its final size.
 * Of more than the limit, the first and the last halves are kept, and only they are looked at.
 */
static int collect_texts(struct decoding *decoding, const uint8_t *first, const uint8_t *end, uint64_t tag,
                         struct scd_strings *strings)
{
	struct scd_str *items;
	struct mark tail;
	size_t count, room;
	int r;

	if (strings->items)
		return 0;
	r = count_texts(first, end, tag, &count, &tail);
	if (r < 0)
		return r;
	room = count < SCD_LIMIT_EVENT_STRINGS ? count : SCD_LIMIT_EVENT_STRINGS;
	items = scd_arena_alloc(decoding->scratch, room * sizeof(*items));
	if (!items)
		return -ENOMEM;
	store_texts((struct mark){ first, 0 }, end, tag, 0, room == count ? count : HALF, items);
	if (room < count)
		store_texts(tail, end, tag, count - HALF, count, items + HALF);
	*strings = (struct scd_strings){ items, room };
	decoding->truncated |= room < count;
	return 0;
}

static bool any_bit(const uint8_t *at, const uint8_t *end)
{
	for (; at < end; at++) {
		if (*at & 0x7f)
			return true;
	}
	return false;
}

static int walk(struct decoding *decoding, const struct scd__shape *shape, const uint8_t *at, const uint8_t *end,
                char *base);

static int enter(struct decoding *decoding, const struct scd__action *action, struct scd_str text, char *base)
{
	const uint8_t *begin = (const uint8_t *)text.data;

	base[action->mark_at] = (char)(base[action->mark_at] | action->mark);
	return walk(decoding, &decoding->shapes[action->inner], begin, begin + text.len, base + action->offset);
}

/*
 * A field that is not known, or whose wire type is not the one it should have: unknown ones are harmless, a bool may
 * have any, else it is an error.
 */
static const uint8_t *skip_odd_field(const struct scd__action *action, const uint8_t *at, const uint8_t *end,
                                     unsigned wire, char *base)
{
	struct scd_str text;
	const uint8_t *behind = skip_value(at, end, wire, &text);

	if (!behind || action->how == SCD__HOW_SKIP)
		return behind;
	if (action->how != SCD__HOW_BOOL)
		return NULL;
	*(bool *)(base + action->offset) = any_bit(at, behind);
	return behind;
}

/* A number of a known field. */
static inline const uint8_t *put_number(const struct scd__action *action, const uint8_t *at, const uint8_t *end,
                                        char *member)
{
	const uint8_t *behind;
	uint64_t value;
	uint32_t low;
	int64_t wide;

	behind = read_varint(at, end, &value);
	if (!behind)
		return NULL;
	low = (uint32_t)value;
	wide = (int32_t)low;
	switch (action->how) {
	case SCD__HOW_64: memcpy(member, &value, sizeof(value)); break;
	case SCD__HOW_32: memcpy(member, &low, sizeof(low)); break;
	case SCD__HOW_WIDEN: memcpy(member, &wide, sizeof(wide)); break;
	case SCD__HOW_BOOL: *(bool *)member = any_bit(at, behind); break;
	default: break;
	}
	return behind;
}

/* What is more than one text: a message inside, or a repeated field whose first text has its tag at `first`. */
static int put_composite(struct decoding *decoding, const struct scd__action *action, struct scd_str text,
                         const uint8_t *first, const uint8_t *end, uint64_t tag, char *base)
{
	switch (action->how) {
	case SCD__HOW_MESSAGE: return enter(decoding, action, text, base);
	case SCD__HOW_ENV:
		if (!(decoding->want & SCD_DECODE_ENV))
			return 0;
		/* fall through */
	case SCD__HOW_STRINGS:
		return collect_texts(decoding, first, end, tag, (struct scd_strings *)(void *)(base + action->offset));
	default: return 0;
	}
}

static int walk(struct decoding *decoding, const struct scd__shape *shape, const uint8_t *at, const uint8_t *end,
                char *base)
{
	while (at < end) {
		const uint8_t *first = at;
		const struct scd__action *action;
		struct scd_str text;
		uint64_t tag;
		int rc = 0;

		at = read_tag(at, end, &tag);
		if (!at)
			return -EBADMSG;
		action = &shape->actions[tag >> 3 < SCD__FIELD_NUMBERS ? tag >> 3 : 0];
		if ((tag & 7) != action->wire) {
			at = skip_odd_field(action, at, end, tag & 7, base);
		} else if (action->wire == WIRE_VARINT) {
			at = put_number(action, at, end, base + action->offset);
		} else {
			at = read_text(at, end, &text);
			if (at && action->how == SCD__HOW_STR)
				memcpy(base + action->offset, &text, sizeof(text));
			else if (at)
				rc = put_composite(decoding, action, text, first, end, tag, base);
			if (at && (action->how == SCD__HOW_STRINGS || action->how == SCD__HOW_ENV))
				at = skip_short_texts(at, end, tag);
		}
		if (!at || rc < 0)
			return at ? rc : -EBADMSG;
	}
	return 0;
}

/* Clears what may be read: the head, and the member of the union that this point has, which lies behind it. */
static void clear(struct scd_event *event, size_t union_bytes, int64_t fd)
{
	memset(event, 0, offsetof(struct scd_event, u) + union_bytes);
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
	const uint8_t *begin = (const uint8_t *)(payload.len > 0 ? payload.data : "");
	const struct scd__shape *shape;
	int rc;

	if (message_type == SCD_POINT_UNKNOWN || message_type >= SCD_POINT_COUNT) {
		clear(ret_event, 0, -1);
		return 1;
	}
	shape = &decoding.shapes[message_type];
	clear(ret_event, shape->union_bytes, shape->has_fd ? 0 : -1);
	rc = walk(&decoding, shape, begin, begin + payload.len, (char *)ret_event);
	if (rc < 0)
		return rc;
	ret_event->point = (enum scd_point)message_type;
	ret_event->truncated = decoding.truncated;
	ret_event->kind = scd_decode_kind(message_type, ret_event->sysno, ret_event->has_exit, ret_event->exit_errorno);
	mark_values(&ret_event->context);
	return 0;
}
