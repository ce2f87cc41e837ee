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
#include <string.h>
#include <unistd.h>

#include "record/internal.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/pbjson.h"

#define META_VERSION 1

/* Its longest texts are a path of at most 472 bytes and an id of 256, of which JSON makes at most six times that. */
#define META_MAX_BYTES 16384u

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
	r |= json_object_set_new(object, "resumed", json_boolean(recording->resumed));
	return r | set_time(object, "started_at", recording->started_ns);
}

static int describe_sandbox(json_t *object, const struct scd_recording *recording)
{
	const char *identity = recording->verified ? "verified" : "claimed";
	int r = set_text(object, "sandbox_id", scd_str_from(recording->sandbox_id));

	return r | set_text(object, "identity", scd_str_from(identity));
}

static int describe_end(json_t *object, const struct scd_recording *recording)
{
	int r = set_time(object, "ended_at", recording->ended_ns);

	r |= set_text(object, "end", scd_str_from(recording->how));
	r |= set_count(object, "messages", recording->message_count);
	r |= set_count(object, "bytes", recording->byte_count);
	r |= set_count(object, "dropped", scd__recording_left_out_count(recording));
	return r | set_count(object, "dropped_by_sender", recording->dropped_total);
}

static int describe_completeness(json_t *object, const struct scd_recording *recording)
{
	const char *reason = recording->last ? scd__recording_reason(recording) : NULL;
	int r = json_object_set_new(object, "complete", json_boolean(recording->last && !reason));

	return reason ? r | set_text(object, "reason", scd_str_from(reason)) : r;
}

static int describe(json_t *object, const struct scd_recording *recording)
{
	int r = describe_start(object, recording);

	if (recording->verified || (recording->last && recording->sandbox_id))
		r |= describe_sandbox(object, recording);
	if (recording->last)
		r |= describe_end(object, recording);
	return r | describe_completeness(object, recording);
}

static int append(const char *data, size_t len, void *user)
{
	struct scd_buf *text = user;

	scd_buf_append(text, data, len);
	return text->failed ? -1 : 0;
}

/* 0 or -ENOMEM. */
static int format(const struct scd_recording *recording, struct scd_buf *text)
{
	json_t *object = json_object();
	int r = object ? describe(object, recording) : -1;

	if (r == 0)
		r = json_dump_callback(object, append, text, JSON_INDENT(2));
	json_decref(object);
	scd_buf_append_char(text, '\n');
	return r < 0 || text->failed ? -ENOMEM : 0;
}

/* 0 or negative errno. */
static int write_whole(int fd, struct scd_str text)
{
	size_t written = 0;

	while (written < text.len) {
		ssize_t r = pwrite(fd, text.data + written, text.len - written, (off_t)written);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0)
			written += (size_t)r;
	}
	return ftruncate(fd, (off_t)text.len) < 0 ? -errno : 0;
}

static int put(int folder_fd, const char *name, int flags, struct scd_str text)
{
	int fd = openat(folder_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | flags, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_whole(fd, text);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(folder_fd, name, 0);
	return r;
}

int scd__meta_write(const struct scd_recording *recording)
{
	int flags = recording->last ? 0 : O_CREAT | O_EXCL;
	char name[SCD__META_NAME_BYTES];
	struct scd_buf text;
	int r;

	scd_buf_init(&text, META_MAX_BYTES);
	scd__meta_name(recording->name, name);
	r = format(recording, &text);
	if (r == 0)
		r = put(recording->recorder->options.folder_fd, name, flags, scd_buf_str(&text));
	scd_buf_done(&text);
	return r;
}

bool scd__meta_tells_end(int folder_fd, const char *trace_name)
{
	static const char key[] = "\"ended_at\": ";
	char name[SCD__META_NAME_BYTES], text[META_MAX_BYTES];
	ssize_t len;
	int fd;

	scd__meta_name(trace_name, name);
	fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return false;
	len = pread(fd, text, sizeof(text), 0);
	close(fd);
	return len > 0 && memmem(text, (size_t)len, key, sizeof(key) - 1);
}
