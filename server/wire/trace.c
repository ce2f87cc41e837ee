/*
 * Reading trace files, one message after another, through one buffer.
 *
 *    room:   | consumed | unread ........ | free |
 *                       ^ start           ^ end
 *
 * The buffer begins at CHUNK_BYTES and grows only for a message that is larger, and only after fstat(2) has shown
 * that the file holds that many more bytes: a size field that lies costs no memory. A file that is still being
 * written is read up to what it has at that moment.
 *
 * A reader that has failed stays failed: what follows damage cannot be found again, since the format has no marks.
 */
#include "seccheckd/wire/trace.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "wire/trace_head.h"

#define CHUNK_BYTES 65536u

/* The configuration object: a version today. What is longer was not written by any gVisor we know. */
#define CONFIG_MAX_BYTES 4096u

struct scd_trace_reader {
	int fd;
	int failed; /* negative errno of the first failure */
	char *path;
	uint8_t *buffer;
	size_t room, start, end;
	uint64_t offset; /* in the file, of buffer[start] */
};

static int fail(struct scd_trace_reader *reader, struct scd_error *err, int code, const char *what)
{
	reader->failed = code;
	scd_error_set(err, code, "%s at offset %" PRIu64, what, reader->offset);
	scd_error_at(err, reader->path, 0, 0);
	return code;
}

/* Of the file as a whole. */
static int refuse(struct scd_trace_reader *reader, struct scd_error *err, int code, const char *what)
{
	reader->failed = code;
	scd_error_set(err, code, "%s", what);
	scd_error_at(err, reader->path, 0, 0);
	return code;
}

static int fail_errno(struct scd_trace_reader *reader, struct scd_error *err, const char *what)
{
	int code = -errno;

	reader->failed = code;
	scd_error_set(err, code, "%s: %s", what, strerror(-code));
	scd_error_at(err, reader->path, 0, 0);
	return code;
}

static size_t unread(const struct scd_trace_reader *reader)
{
	return reader->end - reader->start;
}

/* Makes room for `bytes` unread ones, which the file is known to have. */
static int reserve(struct scd_trace_reader *reader, size_t bytes)
{
	uint8_t *grown;

	if (reader->start > 0) {
		memmove(reader->buffer, reader->buffer + reader->start, unread(reader));
		reader->end -= reader->start;
		reader->start = 0;
	}
	if (bytes <= reader->room)
		return 0;
	grown = realloc(reader->buffer, bytes);
	if (!grown)
		return -ENOMEM;
	reader->buffer = grown;
	reader->room = bytes;
	return 0;
}

/* Reads until `bytes` are unread or the file ends. Negative errno of read(2). */
static int read_until(struct scd_trace_reader *reader, size_t bytes)
{
	while (unread(reader) < bytes) {
		ssize_t got = read(reader->fd, reader->buffer + reader->end, reader->room - reader->end);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		reader->end += (size_t)got;
	}
	return 0;
}

/* Whether the file is long enough for `bytes` more behind the current offset. Negative errno of fstat(2). */
static int file_holds(const struct scd_trace_reader *reader, size_t bytes)
{
	struct stat st;

	if (fstat(reader->fd, &st) < 0)
		return -errno;
	return st.st_size >= 0 && (uint64_t)st.st_size >= reader->offset &&
	       (uint64_t)st.st_size - reader->offset >= bytes;
}

/* Gets `bytes` into the buffer: 1 when they are there, 0 when the file has fewer. */
static int fill(struct scd_trace_reader *reader, size_t bytes, struct scd_error *err)
{
	int rc;

	if (unread(reader) >= bytes)
		return 1;
	rc = bytes > CHUNK_BYTES ? file_holds(reader, bytes) : 1;
	if (rc < 0) {
		errno = -rc;
		return fail_errno(reader, err, "cannot stat");
	}
	if (rc == 0)
		return 0;
	if (reserve(reader, bytes) < 0)
		return fail(reader, err, -ENOMEM, "no memory for the message");
	rc = read_until(reader, bytes);
	if (rc < 0) {
		errno = -rc;
		return fail_errno(reader, err, "cannot read");
	}
	return unread(reader) >= bytes;
}

static struct scd_str consume(struct scd_trace_reader *reader, size_t bytes)
{
	struct scd_str taken = { (const char *)reader->buffer + reader->start, bytes };

	reader->start += bytes;
	reader->offset += bytes;
	return taken;
}

static uint64_t read_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

/*
 * The next record, at most max_bytes of content: 1 and *ret_content, 0 at a clean end of the file. The offset of an
 * error is that of the record's size field.
 */
static int next_record(struct scd_trace_reader *reader, size_t max_bytes, struct scd_str *ret_content,
                       struct scd_error *err)
{
	uint64_t size;
	int rc = fill(reader, SCD_TRACE_SIZE_BYTES, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return unread(reader) == 0 ? 0 : fail(reader, err, -ENODATA, "the file ends inside a message");
	size = read_u64(reader->buffer + reader->start);
	if (size > max_bytes)
		return fail(reader, err, -EBADMSG, "impossible size of a message");
	rc = fill(reader, SCD_TRACE_SIZE_BYTES + (size_t)size, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return fail(reader, err, -ENODATA, "the file ends inside a message");
	consume(reader, SCD_TRACE_SIZE_BYTES);
	*ret_content = consume(reader, (size_t)size);
	return 1;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The one configuration there is; blanks between tokens are let through. */
static bool is_known_config(struct scd_str config)
{
	static const struct scd_str expected = SCD_STR_INIT(SCD__TRACE_CONFIG);
	size_t matched = 0;

	for (size_t i = 0; i < config.len; i++) {
		if (is_blank(config.data[i]))
			continue;
		if (matched == expected.len || config.data[i] != expected.data[matched])
			return false;
		matched++;
	}
	return matched == expected.len;
}

static int check_head(struct scd_trace_reader *reader, struct scd_error *err)
{
	struct scd_str config;
	int rc = fill(reader, SCD__TRACE_MAGIC_BYTES, err);

	if (rc < 0)
		return rc;
	if (rc == 0 || memcmp(reader->buffer + reader->start, SCD__TRACE_MAGIC, SCD__TRACE_MAGIC_BYTES) != 0)
		return fail(reader, err, -EBADMSG, "not a trace file: no '" SCD__TRACE_MAGIC "'");
	consume(reader, SCD__TRACE_MAGIC_BYTES);
	rc = next_record(reader, CONFIG_MAX_BYTES, &config, err);
	if (rc < 0 && rc != -ENODATA)
		return rc;
	if (rc != 1 || !is_known_config(config))
		return fail(reader, err, -EBADMSG, "not a trace file of version 1: bad configuration object");
	return 0;
}

/* O_NONBLOCK: opening a FIFO that nobody writes must not wait. */
static int open_file(struct scd_trace_reader *reader, struct scd_error *err)
{
	struct stat st;

	reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (reader->fd < 0)
		return fail_errno(reader, err, "cannot open");
	if (fstat(reader->fd, &st) < 0)
		return fail_errno(reader, err, "cannot stat");
	if (S_ISDIR(st.st_mode))
		return refuse(reader, err, -EINVAL, "is a directory, not a trace file");
	if (!S_ISREG(st.st_mode))
		return refuse(reader, err, -EINVAL, "is not a regular file");
	return check_head(reader, err);
}

int scd_trace_reader_open(const char *path, struct scd_trace_reader **ret_reader, struct scd_error *err)
{
	struct scd_trace_reader *reader = calloc(1, sizeof(*reader));
	int rc;

	if (!reader)
		return scd_error_set(err, -ENOMEM, "no memory for a trace reader");
	reader->fd = -1;
	reader->path = strdup(path);
	reader->buffer = malloc(CHUNK_BYTES);
	reader->room = CHUNK_BYTES;
	if (reader->path && reader->buffer)
		rc = open_file(reader, err);
	else
		rc = scd_error_set(err, -ENOMEM, "no memory for a trace reader");
	if (rc < 0) {
		scd_trace_reader_close(&reader);
		return rc;
	}
	*ret_reader = reader;
	return 0;
}

int scd_trace_reader_next(struct scd_trace_reader *reader, struct scd_str *ret_message, struct scd_error *err)
{
	if (reader->failed)
		return fail(reader, err, reader->failed, "reading had failed before,");
	return next_record(reader, SCD_LIMIT_MESSAGE_BYTES, ret_message, err);
}

void scd_trace_reader_close(struct scd_trace_reader **reader)
{
	if (!reader || !*reader)
		return;
	if ((*reader)->fd >= 0)
		close((*reader)->fd);
	free((*reader)->path);
	free((*reader)->buffer);
	free(*reader);
	*reader = NULL;
}
