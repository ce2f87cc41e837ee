/*
 * Which socket is at the other end, asked of the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/sock_diag.h"
#include "tests/support/peer.h"

static ino_t inode_of(int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	return status.st_ino;
}

static void test_sock_diag_peer__names_the_other_end(void **state)
{
	size_t before = peer_open_descriptors();
	int pairs[8][2];
	ino_t inode;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[i]), 0);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(scd__sock_diag_peer(pairs[i][0], &inode), 0);
		assert_int_equal(inode, inode_of(pairs[i][1]));
		assert_int_equal(scd__sock_diag_peer(pairs[i][1], &inode), 0);
		assert_int_equal(inode, inode_of(pairs[i][0]));
	}
	for (size_t i = 0; i < 8; i++) {
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	assert_int_equal(peer_open_descriptors(), before);
}

static void test_sock_diag_peer__fails_without_one(void **state)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), pipe_fds[2];
	ino_t inode = 77;

	(void)state;
	assert_true(scd__sock_diag_peer(fd, &inode) < 0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_true(scd__sock_diag_peer(pipe_fds[0], &inode) < 0);
	assert_true(scd__sock_diag_peer(-1, &inode) < 0);
	assert_int_equal(inode, 77);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sock_diag_peer__names_the_other_end),
		cmocka_unit_test(test_sock_diag_peer__fails_without_one),
	};

	return cmocka_run_group_tests_name("keeper/sock_diag", tests, NULL, NULL);
}
