/*
 * The handshake: versions, unknown fields, garbage, and our answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/wire/handshake.h"

static void test_handshake_parse__gives_the_verdict_on(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		size_t len;
		int rc;
		uint32_t version;
	} rows[] = {
		{ "version 1, as runsc sends it", { 0x08, 1 }, 2, 0, 1 },
		{ "a newer version", { 0x08, 2 }, 2, 0, 2 },
		{ "the largest version", { 0x08, 0xff, 0xff, 0xff, 0xff, 0x0f }, 6, 0, UINT32_MAX },
		{ "an unknown field behind it", { 0x08, 1, 0x7a, 2, 'h', 'i' }, 6, 0, 1 },
		{ "an unknown field before it", { 0x10, 9, 0x08, 1 }, 4, 0, 1 },
		{ "no version", { 0 }, 0, -EPROTONOSUPPORT, 0 },
		{ "version 0", { 0x08, 0 }, 2, -EPROTONOSUPPORT, 0 },
		{ "only an unknown field", { 0x10, 1 }, 2, -EPROTONOSUPPORT, 0 },
		{ "a number that does not end", { 0x08, 0x80 }, 2, -EBADMSG, 0 },
		{ "a version that is a text", { 0x0a, 1, 1 }, 3, -EBADMSG, 0 },
		{ "text of a web client", "GET / HTTP/1.1", 14, -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_str message = { (const char *)rows[i].bytes, rows[i].len };
		uint32_t version = 77;
		int rc = scd_handshake_parse(message, &version);

		if (rc != rows[i].rc || version != (rc == 0 ? rows[i].version : 77))
			fail_msg("%s: %d, version %u", rows[i].name, rc, version);
	}
}

/* A field of unknown number fills the message up to len bytes. */
static size_t fill_handshake(uint8_t *message, size_t len)
{
	memset(message, 'x', len);
	message[0] = 0x08;
	message[1] = 1;
	message[2] = 0x7a;
	message[3] = (uint8_t)(((len - 5) & 0x7f) | 0x80);
	message[4] = (uint8_t)((len - 5) >> 7);
	return len;
}

static void test_handshake_parse__refuses_what_is_larger_than_its_limit(void **state)
{
	uint8_t message[SCD_LIMIT_HANDSHAKE_BYTES + 1];
	struct scd_str span = { (const char *)message, 0 };
	uint32_t version = 0;

	(void)state;
	span.len = fill_handshake(message, SCD_LIMIT_HANDSHAKE_BYTES);
	assert_int_equal(scd_handshake_parse(span, &version), 0);
	span.len = fill_handshake(message, SCD_LIMIT_HANDSHAKE_BYTES + 1);
	assert_int_equal(scd_handshake_parse(span, &version), -EBADMSG);
}

static void test_handshake_format__is_what_gvisor_expects(void **state)
{
	uint8_t message[SCD_HANDSHAKE_ANSWER_BYTES];
	size_t len = scd_handshake_format(message);
	uint32_t version = 0;

	(void)state;
	assert_int_equal(len, 2);
	assert_memory_equal(message, "\x08\x01", 2);
	assert_int_equal(scd_handshake_parse((struct scd_str){ (const char *)message, len }, &version), 0);
	assert_int_equal(version, SCD_HANDSHAKE_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake_parse__gives_the_verdict_on),
		cmocka_unit_test(test_handshake_parse__refuses_what_is_larger_than_its_limit),
		cmocka_unit_test(test_handshake_format__is_what_gvisor_expects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
