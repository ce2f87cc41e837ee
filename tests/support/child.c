/*
 * Children are waited for through pidfds, which poll(2) can wait for with a deadline.
 */
#include "tests/support/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/peer.h"

pid_t child_start(child_main_fn *child_main, void *user)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Without the leak check and stdio of the test program, which are its parent's business. */
		_exit(child_main(user));
	}
	return pid;
}

/* Without pidfd_open(2) in the C library. */
static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int child_wait(pid_t pid, int timeout_ms)
{
	int pidfd = open_pidfd(pid);
	int r = peer_wait(pidfd, POLLIN, timeout_ms);
	int status = 0;

	close(pidfd);
	if (r < 0)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (r < 0)
		return r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

bool child_is_alive(pid_t pid)
{
	int pidfd = open_pidfd(pid);
	bool alive = pidfd >= 0 && peer_wait(pidfd, POLLIN, 0) == -ETIMEDOUT;

	if (pidfd >= 0)
		close(pidfd);
	return alive;
}
