/*
 * Protobuf's canonical JSON, straight from the bytes of a message to the line:
 *
 *    {"@type":"type.googleapis.com/gvisor.syscall.Open","exit":{"result":"3"},"sysno":"257","fd":"-100"}
 *
 * lowerCamelCase names in the order of the field numbers; numbers of 64 bits as texts; bytes as base64; scalars
 * without the ones that have proto3's default value. Characters that a terminal obeys are escaped, as JSON may always
 * be, since lines are full of a tenant's texts. base/pbjson.h has the same for messages that protobuf-c unpacked,
 * and is the model that this is tested against. It is not used here because unpacked texts end at their first NUL and
 * a hostile message becomes a hundred times its size on the way through it.
 */
#include <inttypes.h>

#include "print.h"

/* A line that is being written. */
struct json {
	struct scd_buf *line;
	struct scd_arena *scratch;
};

/* A comma, but for the first in its object or array. */
static void put_separator(struct scd_buf *line)
{
	char last = line->len > 0 ? line->data[line->len - 1] : '\0';

	if (last != '{' && last != '[')
		scd_buf_append_char(line, ',');
}

/* As protoc has it: an underscore goes, and the letter behind it becomes a capital. */
static void put_name(struct scd_buf *line, const char *name)
{
	bool capital = false;

	put_separator(line);
	scd_buf_append_char(line, '"');
	for (; *name; name++) {
		if (*name != '_')
			scd_buf_append_char(
			        line, (char)(capital && *name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name));
		capital = *name == '_';
	}
	scd_buf_append_str(line, SCD_STR("\":"));
}

static void put_special(struct scd_buf *line, char byte)
{
	switch (byte) {
	case '"':
	case '\\': scd_buf_append(line, (char[]){ '\\', byte }, 2); break;
	case '\n': scd_buf_append_str(line, SCD_STR("\\n")); break;
	case '\r': scd_buf_append_str(line, SCD_STR("\\r")); break;
	case '\t': scd_buf_append_str(line, SCD_STR("\\t")); break;
	default: scd_buf_printf(line, "\\u%04x", (unsigned)(uint8_t)byte); break;
	}
}

static bool is_special(char byte)
{
	return byte == '"' || byte == '\\' || (uint8_t)byte < 0x20 || byte == 0x7f;
}

static void put_text(struct scd_buf *line, struct scd_str text)
{
	scd_buf_append_char(line, '"');
	while (text.len > 0) {
		size_t len = scd_str_utf8_length(text);

		if (len == 0)
			scd_buf_append_str(line, SCD_STR("\xef\xbf\xbd"));
		else if (is_special(*text.data))
			put_special(line, *text.data);
		else if (len > 1 && scd_str_steers_display(scd_str_utf8_code_point((struct scd_str){ text.data, len })))
			scd_buf_printf(line, "\\u%04x", scd_str_utf8_code_point((struct scd_str){ text.data, len }));
		else
			scd_buf_append(line, text.data, len);
		len += len == 0;
		text = (struct scd_str){ text.data + len, text.len - len };
	}
	scd_buf_append_char(line, '"');
}

static void put_base64(struct scd_buf *line, struct scd_str bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	scd_buf_append_char(line, '"');
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t second = left > 1 ? (uint8_t)bytes.data[i + 1] : 0;
		uint32_t third = left > 2 ? (uint8_t)bytes.data[i + 2] : 0;
		uint32_t group = (uint32_t)(uint8_t)bytes.data[i] << 16 | second << 8 | third;
		const char out[] = { digits[group >> 18], digits[group >> 12 & 63],
			             left > 1 ? digits[group >> 6 & 63] : '=', left > 2 ? digits[group & 63] : '=' };

		scd_buf_append(line, out, sizeof(out));
	}
	scd_buf_append_char(line, '"');
}

static void put_scalar(struct scd_buf *line, const ProtobufCFieldDescriptor *field, const struct scd__wire_field *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32: scd_buf_printf(line, "%" PRId32, (int32_t)value->value); break;
	case PROTOBUF_C_TYPE_INT64: scd_buf_printf(line, "\"%" PRId64 "\"", (int64_t)value->value); break;
	case PROTOBUF_C_TYPE_UINT32: scd_buf_printf(line, "%" PRIu32, (uint32_t)value->value); break;
	case PROTOBUF_C_TYPE_BOOL: scd_buf_printf(line, "%s", value->value ? "true" : "false"); break;
	case PROTOBUF_C_TYPE_STRING: put_text(line, value->text); break;
	case PROTOBUF_C_TYPE_BYTES: put_base64(line, value->text); break;
	default: scd_buf_printf(line, "\"%" PRIu64 "\"", value->value); break;
	}
}

static int put_fields(struct json *json, const struct scd__view *message);

static int put_inner(struct json *json, const struct scd__view *message, const ProtobufCFieldDescriptor *field)
{
	struct scd__view inner;
	int r = scd__view_inner(message, field, json->scratch, &inner);

	if (r <= 0)
		return r;
	put_name(json->line, field->name);
	scd_buf_append_char(json->line, '{');
	r = put_fields(json, &inner);
	scd_buf_append_char(json->line, '}');
	return r;
}

static void put_array(struct scd_buf *line, const struct scd__view *message, const ProtobufCFieldDescriptor *field)
{
	struct scd_str rest = message->bytes;
	struct scd__wire_field value;

	if (!scd__view_next_of(field, &rest, &value))
		return;
	put_name(line, field->name);
	scd_buf_append_char(line, '[');
	do {
		put_separator(line);
		put_scalar(line, field, &value);
	} while (scd__view_next_of(field, &rest, &value));
	scd_buf_append_char(line, ']');
}

static int put_field(struct json *json, const struct scd__view *message, const ProtobufCFieldDescriptor *field)
{
	struct scd__wire_field value;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		put_array(json->line, message, field);
	} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		return put_inner(json, message, field);
	} else if (scd__view_scalar(message, field, &value)) {
		put_name(json->line, field->name);
		put_scalar(json->line, field, &value);
	}
	return 0;
}

static int put_fields(struct json *json, const struct scd__view *message)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		int r = put_field(json, message, &message->descriptor->fields[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int write_json(const struct scd__view *message, struct scd_arena *scratch, struct scd_buf *line)
{
	struct json json = { line, scratch };
	int r;

	scd_buf_printf(line, "{\"@type\":\"type.googleapis.com/%s\"", message->descriptor->name);
	r = put_fields(&json, message);
	scd_buf_append_char(line, '}');
	return r;
}

static void write_other(unsigned message_type, const char *name, size_t payload_bytes, enum scd_printed why,
                        struct scd_buf *line)
{
	static const char *const errors[] = {
		[SCD_PRINTED_UNKNOWN] = "unknown type",
		[SCD_PRINTED_DAMAGED] = "damaged",
		[SCD_PRINTED_TOO_LARGE] = "too large",
	};

	(void)name;
	scd_buf_printf(line, "{\"error\":\"%s\",\"messageType\":%u,\"payloadBytes\":%zu}", errors[why], message_type,
	               payload_bytes);
}

int scd_print_json(unsigned message_type, struct scd_str payload, struct scd_buf *ret_line)
{
	static const struct scd__print_form form = { write_json, write_other };

	return scd__print(&form, message_type, payload, ret_line);
}
