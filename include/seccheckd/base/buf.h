/*
 * A byte buffer on the heap that grows up to a cap.
 *
 * Failure is sticky: when an append does not fit (cap or memory), the buffer keeps what it had, `failed` is set and
 * later appends do nothing, so that a writer checks once, at its end. Life cycle: init → append… → (reset → append…)
 * → done. data is always NUL-terminated after the first append (the NUL is not counted).
 */
#ifndef SECCHECKD_BASE_BUF_H
#define SECCHECKD_BASE_BUF_H

#include <stdarg.h>

#include "seccheckd/base/str.h"

struct scd_buf {
	char *data;
	size_t len;
	size_t room;
	size_t max_bytes; /* cap on len */
	bool failed;
};

/* Allocates nothing. */
void scd_buf_init(struct scd_buf *buf, size_t max_bytes);

/* Frees; accepts an all-zero buffer. */
void scd_buf_done(struct scd_buf *buf);

/* Empties, keeps the memory, clears failed. */
void scd_buf_reset(struct scd_buf *buf);

/* What is appended does not lie in the buffer itself. */
void scd_buf_append(struct scd_buf *buf, const void *data, size_t len);
void scd_buf_append_str(struct scd_buf *buf, struct scd_str text);
void scd_buf_append_char(struct scd_buf *buf, char byte);
void scd_buf_printf(struct scd_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What it holds, valid until the next append, reset or done. */
struct scd_str scd_buf_str(const struct scd_buf *buf);

/*
 * The heap block (NUL-terminated, the caller frees it); the buffer is as after init. NULL if it failed or has no
 * memory.
 */
char *scd_buf_take(struct scd_buf *buf, size_t *ret_len);

#endif
