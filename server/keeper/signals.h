/*
 * Signals as something to poll. Inside server/keeper only.
 */
#ifndef SCD_SERVER_KEEPER_SIGNALS_H
#define SCD_SERVER_KEEPER_SIGNALS_H

#include <signal.h>

struct scd__signals {
	int fd; /* signalfd(2), readable when a signal came */
	sigset_t mask_before;
	struct sigaction pipe_before, child_before;
};

/*
 * Blocks SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 and SIGCHLD and makes the descriptor; ignores SIGPIPE (a reader of
 * our log that goes away must not end us) and gives SIGCHLD its default. 0 or negative errno.
 */
int scd__signals_open(struct scd__signals *signals);

/* Puts everything back as it was. */
void scd__signals_close(struct scd__signals *signals);

/*
 * In a forked child: closes the descriptor, gives back the mask, and ignores SIGTERM, SIGINT, SIGHUP, SIGUSR1 and
 * SIGUSR2: a terminal's ^C and a service manager's SIGTERM reach the whole group, and the worker stops when the keeper
 * says so, not before.
 */
void scd__signals_child(struct scd__signals *signals);

/* The next signal, or 0 when there is none. */
int scd__signals_next(const struct scd__signals *signals);

#endif
