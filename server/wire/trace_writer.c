/*
 * Writing trace files.
 *
 *    head | message | message | mess…          a write that ends early, as the disk is full
 *                             ^ cut here       the file ends with the last whole message
 *
 * The bytes that write(2) took are walked by their size fields, which are ours, to find that place. When cutting
 * fails too, the file stays torn, and its reader says so.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/wire/trace.h"
#include "wire/trace_head.h"

struct scd_trace_writer {
	int fd;
	int failed; /* negative errno of the first failure */
	uint64_t message_count, byte_count;
};

static void put_u64(uint8_t *at, uint64_t value)
{
	for (unsigned i = 0; i < SCD_TRACE_SIZE_BYTES; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_u64(const char *at)
{
	uint64_t value = 0;

	for (unsigned i = SCD_TRACE_SIZE_BYTES; i-- > 0;)
		value = value << 8 | (uint8_t)at[i];
	return value;
}

static void append(struct scd_buf *records, struct scd_str content)
{
	uint8_t size[SCD_TRACE_SIZE_BYTES];

	put_u64(size, content.len);
	scd_buf_append(records, size, sizeof(size));
	scd_buf_append_str(records, content);
}

int scd_trace_format(struct scd_buf *records, struct scd_str message)
{
	const size_t before = records->len;

	if (message.len > SCD_LIMIT_MESSAGE_BYTES)
		return -EMSGSIZE;
	if (SCD_TRACE_SIZE_BYTES + message.len > records->max_bytes - before)
		return -ENOBUFS;
	append(records, message);
	if (!records->failed)
		return 0;
	records->failed = false;
	records->len = before;
	if (records->data)
		records->data[before] = '\0';
	return -ENOMEM;
}

/* Writes all of it, or as much as can be; *ret_written is how much. 0 or negative errno. */
static int write_all(int fd, struct scd_str bytes, size_t *ret_written)
{
	size_t written = 0;
	ssize_t r = 0;

	while (written < bytes.len && r >= 0) {
		r = write(fd, bytes.data + written, bytes.len - written);
		if (r < 0 && errno == EINTR)
			r = 0;
		if (r > 0)
			written += (size_t)r;
	}
	*ret_written = written;
	return r < 0 ? -errno : 0;
}

/* Counts the whole messages in the first `limit` bytes; their length. */
static size_t count_whole(struct scd_trace_writer *writer, struct scd_str records, size_t limit)
{
	size_t end = 0;

	while (limit - end >= SCD_TRACE_SIZE_BYTES) {
		uint64_t size = get_u64(records.data + end);

		if (size > limit - end - SCD_TRACE_SIZE_BYTES)
			break;
		end += SCD_TRACE_SIZE_BYTES + (size_t)size;
		writer->message_count++;
	}
	return end;
}

int scd_trace_writer_write(struct scd_trace_writer *writer, struct scd_str records)
{
	size_t written;

	if (writer->failed)
		return writer->failed;
	writer->failed = write_all(writer->fd, records, &written);
	writer->byte_count += count_whole(writer, records, written);
	if (writer->failed)
		(void)!ftruncate(writer->fd, (off_t)writer->byte_count);
	return writer->failed;
}

static int write_head(struct scd_trace_writer *writer)
{
	struct scd_buf head;
	size_t written;
	int r = -ENOMEM;

	static_assert(SCD_TRACE_HEAD_BYTES ==
	                      SCD__TRACE_MAGIC_BYTES + SCD_TRACE_SIZE_BYTES + sizeof(SCD__TRACE_CONFIG) - 1,
	              "the head is as long as it says");
	scd_buf_init(&head, SCD_TRACE_HEAD_BYTES);
	scd_buf_append_str(&head, SCD_STR(SCD__TRACE_MAGIC));
	append(&head, SCD_STR(SCD__TRACE_CONFIG));
	if (!head.failed)
		r = write_all(writer->fd, scd_buf_str(&head), &written);
	if (r == 0)
		writer->byte_count = written;
	scd_buf_done(&head);
	return r;
}

int scd_trace_writer_open(int folder_fd, const char *name, struct scd_trace_writer **ret_writer)
{
	struct scd_trace_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return -ENOMEM;
	writer->fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
	r = writer->fd < 0 ? -errno : write_head(writer);
	if (r < 0 && writer->fd >= 0)
		(void)unlinkat(folder_fd, name, 0);
	if (r < 0) {
		(void)scd_trace_writer_close(&writer);
		return r;
	}
	*ret_writer = writer;
	return 0;
}

uint64_t scd_trace_writer_message_count(const struct scd_trace_writer *writer)
{
	return writer->message_count;
}

uint64_t scd_trace_writer_byte_count(const struct scd_trace_writer *writer)
{
	return writer->byte_count;
}

int scd_trace_writer_close(struct scd_trace_writer **writer)
{
	int r = 0;

	if (!writer || !*writer)
		return 0;
	if ((*writer)->fd >= 0 && close((*writer)->fd) < 0)
		r = -errno;
	free(*writer);
	*writer = NULL;
	return r;
}
