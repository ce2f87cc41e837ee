/*
 * The handshake with one peer. Inside server/keeper only.
 */
#ifndef SCD_SERVER_KEEPER_HANDSHAKE_H
#define SCD_SERVER_KEEPER_HANDSHAKE_H

/*
 * Reads the peer's handshake, if it has come; reads one message and never blocks. 0: it is good, and the peer waits
 * for the answer. -EAGAIN: nothing has come yet. Other negative errno: the connection is to be closed;
 * scd__handshake_reason says why.
 */
int scd__handshake_receive(int fd);

/* Answers it. 0; negative errno as above. */
int scd__handshake_answer(int fd);

/* For a log line: what a negative result of either means, or -ETIMEDOUT. */
const char *scd__handshake_reason(int error);

#endif
