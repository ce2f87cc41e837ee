/*
 * The decoder against protobuf-c on messages made from the descriptors: every type, every field, in any order and
 * number, with odd encodings, wrong wire types and unknown fields among them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "decode/table.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"
#include "tests/support/decode_model.h"
#include "tests/support/rng.h"

#define MESSAGES_PER_TYPE 4000u
#define FIELDS_MAX        12u
#define TEXT_MAX          40u
#define MESSAGE_MAX_BYTES 65536u

static void put_varint(struct scd_buf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		scd_buf_append_char(out, (char)(value | 0x80));
	scd_buf_append_char(out, (char)value);
}

/* The same number in more bytes than it needs. */
static void put_long_varint(struct scd_buf *out, uint64_t value, unsigned bytes)
{
	for (; bytes > 1; bytes--, value >>= 7)
		scd_buf_append_char(out, (char)(value | 0x80));
	scd_buf_append_char(out, (char)(value & 0x7f));
}

/* A number of ten bytes, with bits behind the 64th. */
static void put_overflowing_varint(struct scd_rng *rng, struct scd_buf *out, uint64_t value)
{
	put_long_varint(out, value, 9);
	out->data[out->len - 1] |= (char)0x80;
	scd_buf_append_char(out, (char)scd_rng_below(rng, 128));
}

/* Numbers of every length; some are longer than need be, or longer than may be. */
static void put_random_varint(struct scd_rng *rng, struct scd_buf *out)
{
	uint64_t value = scd_rng_next(rng) >> scd_rng_below(rng, 64);

	switch (scd_rng_below(rng, 32)) {
	case 0: put_long_varint(out, value, 1 + (unsigned)scd_rng_below(rng, 11)); break;
	case 1: put_overflowing_varint(rng, out, value); break;
	case 2: put_overflowing_varint(rng, out, 0); break;
	default: put_varint(out, value); break;
	}
}

static void put_random_text(struct scd_rng *rng, struct scd_buf *out)
{
	uint64_t len = scd_rng_below(rng, TEXT_MAX);

	put_varint(out, len);
	for (; len > 0; len--)
		scd_buf_append_char(out, (char)scd_rng_next(rng));
}

static void put_body(struct scd_rng *rng, struct scd_buf *out, unsigned wire)
{
	uint64_t bits = scd_rng_next(rng);

	switch (wire) {
	case PROTOBUF_C_WIRE_TYPE_VARINT: put_random_varint(rng, out); break;
	case PROTOBUF_C_WIRE_TYPE_64BIT: scd_buf_append(out, &bits, 8); break;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED: put_random_text(rng, out); break;
	case PROTOBUF_C_WIRE_TYPE_32BIT: scd_buf_append(out, &bits, 4); break;
	default: break;
	}
}

static void put_tag(struct scd_rng *rng, struct scd_buf *out, uint64_t number, unsigned wire)
{
	if (scd_rng_below(rng, 64) == 0)
		put_long_varint(out, number << 3 | wire, 1 + (unsigned)scd_rng_below(rng, 6));
	else
		put_varint(out, number << 3 | wire);
}

static void put_message(struct scd_rng *rng, struct scd_buf *out, const ProtobufCMessageDescriptor *descriptor);

static void put_known_field(struct scd_rng *rng, struct scd_buf *out, const ProtobufCFieldDescriptor *field)
{
	struct scd_buf inner;
	bool is_text = field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES;

	if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
		unsigned wire = is_text ? PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED : PROTOBUF_C_WIRE_TYPE_VARINT;

		put_tag(rng, out, field->id, wire);
		put_body(rng, out, wire);
		return;
	}
	scd_buf_init(&inner, MESSAGE_MAX_BYTES);
	put_message(rng, &inner, field->descriptor);
	put_tag(rng, out, field->id, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
	put_varint(out, inner.len);
	scd_buf_append_str(out, scd_buf_str(&inner));
	scd_buf_done(&inner);
}

/* Mostly the descriptor's own fields; now and then any number with any wire type. */
static void put_message(struct scd_rng *rng, struct scd_buf *out, const ProtobufCMessageDescriptor *descriptor)
{
	for (uint64_t count = scd_rng_below(rng, FIELDS_MAX); count > 0; count--) {
		if (scd_rng_below(rng, 40) == 0) {
			unsigned wire = (unsigned)scd_rng_below(rng, 6);

			put_tag(rng, out, scd_rng_next(rng) >> (32 + scd_rng_below(rng, 32)), wire);
			put_body(rng, out, wire);
		} else {
			put_known_field(rng, out, &descriptor->fields[scd_rng_below(rng, descriptor->n_fields)]);
		}
	}
}

static bool compare_random_message(struct scd_rng *rng, struct scd_arena *scratch, unsigned type)
{
	char why[DECODE_MODEL_WHY_BYTES];
	struct scd_buf message;
	bool accepted;

	scd_buf_init(&message, MESSAGE_MAX_BYTES);
	put_message(rng, &message, scd__decode_shapes()[type].descriptor);
	assert_false(message.failed);
	if (!decode_model_agrees(type, scd_buf_str(&message), scratch, &accepted, why))
		fail_msg("%s", why);
	scd_buf_done(&message);
	return accepted;
}

static void test_decode__agrees_with_protobuf_c_on_random_messages(void **state)
{
	struct scd_rng rng = scd_rng_start(__func__);
	struct scd_arena scratch;

	(void)state;
	scd_arena_init(&scratch, 65536, SCD_LIMIT_EVENT_ARENA_BYTES);
	for (unsigned type = 1; type < SCD_POINT_COUNT; type++) {
		size_t accepted = 0;

		for (size_t i = 0; i < MESSAGES_PER_TYPE; i++)
			accepted += compare_random_message(&rng, &scratch, type);
		assert_in_range(accepted, MESSAGES_PER_TYPE / 4, MESSAGES_PER_TYPE - 1);
	}
	scd_arena_done(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode__agrees_with_protobuf_c_on_random_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
