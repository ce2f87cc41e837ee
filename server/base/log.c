/*
 * The log. A line is put together on the stack and written with one write(2); it is at most PIPE_BUF bytes long (a
 * longer one is cut), so that lines of several threads and processes do not mix in a pipe either.
 *
 * The descriptor is not set to O_NONBLOCK: the flag belongs to the open file description, which other programs share.
 * Instead each line asks first: a pipe or socket that says it has room takes PIPE_BUF bytes at once. (Two writers that
 * find room for one in the same instant would still wait for the reader.)
 */
#include "seccheckd/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/str.h"

#define LINE_BYTES PIPE_BUF

static _Atomic int log_level = SCD_LOG_INFO;

/* Dropped since the last line that was written. */
static _Atomic uint64_t lost_lines;

static const char *const level_names[] = {
	[SCD_LOG_ERROR] = "error", [SCD_LOG_WARNING] = "warning", [SCD_LOG_NOTICE] = "notice",
	[SCD_LOG_INFO] = "info",   [SCD_LOG_DEBUG] = "debug",
};

/* Falco's words; what it has above error is error here. */
static const struct level_word {
	const char *word;
	enum scd_log_level level;
} level_words[] = {
	{ "emergency", SCD_LOG_ERROR },    { "alert", SCD_LOG_ERROR },     { "critical", SCD_LOG_ERROR },
	{ "error", SCD_LOG_ERROR },        { "warning", SCD_LOG_WARNING }, { "notice", SCD_LOG_NOTICE },
	{ "informational", SCD_LOG_INFO }, { "info", SCD_LOG_INFO },       { "debug", SCD_LOG_DEBUG },
};

void scd_log_set_level(enum scd_log_level level)
{
	atomic_store(&log_level, (int)level);
}

int scd_log_level_parse(const char *word, enum scd_log_level *ret_level)
{
	for (size_t i = 0; i < SCD_COUNT(level_words); i++) {
		if (strcasecmp(word, level_words[i].word) == 0) {
			*ret_level = level_words[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

/* A line that is being put together: it ends at the first piece that does not fit; the line break always does. */
struct line {
	char data[LINE_BYTES];
	size_t len;
	bool full;
};

static void line_append(struct line *line, const char *data, size_t len)
{
	line->full |= len > sizeof(line->data) - 1 - line->len;
	if (line->full)
		return;
	memcpy(line->data + line->len, data, len);
	line->len += len;
}

static bool steers_display(struct scd_str sequence)
{
	return scd_str_steers_display(scd_str_utf8_code_point(sequence));
}

static void line_append_escaped(struct line *line, struct scd_str text)
{
	while (text.len) {
		size_t step = scd_str_utf8_length(text);

		if (step && !steers_display((struct scd_str){ text.data, step })) {
			line_append(line, text.data, step);
		} else {
			char escape[5];

			step = 1;
			snprintf(escape, sizeof(escape), "\\x%02x", (unsigned char)text.data[0]);
			line_append(line, escape, 4);
		}
		text.data += step;
		text.len -= step;
	}
}

static void line_append_count(struct line *line, uint64_t count, const char *what)
{
	char text[48];

	if (count == 0)
		return;
	snprintf(text, sizeof(text), "(%s: %" PRIu64 ") ", what, count);
	line_append(line, text, strlen(text));
}

static void line_start(struct line *line, enum scd_log_level level, uint64_t left_out)
{
	char text[SCD_CLOCK_TEXT_BYTES];

	line->len = 0;
	line->full = false;
	scd_clock_format_iso8601(scd_clock_wall_ns(), "", text);
	line_append(line, text, strlen("YYYY-MM-DDTHH:MM:SS.mmm"));
	line_append(line, "Z ", 2);
	line_append(line, level_names[level], strlen(level_names[level]));
	line_append(line, " ", 1);
	line_append_count(line, atomic_exchange(&lost_lines, 0), "lines lost");
	line_append_count(line, left_out, "similar lines left out");
}

static bool has_room(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLOUT };

	return poll(&look, 1, 0) != 0;
}

static void write_line(enum scd_log_level level, uint64_t left_out, const char *format, va_list args)
{
	char text[LINE_BYTES];
	struct line line;
	int saved_errno = errno;
	ssize_t written;

	if (!has_room(STDERR_FILENO)) {
		atomic_fetch_add(&lost_lines, left_out + 1);
		errno = saved_errno;
		return;
	}
	vsnprintf(text, sizeof(text), format, args);
	line_start(&line, level, left_out);
	line_append_escaped(&line, scd_str_from(text));
	line.data[line.len++] = '\n';
	do
		written = write(STDERR_FILENO, line.data, line.len);
	while (written < 0 && errno == EINTR);
	errno = saved_errno;
}

void scd_log(enum scd_log_level level, const char *format, ...)
{
	va_list args;

	if ((int)level > atomic_load(&log_level))
		return;
	va_start(args, format);
	write_line(level, 0, format, args);
	va_end(args);
}

void scd_log_asked(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(SCD_LOG_INFO, 0, format, args);
	va_end(args);
}

/* A line more in this second, or not. The counter is begun anew before the second is the new one. */
static bool take_place(struct scd_log_gate *gate, int64_t second, uint64_t *ret_left_out)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t left_out = 0;
	bool open;

	pthread_mutex_lock(&lock);
	if (gate->second != second) {
		left_out = atomic_exchange(&gate->left_out, 0);
		gate->in_second = 0;
		gate->second = second;
	}
	open = gate->in_second < gate->burst;
	if (open)
		gate->in_second++;
	pthread_mutex_unlock(&lock);
	*ret_left_out = left_out;
	return open;
}

/*
 * Whether this line may pass; left_out of an earlier second goes to the first line of a later one. A gate that is
 * closed is seen without the lock, which all threads share: a flood in one lane must not hold up the others.
 */
static bool gate_open(struct scd_log_gate *gate, uint64_t *ret_left_out)
{
	const int64_t second = scd_clock_mono_ns() / 1000000000;
	const bool closed = gate->second == second && gate->in_second >= gate->burst;

	if (!closed && take_place(gate, second, ret_left_out))
		return true;
	atomic_fetch_add_explicit(&gate->left_out, 1, memory_order_relaxed);
	return false;
}

void scd_log_gated(struct scd_log_gate *gate, enum scd_log_level level, const char *format, ...)
{
	uint64_t left_out;
	va_list args;

	if ((int)level > atomic_load(&log_level) || !gate_open(gate, &left_out))
		return;
	va_start(args, format);
	write_line(level, left_out, format, args);
	va_end(args);
}
