/*
 * Builds the decoder's tables out of fields.def and the descriptors of protoc-c.
 */
#include "decode/table.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gvisor/common.pb-c.h"
#include "gvisor/container.pb-c.h"
#include "gvisor/sentry.pb-c.h"
#include "gvisor/syscall.pb-c.h"

/* Members of scd_event that one inner message fills together, and the proof that they lie like that. */
struct scd__itimer {
	struct scd_timespec interval, value;
};
struct scd__rlimit {
	uint64_t cur, max;
};
struct scd__peer {
	int32_t tgid;
};
#define FOLLOWS(first, second, type)                                                                           \
	_Static_assert(offsetof(struct scd_event, second) == offsetof(struct scd_event, first) + sizeof(type), \
	               #second " follows " #first)
FOLLOWS(u.timerfd.new_interval, u.timerfd.new_value, struct scd_timespec);
FOLLOWS(u.timerfd.old_interval, u.timerfd.old_value, struct scd_timespec);
FOLLOWS(u.prlimit.new_cur, u.prlimit.new_max, uint64_t);
FOLLOWS(u.prlimit.old_cur, u.prlimit.old_max, uint64_t);

/* Marks are OR'ed into the first byte of `has`. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "gVisor runs on little-endian machines only, and so do we");
_Static_assert((SCD_HAS_CONTEXT | SCD_HAS_CREDENTIALS) < 0x100, "marks are bits of one byte");

/* The macros of fields.def, each in terms of ROW and SHAPE. */
#define SCD_FIELD(point, name, member) VALUE(SCD_POINT_##point, struct scd_event, name, member)
#define SCD_ENV(point, name, member)   ROW(SCD_POINT_##point, name, SCD__DEST_ENV, struct scd_event, member)
#define SCD_INNER(point, name, part, member) \
	INNER(SCD_POINT_##point, struct scd_event, name, part, offsetof(struct scd_event, member), member, 0)
#define SCD_INNER_MARKED(point, name, part, member, flag) \
	INNER(SCD_POINT_##point, struct scd_event, name, part, offsetof(struct scd_event, member), flag, 1)
#define SCD_CONTEXT(point)                                                                                     \
	INNER(SCD_POINT_##point, struct scd_event, context_data, CONTEXT, offsetof(struct scd_event, context), \
	      context.has, SCD_HAS_CONTEXT)
#define SCD_CALL(point)                                                        \
	SCD_CONTEXT(point)                                                     \
	INNER(SCD_POINT_##point, struct scd_event, exit, EXIT, 0, has_exit, 1) \
	SCD_FIELD(point, sysno, sysno)
#define SCD_CALL_FD(point)       \
	SCD_CALL(point)          \
	SCD_FIELD(point, fd, fd) \
	SCD_FIELD(point, fd_path, fd_path)
#define SCD_PART_FIELD(part, type, name, member) VALUE(SCD__SHAPE_##part, type, name, member)
#define SCD_PART_INNER(part, type, name, inside, member, flags, bits) \
	INNER(SCD__SHAPE_##part, type, name, inside, offsetof(type, member), flags, bits)
#define SCD_PART_SPREAD(part, type, name, inside, flag) INNER(SCD__SHAPE_##part, type, name, inside, 0, flag, 1)

#define SCD_POINT(point, message, member) \
	SHAPE(SCD_POINT_##point, message, sizeof(((struct scd_event *)NULL)->u.member), false)
#define SCD_PART(part, message)    SHAPE(SCD__SHAPE_##part, message, 0, false)
#define SCD_PARTIAL(part, message) SHAPE(SCD__SHAPE_##part, message, 0, true)

/* First all rows. */
/* clang-format off */
#define DEST(type, member)                             \
	_Generic(((type *)NULL)->member,               \
	         int32_t: SCD__DEST_I32,               \
	         uint32_t: SCD__DEST_U32,              \
	         int64_t: SCD__DEST_I64,               \
	         uint64_t: SCD__DEST_U64,              \
	         bool: SCD__DEST_BOOL,                 \
	         struct scd_str: SCD__DEST_STR,        \
	         struct scd_strings: SCD__DEST_STRINGS)
/* clang-format on */
#define VALUE(id, type, name, member) ROW(id, name, DEST(type, member), type, member)
#define ROW(id, name, kind, type, member) \
	{ .shape = (id), .field = #name, .dest = (kind), .offset = offsetof(type, member) },
#define INNER(id, type, name, part, at, flags, bits) \
	{ .shape = (id),                             \
	  .field = #name,                            \
	  .dest = SCD__DEST_MESSAGE,                 \
	  .offset = (at),                            \
	  .inner = SCD__SHAPE_##part,                \
	  .mark_at = offsetof(type, flags),          \
	  .mark = (bits) },
#define SHAPE(id, message, bytes, partial)

static const struct scd__row rows[] = {
#include "decode/fields.def"
};

#undef VALUE
#undef ROW
#undef INNER
#undef SHAPE

/* Then all shapes. */
#define VALUE(id, type, name, member)
#define ROW(id, name, kind, type, member)
#define INNER(id, type, name, part, at, flags, bits)
#define SHAPE(id, message, bytes, partial) [id] = { &gvisor__##message##__descriptor, (bytes), (partial) },

static const struct {
	const ProtobufCMessageDescriptor *descriptor;
	size_t union_bytes;
	bool partial; /* fields without a row are checked and not kept */
} heads[SCD__SHAPE_COUNT] = {
#include "decode/fields.def"
};

static struct scd__shape shapes[SCD__SHAPE_COUNT];
static pthread_once_t shapes_once = PTHREAD_ONCE_INIT;

static _Noreturn void bug(const ProtobufCMessageDescriptor *descriptor, const char *field, const char *what)
{
	fprintf(stderr, "decode table: %s.%s: %s\n", descriptor->name, field, what);
	abort();
}

static void demand(bool holds, const ProtobufCMessageDescriptor *descriptor, const char *field, const char *what)
{
	if (!holds)
		bug(descriptor, field, what);
}

/* What to do with a field of this type for a row of this kind; SCD__HOW_SKIP when they do not fit. */
static enum scd__how pair(const ProtobufCFieldDescriptor *field, enum scd__dest dest)
{
	static const struct {
		ProtobufCType type;
		bool repeated;
		enum scd__dest dest;
		enum scd__how how;
	} pairs[] = {
		{ PROTOBUF_C_TYPE_INT32, false, SCD__DEST_I32, SCD__HOW_32 },
		{ PROTOBUF_C_TYPE_INT32, false, SCD__DEST_I64, SCD__HOW_WIDEN },
		{ PROTOBUF_C_TYPE_UINT32, false, SCD__DEST_U32, SCD__HOW_32 },
		{ PROTOBUF_C_TYPE_INT64, false, SCD__DEST_I64, SCD__HOW_64 },
		{ PROTOBUF_C_TYPE_UINT64, false, SCD__DEST_U64, SCD__HOW_64 },
		{ PROTOBUF_C_TYPE_BOOL, false, SCD__DEST_BOOL, SCD__HOW_BOOL },
		{ PROTOBUF_C_TYPE_STRING, false, SCD__DEST_STR, SCD__HOW_STR },
		{ PROTOBUF_C_TYPE_BYTES, false, SCD__DEST_STR, SCD__HOW_STR },
		{ PROTOBUF_C_TYPE_STRING, true, SCD__DEST_STRINGS, SCD__HOW_STRINGS },
		{ PROTOBUF_C_TYPE_STRING, true, SCD__DEST_ENV, SCD__HOW_ENV },
		{ PROTOBUF_C_TYPE_MESSAGE, false, SCD__DEST_MESSAGE, SCD__HOW_MESSAGE },
	};
	bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].type == field->type && pairs[i].repeated == repeated && pairs[i].dest == dest)
			return pairs[i].how;
	}
	return SCD__HOW_SKIP;
}

static uint8_t wire_type(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE: return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	default: return PROTOBUF_C_WIRE_TYPE_VARINT;
	}
}

static void check_numbers(const ProtobufCMessageDescriptor *descriptor)
{
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		demand(field->id < SCD__FIELD_NUMBERS, descriptor, field->name, "SCD__FIELD_NUMBERS is too small");
	}
}

static void apply_row(const struct scd__row *row)
{
	const ProtobufCMessageDescriptor *descriptor = heads[row->shape].descriptor;
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(descriptor, row->field);
	struct scd__action *action;
	enum scd__how how;

	demand(field != NULL, descriptor, row->field, "no such field");
	how = pair(field, row->dest);
	demand(how != SCD__HOW_SKIP, descriptor, row->field, "the member does not fit the field's type");
	if (how == SCD__HOW_MESSAGE) {
		demand(heads[row->inner].descriptor == field->descriptor, descriptor, row->field, "of another message");
		demand(row->inner > row->shape, descriptor, row->field, "shapes must not nest without end");
	}
	action = &shapes[row->shape].actions[field->id];
	demand(action->how == SCD__HOW_SKIP, descriptor, row->field, "has two rows");
	*action = (struct scd__action){ .how = (uint8_t)how,
		                        .wire = wire_type(field),
		                        .inner = row->inner,
		                        .mark = row->mark,
		                        .offset = row->offset,
		                        .mark_at = row->mark_at };
	if (row->shape < SCD_POINT_COUNT && row->offset == offsetof(struct scd_event, fd))
		shapes[row->shape].has_fd = true;
}

/* Every field of every message must have come up. */
static void finish_shape(unsigned id)
{
	const ProtobufCMessageDescriptor *descriptor = heads[id].descriptor;

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		struct scd__action *action = &shapes[id].actions[field->id];

		if (action->how != SCD__HOW_SKIP)
			continue;
		demand(heads[id].partial && field->type != PROTOBUF_C_TYPE_MESSAGE, descriptor, field->name, "no row");
		if (field->type != PROTOBUF_C_TYPE_BOOL) /* which may have any wire type */
			*action = (struct scd__action){ .how = SCD__HOW_CHECK, .wire = wire_type(field) };
	}
}

static void build(void)
{
	for (unsigned id = 1; id < SCD__SHAPE_COUNT; id++) {
		assert(heads[id].descriptor != NULL);
		check_numbers(heads[id].descriptor);
		shapes[id].descriptor = heads[id].descriptor;
		shapes[id].union_bytes = heads[id].union_bytes;
		for (unsigned number = 0; number < SCD__FIELD_NUMBERS; number++)
			shapes[id].actions[number].wire = SCD__WIRE_NONE;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		apply_row(&rows[i]);
	for (unsigned id = 1; id < SCD__SHAPE_COUNT; id++)
		finish_shape(id);
}

const struct scd__shape *scd__decode_shapes(void)
{
	pthread_once(&shapes_once, build);
	return shapes;
}

const struct scd__row *scd__decode_rows(size_t *ret_count)
{
	*ret_count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}
