/*
 * The program. Everything is in server/cli, but what has to be in order before anything else opens a descriptor.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
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

/*
 * What whoever started the daemon had open beside them is none of its business, and a worker that was taken over would
 * have it: a worker is forked and does not exec, so close-on-exec is no help. Commands that read files keep what a
 * shell gave them a name for: /dev/fd/63.
 */
static void close_inherited_descriptors(const char *command)
{
	if (strcmp(command, "serve") == 0 || strcmp(command, "record") == 0)
		closefrom(STDERR_FILENO + 1);
}

int main(int argc, char **argv)
{
	if (!fill_standard_descriptors())
		return EXIT_FAILURE;
	if (argc > 1)
		close_inherited_descriptors(argv[1]);
	return scd_cli_main(argc, argv);
}
