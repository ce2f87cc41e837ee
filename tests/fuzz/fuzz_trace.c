/*
 * The trace reader on a file of these bytes. Whatever they are, it gives out no more than there is, ends, and stays
 * at its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "seccheckd/wire/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const char *path, size_t size)
{
	struct scd_trace_reader *reader;
	struct scd_error err;
	struct scd_str message;
	size_t given = 0;
	int rc;

	if (scd_trace_reader_open(path, &reader, &err) < 0)
		return;
	while ((rc = scd_trace_reader_next(reader, &message, &err)) == 1)
		given += 8 + message.len;
	if (given > size || scd_trace_reader_next(reader, &message, &err) != rc)
		abort();
	scd_trace_reader_close(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memfd_create("trace", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_all(path, size);
	close(fd);
	return 0;
}
