/*
 * The frame header: what is accepted, what is read, and counts that wrap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "seccheckd/wire/frame.h"

static struct scd_str span(const uint8_t *bytes, size_t len)
{
	return (struct scd_str){ (const char *)bytes, len };
}

static void test_frame_parse__reads_little_endian_fields(void **state)
{
	static const uint8_t bytes[] = { 8, 0, 0x02, 0x01, 0x04, 0x03, 0x02, 0x01, 'p', 'b' };
	struct scd_frame frame;

	(void)state;
	assert_int_equal(scd_frame_parse(span(bytes, sizeof(bytes)), &frame), 0);
	assert_int_equal(frame.header_bytes, 8);
	assert_int_equal(frame.message_type, 0x0102);
	assert_int_equal(frame.dropped_count, 0x01020304);
	assert_ptr_equal(frame.payload.data, bytes + 8);
	assert_int_equal(frame.payload.len, 2);
}

static void test_frame_parse__takes_the_payload_from_behind_a_larger_header(void **state)
{
	static const uint8_t bytes[] = { 12, 0, 7, 0, 0, 0, 0, 0, 'n', 'e', 'w', '!', 'p' };
	struct scd_frame frame;

	(void)state;
	assert_int_equal(scd_frame_parse(span(bytes, sizeof(bytes)), &frame), 0);
	assert_int_equal(frame.header_bytes, 12);
	assert_true(scd_str_is(frame.payload, "p"));
}

static void test_frame_parse__accepts_an_empty_payload(void **state)
{
	static const uint8_t bytes[] = { 8, 0, 5, 0, 0, 0, 0, 0 };
	struct scd_frame frame;

	(void)state;
	assert_int_equal(scd_frame_parse(span(bytes, sizeof(bytes)), &frame), 0);
	assert_int_equal(frame.payload.len, 0);
}

static void test_frame_parse__refuses_a_header_that_cannot_be(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		size_t len;
	} rows[] = {
		{ "nothing at all", { 0 }, 0 },
		{ "seven bytes", { 8, 0, 1, 0, 0, 0, 0 }, 7 },
		{ "a header size of 0", { 0, 0, 1, 0, 0, 0, 0, 0 }, 8 },
		{ "a header size of 7", { 7, 0, 1, 0, 0, 0, 0, 0 }, 8 },
		{ "a header larger than the message", { 9, 0, 1, 0, 0, 0, 0, 0 }, 8 },
		{ "the largest header size", { 0xff, 0xff, 1, 0, 0, 0, 0, 0, 1 }, 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_frame frame = { .message_type = 77 };

		if (scd_frame_parse(span(rows[i].bytes, rows[i].len), &frame) != -EBADMSG)
			fail_msg("accepted: %s", rows[i].name);
		assert_int_equal(frame.message_type, 77);
	}
}

static void test_frame_dropped_since__counts_across_the_wrap(void **state)
{
	(void)state;
	assert_int_equal(scd_frame_dropped_since(0, 0), 0);
	assert_int_equal(scd_frame_dropped_since(10, 15), 5);
	assert_int_equal(scd_frame_dropped_since(UINT32_MAX, 2), 3);
	assert_int_equal(scd_frame_dropped_since(0, UINT32_MAX), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_parse__reads_little_endian_fields),
		cmocka_unit_test(test_frame_parse__takes_the_payload_from_behind_a_larger_header),
		cmocka_unit_test(test_frame_parse__accepts_an_empty_payload),
		cmocka_unit_test(test_frame_parse__refuses_a_header_that_cannot_be),
		cmocka_unit_test(test_frame_dropped_since__counts_across_the_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
