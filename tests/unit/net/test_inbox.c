/*
 * Messages of one socket: empty ones told from the end, whatever is queued when the peer goes.
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

#include "net/inbox.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/peer_socket.h"
#include "tests/support/peer.h"
#include "tests/support/rng.h"

enum ending { STAYS, CLOSES, SHUTS_DOWN, RESETS };

static void open_pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

/* Ends the sending side; its descriptor is closed unless the peer stays or only shuts down. */
static void end_peer(int fds[2], enum ending ending)
{
	if (ending == RESETS)
		assert_int_equal(peer_send(fds[1], "never read", 10), 0);
	if (ending == CLOSES || ending == RESETS) {
		close(fds[0]);
		fds[0] = -1;
	} else if (ending == SHUTS_DOWN) {
		assert_int_equal(shutdown(fds[0], SHUT_WR), 0);
	}
}

static void close_pair(int fds[2])
{
	if (fds[0] >= 0)
		close(fds[0]);
	close(fds[1]);
}

static void test_inbox_read__tells_empty_messages_from_the_end(void **state)
{
	/* Lengths as sent and as read, -1 behind the last. Empty messages at the very end are part of the end. */
	static const struct {
		const char *name;
		int sent[8], read[8];
	} rows[] = {
		{ "nothing", { -1 }, { -1 } },
		{ "one", { 3, -1 }, { 3, -1 } },
		{ "an empty one first", { 0, 3, -1 }, { 0, 3, -1 } },
		{ "an empty one between", { 3, 0, 5, -1 }, { 3, 0, 5, -1 } },
		{ "empty ones in a row", { 0, 0, 0, 3, -1 }, { 0, 0, 0, 3, -1 } },
		{ "an empty one last", { 3, 0, -1 }, { 3, -1 } },
		{ "empty ones alone", { 0, 0, -1 }, { -1 } },
		{ "all kinds", { 0, 1, 0, 0, 7, 0, -1 }, { 0, 1, 0, 0, 7, -1 } },
	};
	static const enum ending endings[] = { CLOSES, SHUTS_DOWN, RESETS };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows) * 3; i++) {
		const int *sent = rows[i / 3].sent, *read = rows[i / 3].read;
		struct scd__inbox inbox;
		char buffer[16];
		size_t len = 99;
		int fds[2];

		print_message("%s, ending %d\n", rows[i / 3].name, endings[i % 3]);
		open_pair(fds);
		for (; *sent >= 0; sent++)
			assert_int_equal(peer_send(fds[0], "abcdefgh", (size_t)*sent), 0);
		end_peer(fds, endings[i % 3]);
		scd__inbox_init(&inbox, fds[1]);
		for (; *read >= 0; read++) {
			assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 1);
			assert_int_equal(len, *read);
		}
		assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 0);
		assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 0);
		assert_int_equal(inbox.was_reset, endings[i % 3] == RESETS);
		close_pair(fds);
	}
}

static void test_inbox_read__goes_on_after_an_empty_message(void **state)
{
	struct scd__inbox inbox;
	char buffer[16];
	size_t len;
	int fds[2];

	(void)state;
	open_pair(fds);
	scd__inbox_init(&inbox, fds[1]);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), -EAGAIN);
	assert_int_equal(peer_send(fds[0], "", 0), 0);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 1);
	assert_int_equal(len, 0);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), -EAGAIN);
	assert_int_equal(peer_send(fds[0], "abc", 3), 0);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 1);
	assert_int_equal(len, 3);
	assert_memory_equal(buffer, "abc", 3);
	close_pair(fds);
}

/* The end is seen although the peer closed between two reads of an empty queue. */
static void test_inbox_read__ends_when_the_peer_closes_later(void **state)
{
	struct scd__inbox inbox;
	char buffer[16];
	size_t len;
	int fds[2];

	(void)state;
	open_pair(fds);
	scd__inbox_init(&inbox, fds[1]);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), -EAGAIN);
	close(fds[0]);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 0);
	close(fds[1]);
}

static void test_inbox_read__skips_what_is_too_long(void **state)
{
	struct scd__inbox inbox;
	char buffer[8], message[21] = { 0 };
	size_t len = 0;
	int fds[2];

	(void)state;
	open_pair(fds);
	scd__inbox_init(&inbox, fds[1]);
	assert_int_equal(peer_send(fds[0], message, 9), 0);
	assert_int_equal(peer_send(fds[0], message, 8), 0);
	assert_int_equal(peer_send(fds[0], "", 0), 0);
	assert_int_equal(peer_send(fds[0], message, 21), 0);
	assert_int_equal(peer_send(fds[0], message, 1), 0);
	close(fds[0]);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), -EMSGSIZE);
	assert_int_equal(len, 9);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 1);
	assert_int_equal(len, 8);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 1);
	assert_int_equal(len, 0);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), -EMSGSIZE);
	assert_int_equal(len, 21);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 1);
	assert_int_equal(len, 1);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), 0);
	close(fds[1]);
}

/* Where the kernel does not refuse them: the pair was made as it comes. */
static void test_inbox_read__takes_no_descriptors(void **state)
{
	size_t before = peer_open_descriptors();
	int passed[3] = { 0, 1, 2 };
	struct scd__inbox inbox;
	char buffer[16];
	size_t len = 0;
	int fds[2];

	(void)state;
	open_pair(fds);
	scd__inbox_init(&inbox, fds[1]);
	assert_int_equal(peer_send_descriptors(fds[0], "abc", 3, passed, 3), 3);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), -EPROTO);
	close_pair(fds);
	assert_int_equal(peer_open_descriptors(), before);
}

static void test_inbox_read__reports_a_descriptor_that_is_no_socket(void **state)
{
	struct scd__inbox inbox;
	char buffer[16];
	size_t len = 0;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	scd__inbox_init(&inbox, fds[0]);
	assert_int_equal(scd__inbox_read(&inbox, buffer, sizeof(buffer), &len), -ENOTSOCK);
	close_pair(fds);
}

#define HISTORY 200

/* What was sent, and what of it was read; the naive model is the list of lengths. */
struct history {
	size_t sent[HISTORY], sent_count;
	size_t read_count;
};

static void send_some(int fd, struct history *history, struct scd_rng *rng)
{
	char message[20] = { 0 };
	size_t count = scd_rng_below(rng, 12);

	while (count-- && history->sent_count < HISTORY) {
		size_t len = scd_rng_below(rng, 2) ? 0 : scd_rng_below(rng, sizeof(message) + 1);

		assert_int_equal(peer_send(fd, message, len), 0);
		history->sent[history->sent_count++] = len;
	}
}

/* Reads until there is nothing; the last result. */
static int read_some(struct scd__inbox *inbox, struct history *history)
{
	char buffer[20];
	size_t len;
	int r;

	while ((r = scd__inbox_read(inbox, buffer, sizeof(buffer), &len)) == 1) {
		assert_true(history->read_count < history->sent_count);
		assert_int_equal(len, history->sent[history->read_count++]);
	}
	return r;
}

static void check_rest_is_empty(const struct history *history)
{
	for (size_t i = history->read_count; i < history->sent_count; i++)
		assert_int_equal(history->sent[i], 0);
}

static void test_inbox_read__loses_nothing_in_any_order(void **state)
{
	struct scd_rng rng = scd_rng_start("inbox");

	(void)state;
	for (int round = 0; round < 500; round++) {
		enum ending ending = (enum ending)(CLOSES + scd_rng_below(&rng, 3));
		struct history history = { .sent_count = 0 };
		struct scd__inbox inbox;
		int fds[2];

		open_pair(fds);
		if (round % 2)
			(void)scd_peer_socket_refuse_descriptors(fds[1]);
		scd__inbox_init(&inbox, fds[1]);
		for (uint64_t turn = scd_rng_below(&rng, 10); turn > 0; turn--) {
			send_some(fds[0], &history, &rng);
			if (scd_rng_below(&rng, 2))
				assert_int_equal(read_some(&inbox, &history), -EAGAIN);
		}
		end_peer(fds, ending);
		assert_int_equal(read_some(&inbox, &history), 0);
		check_rest_is_empty(&history);
		close_pair(fds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inbox_read__tells_empty_messages_from_the_end),
		cmocka_unit_test(test_inbox_read__goes_on_after_an_empty_message),
		cmocka_unit_test(test_inbox_read__ends_when_the_peer_closes_later),
		cmocka_unit_test(test_inbox_read__skips_what_is_too_long),
		cmocka_unit_test(test_inbox_read__takes_no_descriptors),
		cmocka_unit_test(test_inbox_read__reports_a_descriptor_that_is_no_socket),
		cmocka_unit_test(test_inbox_read__loses_nothing_in_any_order),
	};

	return cmocka_run_group_tests_name("net/inbox", tests, NULL, NULL);
}
