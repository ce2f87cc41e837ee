/*
 * /proc of processes whose answers are known: our own, and one that has ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/procfs.h"
#include "tests/support/child.h"
#include "tests/support/peer.h"
#include "tests/support/tempdir.h"

static int open_self(void)
{
	int fd = scd__procfs_open(getpid());

	assert_true(fd >= 0);
	return fd;
}

static void test_procfs_seccomp__reads_one_digit(void **state)
{
	static const struct {
		const char *name, *status;
		int mode;
	} rows[] = {
		{ "off", "Name:\tx\nSeccomp:\t0\nSeccomp_filters:\t0\n", 0 },
		{ "strict", "Name:\tx\nSeccomp:\t1\n", 1 },
		{ "filter", "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n", 2 },
		{ "in the name", "Name:\tSeccomp:\t0\nSeccomp:\t2\n", 2 },
		{ "another line", "Name:\tx\nSeccomp_filters:\t0\n", -1 },
		{ "no line", "Name:\tx\n", -1 },
		{ "cut before the digit", "Name:\tx\nSeccomp:\t", -1 },
		{ "cut in the label", "Name:\tx\nSecc", -1 },
		{ "no digit", "Name:\tx\nSeccomp:\t-1\n", -1 },
		{ "nothing", "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(scd__procfs_seccomp(scd_str_from(rows[i].status)), rows[i].mode);
	}
}

/* The kernel quotes line breaks in a name, so that no name makes a line of its own. */
static void test_procfs_read__is_bounded(void **state)
{
	int proc_fd = open_self();
	char text[4096];
	ssize_t len = scd__procfs_read(proc_fd, "status", text, sizeof(text));

	(void)state;
	assert_true(len > 100 && scd__procfs_seccomp((struct scd_str){ text, (size_t)len }) >= 0);
	assert_int_equal(scd__procfs_read(proc_fd, "status", text, 5), 5);
	assert_memory_equal(text, "Name:", 5);
	assert_int_equal(scd__procfs_read(proc_fd, "no-such-file", text, sizeof(text)), -ENOENT);
	close(proc_fd);
}

static int do_nothing(void *user)
{
	(void)user;
	return 0;
}

static void test_procfs__says_when_the_process_is_gone(void **state)
{
	struct scd__file file;
	char text[64], path[PATH_MAX];
	struct scd__descriptors descriptors;
	int proc_fd;
	pid_t pid;

	(void)state;
	pid = child_start(do_nothing, NULL);
	assert_true(pid > 0);
	proc_fd = scd__procfs_open(pid); /* it is not waited for yet: a zombie at least */
	assert_true(proc_fd >= 0);
	assert_int_equal(child_wait(pid, PEER_DEADLINE_MS), 0);
	assert_int_equal(scd__procfs_read(proc_fd, "status", text, sizeof(text)), -ESRCH);
	assert_true(scd__procfs_link(proc_fd, "exe", path) < 0);
	assert_true(scd__procfs_descriptors(proc_fd, &descriptors) < 0);
	assert_true(scd__procfs_find(proc_fd, "/", &file) < 0);
	assert_true(scd__procfs_open(pid) == -ENOENT);
	close(proc_fd);
}

static void test_procfs_file__identifies_a_file(void **state)
{
	int proc_fd = open_self();
	char path[PATH_MAX];
	struct scd__file through_proc, by_path;
	struct stat status;

	(void)state;
	assert_true(scd__procfs_link(proc_fd, "exe", path) > 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(scd__procfs_file(proc_fd, "exe", &through_proc), 0);
	assert_int_equal(scd__procfs_file(AT_FDCWD, path, &by_path), 0);
	assert_int_equal(through_proc.device, status.st_dev);
	assert_int_equal(through_proc.inode, status.st_ino);
	assert_int_equal(through_proc.owner, status.st_uid);
	assert_int_equal(through_proc.mode, status.st_mode);
	assert_int_equal(by_path.inode, through_proc.inode);
	assert_int_equal(scd__procfs_file(AT_FDCWD, "/no/such/file", &by_path), -ENOENT);
	close(proc_fd);
}

static void test_procfs_find__sees_what_the_process_sees(void **state)
{
	int proc_fd = open_self();
	struct scd__file file;
	struct stat status;
	struct tempdir dir;
	int fd;

	(void)state;
	assert_int_equal(tempdir_make(&dir), 0);
	fd = open(tempdir_join(&dir, "file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(symlink(dir.path, tempdir_join(&dir, "link")), 0);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(scd__procfs_find(proc_fd, tempdir_join(&dir, "file"), &file), 0);
	assert_int_equal(file.inode, status.st_ino);
	assert_int_equal(file.device, status.st_dev);
	assert_int_equal(file.owner, geteuid());
	assert_int_equal(access(tempdir_join(&dir, "link/file"), F_OK), 0); /* reads the link, which is then at hand */
	assert_int_equal(scd__procfs_find(proc_fd, tempdir_join(&dir, "link/file"), &file), 0);

	/* Its file system would have to be asked, and it could be one that never answers. */
	assert_int_equal(scd__procfs_find(proc_fd, tempdir_join(&dir, "other"), &file), -EAGAIN);
	close(fd);
	close(proc_fd);
	tempdir_remove(&dir);
}

static void test_procfs_descriptors__finds_sockets_and_locks(void **state)
{
	struct scd__descriptors got;
	int proc_fd = open_self(), pair[2], lock, again;
	char path[128];
	struct tempdir dir;
	struct stat status;
	size_t before;

	(void)state;
	assert_int_equal(tempdir_make(&dir), 0);
	assert_int_equal(scd__procfs_descriptors(proc_fd, &got), 0);
	before = got.socket_count; /* of whoever started the test */
	assert_string_equal(got.lock, "");
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	snprintf(path, sizeof(path), "%s", tempdir_join(&dir, "one_sandbox:one.lock"));
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	again = open(path, O_RDWR | O_CLOEXEC);
	assert_true(lock >= 0 && again >= 0);
	assert_int_equal(scd__procfs_descriptors(proc_fd, &got), 0);
	assert_int_equal(got.socket_count, before + 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(got.sockets[before + i].number, pair[i]);
		assert_int_equal(fstat(pair[i], &status), 0);
		assert_int_equal(got.sockets[before + i].inode, status.st_ino);
	}
	assert_string_equal(got.lock, path);
	assert_false(got.locks_differ);
	close(again);
	again = open(tempdir_join(&dir, "two_sandbox:one.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(scd__procfs_descriptors(proc_fd, &got), 0);
	assert_string_equal(got.lock, path);
	assert_true(got.locks_differ);
	close(lock);
	close(again);
	close(pair[0]);
	close(pair[1]);
	close(proc_fd);
	tempdir_remove(&dir);
}

static void test_procfs_descriptors__looks_at_the_first_64(void **state)
{
	enum { MANY = 200 };
	struct scd__descriptors got;
	size_t before = peer_open_descriptors();
	int proc_fd = open_self(), fds[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		fds[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(scd__procfs_descriptors(proc_fd, &got), 0);
	/* Ours that are none, the folder in /proc, and its list. */
	assert_in_range(got.socket_count, SCD_LIMIT_PEER_DESCRIPTORS - before - 2, SCD_LIMIT_PEER_DESCRIPTORS);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	close(proc_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_procfs_seccomp__reads_one_digit),
		cmocka_unit_test(test_procfs_read__is_bounded),
		cmocka_unit_test(test_procfs__says_when_the_process_is_gone),
		cmocka_unit_test(test_procfs_file__identifies_a_file),
		cmocka_unit_test(test_procfs_find__sees_what_the_process_sees),
		cmocka_unit_test(test_procfs_descriptors__finds_sockets_and_locks),
		cmocka_unit_test(test_procfs_descriptors__looks_at_the_first_64),
	};

	return cmocka_run_group_tests_name("keeper/procfs", tests, NULL, NULL);
}
