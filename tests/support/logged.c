/* Standard error into a file in memory and back. */
#include "tests/support/logged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void logged_start(struct logged *logged)
{
	logged->file = memfd_create("log", MFD_CLOEXEC);
	logged->stderr_before = dup(STDERR_FILENO);
	assert_true(logged->file >= 0 && logged->stderr_before >= 0);
	assert_int_equal(dup2(logged->file, STDERR_FILENO), STDERR_FILENO);
}

char *logged_stop(struct logged *logged)
{
	off_t len = lseek(logged->file, 0, SEEK_END);
	char *text = calloc(1, (size_t)len + 1);

	dup2(logged->stderr_before, STDERR_FILENO);
	close(logged->stderr_before);
	assert_non_null(text);
	assert_int_equal(pread(logged->file, text, (size_t)len, 0), len);
	close(logged->file);
	return text;
}
