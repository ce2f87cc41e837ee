/*
 * Handshakes, good and bad, over a real socket pair.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper/handshake.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/str.h"
#include "tests/support/peer.h"

static void open_pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static void close_pair(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

/* Both halves, as if nobody looked at the peer in between. */
static int step(int fd)
{
	int r = scd__handshake_receive(fd);

	return r < 0 ? r : scd__handshake_answer(fd);
}

static void test_handshake__judges_the_first_message(void **state)
{
	static const struct {
		const char *name;
		struct scd_str message;
		int result;
	} rows[] = {
		{ "version 1", SCD_STR_INIT("\x08\x01"), 0 },
		{ "version 2", SCD_STR_INIT("\x08\x02"), 0 },
		{ "version 2^32-1", SCD_STR_INIT("\x08\xff\xff\xff\xff\x0f"), 0 },
		{ "version 1 and unknown fields", SCD_STR_INIT("\x08\x01\x12\x03xyz\x18\x05"), 0 },
		{ "version 0", SCD_STR_INIT("\x08\x00"), -EPROTONOSUPPORT },
		{ "no version", SCD_STR_INIT("\x18\x05"), -EPROTONOSUPPORT },
		{ "empty", SCD_STR_INIT(""), -ENODATA },
		{ "a frame", SCD_STR_INIT("\x08\x00\x01\x00\x00\x00\x00\x00"), -EBADMSG },
		{ "cut short", SCD_STR_INIT("\x08"), -EBADMSG },
		{ "text", SCD_STR_INIT("GET / HTTP/1.1\r\n\r\n"), -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		char answer[16] = { 0 };
		int fds[2];

		print_message("%s\n", rows[i].name);
		open_pair(fds);
		assert_int_equal(peer_send(fds[0], rows[i].message.data, rows[i].message.len), 0);
		assert_int_equal(step(fds[1]), rows[i].result);
		assert_int_equal(recv(fds[0], answer, sizeof(answer), MSG_DONTWAIT), rows[i].result == 0 ? 2 : -1);
		if (rows[i].result == 0)
			assert_memory_equal(answer, "\x08\x01", 2);
		close_pair(fds);
	}
}

static void test_handshake__waits_for_the_peer(void **state)
{
	int fds[2];

	(void)state;
	open_pair(fds);
	assert_int_equal(step(fds[1]), -EAGAIN);
	assert_int_equal(peer_send(fds[0], "\x08\x01", 2), 0);
	assert_int_equal(step(fds[1]), 0);
	close_pair(fds);
}

static void test_handshake__bounds_the_length(void **state)
{
	/* Field 2, bytes, of such a length that the whole is as long as may be; then one byte longer. */
	char message[SCD_LIMIT_HANDSHAKE_BYTES + 1] = { 0x08, 0x01, 0x12, (char)0xfb, 0x07 };
	int fds[2];

	(void)state;
	open_pair(fds);
	assert_int_equal(peer_send(fds[0], message, SCD_LIMIT_HANDSHAKE_BYTES), 0);
	assert_int_equal(step(fds[1]), 0);
	assert_int_equal(peer_send(fds[0], message, SCD_LIMIT_HANDSHAKE_BYTES + 1), 0);
	assert_int_equal(step(fds[1]), -EMSGSIZE);
	close_pair(fds);
}

static void test_handshake__leaves_what_follows_in_the_socket(void **state)
{
	char next[16];
	int fds[2];

	(void)state;
	open_pair(fds);
	assert_int_equal(peer_send(fds[0], "\x08\x01", 2), 0);
	assert_int_equal(peer_send(fds[0], "first frame", 11), 0);
	assert_int_equal(step(fds[1]), 0);
	assert_int_equal(recv(fds[1], next, sizeof(next), MSG_DONTWAIT), 11);
	close_pair(fds);
}

static void test_handshake__ends_with_the_peer(void **state)
{
	int fds[2];

	(void)state;
	open_pair(fds);
	close(fds[0]);
	assert_int_equal(step(fds[1]), -ENODATA);
	close(fds[1]);

	/* It left without waiting for the answer. */
	open_pair(fds);
	assert_int_equal(peer_send(fds[0], "\x08\x01", 2), 0);
	close(fds[0]);
	assert_int_equal(step(fds[1]), -EPIPE);
	close(fds[1]);
}

static void test_handshake__takes_no_descriptors(void **state)
{
	size_t before = peer_open_descriptors();
	int passed[4] = { 0, 0, 0, 0 };
	int fds[2];

	(void)state;
	open_pair(fds);
	assert_int_equal(peer_send_descriptors(fds[0], "\x08\x01", 2, passed, 4), 2);
	assert_int_equal(step(fds[1]), -EPROTO);
	close_pair(fds);
	assert_int_equal(peer_open_descriptors(), before);
}

static void test_handshake_reason__names_every_result(void **state)
{
	static const int errors[] = {
		-ENODATA, -EMSGSIZE, -EBADMSG, -EPROTONOSUPPORT, -EPIPE, -ETIMEDOUT, -EPROTO, -EIO
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(errors); i++) {
		const char *reason = scd__handshake_reason(errors[i]);

		assert_true(strlen(reason) > 10);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(reason, scd__handshake_reason(errors[k]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake__judges_the_first_message),
		cmocka_unit_test(test_handshake__waits_for_the_peer),
		cmocka_unit_test(test_handshake__bounds_the_length),
		cmocka_unit_test(test_handshake__leaves_what_follows_in_the_socket),
		cmocka_unit_test(test_handshake__ends_with_the_peer),
		cmocka_unit_test(test_handshake__takes_no_descriptors),
		cmocka_unit_test(test_handshake_reason__names_every_result),
	};

	return cmocka_run_group_tests_name("keeper/handshake", tests, NULL, NULL);
}
