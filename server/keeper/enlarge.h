/*
 * Room for bursts: a larger buffer for the sender of a connection. Inside server/keeper only.
 *
 * What a sandbox has sent and we have not read is charged to its own socket's SO_SNDBUF, and nothing that we set on
 * our end changes that: 212,992 bytes, the default, are 278 messages, a millisecond or two of a busy sandbox. While
 * runsc waits for our answer it holds the very socket that it gives to the sandbox afterwards, so we take a copy of
 * its descriptor (pidfd_getfd(2)), set the buffer, and close the copy: 8 MiB are 10,923 messages.
 *
 * It is a best effort. Without CAP_SYS_PTRACE the descriptor cannot be had; without CAP_NET_ADMIN the kernel gives no
 * more than twice net.core.wmem_max.
 */
#ifndef SCD_SERVER_KEEPER_ENLARGE_H
#define SCD_SERVER_KEEPER_ENLARGE_H

#include "keeper/identity.h"

/*
 * Kernel memory that senders may fill while nobody reads. Each connection may have a share of what is left, so that
 * the first ones get all they want, later ones less, and there always is something.
 */
struct scd__sndbuf_account {
	uint64_t limit_bytes;
	uint64_t used_bytes;
};

/* What a new connection may have, a power of two: at most SCD_LIMIT_SNDBUF_BYTES; 0 when too little is left. */
uint32_t scd__sndbuf_offer(const struct scd__sndbuf_account *account);

void scd__sndbuf_take(struct scd__sndbuf_account *account, uint32_t bytes);
void scd__sndbuf_give_back(struct scd__sndbuf_account *account, uint32_t bytes);

/*
 * Gives the peer at the other end of fd, which it connected to listener_path, a send buffer of `wanted` bytes as
 * getsockopt(2) reports them. The size that it has afterwards, which may be smaller (or larger, as a larger one is
 * left alone); or negative errno, for which there is a reason.
 */
int64_t scd__enlarge(struct scd__peer *peer, int fd, const char *listener_path, uint32_t wanted);

/* For a log line: what a negative result of scd__enlarge means. */
const char *scd__enlarge_reason(int error);

#endif
