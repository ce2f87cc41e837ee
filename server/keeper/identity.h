/*
 * Who connected: a sandbox's name from the host side, not from what it sends. Inside server/keeper only.
 *
 * The sink connects from the runsc process that creates the sandbox or attaches to it, which waits for our answer to
 * its handshake without a time-out. Until then it can be looked at, and that is when this has to be done:
 *
 *    SO_PEERPIDFD ─▶ /proc/PID ─▶ its user ─▶ on the host ─▶ its executable ─▶ not confined ─▶ its command
 *                                                                        ─▶ the lock it holds, or its argument
 *
 * A sandbox is *verified* when all of this holds. What it protects from is a sandbox that talks to us itself: where a
 * sandbox may use the host's Unix sockets, its gofer connects, as root, with runsc's executable. Gofers and sentries
 * are told from the command line by their command and, as a process may rewrite its own arguments, by the seccomp
 * filter that they can never take off again. Nor can any other user who may connect: only root and our own user are
 * verified, and only with the mounts, users and root of the host, where a path means what it says. It does not protect
 * from root on the host.
 */
#ifndef SCD_SERVER_KEEPER_IDENTITY_H
#define SCD_SERVER_KEEPER_IDENTITY_H

#include "keeper/procfs.h"

struct scd__identity_options {
	/*
	 * The executables that count as runsc. None: every file called `runsc` that belongs to root, or to us, that
	 * nobody else may write to, and that is still there by the path that it was started from.
	 */
	const char *const *runsc_paths;
	size_t runsc_count;
};

/* Large, and points into itself: kept where it was filled. */
struct scd__peer {
	pid_t pid; /* in our namespace; 0: not known */
	uid_t uid;
	gid_t gid;
	int pidfd;   /* owned; -1: there is none */
	int proc_fd; /* its folder in /proc; owned; -1: there is none */

	bool looked_closer;
	int look_error;                      /* 0: it has no seccomp filter, and is neither a gofer nor a sentry */
	struct scd__descriptors descriptors; /* then */

	bool verified;
	char reason[160]; /* when it is not: for a log line, with text of the peer's in it */
	struct scd_str subcommand;

	/* Only when it is verified. */
	struct scd_str runsc_root; /* as for `runsc --root` */
	struct scd_str sandbox_id;
	struct scd_str container_id; /* the container that is being created, or that was named */

	char exe[PATH_MAX];
	char arguments[SCD_LIMIT_PEER_ARGS_BYTES];
};

/*
 * Looks at the process at the other end of a connected socket. Nothing fails and nothing blocks: what cannot be seen
 * is not verified. Then scd__peer_done.
 *
 * A process whose executable is another is let go after some ten microseconds; runsc costs 70, or 200 when the kernel
 * has not shown its /proc/PID to anybody before.
 */
void scd__peer_identify(int fd, const struct scd__identity_options *options, struct scd__peer *ret_peer);

/*
 * Whether it is confined, and its descriptors; looks only once. 0, or negative errno with a reason in the peer:
 * -EACCES when it is confined, -EPERM when we may not look.
 */
int scd__peer_look_closer(struct scd__peer *peer);

/* Closes what it holds. */
void scd__peer_done(struct scd__peer *peer);

#endif
