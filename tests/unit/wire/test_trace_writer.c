/*
 * The trace writer: bytes as gVisor's tracereplay writes them, files that are never written over, and a disk that is
 * full at any byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/wire/trace.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/tempdir.h"

#define HEAD       "tracereplay file\x0d\0\0\0\0\0\0\0{\"version\":1}"
#define HEAD_BYTES (sizeof(HEAD) - 1)

struct fixture {
	struct tempdir dir;
	int folder_fd;
	struct scd_buf records;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture || tempdir_make(&fixture->dir) < 0)
		return -1;
	fixture->folder_fd = open(fixture->dir.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	scd_buf_init(&fixture->records, 64u << 20);
	return fixture->folder_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->folder_fd);
	scd_buf_done(&fixture->records);
	tempdir_remove(&fixture->dir);
	free(fixture);
	return 0;
}

static struct scd_trace_writer *open_writer(struct fixture *fixture)
{
	struct scd_trace_writer *writer = NULL;

	assert_int_equal(scd_trace_writer_open(fixture->folder_fd, "trace", &writer), 0);
	return writer;
}

static void format(struct fixture *fixture, const void *data, size_t len)
{
	assert_int_equal(scd_trace_format(&fixture->records, (struct scd_str){ data, len }), 0);
}

/* The whole file, which the caller frees. */
static char *read_file(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	char *data;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	data = malloc((size_t)status.st_size + 1);
	assert_non_null(data);
	assert_int_equal(read(fd, data, (size_t)status.st_size), status.st_size);
	close(fd);
	*ret_len = (size_t)status.st_size;
	return data;
}

static void expect_file(struct fixture *fixture, const char *bytes, size_t len)
{
	size_t got_len;
	char *got = read_file(tempdir_join(&fixture->dir, "trace"), &got_len);

	assert_int_equal(got_len, len);
	assert_memory_equal(got, bytes, len);
	free(got);
}

static void test_trace_writer__writes_the_head_alone(void **state)
{
	struct fixture *fixture = *state;
	struct scd_trace_writer *writer = open_writer(fixture);

	assert_int_equal(scd_trace_writer_message_count(writer), 0);
	assert_int_equal(scd_trace_writer_byte_count(writer), HEAD_BYTES);
	assert_int_equal(scd_trace_writer_close(&writer), 0);
	assert_null(writer);
	expect_file(fixture, HEAD, HEAD_BYTES);
}

static void test_trace_writer__writes_messages_behind_their_sizes(void **state)
{
	static const char expected[] = HEAD "\x05\0\0\0\0\0\0\0first"
	                                    "\0\0\0\0\0\0\0\0"
	                                    "\x05\0\0\0\0\0\0\0third";
	struct fixture *fixture = *state;
	struct scd_trace_writer *writer = open_writer(fixture);

	format(fixture, "first", 5);
	format(fixture, "", 0);
	assert_int_equal(scd_trace_writer_write(writer, scd_buf_str(&fixture->records)), 0);
	assert_int_equal(scd_trace_writer_message_count(writer), 2);
	scd_buf_reset(&fixture->records);
	format(fixture, "third", 5);
	assert_int_equal(scd_trace_writer_write(writer, scd_buf_str(&fixture->records)), 0);
	assert_int_equal(scd_trace_writer_write(writer, (struct scd_str){ NULL, 0 }), 0);
	assert_int_equal(scd_trace_writer_message_count(writer), 3);
	assert_int_equal(scd_trace_writer_byte_count(writer), sizeof(expected) - 1);
	assert_int_equal(scd_trace_writer_close(&writer), 0);
	expect_file(fixture, expected, sizeof(expected) - 1);
}

/* What the reader gives of a trace that gVisor recorded makes the same file again. */
static void test_trace_writer__copies_a_recorded_trace(void **state)
{
	static const char path[] = SCD_SOURCE_DIR "/tests/data/traces/detect-gcc";
	struct fixture *fixture = *state;
	struct scd_trace_writer *writer = open_writer(fixture);
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;
	size_t len;
	char *original;

	assert_int_equal(scd_trace_reader_open(path, &reader, &err), 0);
	while (scd_trace_reader_next(reader, &message, &err) == 1)
		format(fixture, message.data, message.len);
	scd_trace_reader_close(&reader);
	assert_int_equal(scd_trace_writer_write(writer, scd_buf_str(&fixture->records)), 0);
	assert_int_equal(scd_trace_writer_close(&writer), 0);
	original = read_file(path, &len);
	expect_file(fixture, original, len);
	free(original);
}

static void test_trace_writer__takes_the_largest_message(void **state)
{
	struct fixture *fixture = *state;
	struct scd_trace_writer *writer = open_writer(fixture);
	char *block = calloc(1, SCD_LIMIT_MESSAGE_BYTES + 1);
	struct scd_trace_reader *reader;
	struct scd_str message = { block, SCD_LIMIT_MESSAGE_BYTES + 1 };
	struct scd_error err;

	assert_non_null(block);
	assert_int_equal(scd_trace_format(&fixture->records, message), -EMSGSIZE);
	assert_int_equal(fixture->records.len, 0);
	format(fixture, block, SCD_LIMIT_MESSAGE_BYTES);
	assert_int_equal(scd_trace_writer_write(writer, scd_buf_str(&fixture->records)), 0);
	assert_int_equal(scd_trace_writer_close(&writer), 0);
	assert_int_equal(scd_trace_reader_open(tempdir_join(&fixture->dir, "trace"), &reader, &err), 0);
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 1);
	assert_int_equal(message.len, SCD_LIMIT_MESSAGE_BYTES);
	scd_trace_reader_close(&reader);
	free(block);
}

static void test_trace_writer_open__makes_a_file_for_its_owner_alone(void **state)
{
	struct fixture *fixture = *state;
	mode_t umask_before = umask(0);
	struct scd_trace_writer *writer = open_writer(fixture);
	struct stat status;

	umask(umask_before);
	assert_int_equal(stat(tempdir_join(&fixture->dir, "trace"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	scd_trace_writer_close(&writer);
}

static void test_trace_writer_open__writes_over_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct scd_trace_writer *writer = open_writer(fixture);

	scd_trace_writer_close(&writer);
	assert_int_equal(mkdirat(fixture->folder_fd, "folder", 0700), 0);
	assert_int_equal(symlinkat("nowhere", fixture->folder_fd, "link"), 0);
	assert_int_equal(scd_trace_writer_open(fixture->folder_fd, "trace", &writer), -EEXIST);
	assert_int_equal(scd_trace_writer_open(fixture->folder_fd, "folder", &writer), -EEXIST);
	assert_int_equal(scd_trace_writer_open(fixture->folder_fd, "link", &writer), -EEXIST);
	assert_int_equal(scd_trace_writer_open(fixture->folder_fd, "none/trace", &writer), -ENOENT);
	assert_null(writer);
	assert_int_equal(faccessat(fixture->folder_fd, "nowhere", F_OK, 0), -1);
	expect_file(fixture, HEAD, HEAD_BYTES);
}

/* A disk that holds this many bytes of a file: beyond them, write(2) takes a part, and then fails with EFBIG. */
static void set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Wherever the disk is full, the file ends with a whole message, and everything that fits whole is there. */
static void test_trace_writer_write__leaves_no_torn_message(void **state)
{
	static const char whole[] = HEAD "\x03\0\0\0\0\0\0\0one"
	                                 "\0\0\0\0\0\0\0\0"
	                                 "\x03\0\0\0\0\0\0\0two";
	static const size_t ends[] = { HEAD_BYTES, HEAD_BYTES + 11, HEAD_BYTES + 19, HEAD_BYTES + 30 };
	struct fixture *fixture = *state;

	format(fixture, "one", 3);
	format(fixture, "", 0);
	format(fixture, "two", 3);
	for (size_t room = HEAD_BYTES; room < sizeof(whole) - 1; room++) {
		struct scd_trace_writer *writer = open_writer(fixture);
		size_t fits = SCD_COUNT(ends) - 1;
		int r, again;

		while (ends[fits] > room)
			fits--;
		set_file_limit(room);
		r = scd_trace_writer_write(writer, scd_buf_str(&fixture->records));
		set_file_limit(RLIM_INFINITY);
		again = scd_trace_writer_write(writer, scd_buf_str(&fixture->records));
		assert_int_equal(r, -EFBIG);
		assert_int_equal(again, -EFBIG);
		assert_int_equal(scd_trace_writer_message_count(writer), fits);
		assert_int_equal(scd_trace_writer_byte_count(writer), ends[fits]);
		scd_trace_writer_close(&writer);
		expect_file(fixture, whole, ends[fits]);
		assert_int_equal(unlinkat(fixture->folder_fd, "trace", 0), 0);
	}
}

static void test_trace_writer_open__leaves_no_file_without_its_head(void **state)
{
	struct fixture *fixture = *state;

	for (rlim_t room = 0; room < HEAD_BYTES; room++) {
		struct scd_trace_writer *writer = NULL;
		int r;

		set_file_limit(room);
		r = scd_trace_writer_open(fixture->folder_fd, "trace", &writer);
		set_file_limit(RLIM_INFINITY);
		assert_int_equal(r, -EFBIG);
		assert_null(writer);
		assert_int_equal(faccessat(fixture->folder_fd, "trace", F_OK, 0), -1);
	}
}

static void test_trace_format__appends_a_whole_message_or_nothing(void **state)
{
	struct scd_buf records;

	(void)state;
	scd_buf_init(&records, 40);
	assert_int_equal(scd_trace_format(&records, SCD_STR("sixteen bytes...")), 0);
	assert_int_equal(scd_trace_format(&records, SCD_STR("nine byte")), -ENOBUFS);
	assert_int_equal(records.len, 24);
	assert_int_equal(scd_trace_format(&records, SCD_STR("8 bytes.")), 0);
	assert_int_equal(scd_trace_format(&records, SCD_STR("")), -ENOBUFS);
	assert_int_equal(records.len, 40);
	assert_false(records.failed);
	scd_buf_done(&records);
}

static void test_trace_format__goes_on_after_it_had_no_memory(void **state)
{
#ifdef SCD_FAILING_ALLOC
	static const char big[300];

	(void)state;
	for (unsigned long n = 0;; n++) {
		struct scd_buf records;
		int r;

		scd_buf_init(&records, 4096);
		assert_int_equal(scd_trace_format(&records, SCD_STR("first")), 0);
		scd_failing_alloc_arm(n);
		r = scd_trace_format(&records, (struct scd_str){ big, sizeof(big) });
		if (!scd_failing_alloc_disarm()) {
			assert_int_equal(r, 0);
			scd_buf_done(&records);
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(records.len, 13);
		assert_int_equal(scd_trace_format(&records, SCD_STR("next")), 0);
		assert_memory_equal(records.data, "\5\0\0\0\0\0\0\0first\4\0\0\0\0\0\0\0next", 25);
		scd_buf_done(&records);
	}
#else
	(void)state;
	skip();
#endif
}

static void test_trace_writer_open__leaves_nothing_without_memory(void **state)
{
#ifdef SCD_FAILING_ALLOC
	struct fixture *fixture = *state;

	for (unsigned long n = 0;; n++) {
		struct scd_trace_writer *writer = NULL;
		int r;

		scd_failing_alloc_arm(n);
		r = scd_trace_writer_open(fixture->folder_fd, "trace", &writer);
		if (!scd_failing_alloc_disarm()) {
			assert_int_equal(r, 0);
			scd_trace_writer_close(&writer);
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_null(writer);
		assert_int_equal(faccessat(fixture->folder_fd, "trace", F_OK, 0), -1);
	}
#else
	(void)state;
	skip();
#endif
}

static void test_trace_writer_close__accepts_nothing(void **state)
{
	struct scd_trace_writer *writer = NULL;

	(void)state;
	assert_int_equal(scd_trace_writer_close(NULL), 0);
	assert_int_equal(scd_trace_writer_close(&writer), 0);
}

/* Instead of the signal that a file over its limit brings, the error. */
static int ignore_limit_signal(void **state)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)state;
	return sigaction(SIGXFSZ, &ignore, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_trace_writer__writes_the_head_alone),
		TEST(test_trace_writer__writes_messages_behind_their_sizes),
		TEST(test_trace_writer__copies_a_recorded_trace),
		TEST(test_trace_writer__takes_the_largest_message),
		TEST(test_trace_writer_open__makes_a_file_for_its_owner_alone),
		TEST(test_trace_writer_open__writes_over_nothing),
		TEST(test_trace_writer_write__leaves_no_torn_message),
		TEST(test_trace_writer_open__leaves_no_file_without_its_head),
		TEST(test_trace_format__appends_a_whole_message_or_nothing),
		TEST(test_trace_format__goes_on_after_it_had_no_memory),
		TEST(test_trace_writer_open__leaves_nothing_without_memory),
		TEST(test_trace_writer_close__accepts_nothing),
	};
#undef TEST

	return cmocka_run_group_tests_name("wire/trace_writer", tests, ignore_limit_signal, NULL);
}
