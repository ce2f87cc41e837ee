/*
 * JSON lines to a file or to a descriptor of the caller (standard output).
 *
 * Writing to disk may take as long as the disk likes, so it is done in libuv's thread pool: one job at a time takes a
 * batch of alerts, makes their lines and writes what it can. A pipe or a terminal that is full would hold a thread of
 * the pool for ever (and with it the end of the program, which joins them), so the job asks before each piece whether
 * it would block, writes no more than PIPE_BUF bytes, which then do not, and otherwise comes back.
 *
 *                 ┌───────── all written, more in the queue ─────────┐
 *     idle ─wake─▶ job: encode, write ─┬─ full (pipe) ──▶ wait for room ──▶ job: write the rest
 *                                      ├─ failed (disk full, …) ──▶ back off ──▶ job: write the rest
 *                                      └─ broken for good (EPIPE, …) ──▶ dead: what is left is dropped
 *
 * What was written is never written again: a job goes on in the middle of the line where the last one stopped.
 *
 * Standard output is not set to O_NONBLOCK: the flag belongs to the open file description, which the shell and other
 * programs share. For the same reason it is not watched by uv_poll, which would set it, but through an epoll
 * descriptor of our own that watches it and is itself watched. Regular files cannot be watched, and never need it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backoff.h"
#include "output.h"
#include "seccheckd/base/log.h"

/* Alerts of one job, by count and by packed bytes; the first goes whatever its size. */
#define BATCH_MAX_COUNT 64u
#define BATCH_MAX_BYTES (256u << 10)

/* A full disk is asked again soon: nobody is at its other end who could be overrun. */
#define DISK_BACKOFF_MIN_MS 100u
#define DISK_BACKOFF_MAX_MS 5000u

struct line_output {
	struct scd__output base;
	int fd;
	bool owns_fd; /* a file that we opened; what fails there may heal, whatever it is */

	struct scd_alert *batch[BATCH_MAX_COUNT];
	size_t line_end[BATCH_MAX_COUNT]; /* offsets in text */
	size_t batch_count;
	size_t delivered_count; /* of the batch */

	/* Touched by the job while it runs, by the loop else. */
	struct scd_buf text; /* the lines of the batch; empty until they are made */
	size_t written;
	int result;
	bool begins_torn; /* the file ends in the middle of a line of an earlier life */

	uv_work_t job;
	bool job_runs;
	bool stop_asked;
	int epoll_fd; /* -1: the descriptor cannot be watched */
	uv_poll_t room;
	uv_timer_t retry_timer;
	struct scd__backoff backoff;
	unsigned open_handles;
};

static struct line_output *from_base(struct scd__output *base)
{
	return (struct line_output *)base;
}

static const struct line_output *from_const_base(const struct scd__output *base)
{
	return (const struct line_output *)base;
}

/* ---- the job, on a thread of the pool ---- */

/* 0, or -ENOMEM with the text empty as before. */
static int make_lines(struct line_output *out)
{
	if (out->begins_torn)
		scd_buf_append_char(&out->text, '\n');
	for (size_t i = 0; i < out->batch_count; i++) {
		if (scd_alert_json(out->batch[i], &out->text) < 0)
			break;
		scd_buf_append_char(&out->text, '\n');
		out->line_end[i] = out->text.len;
		if (i + 1 == out->batch_count && !out->text.failed)
			return 0;
	}
	scd_buf_reset(&out->text);
	return -ENOMEM;
}

/* One write that does not wait for a reader. The bytes written, or negative errno. */
static ssize_t write_piece(const struct line_output *out, const char *data, size_t len)
{
	struct pollfd room = { .fd = out->fd, .events = POLLOUT };
	ssize_t n;

	if (out->epoll_fd >= 0) {
		if (poll(&room, 1, 0) == 0)
			return -EAGAIN;
		len = len < PIPE_BUF ? len : PIPE_BUF;
	}
	do
		n = write(out->fd, data, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int write_lines(struct line_output *out)
{
	while (out->written < out->text.len) {
		ssize_t n = write_piece(out, out->text.data + out->written, out->text.len - out->written);

		if (n < 0)
			return (int)n;
		out->written += (size_t)n;
	}
	return 0;
}

static void run_job(uv_work_t *job)
{
	struct line_output *out = job->data;

	out->result = out->text.len ? 0 : make_lines(out);
	if (out->result == 0)
		out->result = write_lines(out);
}

/* ---- the loop's side ---- */

static void on_job_done(uv_work_t *job, int status);

static void start_job(struct line_output *out)
{
	out->job_runs = true;
	uv_queue_work(scd__emitter_loop(out->base.emitter), &out->job, run_job, on_job_done);
}

static void on_retry_timer(uv_timer_t *timer)
{
	start_job(timer->data);
}

static void on_room(uv_poll_t *room, int status, int events)
{
	(void)status;
	(void)events;
	uv_poll_stop(room);
	start_job(room->data);
}

/* The lines that are out: their alerts are delivered. */
static void settle(struct line_output *out)
{
	while (out->delivered_count < out->batch_count && out->text.len &&
	       out->line_end[out->delivered_count] <= out->written) {
		scd_alert_unref(&out->batch[out->delivered_count++]);
		out->base.delivered++;
	}
}

static void forget_batch(struct line_output *out)
{
	for (size_t i = out->delivered_count; i < out->batch_count; i++)
		scd_alert_unref(&out->batch[i]);
	out->batch_count = 0;
	out->delivered_count = 0;
	out->written = 0;
	scd_buf_done(&out->text);
	scd_buf_init(&out->text, SIZE_MAX);
}

static void take_batch(struct line_output *out)
{
	struct scd__queue *queue = &out->base.queue;
	size_t bytes = 0;

	while (queue->count && out->batch_count < BATCH_MAX_COUNT && bytes < BATCH_MAX_BYTES) {
		struct scd_alert *alert = scd__queue_pop(queue);

		bytes += scd_alert_protobuf(alert).len;
		out->batch[out->batch_count++] = alert;
	}
}

static void deliver_next(struct line_output *out)
{
	take_batch(out);
	if (out->batch_count)
		start_job(out);
	else
		scd__output_idle(&out->base);
}

/* Failures that may pass: no room, no memory. Others are for good on a descriptor that we cannot open again. */
static bool may_heal(const struct line_output *out)
{
	switch (-out->result) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case ENOMEM:
	case ENOBUFS:
	case EAGAIN: return true;
	default: return out->owns_fd;
	}
}

static void die(struct line_output *out)
{
	struct scd__output *base = &out->base;
	size_t lost_count = out->batch_count - out->delivered_count + base->queue.count;

	scd_log(SCD_LOG_ERROR, "%s: %s: nothing more is written there", base->name, strerror(-out->result));
	forget_batch(out);
	scd__queue_done(&base->queue);
	scd__output_count_dropped(base, lost_count, strerror(-out->result));
	scd__output_died(base);
}

static void wait_for_room(struct line_output *out)
{
	if (uv_poll_start(&out->room, UV_READABLE, on_room) < 0)
		uv_timer_start(&out->retry_timer, on_retry_timer, DISK_BACKOFF_MIN_MS, 0);
}

static void on_job_done(uv_work_t *job, int status)
{
	struct line_output *out = job->data;

	(void)status;
	out->job_runs = false;
	settle(out);
	if (out->text.len && out->written)
		out->begins_torn = false;
	if (out->result == 0) {
		scd__backoff_reset(&out->backoff);
		scd__output_works(&out->base);
		forget_batch(out);
	}
	if (out->stop_asked) {
		scd__output_stopped(&out->base);
	} else if (out->result == 0) {
		deliver_next(out);
	} else if (out->result == -EAGAIN && out->epoll_fd >= 0) {
		wait_for_room(out);
	} else if (may_heal(out)) {
		unsigned delay_ms = scd__backoff_next_ms(&out->backoff);

		scd__output_count_retry(&out->base, SCD_LOG_WARNING, delay_ms, strerror(-out->result));
		uv_timer_start(&out->retry_timer, on_retry_timer, delay_ms, 0);
	} else {
		die(out);
	}
}

static void wake(struct scd__output *base)
{
	struct line_output *out = from_base(base);

	if (out->batch_count == 0)
		deliver_next(out);
}

static size_t pending_count(const struct scd__output *base)
{
	const struct line_output *out = from_const_base(base);

	return out->batch_count - out->delivered_count;
}

static struct scd_alert *pending_at(const struct scd__output *base, size_t index)
{
	const struct line_output *out = from_const_base(base);

	return out->batch[out->delivered_count + index];
}

static void hurry(struct scd__output *base)
{
	struct line_output *out = from_base(base);

	scd__backoff_cap(&out->backoff, SCD__DRAIN_WAIT_MS);
	if (!uv_is_active((uv_handle_t *)&out->retry_timer))
		return;
	uv_timer_stop(&out->retry_timer);
	start_job(out);
}

static void stop(struct scd__output *base)
{
	struct line_output *out = from_base(base);

	out->stop_asked = true;
	uv_timer_stop(&out->retry_timer);
	if (out->epoll_fd >= 0)
		uv_poll_stop(&out->room);
	if (!out->job_runs)
		scd__output_stopped(base);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct line_output *out = handle->data;

	if (--out->open_handles)
		return;
	if (out->epoll_fd >= 0)
		close(out->epoll_fd);
	if (out->owns_fd)
		close(out->fd);
	scd__output_closed(&out->base);
	free(out);
}

static void close_output(struct scd__output *base)
{
	struct line_output *out = from_base(base);

	forget_batch(out);
	uv_close((uv_handle_t *)&out->retry_timer, on_handle_closed);
	if (out->epoll_fd >= 0)
		uv_close((uv_handle_t *)&out->room, on_handle_closed);
}

static const struct scd__output_ops ops = {
	.wake = wake,
	.hurry = hurry,
	.pending_count = pending_count,
	.pending_at = pending_at,
	.stop = stop,
	.close = close_output,
};

/* An epoll descriptor that is readable when fd is writable; -1 where nobody ever has to wait for fd. */
static int watch_for_room(int fd)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(epoll_fd);
		return -1;
	}
	return epoll_fd;
}

static void init_handles(struct line_output *out)
{
	uv_loop_t *loop = scd__emitter_loop(out->base.emitter);

	out->job.data = out;
	out->retry_timer.data = out;
	uv_timer_init(loop, &out->retry_timer);
	out->open_handles = 1;
	if (out->epoll_fd >= 0 && uv_poll_init(loop, &out->room, out->epoll_fd) < 0) {
		close(out->epoll_fd);
		out->epoll_fd = -1;
	}
	if (out->epoll_fd < 0)
		return;
	out->room.data = out;
	out->open_handles++;
}

static struct line_output *add(struct scd_emitter *emitter, int fd, const char *name)
{
	struct line_output *out = calloc(1, sizeof(*out));

	if (!out || scd__output_add(emitter, &out->base, &ops, name) < 0) {
		free(out);
		return NULL;
	}
	out->fd = fd;
	out->epoll_fd = watch_for_room(fd);
	scd_buf_init(&out->text, SIZE_MAX);
	scd__backoff_init(&out->backoff, DISK_BACKOFF_MIN_MS, DISK_BACKOFF_MAX_MS, NULL);
	init_handles(out);
	return out;
}

int scd_emitter_add_stream(struct scd_emitter *emitter, int fd, const char *name, struct scd_error *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return scd_error_set(err, -EBADF, "output %s: %s", name, strerror(EBADF));
	return add(emitter, fd, name) ? 0 : scd_error_set(err, -ENOMEM, "output %s: out of memory", name);
}

/* Whether a file that is open for writing has content that does not end with a line break. */
static bool ends_in_a_line(int write_fd)
{
	char path[64];
	struct stat info;
	char last = '\n';
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", write_fd); /* whatever has become of its name */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
	    pread(fd, &last, 1, info.st_size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

int scd_emitter_open_file(const char *path, int *ret_fd, struct scd_error *err)
{
	/* O_NONBLOCK: a named pipe without a reader is an error here and now, and never waits in a job. */
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);

	if (fd < 0)
		return scd_error_set(err, -errno, "output file %s: %s", path, strerror(errno));
	*ret_fd = fd;
	return 0;
}

int scd_emitter_add_open_file(struct scd_emitter *emitter, int fd, const char *path, struct scd_error *err)
{
	char name[PATH_MAX + sizeof("file ")];
	struct line_output *out;

	snprintf(name, sizeof(name), "file %s", path);
	out = add(emitter, fd, name);
	if (!out) {
		close(fd);
		return scd_error_set(err, -ENOMEM, "output file %s: out of memory", path);
	}
	out->owns_fd = true;
	out->begins_torn = ends_in_a_line(fd);
	return 0;
}

int scd_emitter_add_file(struct scd_emitter *emitter, const char *path, struct scd_error *err)
{
	int fd = -1;
	int r = scd_emitter_open_file(path, &fd, err);

	return r < 0 ? r : scd_emitter_add_open_file(emitter, fd, path, err);
}
