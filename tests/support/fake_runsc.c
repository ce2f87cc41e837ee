/*
 * The copy is made by a child process, too: had the test itself a descriptor open for writing when another of its
 * children is forked, the copy could not be executed as long as that child lives.
 */
#include "tests/support/fake_runsc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/child.h"
#include "tests/support/peer.h"

#define PROGRAM SCD_BINARY_DIR "/tests/fake_runsc"

#define ARGUMENT_MAX 32u

const char *fake_runsc_unavailable(void)
{
	return prctl(PR_GET_SECCOMP) == 0 ? NULL : "this process is confined by seccomp, and so is all that it starts";
}

struct start {
	const struct fake_runsc *fake;
	const char *path; /* of the copy */
};

static int copy_program(void *user)
{
	const struct start *start = user;
	int from = open(PROGRAM, O_RDONLY | O_CLOEXEC), to = open(start->path, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	struct stat status;
	off_t at = 0;

	if (from < 0 || to < 0 || fstat(from, &status) < 0)
		return 1;
	while (at < status.st_size) {
		if (sendfile(to, from, &at, (size_t)(status.st_size - at)) <= 0)
			return 2;
	}
	return fchmod(to, start->fake->mode ? start->fake->mode : 0755) < 0 ? 3 : 0;
}

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static int execute(void *user)
{
	const struct start *start = user;
	const struct fake_runsc *fake = start->fake;
	char words[1024], number[16], done[16], program[] = "runsc", *rest = words;
	char *argv[ARGUMENT_MAX + 2] = { program };

	snprintf(words, sizeof(words), "%s", fake->arguments ? fake->arguments : "");
	for (size_t i = 0; i < ARGUMENT_MAX && rest && *rest; i++)
		argv[i + 1] = strsep(&rest, " ");
	snprintf(number, sizeof(number), "%u", fake->descriptors);
	snprintf(done, sizeof(done), "%d", fake->done_fd);
	set("FAKE_DONE", fake->done_fd ? done : NULL);
	set("FAKE_SOCKET", fake->socket_path);
	set("FAKE_LOCK", fake->lock);
	set("FAKE_OTHER_LOCK", fake->other_lock);
	set("FAKE_CLAIM", fake->claim);
	set("FAKE_CONFINED", fake->confined ? "1" : NULL);
	set("FAKE_GONE", fake->gone ? start->path : NULL);
	set("FAKE_DESCRIPTORS", number);
	if (fake->apart && unshare(CLONE_NEWNS) < 0)
		return 97;
	if (fake->uid && (setgid(fake->uid) < 0 || setuid(fake->uid) < 0))
		return 97;
	execv(start->path, argv);
	return 98;
}

pid_t fake_runsc_start(struct tempdir *dir, const struct fake_runsc *fake)
{
	struct start start = { fake, tempdir_join(dir, fake->name ? fake->name : "runsc") };
	pid_t copier;

	unlink(start.path); /* another one may be running */
	copier = child_start(copy_program, &start);
	if (copier < 0)
		return copier;
	if (child_wait(copier, PEER_DEADLINE_MS) != 0)
		return -EIO;
	return child_start(execute, &start);
}
