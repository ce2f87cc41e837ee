/*
 * Trace files: gVisor's `tracereplay` format, read and written.
 *
 *    "tracereplay file"            16 bytes
 *    u64 LE  n, then n bytes       {"version":1}
 *    u64 LE  n, then n bytes       a raw message (header and protobuf), repeated to the end of the file
 *
 * Source: gVisor tools/tracereplay. The handshake is not in the file. The reader answers damage with a code and the
 * offset, never with a guess: a size over the limit of a message means that the file is damaged, since no socket
 * delivers one. The writer leaves no torn message behind, but where it is killed itself. docs/trace-files.md has the
 * whole of it.
 */
#ifndef SECCHECKD_WIRE_TRACE_H
#define SECCHECKD_WIRE_TRACE_H

#include "seccheckd/base/buf.h"
#include "seccheckd/base/error.h"

/* What stands in front of each message, and of them all, as the writer has it. */
#define SCD_TRACE_SIZE_BYTES 8u
#define SCD_TRACE_HEAD_BYTES 37u

struct scd_trace_reader;

/*
 * Opens and checks the head. 0, or negative errno with err filled (-EBADMSG: not a trace file, or a version we do not
 * know).
 */
int scd_trace_reader_open(const char *path, struct scd_trace_reader **ret_reader, struct scd_error *err);

/*
 * The next message: 1 with *ret_message (valid until the next call), 0 at the end of the file, negative errno with
 * err filled:
 * -ENODATA the file ends inside a message (what came before is good), -EBADMSG an impossible size, -EIO and others
 * from read(2).
 */
int scd_trace_reader_next(struct scd_trace_reader *reader, struct scd_str *ret_message, struct scd_error *err);

/* Accepts NULL and a pointer to NULL. */
void scd_trace_reader_close(struct scd_trace_reader **reader);

/*
 * Appends a message as it stands in a file, size first: whole, or not at all, and then the buffer is as it was. 0;
 * -EMSGSIZE: longer than a reader takes; -ENOBUFS: over the buffer's cap; -ENOMEM.
 */
int scd_trace_format(struct scd_buf *records, struct scd_str message);

/*
 * A trace file that is being written: one write takes any number of formatted messages, so the caller's buffer is the
 * only one. Every function may block on the disk; one thread at a time.
 */
struct scd_trace_writer;

/*
 * Makes the file in a folder, with mode 0600 and the head in it. What is there is never written over, nor is a link
 * followed: -EEXIST. 0 or negative errno; a file without its whole head is removed again.
 */
int scd_trace_writer_open(int folder_fd, const char *name, struct scd_trace_writer **ret_writer);

/*
 * Writes what scd_trace_format made. 0, or negative errno: the messages that fit stay, nothing of the first that does
 * not, and the writer stays failed with that code.
 */
int scd_trace_writer_write(struct scd_trace_writer *writer, struct scd_str records);

/* What is in the file, and its length with the head. */
uint64_t scd_trace_writer_message_count(const struct scd_trace_writer *writer);
uint64_t scd_trace_writer_byte_count(const struct scd_trace_writer *writer);

/* Nothing is synced. 0 or negative errno of close(2). Accepts NULL and a pointer to NULL. */
int scd_trace_writer_close(struct scd_trace_writer **writer);

#endif
