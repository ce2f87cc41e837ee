/*
 * The growing byte buffer. Room doubles, so that n appends copy O(n) bytes, and always includes one byte for the NUL.
 */
#include "seccheckd/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64u

void scd_buf_init(struct scd_buf *buf, size_t max_bytes)
{
	*buf = (struct scd_buf){ .max_bytes = max_bytes };
}

void scd_buf_done(struct scd_buf *buf)
{
	free(buf->data);
	scd_buf_init(buf, buf->max_bytes);
}

void scd_buf_reset(struct scd_buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

static size_t next_room(const struct scd_buf *buf, size_t need)
{
	size_t room = buf->room ? buf->room : FIRST_ROOM;

	while (room < need && room <= SIZE_MAX / 2)
		room *= 2;
	return room < need ? need : room;
}

/* Makes room for len more bytes and the NUL, or fails the buffer. */
static bool reserve(struct scd_buf *buf, size_t len)
{
	size_t need, room;
	char *data;

	if (buf->failed)
		return false;
	if (len > buf->max_bytes - buf->len || len >= SIZE_MAX - buf->len) {
		buf->failed = true;
		return false;
	}
	need = buf->len + len + 1;
	if (need <= buf->room)
		return true;
	room = next_room(buf, need);
	data = realloc(buf->data, room);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->room = room;
	return true;
}

void scd_buf_append(struct scd_buf *buf, const void *data, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void scd_buf_append_str(struct scd_buf *buf, struct scd_str text)
{
	scd_buf_append(buf, text.data, text.len);
}

void scd_buf_append_char(struct scd_buf *buf, char byte)
{
	scd_buf_append(buf, &byte, 1);
}

void scd_buf_printf(struct scd_buf *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		buf->failed = true;
	if (len < 0 || !reserve(buf, (size_t)len))
		return;
	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

struct scd_str scd_buf_str(const struct scd_buf *buf)
{
	return (struct scd_str){ buf->data, buf->len };
}

char *scd_buf_take(struct scd_buf *buf, size_t *ret_len)
{
	char *data = buf->data;

	if (buf->failed || !data)
		return NULL;
	*ret_len = buf->len;
	scd_buf_init(buf, buf->max_bytes);
	return data;
}
