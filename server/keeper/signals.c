/*
 * Signals through signalfd(2): they are blocked for the whole life of the keeper and read in its poll loop, so there
 * is no handler and nothing to race with.
 */
#include "keeper/signals.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t wanted(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGCHLD);
	return set;
}

int scd__signals_open(struct scd__signals *signals)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t set = wanted();
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	signals->fd = fd;
	sigprocmask(SIG_BLOCK, &set, &signals->mask_before);
	sigaction(SIGPIPE, &ignore, &signals->pipe_before);
	sigaction(SIGCHLD, &standard, &signals->child_before);
	return 0;
}

int scd__signals_next(const struct scd__signals *signals)
{
	struct signalfd_siginfo info;
	ssize_t n;

	do
		n = read(signals->fd, &info, sizeof(info));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

void scd__signals_close(struct scd__signals *signals)
{
	/* A second ^C must not end a process that has already stopped in order. */
	while (scd__signals_next(signals))
		;
	close(signals->fd);
	sigaction(SIGPIPE, &signals->pipe_before, NULL);
	sigaction(SIGCHLD, &signals->child_before, NULL);
	sigprocmask(SIG_SETMASK, &signals->mask_before, NULL);
}

void scd__signals_child(struct scd__signals *signals)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	close(signals->fd);
	sigaction(SIGTERM, &ignore, NULL);
	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGUSR1, &ignore, NULL);
	sigaction(SIGUSR2, &ignore, NULL);
	sigprocmask(SIG_SETMASK, &signals->mask_before, NULL);
}
