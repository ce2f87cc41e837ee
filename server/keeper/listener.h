/*
 * A listening SEQPACKET socket in the file system. Inside server/keeper only.
 */
#ifndef SCD_SERVER_KEEPER_LISTENER_H
#define SCD_SERVER_KEEPER_LISTENER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "seccheckd/base/error.h"

struct scd__listener {
	const char *path; /* borrowed */
	int fd;           /* -1: closed */
	dev_t device;
	ino_t inode; /* of the socket file that we made */
};

/*
 * Binds and listens; non-blocking, close-on-exec, mode 0600. 0, or negative errno with err (path, reason, hint) and
 * nothing to close. The path outlives the listener.
 */
int scd__listener_open(struct scd__listener *listener, const char *path, struct scd_error *err);

/*
 * Lets users besides the owner open the socket file, by an access list on it; what the connecting user's id is, is
 * looked at again when it connects. 0, or negative errno with err: the file system keeps no access lists, or (-ESTALE)
 * the path leads to another file by now. The root user needs none.
 */
int scd__listener_admit(const struct scd__listener *listener, const uint32_t *uids, size_t count,
                        struct scd_error *err);

/* Removes the socket file if it still is ours, and closes. May be called again. */
void scd__listener_close(struct scd__listener *listener);

/* Closes the descriptor and leaves the file: for a child process. */
void scd__listener_drop(struct scd__listener *listener);

/*
 * The next connection, non-blocking and close-on-exec, or negative errno: -EAGAIN when there is none, others as
 * accept4(2).
 */
int scd__listener_accept(const struct scd__listener *listener);

#endif
