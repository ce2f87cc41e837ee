/*
 * A program that hides a system call from gVisor's trace, in the ways that were found.
 *
 *    hider WAY CALL
 *
 * WAY is what makes the message of the call one that never arrives:
 *
 *    none       nothing
 *    name       the process's name is not UTF-8
 *    cwd        the directory is not UTF-8
 *    argument   an argument is not UTF-8 (of exec only)
 *    environ    a variable of the environment is not UTF-8 (of exec only)
 *    path       the program's path is not UTF-8, but a link to it is (of exec only)
 *    long       arguments and environment of about 5 MB in the message (of exec only)
 *
 * CALL is connect, to a port of loopback where nobody listens, or exec, of /bin/true. In front of it a connect that
 * hides nothing shows that connects are told.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT 4242

/*
 * A string of n bytes costs n + 1 of the 2 MiB that the kernel takes of each, and n + 2 of the message, which may have
 * 4.25 MB; and 8 on the stack.
 */
#define LONG_TEXT  "123456789"
#define LONG_COUNT 205000

static void call_connect(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)!connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
}

static void call_exec(const char *way)
{
	char program[] = "/bin/true", link[] = "/tmp/link", good[] = "good=1", bad[] = "bad=\xff";
	bool by_link = strcmp(way, "path") == 0;
	char *argv[] = { program, strcmp(way, "argument") == 0 ? bad : good, NULL };
	char *environment[] = { strcmp(way, "environ") == 0 ? bad : good, NULL };

	execve(by_link ? link : program, argv, environment);
	perror("execve");
	exit(1);
}

static void call_long_exec(void)
{
	static char text[] = LONG_TEXT, program[] = "/bin/true";
	static char *argv[LONG_COUNT + 1], *environment[LONG_COUNT + 1];

	for (size_t i = 0; i < LONG_COUNT; i++)
		argv[i] = environment[i] = text;
	argv[0] = program;
	execve(program, argv, environment);
	perror("execve");
	exit(1);
}

/* Without a program to do it, whose start would be hidden, too. */
static int copy_program(const char *path)
{
	int in = open("/bin/true", O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	char bytes[65536];
	ssize_t len;

	if (in < 0 || out < 0)
		return -1;
	while ((len = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)len) != len)
			return -1;
	close(in);
	return close(out);
}

static int hide(const char *way)
{
	if (strcmp(way, "name") == 0)
		return prctl(PR_SET_NAME, "\xff\xfe");
	if (strcmp(way, "cwd") == 0)
		return mkdir("/tmp/\xff", 0700) == 0 ? chdir("/tmp/\xff") : -1;
	if (strcmp(way, "path") == 0)
		return copy_program("/tmp/\xff") == 0 ? symlink("/tmp/\xff", "/tmp/link") : -1;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: hider WAY CALL\n");
		return 2;
	}
	call_connect();
	if (hide(argv[1]) < 0) {
		perror(argv[1]);
		return 1;
	}
	if (strcmp(argv[2], "connect") == 0)
		call_connect();
	else if (strcmp(argv[1], "long") == 0)
		call_long_exec();
	else
		call_exec(argv[1]);
	return 0;
}
