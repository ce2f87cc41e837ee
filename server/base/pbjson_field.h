/*
 * What both directions of canonical JSON need to know about fields.
 */
#ifndef SCD_SERVER_BASE_PBJSON_FIELD_H
#define SCD_SERVER_BASE_PBJSON_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* Room for a field's JSON name, NUL included. Names come from our own .proto files; a longer one is cut. */
#define SCD__PBJSON_NAME_BYTES 128

/* lowerCamelCase as protoc has it: an underscore goes, and the letter behind it becomes a capital. */
void scd__pbjson_name(const char *name, char ret_name[SCD__PBJSON_NAME_BYTES]);

/* Size of a member of this type, and of an element of a repeated one. */
size_t scd__pbjson_member_bytes(ProtobufCType type);

static inline bool scd__pbjson_is_oneof(const ProtobufCFieldDescriptor *field)
{
	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

#endif
