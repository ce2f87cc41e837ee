/*
 * The keeper's end of the control socket (wire/custody.h). Inside server/keeper only. Nothing here blocks.
 */
#ifndef SCD_SERVER_KEEPER_CUSTODY_H
#define SCD_SERVER_KEEPER_CUSTODY_H

#include "seccheckd/wire/custody.h"

/* A pair of control sockets, ours first, both close-on-exec and non-blocking. 0 or negative errno. */
int scd__custody_pair(int ret_fds[2]);

/*
 * Sends one message, with a copy of descriptor `passed` unless that is -1. 0; -EAGAIN: the socket is full; other
 * negative errno.
 */
int scd__custody_send(int fd, const struct scd_custody *message, int passed);

/*
 * Receives one message into buffer. 1; 0 at the end (the worker closed its end); -EAGAIN; -EBADMSG: a message that
 * is to be skipped; other negative errno.
 */
int scd__custody_receive(int fd, uint8_t buffer[SCD_CUSTODY_MAX_BYTES], struct scd_custody *ret_message);

#endif
