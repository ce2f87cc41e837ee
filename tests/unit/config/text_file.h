/*
 * A text as a file with a path, for the tests of the configuration: an anonymous file under /proc/self/fd.
 */
#ifndef SCD_TESTS_UNIT_CONFIG_TEXT_FILE_H
#define SCD_TESTS_UNIT_CONFIG_TEXT_FILE_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct text_file {
	int fd;
	char path[32];
};

static inline void text_file_init(struct text_file *file, const char *text)
{
	file->fd = memfd_create("config", MFD_CLOEXEC);
	assert_true(file->fd >= 0);
	assert_int_equal(write(file->fd, text, strlen(text)), strlen(text));
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
}

static inline void text_file_done(struct text_file *file)
{
	close(file->fd);
}

#endif
