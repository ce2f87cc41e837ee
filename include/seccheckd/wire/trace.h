/*
 * Trace files: gVisor's `tracereplay` format, read and written.
 *
 *    "tracereplay file"            16 bytes
 *    u64 LE  n, then n bytes       {"version":1}
 *    u64 LE  n, then n bytes       a raw message (header and protobuf), repeated to the end of the file
 *
 * Source: gVisor tools/tracereplay. The handshake is not in the file. A reader answers damage with a code and the
 * offset, never with a guess: a size over the limit of a message means that the file is damaged, since no socket
 * delivers one.
 */
#ifndef SECCHECKD_WIRE_TRACE_H
#define SECCHECKD_WIRE_TRACE_H

#include "seccheckd/base/error.h"
#include "seccheckd/base/str.h"

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

#endif
