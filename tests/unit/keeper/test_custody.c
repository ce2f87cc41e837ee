/*
 * The keeper's end of the control socket: descriptors out, messages of a worker that may lie in.
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

#include "keeper/custody.h"
#include "tests/support/peer.h"

/* Receives one message with at most one descriptor, which is -1 when there was none. */
static ssize_t receive_raw(int fd, uint8_t bytes[SCD_CUSTODY_MAX_BYTES], int *ret_fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { bytes, SCD_CUSTODY_MAX_BYTES };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control };
	ssize_t received;

	header.msg_controllen = sizeof(control.room);
	received = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	*ret_fd = -1;
	if (received > 0 && CMSG_FIRSTHDR(&header))
		memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(int));
	return received;
}

static void test_custody_send__passes_a_copy_of_the_descriptor(void **state)
{
	struct scd_custody message = { .kind = SCD_CUSTODY_CONNECTION,
		                       .connection_id = 7,
		                       .nonce = "0123456789abcde",
		                       .peer_pid = 11,
		                       .peer_uid = 12,
		                       .listener = SCD_STR_INIT("/run/sink.sock") };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	struct scd_custody got;
	int pair[2], pipe_fds[2], copy;
	ssize_t received;
	char byte;

	(void)state;
	assert_int_equal(scd__custody_pair(pair), 0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(scd__custody_send(pair[0], &message, pipe_fds[1]), 0);
	received = receive_raw(pair[1], bytes, &copy);
	assert_true(received > 0 && copy >= 0);
	assert_int_equal(scd_custody_parse((struct scd_str){ (char *)bytes, (size_t)received }, &got), 0);
	assert_int_equal(got.connection_id, 7);
	assert_int_equal(got.peer_pid, 11);
	assert_int_equal(got.peer_uid, 12);
	assert_memory_equal(got.nonce, message.nonce, sizeof(got.nonce));
	assert_true(scd_str_is(got.listener, "/run/sink.sock"));
	assert_int_equal(write(copy, "x", 1), 1);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	assert_int_equal(write(pipe_fds[1], "y", 1), 1); /* ours is still open */
	close(copy);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(pair[0]);
	close(pair[1]);
}

static void test_custody_send__never_blocks(void **state)
{
	const struct scd_custody message = { .kind = SCD_CUSTODY_CONNECTION };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	size_t before = peer_open_descriptors();
	int pair[2], copy, r = 0, sent = 0;

	(void)state;
	assert_int_equal(scd__custody_pair(pair), 0);
	while ((r = scd__custody_send(pair[0], &message, 0)) == 0)
		sent++;
	assert_int_equal(r, -EAGAIN);
	assert_true(sent > 8);
	assert_true(receive_raw(pair[1], bytes, &copy) > 0);
	close(copy);
	/* Room comes in portions: when all are read, there is some. */
	while (receive_raw(pair[1], bytes, &copy) > 0)
		close(copy);
	assert_int_equal(scd__custody_send(pair[0], &message, -1), 0);
	assert_true(receive_raw(pair[1], bytes, &copy) > 0);
	close(pair[1]);
	assert_int_equal(scd__custody_send(pair[0], &message, -1), -EPIPE);
	close(pair[0]);
	assert_int_equal(peer_open_descriptors(), before);
}

static void test_custody_receive__judges_what_a_worker_sends(void **state)
{
	static const uint32_t kinds[] = { SCD_CUSTODY_READY, SCD_CUSTODY_CLOSED };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES], buffer[SCD_CUSTODY_MAX_BYTES];
	uint8_t garbage[SCD_CUSTODY_MAX_BYTES + 1];
	struct scd_custody got;
	int pair[2];

	(void)state;
	assert_int_equal(scd__custody_pair(pair), 0);
	assert_int_equal(scd__custody_receive(pair[0], buffer, &got), -EAGAIN);
	for (size_t i = 0; i < 2; i++) {
		struct scd_custody message = { .kind = (enum scd_custody_kind)kinds[i], .connection_id = 1000 + i };
		size_t len = scd_custody_format(&message, bytes);

		assert_int_equal(peer_send(pair[1], bytes, len), 0);
		assert_int_equal(scd__custody_receive(pair[0], buffer, &got), 1);
		assert_int_equal(got.kind, kinds[i]);
		assert_int_equal(got.connection_id, 1000 + i);
	}
	memset(garbage, 0xff, sizeof(garbage));
	for (size_t len = 1; len <= sizeof(garbage); len += 128) {
		assert_int_equal(peer_send(pair[1], garbage, len), 0);
		assert_int_equal(scd__custody_receive(pair[0], buffer, &got), -EBADMSG);
	}
	close(pair[1]);
	assert_int_equal(scd__custody_receive(pair[0], buffer, &got), 0);
	close(pair[0]);
}

static void test_custody_receive__takes_no_descriptors(void **state)
{
	const struct scd_custody ready = { .kind = SCD_CUSTODY_READY };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES], buffer[SCD_CUSTODY_MAX_BYTES];
	size_t before = peer_open_descriptors();
	struct scd_custody got;
	int passed[3] = { 0, 1, 2 };
	int pair[2], r;

	(void)state;
	assert_int_equal(scd__custody_pair(pair), 0);
	r = peer_send_descriptors(pair[1], bytes, scd_custody_format(&ready, bytes), passed, 3);
	if (r == -EPERM) /* a kernel with SO_PASSRIGHTS refuses them at the sender */
		assert_int_equal(scd__custody_receive(pair[0], buffer, &got), -EAGAIN);
	else
		assert_int_equal(scd__custody_receive(pair[0], buffer, &got), -EPROTO);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(peer_open_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_custody_send__passes_a_copy_of_the_descriptor),
		cmocka_unit_test(test_custody_send__never_blocks),
		cmocka_unit_test(test_custody_receive__judges_what_a_worker_sends),
		cmocka_unit_test(test_custody_receive__takes_no_descriptors),
	};

	return cmocka_run_group_tests_name("keeper/custody", tests, NULL, NULL);
}
