/*
 * The keeper: the small parent process that listens, answers handshakes, and hands connections to the worker.
 *
 * It reads two bytes of what a tenant can send and parses nothing else. It is a plain poll(2) loop without libraries,
 * and it never waits for anybody: handshakes are per connection with a deadline, so a silent client delays nobody. It
 * answers before the worker is ready; a container's start never waits for a rule file.
 */
#ifndef SECCHECKD_KEEPER_KEEPER_H
#define SECCHECKD_KEEPER_KEEPER_H

#include "seccheckd/base/error.h"

struct scd_keeper_options {
	const char *const
	        *listen_paths; /* socket paths, created 0600; a stale socket is replaced, a live one is an error */
	size_t listen_count;
};

struct scd_keeper;

/* Opens the listeners. 0, or negative errno with err: which path and why. */
int scd_keeper_new(const struct scd_keeper_options *options, struct scd_keeper **ret_keeper, struct scd_error *err);
void scd_keeper_free(struct scd_keeper **keeper);

/* What the child process does with its end of the socket pair; its result is its exit status. */
typedef int scd_worker_main_fn(void *user, int control_fd);

/*
 * Forks the worker and serves until SIGTERM or SIGINT, or until the worker ends. Returns the exit status for the
 * whole: the worker's own after an ordered stop, 1 if it died.
 */
int scd_keeper_run(struct scd_keeper *keeper, scd_worker_main_fn *worker_main, void *user);

#endif
