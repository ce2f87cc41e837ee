/*
 * Protobuf's canonical JSON, for any message of protobuf-c, by its descriptor.
 *
 * lowerCamelCase names; 64-bit integers as strings; enums by name (a number that has none as number); bytes as base64;
 * NaN and the infinities as strings; proto3 scalars that have their default value left out, members of a oneof only
 * when they are not the one that is set. Not supported, because no message of ours has them: map fields and the
 * well-known types.
 */
#ifndef SECCHECKD_BASE_PBJSON_H
#define SECCHECKD_BASE_PBJSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "seccheckd/base/str.h"

/*
 * A new object, its keys in the order of the field numbers. Strings go through scd_pbjson_text. 0, -ENOMEM, or -E2BIG
 * when messages are nested more than SCD_LIMIT_PROTO_DEPTH deep.
 */
int scd_pbjson_encode(const ProtobufCMessage *message, json_t **ret_json);

/*
 * A new message, freed with protobuf_c_message_free_unpacked(message, NULL). Reads what encode writes, and as other
 * writers have it: original field names, 64-bit integers as numbers, 32-bit ones as strings, enums as numbers, base64
 * of either alphabet without padding. null stands for a field that is not there. What a newer writer may send is
 * passed over: keys that are not known, and names of enum values that are not known.
 *
 * 0, -ENOMEM, -EINVAL (a value of the wrong type or form, two members of one oneof, NUL in a string), -ERANGE (a
 * number that does not fit) or -E2BIG (as above).
 */
int scd_pbjson_decode(const ProtobufCMessageDescriptor *descriptor, const json_t *json, ProtobufCMessage **ret_message);

/*
 * A JSON string from any bytes: U+FFFD in place of every byte that is not part of valid UTF-8, NUL kept (jansson
 * writes it as \u0000). NULL when out of memory.
 */
json_t *scd_pbjson_text(struct scd_str text);

#endif
