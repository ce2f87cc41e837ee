/*
 * The description of a recording, NAME.meta.json.
 *
 * It is made together with the trace and says `"complete": false` until the recording has ended, so that a recorder
 * that was killed leaves the truth behind. The end is written over it in place: the block is there, so it can also be
 * written on a disk that is full.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/internal.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/pbjson.h"

#define META_VERSION 1

void scd__meta_name(const char *trace_name, char ret_name[SCD__META_NAME_BYTES])
{
	snprintf(ret_name, SCD__META_NAME_BYTES, "%s.meta.json", trace_name);
}

/* These are 0, or -1 on exhaustion, as jansson has it. */
static int set_text(json_t *object, const char *key, struct scd_str text)
{
	return json_object_set_new(object, key, scd_pbjson_text(text));
}

static int set_count(json_t *object, const char *key, uint64_t count)
{
	return json_object_set_new(object, key, json_integer((json_int_t)count));
}

static int set_time(json_t *object, const char *key, int64_t wall_ns)
{
	char text[SCD_CLOCK_TEXT_BYTES];

	scd_clock_format_iso8601(wall_ns, "Z", text);
	return set_text(object, key, scd_str_from(text));
}

static int describe_start(json_t *object, const struct scd_recording *recording)
{
	const struct scd_recorder_options *options = &recording->recorder->options;
	json_t *peer = json_pack("{s:I, s:I}", "pid", (json_int_t)recording->peer_pid, "uid",
	                         (json_int_t)recording->peer_uid);
	int r = set_count(object, "version", META_VERSION);

	r |= set_text(object, "trace", scd_str_from(recording->name));
	r |= set_text(object, "hostname", options->hostname);
	r |= set_text(object, "boot_id", options->boot_id);
	r |= set_text(object, "listener", scd_str_from(recording->listener));
	r |= json_object_set_new(object, "peer", peer);
	r |= set_time(object, "started_at", recording->started_ns);
	r |= json_object_set_new(object, "complete",
	                         json_boolean(recording->last && !scd__recording_reason(recording)));
	return r;
}

static int describe_end(json_t *object, const struct scd_recording *recording)
{
	const char *reason = scd__recording_reason(recording);
	int r = set_time(object, "ended_at", recording->ended_ns);

	r |= set_text(object, "end", scd_str_from(recording->how));
	if (recording->sandbox_id)
		r |= set_text(object, "sandbox_id", scd_str_from(recording->sandbox_id));
	r |= set_count(object, "messages", recording->message_count);
	r |= set_count(object, "bytes", recording->byte_count);
	r |= set_count(object, "dropped", scd__recording_left_out_count(recording));
	r |= set_count(object, "dropped_by_sender", recording->dropped_total);
	if (reason)
		r |= set_text(object, "reason", scd_str_from(reason));
	return r;
}

/* The text, which the caller frees; NULL on exhaustion. */
static char *format(const struct scd_recording *recording)
{
	json_t *object = json_object();
	char *text = NULL;
	int r = object ? describe_start(object, recording) : -1;

	if (r == 0 && recording->last)
		r = describe_end(object, recording);
	if (r == 0)
		text = json_dumps(object, JSON_INDENT(2));
	json_decref(object);
	return text;
}

/* 0 or negative errno. */
static int write_whole(int fd, const char *text, size_t len)
{
	size_t written = 0;

	while (written < len) {
		ssize_t r = pwrite(fd, text + written, len - written, (off_t)written);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0)
			written += (size_t)r;
	}
	return ftruncate(fd, (off_t)len) < 0 ? -errno : 0;
}

static int put(int folder_fd, const char *name, int flags, const char *text)
{
	int fd = openat(folder_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | flags, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_whole(fd, text, strlen(text));
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(folder_fd, name, 0);
	return r;
}

int scd__meta_write(const struct scd_recording *recording)
{
	char name[SCD__META_NAME_BYTES];
	char *text = format(recording);
	int r = -ENOMEM;

	scd__meta_name(recording->name, name);
	if (text)
		r = put(recording->recorder->options.folder_fd, name, recording->last ? 0 : O_CREAT | O_EXCL, text);
	free(text);
	return r;
}
