/*
 * The keeper: the small parent process that listens, answers handshakes, and hands connections to the worker.
 *
 * Of what a tenant can send it reads the handshake, two bytes in today's form, and parses nothing else. Before it
 * answers, it establishes from the host side (/proc) which sandbox connects, and gives the sender a larger buffer. It
 * is a plain poll(2) loop without libraries, and it never waits for anybody: handshakes are per connection with a
 * deadline, so a silent client delays nobody. It answers before the worker is ready; a container's start never waits
 * for a rule file. What it holds, it holds also when the worker dies: the next one reads on.
 *
 *   new → run → free
 */
#ifndef SECCHECKD_KEEPER_KEEPER_H
#define SECCHECKD_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seccheckd/base/error.h"
#include "seccheckd/wire/pulse.h"

/* X(member, "help") — one counter each; names become metrics. */
#define SCD_KEEPER_COUNTERS(X)                                                                         \
	X(accepted, "Connections accepted.")                                                           \
	X(answered, "Handshakes answered.")                                                            \
	X(refused_handshake, "Connections closed for a wrong or missing handshake.")                   \
	X(timed_out, "Connections closed because no handshake came in time.")                          \
	X(refused_full, "Connections closed because the table of connections is full.")                \
	X(refused_share, "Connections closed because their user has its share of the table.")          \
	X(refused_resources, "Connections closed for want of descriptors or memory.")                  \
	X(refused_user, "Connections closed because their user may not connect.")                      \
	X(accept_pauses, "Times that accepting was suspended for want of resources.")                  \
	X(handed_over, "Connections given to a worker, each time.")                                    \
	X(resumed, "Of these, connections that an earlier worker had had.")                            \
	X(released, "Connections that the worker reported as ended.")                                  \
	X(closed_early, "Connections that the worker reported as ended, and that had not.")            \
	X(workers_started, "Workers started, with the first.")                                         \
	X(workers_died, "Workers that ended without an order and were followed by another.")           \
	X(workers_killed, "Workers that were killed: they hung, did not get ready, or did not end.")   \
	X(strikes, "Connections that were being read when a worker crashed or hung, each time.")       \
	X(quarantined, "Connections that no worker reads any more, as too many ended while they did.") \
	X(control_errors, "Messages of the worker that are malformed or name no connection.")          \
	X(verified, "Connections whose sandbox was established from the host side.")                   \
	X(unverified, "Connections whose sandbox was not: they are watched, and their word taken.")    \
	X(sndbufs_enlarged, "Connections whose sender got the send buffer it should have.")            \
	X(sndbufs_partly_enlarged, "Connections whose sender got less than that.")                     \
	X(sndbufs_unchanged, "Connections whose sender kept the send buffer it had.")

struct scd_keeper_counters {
#define X(member, help) uint64_t member;
	SCD_KEEPER_COUNTERS(X)
#undef X
};

struct scd_keeper_options {
	/* Paths of the sockets, made with mode 0600. A stale socket is replaced, a live one is an error. */
	const char *const *listen_paths;
	size_t listen_count;

	/* Users whose processes may connect; none: root and our own. */
	const uint32_t *allowed_uids;
	size_t allowed_uid_count;

	/*
	 * The executables that count as runsc when it is established who connects; none: every file called `runsc`
	 * that belongs to root, or to us, and that nobody else may write to.
	 */
	const char *const *runsc_paths;
	size_t runsc_count;

	size_t lane_count; /* of the worker; 0: 1 */

	/*
	 * Asked in the keeper when a worker ends with SCD_WORKER_EXIT_FINAL: whether that can be true. A worker that
	 * was taken over must not be able to end the daemon. NULL: it never can.
	 */
	bool (*may_be_final)(void);
};

struct scd_keeper;

/*
 * Opens the listeners; raises the soft limit on descriptors as far as the hard one allows, and answers no more
 * connections than keeper and worker then have descriptors for. From here to scd_keeper_free SIGTERM, SIGINT, SIGHUP,
 * SIGUSR1, SIGUSR2 and SIGCHLD are blocked, so that one that comes early waits for run, and SIGPIPE is ignored. The
 * caller has one thread. The options are copied. 0, or negative errno with err: which path and why; nothing is left
 * behind then.
 */
int scd_keeper_new(const struct scd_keeper_options *options, struct scd_keeper **ret_keeper, struct scd_error *err);

/*
 * Removes the socket files, if run has not done so, and restores the signals. Accepts NULL and a pointer to NULL.
 */
void scd_keeper_free(struct scd_keeper **keeper);

/*
 * What a worker gets from the keeper. A *lane* is one thread of the worker, with a control socket of its own: each
 * connection is given to one lane and stays there.
 */
struct scd_worker_seat {
	const int *control_fds; /* one for each lane; the worker owns them */
	size_t lane_count;      /* at least 1 */

	/*
	 * Shared with the keeper (wire/pulse.h): one for each lane, and behind them one for a main thread that is no
	 * lane. From its first beat on each thread is watched, from READY to STOP.
	 */
	struct scd_pulse *pulses;

	/*
	 * The last good configuration, in a form that only workers read. The first worker finds good_fd < 0 and loads
	 * what it was told to; before it says READY on any lane it writes into keep_fd, an empty memfd, what a later
	 * worker needs to come to the same, and seals it (F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW). A later worker
	 * finds that as good_fd, and keep_fd < 0: it must not depend on files that may have been broken since. Both
	 * belong to the worker.
	 */
	int good_fd, keep_fd;

	/*
	 * Another worker was ready before. What is amiss with the world, and was not then, is no reason not to start:
	 * sandboxes would be unwatched until somebody comes.
	 */
	bool is_later;
};

/*
 * What each child process does; its result is its exit status. In the child SIGTERM, SIGINT, SIGHUP, SIGUSR1 and
 * SIGUSR2 are ignored: the order to stop is a message on each control socket, or its end.
 */
typedef int scd_worker_main_fn(void *user, const struct scd_worker_seat *seat);

/*
 * The exit status of a worker that ends on purpose and without an order, as another one would have no more to do: no
 * output is left that takes alerts. If options->may_be_final agrees, no other is started: the daemon ends, with status
 * 1, whether it was stopping or not. Otherwise it counts as a worker that died.
 */
#define SCD_WORKER_EXIT_FINAL 3

/*
 * Forks the worker and serves until SIGTERM or SIGINT. A worker that ends without an order is followed by another one,
 * which gets the same connections, unless it was the first and never got ready, or said SCD_WORKER_EXIT_FINAL. The
 * socket files are gone when this returns. The caller has one thread; stdio is flushed before each fork. Returns the
 * exit status for the whole: the worker's own after an ordered stop; 1 if it, or one before it, died since the order,
 * did not stop in time, or was not there. Once for each keeper.
 */
int scd_keeper_run(struct scd_keeper *keeper, scd_worker_main_fn *worker_main, void *user);

const struct scd_keeper_counters *scd_keeper_counters(const struct scd_keeper *keeper);

#endif
