/*
 * Random messages. Fields that are not known hold what printers guess at: texts, messages, messages in texts, to a
 * depth that is more than the ten levels to which protobuf guesses.
 */
#include "tests/support/random_message.h"

#include "seccheckd/base/array.h"

#define FIELDS_MAX        12u
#define TEXT_MAX          24u
#define REPEATED_MAX      4u
#define UNKNOWN_DEPTH     13u
#define UNKNOWN_COUNT_MAX 4u

/* No message has a field of this number or a larger one. */
#define FIRST_UNKNOWN 32u

static void put_varint(struct scd_buf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		scd_buf_append_char(out, (char)(value | 0x80));
	scd_buf_append_char(out, (char)value);
}

/* A number in exactly so many bytes, which are enough for it. */
static void put_long_varint(struct scd_buf *out, uint64_t value, uint64_t bytes)
{
	for (; bytes > 1; bytes--, value >>= 7)
		scd_buf_append_char(out, (char)(value | 0x80));
	scd_buf_append_char(out, (char)(value & 0x7f));
}

static uint64_t random_number(struct scd_rng *rng)
{
	static const uint64_t special[] = { 0,         1,          INT32_MAX,  (uint64_t)INT32_MIN, UINT32_MAX,
		                            INT64_MAX, UINT64_MAX, 1ull << 32, 1ull << 63,          127 };
	uint64_t any = scd_rng_next(rng) >> scd_rng_below(rng, 64);

	return scd_rng_below(rng, 4) == 0 ? special[scd_rng_below(rng, SCD_COUNT(special))] : any;
}

static void put_number(struct scd_rng *rng, unsigned style, struct scd_buf *out)
{
	uint64_t value = random_number(rng);

	if (style & RANDOM_MESSAGE_ODD && scd_rng_below(rng, 16) == 0)
		put_long_varint(out, value, 10);
	else
		put_varint(out, value);
}

/* A tag or a length. */
static void put_short(struct scd_rng *rng, unsigned style, struct scd_buf *out, uint64_t value)
{
	if (style & RANDOM_MESSAGE_ODD && scd_rng_below(rng, 16) == 0)
		put_long_varint(out, value, 5);
	else
		put_varint(out, value);
}

/* One character: of ASCII mostly, controls among it, else of any length. */
static void put_character(struct scd_rng *rng, struct scd_buf *out)
{
	uint32_t code = 1 + (uint32_t)scd_rng_below(rng, 0x7f);

	switch (scd_rng_below(rng, 16)) {
	case 0:
		code = 0x80 + (uint32_t)scd_rng_below(rng, 0x780);
		scd_buf_append_char(out, (char)(0xc0 | code >> 6));
		break;
	case 1:
		code = 0x800 + (uint32_t)scd_rng_below(rng, 0xd000);
		scd_buf_append_char(out, (char)(0xe0 | code >> 12));
		scd_buf_append_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		break;
	case 2:
		code = 0x10000 + (uint32_t)scd_rng_below(rng, 0x100000);
		scd_buf_append_char(out, (char)(0xf0 | code >> 18));
		scd_buf_append_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
		scd_buf_append_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		break;
	default: scd_buf_append_char(out, (char)code); return;
	}
	scd_buf_append_char(out, (char)(0x80 | (code & 0x3f)));
}

static void put_text(struct scd_rng *rng, unsigned style, bool any, struct scd_buf *out)
{
	struct scd_buf text;

	scd_buf_init(&text, 4 * TEXT_MAX);
	for (uint64_t count = scd_rng_below(rng, TEXT_MAX); count > 0; count--) {
		if (any)
			scd_buf_append_char(&text, (char)scd_rng_next(rng));
		else
			put_character(rng, &text);
	}
	put_short(rng, style, out, text.len);
	scd_buf_append_str(out, scd_buf_str(&text));
	scd_buf_done(&text);
}

static void put_unknown(struct scd_rng *rng, uint64_t number, unsigned depth, struct scd_buf *out);

static void put_unknown_all(struct scd_rng *rng, unsigned depth, struct scd_buf *out)
{
	for (uint64_t count = scd_rng_below(rng, UNKNOWN_COUNT_MAX); count > 0; count--)
		put_unknown(rng, FIRST_UNKNOWN + scd_rng_below(rng, 1u << scd_rng_below(rng, 29)), depth, out);
}

/* A text that is a message, whole or not quite. */
static void put_unknown_message(struct scd_rng *rng, unsigned depth, struct scd_buf *out)
{
	struct scd_buf inner;

	scd_buf_init(&inner, SIZE_MAX / 2);
	put_unknown_all(rng, depth, &inner);
	if (scd_rng_below(rng, 8) == 0)
		put_text(rng, 0, true, &inner);
	put_short(rng, RANDOM_MESSAGE_ODD, out, inner.len);
	scd_buf_append_str(out, scd_buf_str(&inner));
	scd_buf_done(&inner);
}

static void put_unknown(struct scd_rng *rng, uint64_t number, unsigned depth, struct scd_buf *out)
{
	static const unsigned wires[] = { 0, 1, 5, 2, 2, 2, 3 };
	unsigned wire = wires[scd_rng_below(rng, depth > 0 ? 7 : 4)];
	uint64_t bits = scd_rng_next(rng);

	put_short(rng, RANDOM_MESSAGE_ODD, out, number << 3 | wire);
	switch (wire) {
	case 0: put_number(rng, RANDOM_MESSAGE_ODD, out); break;
	case 1: scd_buf_append(out, &bits, 8); break;
	case 5: scd_buf_append(out, &bits, 4); break;
	case 3:
		put_unknown_all(rng, depth - 1, out);
		put_short(rng, RANDOM_MESSAGE_ODD, out, number << 3 | 4);
		break;
	default:
		if (depth > 0 && bits % 3 > 0)
			put_unknown_message(rng, depth - 1, out);
		else
			put_text(rng, RANDOM_MESSAGE_ODD, bits & 1, out);
		break;
	}
}

static void put_known(struct scd_rng *rng, const ProtobufCFieldDescriptor *field, unsigned style, struct scd_buf *out)
{
	bool is_bytes = field->type == PROTOBUF_C_TYPE_BYTES;
	bool is_text = is_bytes || field->type == PROTOBUF_C_TYPE_STRING;
	struct scd_buf inner;

	put_short(rng, style, out, field->id << 3 | (is_text || field->type == PROTOBUF_C_TYPE_MESSAGE ? 2 : 0));
	if (is_text) {
		put_text(rng, style, is_bytes || style & RANDOM_MESSAGE_ANY_TEXT, out);
	} else if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
		put_number(rng, style, out);
	} else {
		scd_buf_init(&inner, SIZE_MAX / 2);
		random_message(rng, field->descriptor, style, &inner);
		put_short(rng, style, out, inner.len);
		scd_buf_append_str(out, scd_buf_str(&inner));
		scd_buf_done(&inner);
	}
}

static void put_odd_field(struct scd_rng *rng, const ProtobufCMessageDescriptor *descriptor, unsigned style,
                          struct scd_buf *out)
{
	const ProtobufCFieldDescriptor *field = &descriptor->fields[scd_rng_below(rng, descriptor->n_fields)];
	bool is_text = field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES ||
	               field->type == PROTOBUF_C_TYPE_MESSAGE;

	switch (scd_rng_below(rng, 16)) {
	case 0: put_unknown_all(rng, (unsigned)scd_rng_below(rng, UNKNOWN_DEPTH), out); break;
	case 1: /* a known number with a wire type that it never has */
		put_varint(out, field->id << 3 | (is_text ? 0 : 2));
		put_varint(out, 0);
		break;
	case 2:
		put_varint(out, field->id << 3 | 3);
		put_unknown_all(rng, 3, out);
		put_varint(out, field->id << 3 | 4);
		break;
	default: put_known(rng, field, style, out); break;
	}
}

static uint64_t random_count(struct scd_rng *rng, const ProtobufCFieldDescriptor *field)
{
	return scd_rng_below(rng, field->label == PROTOBUF_C_LABEL_REPEATED ? REPEATED_MAX : 2);
}

void random_message(struct scd_rng *rng, const ProtobufCMessageDescriptor *descriptor, unsigned style,
                    struct scd_buf *out)
{
	if (style & RANDOM_MESSAGE_ODD) {
		for (uint64_t count = scd_rng_below(rng, FIELDS_MAX); count > 0; count--)
			put_odd_field(rng, descriptor, style, out);
		return;
	}
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		for (uint64_t count = random_count(rng, &descriptor->fields[i]); count > 0; count--)
			put_known(rng, &descriptor->fields[i], style, out);
	}
}
