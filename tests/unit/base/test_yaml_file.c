/*
 * Files: what is read, what is refused, and that nothing is waited for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/base/yaml.h"
#include "tests/support/tempdir.h"

static struct tempdir dir;

static int setup(void **state)
{
	(void)state;
	return tempdir_make(&dir);
}

static int teardown(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void assert_refused(const char *path, int code, const char *what)
{
	struct scd_yaml *yaml = NULL;
	struct scd_error err = { 0 };

	assert_int_equal(scd_yaml_read_file(path, &yaml, &err), code);
	assert_null(yaml);
	assert_int_equal(err.code, code);
	assert_string_equal(err.file, path);
	assert_string_equal(err.what, what);
}

static void test_yaml_read_file__reads_a_regular_file_and_keeps_its_name(void **state)
{
	const char *path = tempdir_join(&dir, "rules.yaml");
	struct scd_yaml *yaml = NULL;
	struct scd_error err = { 0 };

	(void)state;
	close(write_file(path, "- a\n- b\n"));
	assert_int_equal(scd_yaml_read_file(path, &yaml, &err), 0);
	assert_string_equal(scd_yaml_name(yaml), path);
	assert_int_equal(scd_yaml_root(yaml, 0)->count, 2);
	scd_yaml_free(&yaml);
}

static void test_yaml_read_file__reads_an_empty_file_as_no_document(void **state)
{
	const char *path = tempdir_join(&dir, "empty.yaml");
	struct scd_yaml *yaml = NULL;
	struct scd_error err = { 0 };

	(void)state;
	close(write_file(path, ""));
	assert_int_equal(scd_yaml_read_file(path, &yaml, &err), 0);
	assert_int_equal(scd_yaml_document_count(yaml), 0);
	scd_yaml_free(&yaml);
}

static void test_yaml_read_file__follows_a_link_to_a_regular_file(void **state)
{
	const char *path = tempdir_join(&dir, "target.yaml");
	const char *link = tempdir_join(&dir, "link.yaml");
	struct scd_yaml *yaml = NULL;
	struct scd_error err = { 0 };

	(void)state;
	close(write_file(path, "a"));
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(scd_yaml_read_file(link, &yaml, &err), 0);
	assert_string_equal(scd_yaml_name(yaml), link);
	scd_yaml_free(&yaml);
}

static void test_yaml_read_file__names_what_is_not_a_regular_file(void **state)
{
	const char *fifo = tempdir_join(&dir, "fifo");
	const char *path = tempdir_join(&dir, "socket");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_refused(fifo, -EINVAL, "is a FIFO, not a regular file");
	assert_refused(path, -ENXIO, "No such device or address");
	assert_refused(dir.path, -EISDIR, "is a folder, not a file");
	assert_refused("/dev/null", -EINVAL, "is a device, not a regular file");
	assert_refused(tempdir_join(&dir, "missing"), -ENOENT, "No such file or directory");
	close(fd);
}

static void test_yaml_read_file__refuses_a_file_over_the_cap(void **state)
{
	const char *path = tempdir_join(&dir, "large.yaml");
	int fd = write_file(path, "");

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)SCD_LIMIT_RULE_FILE_BYTES + 1), 0);
	close(fd);
	assert_refused(path, -EFBIG, "the file is too large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_read_file__reads_a_regular_file_and_keeps_its_name),
		cmocka_unit_test(test_yaml_read_file__reads_an_empty_file_as_no_document),
		cmocka_unit_test(test_yaml_read_file__follows_a_link_to_a_regular_file),
		cmocka_unit_test(test_yaml_read_file__names_what_is_not_a_regular_file),
		cmocka_unit_test(test_yaml_read_file__refuses_a_file_over_the_cap),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
