/*
 * stdout and what can go wrong with it. The first error is told at once: stdio only remembers that there was one.
 */
#include "stdout.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES (256u << 10)

static char buffer[BUFFER_BYTES];
static bool failed;

void scd__stdout_init(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

static bool fail(void)
{
	if (!failed)
		fprintf(stderr, "seccheckd: cannot write to standard output: %s\n", strerror(errno));
	failed = true;
	return false;
}

bool scd__stdout_write(const void *data, size_t len)
{
	if (failed)
		return false;
	return fwrite(data, 1, len, stdout) == len || fail();
}

bool scd__stdout_flush(void)
{
	if (failed)
		return false;
	return fflush(stdout) == 0 || fail();
}
