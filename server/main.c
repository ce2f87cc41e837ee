/*
 * The program. Everything is in server/cli, but what has to be in order before anything else opens a descriptor.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "seccheckd/cli/cli.h"

/*
 * A standard descriptor that the parent has closed would be the number of the next one that is opened, and what is
 * printed would go to a sandbox's socket. /dev/null is opened the wrong way round, so that using it fails as before.
 */
static bool fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	return fill_standard_descriptors() ? scd_cli_main(argc, argv) : EXIT_FAILURE;
}
