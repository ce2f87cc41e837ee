/*
 * The trace reader: whole files, damage of every kind, files that are none, and memory that follows the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/wire/trace.h"

#define HEAD       "tracereplay file\x0d\0\0\0\0\0\0\0{\"version\":1}"
#define HEAD_BYTES (sizeof(HEAD) - 1)

/* A file in memory with a path. */
struct file {
	int fd;
	char path[64];
};

static struct file file_new(void)
{
	struct file file = { .fd = memfd_create("trace", 0) };

	assert_true(file.fd >= 0);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	return file;
}

static void file_write(const struct file *file, const void *data, size_t len)
{
	assert_int_equal(write(file->fd, data, len), (ssize_t)len);
}

static void file_write_size(const struct file *file, uint64_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(size >> (8 * i));
	file_write(file, bytes, sizeof(bytes));
}

static void file_write_message(const struct file *file, const void *data, size_t len)
{
	file_write_size(file, len);
	file_write(file, data, len);
}

static struct file file_with_head(void)
{
	struct file file = file_new();

	file_write(&file, HEAD, HEAD_BYTES);
	return file;
}

static struct scd_trace_reader *open_file(const struct file *file)
{
	struct scd_trace_reader *reader = NULL;
	struct scd_error err;

	assert_int_equal(scd_trace_reader_open(file->path, &reader, &err), 0);
	return reader;
}

static void test_trace_reader__gives_every_message_in_order(void **state)
{
	struct file file = file_with_head();
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;

	(void)state;
	file_write_message(&file, "first", 5);
	file_write_message(&file, "", 0);
	file_write_message(&file, "third", 5);
	reader = open_file(&file);
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 1);
	assert_true(scd_str_is(message, "first"));
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 1);
	assert_int_equal(message.len, 0);
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 1);
	assert_true(scd_str_is(message, "third"));
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 0);
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 0);
	scd_trace_reader_close(&reader);
	assert_null(reader);
	close(file.fd);
}

/* Sizes around the buffer's chunk, each filled with a byte of its own. */
static void test_trace_reader__reads_messages_of_any_size(void **state)
{
	static const size_t sizes[] = { 1, 65535, 65536, 65537, 7, 300000, 0, 65528, SCD_LIMIT_MESSAGE_BYTES, 3 };
	char *block = malloc(SCD_LIMIT_MESSAGE_BYTES);
	struct file file = file_with_head();
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;

	(void)state;
	assert_non_null(block);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memset(block, (int)('a' + i), sizes[i]);
		file_write_message(&file, block, sizes[i]);
	}
	reader = open_file(&file);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(scd_trace_reader_next(reader, &message, &err), 1);
		assert_int_equal(message.len, sizes[i]);
		memset(block, (int)('a' + i), sizes[i]);
		assert_int_equal(memcmp(message.data, block, sizes[i]), 0);
	}
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 0);
	scd_trace_reader_close(&reader);
	close(file.fd);
	free(block);
}

static void test_trace_reader__reads_a_recorded_trace(void **state)
{
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;
	size_t count = 0;
	int rc;

	(void)state;
	assert_int_equal(scd_trace_reader_open(SCD_SOURCE_DIR "/tests/data/traces/detect-python", &reader, &err), 0);
	while ((rc = scd_trace_reader_next(reader, &message, &err)) == 1)
		count++;
	assert_int_equal(rc, 0);
	assert_int_equal(count, 244);
	scd_trace_reader_close(&reader);
}

/* Wherever the file is cut, what came before is given out and the cut is told from the end. */
static void test_trace_reader__tells_a_cut_file_from_a_whole_one(void **state)
{
	(void)state;
	for (off_t cut = 0; cut < 8 + 5; cut++) {
		struct file file = file_with_head();
		struct scd_trace_reader *reader;
		struct scd_str message;
		struct scd_error err;

		file_write_message(&file, "whole", 5);
		file_write_message(&file, "cut:)", 5);
		assert_int_equal(ftruncate(file.fd, (off_t)HEAD_BYTES + 13 + cut), 0);
		reader = open_file(&file);
		assert_int_equal(scd_trace_reader_next(reader, &message, &err), 1);
		assert_true(scd_str_is(message, "whole"));
		assert_int_equal(scd_trace_reader_next(reader, &message, &err), cut == 0 ? 0 : -ENODATA);
		if (cut > 0)
			assert_non_null(strstr(err.what, "offset 50"));
		scd_trace_reader_close(&reader);
		close(file.fd);
	}
}

static void test_trace_reader__stays_failed(void **state)
{
	struct file file = file_with_head();
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;

	(void)state;
	file_write_size(&file, UINT64_MAX);
	file_write_message(&file, "behind", 6);
	reader = open_file(&file);
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), -EBADMSG);
	assert_string_equal(err.file, file.path);
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), -EBADMSG);
	scd_trace_reader_close(&reader);
	close(file.fd);
}

/* The largest size that is allowed, in a file of a few bytes: nothing of that size is allocated. */
static void test_trace_reader__allocates_no_more_than_the_file_has(void **state)
{
	struct file file = file_with_head();
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;
	struct mallinfo2 before, after;

	(void)state;
	file_write_size(&file, SCD_LIMIT_MESSAGE_BYTES);
	file_write(&file, "few", 3);
	reader = open_file(&file);
	before = mallinfo2();
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), -ENODATA);
	after = mallinfo2();
	assert_true(after.uordblks + after.hblkhd <= before.uordblks + before.hblkhd);
	scd_trace_reader_close(&reader);
	close(file.fd);
}

static void test_trace_reader__refuses_a_message_over_the_limit(void **state)
{
	struct file file = file_with_head();
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;

	(void)state;
	file_write_size(&file, SCD_LIMIT_MESSAGE_BYTES + 1);
	assert_int_equal(ftruncate(file.fd, 2 * SCD_LIMIT_MESSAGE_BYTES), 0);
	reader = open_file(&file);
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), -EBADMSG);
	scd_trace_reader_close(&reader);
	close(file.fd);
}

static void test_trace_reader_open__refuses_heads_that_are_none(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} rows[] = {
#define ROW(name, literal) { name, literal, sizeof(literal) - 1 }
		ROW("an empty file", ""),
		ROW("a text file", "some text that is longer than sixteen bytes"),
		ROW("half of the magic", "tracerep"),
		ROW("the magic alone", "tracereplay file"),
		ROW("half of the size", "tracereplay file\x0d\0\0"),
		ROW("half of the configuration", "tracereplay file\x0d\0\0\0\0\0\0\0{\"ver"),
		ROW("another version", "tracereplay file\x0d\0\0\0\0\0\0\0{\"version\":2}"),
		ROW("a version of two digits", "tracereplay file\x0e\0\0\0\0\0\0\0{\"version\":12}"),
		ROW("no configuration", "tracereplay file\0\0\0\0\0\0\0\0"),
		ROW("a huge configuration", "tracereplay file\0\0\0\0\0\0\0\x80{\"version\":1}"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct file file = file_new();
		struct scd_trace_reader *reader = NULL;
		struct scd_error err;

		file_write(&file, rows[i].bytes, rows[i].len);
		if (scd_trace_reader_open(file.path, &reader, &err) != -EBADMSG || reader)
			fail_msg("accepted: %s", rows[i].name);
		assert_true(err.what[0] != 0);
		close(file.fd);
	}
}

static void test_trace_reader_open__takes_blanks_in_the_configuration(void **state)
{
	struct file file = file_new();
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;

	(void)state;
	file_write(&file, "tracereplay file", 16);
	file_write_message(&file, "{ \"version\": 1 }\n", 17);
	reader = open_file(&file);
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 0);
	scd_trace_reader_close(&reader);
	close(file.fd);
}

/* A FIFO without a writer would block for ever in open(2). */
static void test_trace_reader_open__takes_regular_files_only(void **state)
{
	char folder[] = "/tmp/scd-trace-XXXXXX", fifo[64];
	struct scd_trace_reader *reader = NULL;
	struct scd_error err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(scd_trace_reader_open(fifo, &reader, &err), -EINVAL);
	assert_int_equal(scd_trace_reader_open(folder, &reader, &err), -EINVAL);
	assert_int_equal(scd_trace_reader_open("/dev/zero", &reader, &err), -EINVAL);
	unlink(fifo);
	assert_int_equal(scd_trace_reader_open(fifo, &reader, &err), -ENOENT);
	assert_string_equal(err.file, fifo);
	assert_null(reader);
	rmdir(folder);
}

/* What is appended after the end was reached is read by the next call. */
static void test_trace_reader__follows_a_file_that_grows(void **state)
{
	struct file file = file_with_head();
	struct scd_trace_reader *reader = open_file(&file);
	struct scd_str message;
	struct scd_error err;

	(void)state;
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 0);
	file_write_message(&file, "late", 4);
	assert_int_equal(scd_trace_reader_next(reader, &message, &err), 1);
	assert_true(scd_str_is(message, "late"));
	scd_trace_reader_close(&reader);
	close(file.fd);
}

static void test_trace_reader_close__accepts_nothing(void **state)
{
	struct scd_trace_reader *reader = NULL;

	(void)state;
	scd_trace_reader_close(NULL);
	scd_trace_reader_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace_reader__gives_every_message_in_order),
		cmocka_unit_test(test_trace_reader__reads_messages_of_any_size),
		cmocka_unit_test(test_trace_reader__reads_a_recorded_trace),
		cmocka_unit_test(test_trace_reader__tells_a_cut_file_from_a_whole_one),
		cmocka_unit_test(test_trace_reader__stays_failed),
		cmocka_unit_test(test_trace_reader__allocates_no_more_than_the_file_has),
		cmocka_unit_test(test_trace_reader__refuses_a_message_over_the_limit),
		cmocka_unit_test(test_trace_reader_open__refuses_heads_that_are_none),
		cmocka_unit_test(test_trace_reader_open__takes_blanks_in_the_configuration),
		cmocka_unit_test(test_trace_reader_open__takes_regular_files_only),
		cmocka_unit_test(test_trace_reader__follows_a_file_that_grows),
		cmocka_unit_test(test_trace_reader_close__accepts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
