/*
 * What keeper and worker say to each other, over a SEQPACKET socket pair that only they hold.
 *
 *    0      4       8               16                 32    36    40       44          48
 *    +------+-------+---------------+------------------+-----+-----+--------+-----------+------------+------...
 *    | kind | flags | connection id | nonce (16 bytes) | pid | uid | sndbuf | id length | sandbox id | listener
 *    +------+-------+---------------+------------------+-----+-----+--------+-----------+------------+------...
 *      u32    u32     u64             only in            u32   u32   u32      u32         texts that are not
 *                                     CONNECTION and QUARANTINED,                         terminated
 *                                     as all that follows
 *
 * Both ends are the same binary on the same host: integers are in host order. The keeper trusts nothing it reads here
 * (the worker parses hostile input and may have been taken over): ids are looked up, never used as indices.
 */
#ifndef SECCHECKD_WIRE_CUSTODY_H
#define SECCHECKD_WIRE_CUSTODY_H

#include "seccheckd/base/str.h"

#define SCD_CUSTODY_NONCE_BYTES 16u
#define SCD_CUSTODY_MAX_BYTES   512u

enum scd_custody_kind {
	SCD_CUSTODY_CONNECTION = 1,  /* keeper → worker, with one descriptor: a connection that has been answered */
	SCD_CUSTODY_STOP = 2,        /* keeper → worker: one pass over every socket, flush, exit */
	SCD_CUSTODY_READY = 3,       /* worker → keeper: rules are loaded, connections may come */
	SCD_CUSTODY_CLOSED = 4,      /* worker → keeper: this connection has ended, let go of it */
	SCD_CUSTODY_QUARANTINED = 5, /* keeper → worker, without a descriptor: nobody reads this connection any more */
};

struct scd_custody {
	enum scd_custody_kind kind;
	uint64_t connection_id;
	/*
	 * CONNECTION (a bit of `flags`): an earlier worker had it and ended. What it had read is gone and with it the
	 * state, so what follows is the middle of a story.
	 */
	bool resumed;
	/* Random, drawn for each time that the connection is given to a worker: the root of event ids. */
	uint8_t nonce[SCD_CUSTODY_NONCE_BYTES];
	uint32_t peer_pid, peer_uid; /* SO_PEERCRED */
	uint32_t sndbuf_bytes;       /* of the sender's buffer, if the keeper looked after it; 0: it did not */
	struct scd_str sandbox_id;   /* established from the host side; empty: it was not. Borrows from the message */
	struct scd_str listener;     /* path of the socket that it came to; borrows from the message */
};

/*
 * Length of the message in ret_message; a listener path that does not fit is cut. A sandbox id over
 * SCD_LIMIT_CONTAINER_ID_BYTES is left out: half a name is another name.
 */
size_t scd_custody_format(const struct scd_custody *custody, uint8_t ret_message[SCD_CUSTODY_MAX_BYTES]);

/* -EBADMSG: too short for its kind, an unknown kind, or a sandbox id that is longer than it may be. */
int scd_custody_parse(struct scd_str message, struct scd_custody *ret_custody);

#endif
