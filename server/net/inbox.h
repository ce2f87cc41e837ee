/*
 * The reading side of one sandbox's socket: whole messages, and when they end. Inside server/net only.
 */
#ifndef SCD_SERVER_NET_INBOX_H
#define SCD_SERVER_NET_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scd__inbox {
	int fd;              /* owned by the session */
	bool hung_up;        /* the peer writes no more: what is queued is all there will be */
	uint64_t left_bytes; /* with hung_up: bytes still queued */
	bool was_reset;      /* the peer closed before it had read all that we sent */
	bool bare;           /* no descriptor can come with a message */
};

void scd__inbox_init(struct scd__inbox *inbox, int fd);

/*
 * Reads one message, never blocks. 1 with its length, which may be 0. -EAGAIN: nothing there now. -EMSGSIZE: a
 * message longer than room was taken off the queue and lost; *ret_len is its true length. 0: the end, everything was
 * read. -EPROTO: descriptors came with a message, they and it are lost. Other negative errno: the socket is broken.
 */
int scd__inbox_read(struct scd__inbox *inbox, void *buffer, size_t room, size_t *ret_len);

#endif
