/*
 * Messages between keeper and worker: there and back, cut paths, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/wire/custody.h"

#define FIXED_BYTES 48u /* of CONNECTION, before the texts */

static const struct scd_custody connection = {
	.kind = SCD_CUSTODY_CONNECTION,
	.connection_id = 0x1122334455667788u,
	.nonce = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	.resumed = true,
	.peer_pid = 4242,
	.peer_uid = 1000,
	.sndbuf_bytes = 8388608,
	.sandbox_id = SCD_STR_INIT("pod-1"),
	.listener = SCD_STR_INIT("/run/seccheckd.sock"),
};

static void test_custody__a_connection_comes_back_as_it_was(void **state)
{
	uint8_t message[SCD_CUSTODY_MAX_BYTES];
	size_t len = scd_custody_format(&connection, message);
	struct scd_custody back;

	(void)state;
	assert_int_equal(len, FIXED_BYTES + connection.sandbox_id.len + connection.listener.len);
	assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, len }, &back), 0);
	assert_int_equal(back.kind, SCD_CUSTODY_CONNECTION);
	assert_int_equal(back.connection_id, connection.connection_id);
	assert_memory_equal(back.nonce, connection.nonce, SCD_CUSTODY_NONCE_BYTES);
	assert_true(back.resumed);
	assert_int_equal(back.peer_pid, 4242);
	assert_int_equal(back.peer_uid, 1000);
	assert_int_equal(back.sndbuf_bytes, 8388608);
	assert_true(scd_str_eq(back.sandbox_id, connection.sandbox_id));
	assert_true(scd_str_eq(back.listener, connection.listener));
}

/* All that is known of it, as there is an alert to be made. */
static void test_custody__a_quarantined_one_comes_back_as_it_was(void **state)
{
	struct scd_custody sent = connection, back;
	uint8_t message[SCD_CUSTODY_MAX_BYTES];
	size_t len;

	(void)state;
	sent.kind = SCD_CUSTODY_QUARANTINED;
	len = scd_custody_format(&sent, message);
	assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, len }, &back), 0);
	assert_int_equal(back.kind, SCD_CUSTODY_QUARANTINED);
	assert_int_equal(back.peer_pid, 4242);
	assert_true(scd_str_eq(back.sandbox_id, connection.sandbox_id));
}

static void test_custody__the_other_kinds_carry_an_id_and_nothing_else(void **state)
{
	static const enum scd_custody_kind kinds[] = { SCD_CUSTODY_STOP, SCD_CUSTODY_READY, SCD_CUSTODY_CLOSED };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct scd_custody sent = connection, back;
		uint8_t message[SCD_CUSTODY_MAX_BYTES];
		size_t len;

		sent.kind = kinds[i];
		len = scd_custody_format(&sent, message);
		assert_int_equal(len, 16);
		assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, len }, &back), 0);
		assert_int_equal(back.kind, kinds[i]);
		assert_int_equal(back.connection_id, connection.connection_id);
		assert_int_equal(back.peer_pid, 0);
		assert_int_equal(back.sandbox_id.len, 0);
		assert_int_equal(back.listener.len, 0);
	}
}

static void test_custody_format__cuts_a_path_that_does_not_fit(void **state)
{
	char path[SCD_CUSTODY_MAX_BYTES];
	uint8_t message[SCD_CUSTODY_MAX_BYTES];
	struct scd_custody sent = connection, back;
	size_t len;

	(void)state;
	memset(path, 'p', sizeof(path));
	sent.listener = (struct scd_str){ path, sizeof(path) };
	len = scd_custody_format(&sent, message);
	assert_int_equal(len, SCD_CUSTODY_MAX_BYTES);
	assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, len }, &back), 0);
	assert_true(scd_str_eq(back.sandbox_id, connection.sandbox_id));
	assert_int_equal(back.listener.len, SCD_CUSTODY_MAX_BYTES - FIXED_BYTES - connection.sandbox_id.len);
	assert_memory_equal(back.listener.data, path, back.listener.len);
}

/* The longest name fits beside the longest path of a socket; a longer one is left out and not cut. */
static void test_custody_format__never_cuts_a_name(void **state)
{
	char text[SCD_LIMIT_CONTAINER_ID_BYTES + 1];
	uint8_t message[SCD_CUSTODY_MAX_BYTES];
	struct scd_custody sent = connection, back;

	(void)state;
	memset(text, 'n', sizeof(text));
	sent.listener = (struct scd_str){ text, 107 };
	for (size_t len = SCD_LIMIT_CONTAINER_ID_BYTES; len <= sizeof(text); len++) {
		size_t message_len;

		sent.sandbox_id = (struct scd_str){ text, len };
		message_len = scd_custody_format(&sent, message);
		assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, message_len }, &back), 0);
		assert_int_equal(back.sandbox_id.len, len <= SCD_LIMIT_CONTAINER_ID_BYTES ? len : 0);
		assert_true(scd_str_eq(back.listener, sent.listener));
	}
}

static void test_custody_parse__refuses_a_name_that_does_not_end(void **state)
{
	static const struct {
		const char *name;
		uint32_t sandbox_len;
		int result;
	} rows[] = {
		{ "to the end", 24, 0 },
		{ "a byte behind it", 25, -EBADMSG },
		{ "over the limit", SCD_LIMIT_CONTAINER_ID_BYTES + 1, -EBADMSG },
		{ "far away", UINT32_MAX, -EBADMSG },
	};
	uint8_t message[SCD_CUSTODY_MAX_BYTES] = { 0 };
	struct scd_custody back;
	size_t len = scd_custody_format(&connection, message);

	(void)state;
	assert_int_equal(len, FIXED_BYTES + 24);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* With room for the one over the limit. */
		size_t whole = i == 2 ? sizeof(message) : len;

		print_message("%s\n", rows[i].name);
		memcpy(message + 44, &rows[i].sandbox_len, sizeof(rows[i].sandbox_len));
		assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, whole }, &back),
		                 rows[i].result);
	}
}

static void test_custody_parse__takes_a_connection_without_name_and_path(void **state)
{
	uint8_t message[SCD_CUSTODY_MAX_BYTES];
	struct scd_custody sent = connection, back;

	(void)state;
	sent.sandbox_id = sent.listener = (struct scd_str){ 0 };
	assert_int_equal(scd_custody_format(&sent, message), FIXED_BYTES);
	assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, FIXED_BYTES }, &back), 0);
	assert_int_equal(back.sandbox_id.len, 0);
	assert_int_equal(back.listener.len, 0);
}

static void test_custody_parse__refuses_every_prefix_that_is_too_short(void **state)
{
	uint8_t message[SCD_CUSTODY_MAX_BYTES];
	struct scd_custody back = { .peer_pid = 77 };

	(void)state;
	scd_custody_format(&connection, message);
	for (size_t len = 0; len < FIXED_BYTES; len++)
		assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, len }, &back), -EBADMSG);
	message[0] = SCD_CUSTODY_STOP;
	for (size_t len = 0; len < 16; len++)
		assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, len }, &back), -EBADMSG);
	assert_int_equal(back.peer_pid, 77);
}

static void test_custody_parse__refuses_unknown_kinds(void **state)
{
	static const uint32_t kinds[] = { 0, 6, 0x80000001u, UINT32_MAX };
	uint8_t message[SCD_CUSTODY_MAX_BYTES] = { 0 };
	struct scd_custody back;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		memcpy(message, &kinds[i], sizeof(kinds[i]));
		assert_int_equal(scd_custody_parse((struct scd_str){ (const char *)message, 64 }, &back), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_custody__a_connection_comes_back_as_it_was),
		cmocka_unit_test(test_custody__a_quarantined_one_comes_back_as_it_was),
		cmocka_unit_test(test_custody__the_other_kinds_carry_an_id_and_nothing_else),
		cmocka_unit_test(test_custody_format__cuts_a_path_that_does_not_fit),
		cmocka_unit_test(test_custody_format__never_cuts_a_name),
		cmocka_unit_test(test_custody_parse__refuses_a_name_that_does_not_end),
		cmocka_unit_test(test_custody_parse__takes_a_connection_without_name_and_path),
		cmocka_unit_test(test_custody_parse__refuses_every_prefix_that_is_too_short),
		cmocka_unit_test(test_custody_parse__refuses_unknown_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
