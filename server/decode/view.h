/*
 * Protobuf messages where they lie: fields are found in the bytes of a message, by its descriptor, and nothing is
 * unpacked. For printing, where every byte counts and speed does not.
 *
 * What is a message is what protobuf's C++ parser takes for one, with two exceptions that are in print.h and here:
 * texts need not be UTF-8, and descriptors with packed fields, maps, oneofs, enums, floats or fixed-width fields are
 * not supported, because gVisor's messages have none (a test sees to that).
 */
#ifndef SCD_SERVER_DECODE_VIEW_H
#define SCD_SERVER_DECODE_VIEW_H

#include <protobuf-c/protobuf-c.h>

#include "seccheckd/base/arena.h"

enum scd__wire {
	SCD__WIRE_VARINT = 0,
	SCD__WIRE_64 = 1,
	SCD__WIRE_TEXT = 2,
	SCD__WIRE_GROUP = 3,
	SCD__WIRE_GROUP_END = 4, /* never given out */
	SCD__WIRE_32 = 5,
};

/* One field on the wire. */
struct scd__wire_field {
	uint32_t number;
	enum scd__wire wire;
	uint64_t value;      /* of a VARINT, a 64, a 32 */
	struct scd_str text; /* of a TEXT; of a GROUP, the fields inside it */
};

/* A message that is whole: its type, and its bytes, which somebody else owns. */
struct scd__view {
	const ProtobufCMessageDescriptor *descriptor;
	struct scd_str bytes;
};

/* Whether the bytes are a whole message of this type, with all the messages and groups inside. */
bool scd__view_is_whole(const ProtobufCMessageDescriptor *descriptor, struct scd_str bytes);

/*
 * Whether the bytes of a field that we do not know could be a message, as protobuf guesses it for printing: groups are
 * nested at most group_depth deep.
 */
bool scd__view_looks_whole(struct scd_str bytes, unsigned group_depth);

/* Takes the next field off the bytes of a message that is whole (or looks it). False at the end. */
bool scd__view_next(struct scd_str *bytes, struct scd__wire_field *ret_field);

/* The descriptor of a field as it is on the wire; NULL for one we do not know, or that has another wire type there. */
const ProtobufCFieldDescriptor *scd__view_known(const struct scd__view *view, const struct scd__wire_field *field);

/* Takes everything up to and with the next value of this field. False when there is none. */
bool scd__view_next_of(const ProtobufCFieldDescriptor *field, struct scd_str *bytes, struct scd__wire_field *ret_value);

/* The value of a scalar that is not repeated: the last one. False when there is none, or it is the default value. */
bool scd__view_scalar(const struct scd__view *view, const ProtobufCFieldDescriptor *field,
                      struct scd__wire_field *ret_value);

/*
 * The message inside a field that is not repeated. Several values of it are the parts of one message, which are joined
 * in scratch. 1, 0 when there is none, -ENOMEM.
 */
int scd__view_inner(const struct scd__view *view, const ProtobufCFieldDescriptor *field, struct scd_arena *scratch,
                    struct scd__view *ret_inner);

#endif
