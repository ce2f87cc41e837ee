/*
 * The handshake with one peer. Inside server/keeper only.
 */
#ifndef SCD_SERVER_KEEPER_HANDSHAKE_H
#define SCD_SERVER_KEEPER_HANDSHAKE_H

/*
 * Reads the peer's handshake, if it has come, and answers it; reads one message and never blocks. 0: answered.
 * -EAGAIN: nothing has come yet. Other negative errno: the connection is to be closed; scd__handshake_reason says
 * why.
 */
int scd__handshake_step(int fd);

/* For a log line: what a negative result of scd__handshake_step means, or -ETIMEDOUT. */
const char *scd__handshake_reason(int error);

#endif
