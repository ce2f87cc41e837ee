/*
 * Protobuf's text format, byte for byte as its C++ library writes it, with a blank for every line break:
 *
 *    X Open context_data {   time_ns: 1   credentials {   } } exit { } sysno: 257
 *                         ^^^           ^^^           ^^^ ^
 *                         a line break, and two blanks of indentation for each level
 *
 * Fields come in the order of their numbers, scalars without the ones that have proto3's default value. Behind them
 * come the fields that we do not know, as they lie: a number by its wire type (in decimal, or with 8 or 16 hexadecimal
 * digits), a text as a message when it looks like one, else as a text. It may look like one ten levels deep; groups
 * take levels, too, but are always messages.
 *
 * Texts and bytes are escaped alike, in ASCII.
 */
#include <inttypes.h>

#include "print.h"

#define GUESS_DEPTH 10

/* A line that is being written. */
struct text {
	struct scd_buf *line;
	struct scd_arena *scratch;
	unsigned level; /* of messages inside */
};

static void begin_field(struct text *text, const char *name)
{
	scd_buf_printf(text->line, "%*s%s", (int)(2 * text->level), "", name);
}

static void begin_unknown(struct text *text, uint32_t number)
{
	scd_buf_printf(text->line, "%*s%" PRIu32, (int)(2 * text->level), "", number);
}

static void open_message(struct text *text)
{
	scd_buf_append_str(text->line, SCD_STR(" { "));
	text->level++;
}

static void close_message(struct text *text)
{
	text->level--;
	begin_field(text, "} ");
}

/* The letter behind the backslash of a byte that has one, else 0. */
static char escape_letter(char byte)
{
	switch (byte) {
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	case '"':
	case '\'':
	case '\\': return byte;
	default: return 0;
	}
}

static void put_escaped(struct scd_buf *line, char byte)
{
	const uint8_t bits = (uint8_t)byte;
	const char octal[] = { '\\', (char)('0' + (bits >> 6)), (char)('0' + (bits >> 3 & 7)),
		               (char)('0' + (bits & 7)) };
	const char letter[] = { '\\', escape_letter(byte) };

	if (letter[1])
		scd_buf_append(line, letter, sizeof(letter));
	else
		scd_buf_append(line, octal, sizeof(octal));
}

static bool is_plain(char byte)
{
	return byte >= 0x20 && byte < 0x7f && !escape_letter(byte);
}

static void put_quoted(struct scd_buf *line, struct scd_str value)
{
	size_t begin = 0;

	scd_buf_append_str(line, SCD_STR(": \""));
	for (size_t i = 0; i < value.len; i++) {
		if (is_plain(value.data[i]))
			continue;
		scd_buf_append(line, value.data + begin, i - begin);
		put_escaped(line, value.data[i]);
		begin = i + 1;
	}
	scd_buf_append(line, value.data + begin, value.len - begin);
	scd_buf_append_str(line, SCD_STR("\" "));
}

static void put_scalar(struct text *text, const ProtobufCFieldDescriptor *field, const struct scd__wire_field *value)
{
	begin_field(text, field->name);
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32: scd_buf_printf(text->line, ": %" PRId32 " ", (int32_t)value->value); break;
	case PROTOBUF_C_TYPE_INT64: scd_buf_printf(text->line, ": %" PRId64 " ", (int64_t)value->value); break;
	case PROTOBUF_C_TYPE_UINT32: scd_buf_printf(text->line, ": %" PRIu32 " ", (uint32_t)value->value); break;
	case PROTOBUF_C_TYPE_BOOL: scd_buf_printf(text->line, ": %s ", value->value ? "true" : "false"); break;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES: put_quoted(text->line, value->text); break;
	default: scd_buf_printf(text->line, ": %" PRIu64 " ", value->value); break;
	}
}

static void put_unknown(struct text *text, const struct scd__wire_field *field, int guess_depth);

static void put_unknown_all(struct text *text, struct scd_str bytes, int guess_depth)
{
	struct scd__wire_field field;

	open_message(text);
	while (!text->line->failed && scd__view_next(&bytes, &field))
		put_unknown(text, &field, guess_depth);
	close_message(text);
}

static void put_unknown(struct text *text, const struct scd__wire_field *field, int guess_depth)
{
	begin_unknown(text, field->number);
	switch (field->wire) {
	case SCD__WIRE_64: scd_buf_printf(text->line, ": 0x%016" PRIx64 " ", field->value); break;
	case SCD__WIRE_32: scd_buf_printf(text->line, ": 0x%08" PRIx64 " ", field->value); break;
	case SCD__WIRE_GROUP: put_unknown_all(text, field->text, guess_depth - 1); break;
	case SCD__WIRE_TEXT:
		if (field->text.len > 0 && guess_depth > 0 && scd__view_looks_whole(field->text, (unsigned)guess_depth))
			put_unknown_all(text, field->text, guess_depth - 1);
		else
			put_quoted(text->line, field->text);
		break;
	default: scd_buf_printf(text->line, ": %" PRIu64 " ", field->value); break;
	}
}

static int put_fields(struct text *text, const struct scd__view *message);

static int put_inner(struct text *text, const struct scd__view *message, const ProtobufCFieldDescriptor *field)
{
	struct scd__view inner;
	int r = scd__view_inner(message, field, text->scratch, &inner);

	if (r <= 0)
		return r;
	begin_field(text, field->name);
	open_message(text);
	r = put_fields(text, &inner);
	close_message(text);
	return r;
}

static int put_field(struct text *text, const struct scd__view *message, const ProtobufCFieldDescriptor *field)
{
	struct scd_str rest = message->bytes;
	struct scd__wire_field value;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		while (scd__view_next_of(field, &rest, &value))
			put_scalar(text, field, &value);
	} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		return put_inner(text, message, field);
	} else if (scd__view_scalar(message, field, &value)) {
		put_scalar(text, field, &value);
	}
	return 0;
}

static int put_fields(struct text *text, const struct scd__view *message)
{
	struct scd_str rest = message->bytes;
	struct scd__wire_field field;

	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		int r = put_field(text, message, &message->descriptor->fields[i]);

		if (r < 0)
			return r;
	}
	while (!text->line->failed && scd__view_next(&rest, &field)) {
		if (!scd__view_known(message, &field))
			put_unknown(text, &field, GUESS_DEPTH);
	}
	return 0;
}

/* `E Open `, `X Open `, `Start => `: what has a field `exit` is a system call. */
static void put_head(const struct scd__view *message, struct scd_buf *line)
{
	const char *name = message->descriptor->short_name;
	const ProtobufCFieldDescriptor *result = protobuf_c_message_descriptor_get_field_by_name(message->descriptor,
	                                                                                         "exit");
	struct scd_str rest = message->bytes;
	struct scd__wire_field value;

	if (!result)
		scd_buf_printf(line, "%s => ", name);
	else
		scd_buf_printf(line, "%c %s ", scd__view_next_of(result, &rest, &value) ? 'X' : 'E', name);
}

static int write_text(const struct scd__view *message, struct scd_arena *scratch, struct scd_buf *line)
{
	struct text text = { line, scratch, 0 };

	put_head(message, line);
	return put_fields(&text, message);
}

static void write_other(unsigned message_type, const char *name, size_t payload_bytes, enum scd_printed why,
                        struct scd_buf *line)
{
	scd_buf_printf(line, "? type %u", message_type);
	if (name)
		scd_buf_printf(line, " (%s)", name);
	scd_buf_printf(line, ", %zu bytes", payload_bytes);
	if (why != SCD_PRINTED_UNKNOWN)
		scd_buf_printf(line, ": %s", why == SCD_PRINTED_DAMAGED ? "damaged" : "too large");
}

int scd_print_text(unsigned message_type, struct scd_str payload, struct scd_buf *ret_line)
{
	static const struct scd__print_form form = { write_text, write_other };

	return scd__print(&form, message_type, payload, ret_line);
}
