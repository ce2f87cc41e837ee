/*
 * The recorder: its life, and the names of files.
 *
 * Numbers are given in the order of connections. Where somebody else makes a file meanwhile, the job that finds it
 * takes the next number of all; a number is also taken where only a description is left of it.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "record/internal.h"

static void format_name(uint64_t number, char ret_name[SCD__TRACE_NAME_BYTES])
{
	snprintf(ret_name, SCD__TRACE_NAME_BYTES, "client-%04" PRIu64, number);
}

static bool exists(int folder_fd, const char *name)
{
	return faccessat(folder_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_described(int folder_fd, const char *trace_name)
{
	char meta_name[SCD__META_NAME_BYTES];

	scd__meta_name(trace_name, meta_name);
	return exists(folder_fd, meta_name);
}

static bool is_free(int folder_fd, uint64_t number, char ret_name[SCD__TRACE_NAME_BYTES])
{
	format_name(number, ret_name);
	return !exists(folder_fd, ret_name) && !is_described(folder_fd, ret_name);
}

uint64_t scd_recorder_first_number(int folder_fd)
{
	char name[SCD__TRACE_NAME_BYTES];
	uint64_t number = 1;

	while (!is_free(folder_fd, number, name))
		number++;
	return number;
}

void scd_recorder_find_unended(int folder_fd, uint64_t first_number, void (*found)(void *user, const char *name),
                               void *user)
{
	char name[SCD__TRACE_NAME_BYTES];

	for (uint64_t number = first_number; !is_free(folder_fd, number, name); number++) {
		if (!scd__meta_tells_end(folder_fd, name))
			found(user, name);
	}
}

int scd__recorder_make_file(struct scd_recording *recording)
{
	struct scd_recorder *recorder = recording->recorder;
	int folder_fd = recorder->options.folder_fd;
	char name[SCD__TRACE_NAME_BYTES];
	int r;

	for (;;) {
		format_name(recording->number, name);
		r = -EEXIST;
		if (!is_described(folder_fd, name))
			r = scd_trace_writer_open(folder_fd, name, &recording->writer);
		if (r != -EEXIST)
			break;
		recording->number = atomic_fetch_add(&recorder->next_number, 1);
	}
	if (r == 0)
		format_name(recording->number, recording->name);
	return r;
}

struct scd_recorder *scd_recorder_new(const struct scd_recorder_options *options, const struct scd_recorder_ops *ops,
                                      void *user)
{
	struct scd_recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		return NULL;
	recorder->options = *options;
	recorder->ops = ops;
	recorder->user = user;
	atomic_init(&recorder->next_number, scd_recorder_first_number(options->folder_fd));
	return recorder;
}

void scd_recorder_free(struct scd_recorder **recorder)
{
	if (!*recorder)
		return;
	assert((*recorder)->recording_count == 0);
	free(*recorder);
	*recorder = NULL;
}

const struct scd_recorder_counters *scd_recorder_counters(const struct scd_recorder *recorder)
{
	return &recorder->counters;
}
