/*
 * What a path may be before the daemon listens on it, and what is left of it afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "keeper/listener.h"
#include "seccheckd/base/array.h"
#include "tests/support/child.h"
#include "tests/support/peer.h"
#include "tests/support/tempdir.h"

static struct tempdir dir;

static int set_up(void **state)
{
	(void)state;
	return tempdir_make(&dir);
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

/* A socket bound to path, which makes a stale file when it is closed. */
static int bind_socket(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void test_listener_open__makes_a_private_socket_whatever_the_umask(void **state)
{
	const char *path = tempdir_join(&dir, "sink.sock");
	mode_t masks[] = { 0, 022, 077, 0777 };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(masks); i++) {
		mode_t before = umask(masks[i]);
		struct scd__listener listener;
		struct stat status;
		struct scd_error err;
		int r = scd__listener_open(&listener, path, &err);
		mode_t after = umask(before);

		assert_int_equal(r, 0);
		assert_int_equal(after, masks[i]);
		assert_int_equal(lstat(path, &status), 0);
		assert_true(S_ISSOCK(status.st_mode));
		assert_int_equal(status.st_mode & 07777, 0600);
		assert_int_equal(fcntl(listener.fd, F_GETFD), FD_CLOEXEC);
		scd__listener_close(&listener);
	}
}

/* 0, or the errno with which a process of this user cannot connect. */
static int connect_as(uid_t uid, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

		strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
		if (fd < 0 || setresuid(uid, uid, uid) < 0)
			_exit(255);
		_exit(connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_listener_admit__lets_the_named_users_in_and_nobody_else(void **state)
{
	const uint32_t uids[] = { 1002, 0, 1001, 1002 };
	const char *path = tempdir_join(&dir, "sink.sock");
	struct scd__listener listener;
	struct stat status;
	struct scd_error err;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(dir.path, 0711), 0);
	assert_int_equal(scd__listener_open(&listener, path, &err), 0);
	assert_int_equal(connect_as(1001, path), EACCES);
	assert_int_equal(scd__listener_admit(&listener, uids, SCD_COUNT(uids), &err), 0);
	assert_int_equal(connect_as(1001, path), 0);
	assert_int_equal(connect_as(1002, path), 0);
	assert_int_equal(connect_as(1003, path), EACCES);
	assert_int_equal(lstat(path, &status), 0);
	assert_int_equal(status.st_mode & 07, 0);
	scd__listener_close(&listener);
}

/* In a child process, with a file system of its own that keeps none. */
static int admit_on_ramfs(void *user)
{
	const uint32_t uid = 1001;
	struct scd__listener listener;
	struct scd_error err = { 0 };

	(void)user;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("ramfs", dir.path, "ramfs", 0, NULL) < 0)
		return 90;
	if (scd__listener_open(&listener, tempdir_join(&dir, "sink.sock"), &err) < 0)
		return 1;
	if (scd__listener_admit(&listener, &uid, 1, &err) != -EOPNOTSUPP)
		return 2;
	return strstr(err.what, "allowed_uids") && strstr(err.hint, "no access lists") ? 0 : 3;
}

static void test_listener_admit__says_where_there_are_no_access_lists(void **state)
{
	int status = child_wait(child_start(admit_on_ramfs, NULL), PEER_DEADLINE_MS);

	(void)state;
	if (status == 90) {
		print_message("skipped: only root can mount\n");
		skip();
	}
	assert_int_equal(status, 0);
}

/* Who may write to the folder must not have another file given away: not one that is elsewhere, and not one there. */
static void test_listener_admit__gives_away_no_file_but_its_own(void **state)
{
	const uint32_t uid = 1001;
	const char *path = tempdir_join(&dir, "sink.sock"), *secret = tempdir_join(&dir, "secret");
	struct scd__listener listener;
	struct scd_error err = { 0 };
	int fd = open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(scd__listener_open(&listener, path, &err), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(secret, path), 0);
	assert_int_equal(scd__listener_admit(&listener, &uid, 1, &err), -ESTALE);
	assert_non_null(strstr(err.what, "another file"));
	assert_true(getxattr(secret, "system.posix_acl_access", NULL, 0) < 0);
	assert_int_equal(rename(secret, path), 0);
	assert_int_equal(scd__listener_admit(&listener, &uid, 1, &err), -ESTALE);
	assert_true(getxattr(path, "system.posix_acl_access", NULL, 0) < 0);
	scd__listener_close(&listener);
	close(fd);
}

static void test_listener_accept__gives_a_private_nonblocking_descriptor(void **state)
{
	const char *path = tempdir_join(&dir, "sink.sock");
	struct scd__listener listener;
	struct scd_error err;
	int peer, fd;

	(void)state;
	assert_int_equal(scd__listener_open(&listener, path, &err), 0);
	assert_int_equal(scd__listener_accept(&listener), -EAGAIN);
	peer = peer_connect(path);
	assert_true(peer >= 0);
	fd = scd__listener_accept(&listener);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	close(peer);
	scd__listener_close(&listener);
}

static void test_listener_open__replaces_a_stale_socket(void **state)
{
	const int types[] = { SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(types); i++) {
		const char *path = tempdir_join(&dir, "stale.sock");
		struct scd__listener listener;
		struct scd_error err;
		int peer;

		close(bind_socket(path, types[i]));
		assert_true(exists(path));
		assert_int_equal(scd__listener_open(&listener, path, &err), 0);
		peer = peer_connect(path);
		assert_true(peer >= 0);
		close(peer);
		scd__listener_close(&listener);
	}
}

/* A socket that somebody has, listening or not yet, is refused and goes on working. */
static void test_listener_open__leaves_a_live_socket_alone(void **state)
{
	static const struct {
		const char *name;
		int type;
		bool listens;
	} rows[] = {
		{ "seqpacket, listening", SOCK_SEQPACKET, true },
		{ "seqpacket, bound only", SOCK_SEQPACKET, false },
		{ "stream, listening", SOCK_STREAM, true },
		{ "datagram", SOCK_DGRAM, false },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		const char *path = tempdir_join(&dir, "live.sock");
		int other = bind_socket(path, rows[i].type);
		struct scd__listener listener;
		struct scd_error err;

		print_message("%s\n", rows[i].name);
		assert_true(other >= 0);
		if (rows[i].listens)
			assert_int_equal(listen(other, 4), 0);
		assert_int_equal(scd__listener_open(&listener, path, &err), -EADDRINUSE);
		assert_non_null(strstr(err.what, path));
		assert_non_null(strstr(err.what, "another process"));
		assert_true(exists(path));
		/* Nobody was made to accept a connection that says nothing. */
		assert_false(rows[i].listens && peer_wait(other, POLLIN, 0) == 0);
		close(other);
		unlink(path);
	}
}

static void test_listener_open__refuses_what_is_not_a_socket(void **state)
{
	const char *file = tempdir_join(&dir, "notes.txt");
	const char *link_path = tempdir_join(&dir, "link");
	const char *paths[] = { file, link_path, dir.path };

	(void)state;
	write_file(file, "important");
	assert_int_equal(symlink("nowhere", link_path), 0);
	for (size_t i = 0; i < SCD_COUNT(paths); i++) {
		struct scd__listener listener;
		struct scd_error err;

		assert_int_equal(scd__listener_open(&listener, paths[i], &err), -EEXIST);
		assert_non_null(strstr(err.what, paths[i]));
		assert_non_null(strstr(err.what, "not a socket"));
		assert_true(err.hint[0]);
		assert_true(exists(paths[i]));
	}
}

static void test_listener_open__tells_of_a_missing_folder(void **state)
{
	const char *path = tempdir_join(&dir, "missing/sink.sock");
	struct scd__listener listener;
	struct scd_error err;

	(void)state;
	assert_int_equal(scd__listener_open(&listener, path, &err), -ENOENT);
	assert_non_null(strstr(err.what, path));
	assert_non_null(strstr(err.hint, "mkdir -p -m 0700 "));
	assert_non_null(strstr(err.hint, "/missing"));
	assert_null(strstr(err.hint, "sink.sock"));
}

static void test_listener_open__tells_who_may_not_write_where(void **state)
{
	const uid_t uid = geteuid(), nobody = 65534;
	struct scd__listener listener;
	struct scd_error err;
	int r;

	(void)state;
	if (uid == 0)
		assert_int_equal(seteuid(nobody), 0);
	r = scd__listener_open(&listener, "/sink.sock", &err);
	if (uid == 0)
		assert_int_equal(seteuid(uid), 0);
	assert_int_equal(r, -EACCES);
	assert_string_equal(err.what, "cannot listen on /sink.sock: Permission denied");
	assert_non_null(strstr(err.hint, "is made in /, which user "));
}

static void test_listener_open__bounds_the_path(void **state)
{
	struct scd__listener listener;
	struct scd_error err;
	char path[200];
	size_t start = (size_t)snprintf(path, sizeof(path), "%s/", dir.path);

	(void)state;
	memset(path + start, 'x', sizeof(path) - start);
	path[107] = '\0';
	assert_int_equal(scd__listener_open(&listener, path, &err), 0);
	assert_true(exists(path));
	scd__listener_close(&listener);

	path[107] = 'x';
	path[108] = '\0';
	assert_int_equal(scd__listener_open(&listener, path, &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.what, "108"));
	assert_non_null(strstr(err.what, "107"));
	assert_int_equal(scd__listener_open(&listener, "", &err), -EINVAL);
}

static void test_listener_close__removes_its_own_file_only(void **state)
{
	const char *path = tempdir_join(&dir, "sink.sock");
	struct scd__listener listener;
	struct scd_error err;

	(void)state;
	assert_int_equal(scd__listener_open(&listener, path, &err), 0);
	scd__listener_close(&listener);
	assert_false(exists(path));
	scd__listener_close(&listener);

	assert_int_equal(scd__listener_open(&listener, path, &err), 0);
	unlink(path);
	write_file(path, "somebody else's");
	scd__listener_close(&listener);
	assert_true(exists(path));
	unlink(path);
}

static void test_listener_drop__leaves_the_file(void **state)
{
	const char *path = tempdir_join(&dir, "sink.sock");
	struct scd__listener listener;
	struct scd_error err;

	(void)state;
	assert_int_equal(scd__listener_open(&listener, path, &err), 0);
	scd__listener_drop(&listener);
	assert_true(exists(path));
	unlink(path);
}

static void test_listener_open__leaks_nothing_when_it_fails(void **state)
{
	const char *path = tempdir_join(&dir, "notes.txt");
	size_t before = peer_open_descriptors();
	struct scd__listener listener;
	struct scd_error err;

	(void)state;
	write_file(path, "");
	assert_true(scd__listener_open(&listener, path, &err) < 0);
	assert_true(scd__listener_open(&listener, tempdir_join(&dir, "missing/x"), &err) < 0);
	assert_int_equal(peer_open_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_listener_open__makes_a_private_socket_whatever_the_umask, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_listener_accept__gives_a_private_nonblocking_descriptor, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_listener_admit__lets_the_named_users_in_and_nobody_else, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_listener_admit__says_where_there_are_no_access_lists, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_listener_admit__gives_away_no_file_but_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listener_open__replaces_a_stale_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listener_open__leaves_a_live_socket_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listener_open__refuses_what_is_not_a_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listener_open__tells_of_a_missing_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listener_open__tells_who_may_not_write_where, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listener_open__bounds_the_path, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listener_close__removes_its_own_file_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listener_drop__leaves_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listener_open__leaks_nothing_when_it_fails, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("keeper/listener", tests, NULL, NULL);
}
