/*
 * Descriptors that a peer passes along: refused where the kernel can, else closed without waiting for anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "seccheckd/base/peer_socket.h"
#include "tests/support/lingering.h"
#include "tests/support/peer.h"

/* Less than the socket lingers, and far more than anything else here takes. */
#define SOON_NS (LINGERING_S / 2 * INT64_C(1000000000))

static void open_pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

/* Sends the last descriptor of a lingering socket. What keeps its data unread is to be closed at the end. */
static int send_lingering(int fd, const char *message)
{
	int ends[2];

	assert_int_equal(lingering_pair(ends), 0);
	assert_int_equal(peer_send_descriptors(fd, message, strlen(message), ends, 1), strlen(message));
	close(ends[0]);
	return ends[1];
}

static void test_peer_socket_receive__gives_messages_one_by_one(void **state)
{
	char buffer[4];
	int fds[2];

	(void)state;
	open_pair(fds);
	assert_int_equal(scd_peer_socket_receive(fds[1], buffer, sizeof(buffer)), -EAGAIN);
	assert_int_equal(peer_send(fds[0], "abc", 3), 0);
	assert_int_equal(peer_send(fds[0], "longer", 6), 0);
	assert_int_equal(peer_send(fds[0], "", 0), 0);
	close(fds[0]);
	assert_int_equal(scd_peer_socket_receive(fds[1], buffer, sizeof(buffer)), 3);
	assert_memory_equal(buffer, "abc", 3);
	assert_int_equal(scd_peer_socket_receive(fds[1], buffer, sizeof(buffer)), 6);
	assert_memory_equal(buffer, "long", 4);
	assert_int_equal(scd_peer_socket_receive(fds[1], buffer, sizeof(buffer)), 0);
	assert_int_equal(scd_peer_socket_receive(fds[1], buffer, sizeof(buffer)), 0);
	close(fds[1]);
}

static void test_peer_socket_receive__closes_descriptors_without_lingering(void **state)
{
	size_t before = peer_open_descriptors();
	int64_t start_ns = scd_clock_mono_ns();
	char buffer[16];
	int fds[2], other;

	(void)state;
	open_pair(fds);
	other = send_lingering(fds[0], "hello");
	assert_int_equal(peer_send(fds[0], "next", 4), 0);
	assert_int_equal(scd_peer_socket_receive(fds[1], buffer, sizeof(buffer)), -EPROTO);
	assert_int_equal(scd_peer_socket_receive(fds[1], buffer, sizeof(buffer)), 4);
	close(other);
	close(fds[0]);
	close(fds[1]);
	assert_in_range(scd_clock_mono_ns() - start_ns, 0, SOON_NS);
	assert_int_equal(peer_open_descriptors(), before);
}

static void test_peer_socket_receive__closes_as_many_as_a_message_can_bring(void **state)
{
	int passed[16];
	size_t before = peer_open_descriptors();
	char buffer[16];
	int fds[2];

	(void)state;
	for (size_t i = 0; i < 16; i++)
		passed[i] = STDIN_FILENO;
	open_pair(fds);
	assert_int_equal(peer_send_descriptors(fds[0], "x", 1, passed, 16), 1);
	assert_int_equal(scd_peer_socket_receive(fds[1], buffer, sizeof(buffer)), -EPROTO);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(peer_open_descriptors(), before);
}

/* Also behind empty messages, which look like the end. */
static void test_peer_socket_close__does_not_linger_over_what_is_unread(void **state)
{
	size_t before = peer_open_descriptors();
	int64_t start_ns = scd_clock_mono_ns();
	int fds[2], others[2];

	(void)state;
	open_pair(fds);
	others[0] = send_lingering(fds[0], "first");
	assert_int_equal(peer_send(fds[0], "", 0), 0);
	assert_int_equal(peer_send(fds[0], "", 0), 0);
	others[1] = send_lingering(fds[0], "last");
	scd_peer_socket_close(fds[1]);
	close(others[0]);
	close(others[1]);
	close(fds[0]);
	assert_in_range(scd_clock_mono_ns() - start_ns, 0, SOON_NS);
	assert_int_equal(peer_open_descriptors(), before);
}

static void test_peer_socket_refuse__holds_for_connections_of_a_listener(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sa_family_t); /* the kernel chooses an abstract name */
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int passed = STDIN_FILENO, fds[2];

	(void)state;
	if (!scd_peer_socket_refuse_descriptors(listener)) {
		assert_false(scd_peer_socket_refuses_descriptors(listener));
		close(listener);
		print_message("this kernel has no SO_PASSRIGHTS\n");
		skip();
	}
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	len = sizeof(address);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	fds[0] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&address, len), 0);
	fds[1] = accept(listener, NULL, NULL);
	assert_true(scd_peer_socket_refuses_descriptors(fds[1]));
	assert_int_equal(peer_send_descriptors(fds[0], "x", 1, &passed, 1), -EPERM);
	scd_peer_socket_close(fds[1]);
	close(fds[0]);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer_socket_receive__gives_messages_one_by_one),
		cmocka_unit_test(test_peer_socket_receive__closes_descriptors_without_lingering),
		cmocka_unit_test(test_peer_socket_receive__closes_as_many_as_a_message_can_bring),
		cmocka_unit_test(test_peer_socket_close__does_not_linger_over_what_is_unread),
		cmocka_unit_test(test_peer_socket_refuse__holds_for_connections_of_a_listener),
	};

	return cmocka_run_group_tests_name("base/peer_socket", tests, NULL, NULL);
}
