/*
 * busy SECONDS SELF: what runs in the sandboxes of tools/bench. It says `ready`, waits until its standard input is
 * closed, and then does for so many seconds what programs do that gVisor tells of: it opens and closes a file, and now
 * and then connects (to a port where nobody listens) or executes a program (SELF, the path of this one: without
 * arguments it ends at once). Then it says how often, and how long that took each time.
 *
 *    ready
 *    iterations=81234 seconds=5.000 us=61.55
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_EVERY 100
#define EXEC_EVERY    1000

/* Looking at the clock is not what is measured. */
#define CLOCK_EVERY 50

/* A file that the sandbox has in memory: one of the host costs a question to another process. */
static const char own_file[] = "/tmp/busy";

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void open_and_close(void)
{
	int fd = open(own_file, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

static void connect_nowhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return;
	(void)connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
}

static void execute(char *self)
{
	pid_t child = fork();

	if (child == 0) {
		char *const argv[] = { self, NULL };

		execv(self, argv);
		_exit(1);
	}
	waitpid(child, NULL, 0);
}

/* Its own file is there first. */
static void get_ready(void)
{
	char byte;

	close(open(own_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	unsigned long iterations = 0;
	double seconds, first, last;

	if (argc == 1)
		return 0;
	if (argc != 3) {
		fprintf(stderr, "usage: busy SECONDS SELF\n");
		return 2;
	}
	seconds = strtod(argv[1], NULL);
	get_ready();
	first = last = now();
	while (last - first < seconds) {
		iterations++;
		open_and_close();
		if (iterations % CONNECT_EVERY == 0)
			connect_nowhere();
		if (iterations % EXEC_EVERY == 0)
			execute(argv[2]);
		if (iterations % CLOCK_EVERY == 0)
			last = now();
	}
	printf("iterations=%lu seconds=%.3f us=%.2f\n", iterations, last - first,
	       (last - first) / (double)iterations * 1e6);
	return 0;
}
