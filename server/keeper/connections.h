/*
 * The table of connections. Inside server/keeper only.
 *
 *              accepted            handshake answered           sent to a worker
 *      FREE ─────────────▶ GREETING ─────────────────▶ WAITING ──────────────────▶ HELD
 *       ▲                     │                           │  ▲                     │ │ │
 *       │  wrong handshake,   │           the last        │  ╰── the worker ended ─╯ │ │ it ended reading this one,
 *       │  peer gone,         │           worker          │                          │ │ and so did others before
 *       │  deadline, stop     │           is gone         │       CLOSED, the last   │ ▼
 *       │                     │                           │       worker is gone     │ QUARANTINED
 *       ├─────────────────────┴───────────────────────────┴──────────────────────────╯   │
 *       ╰────────────────────────────────────────────────────────────────────────────────╯
 *                                                     peer gone, the last worker is gone
 *
 * GREETING  polled for the peer's first message; ends by the deadline. Deadlines are all equally long, so the list,
 *           in order of acceptance, is also in order of deadlines.
 * WAITING   answered, and not read by the keeper any more; waits for the worker to be ready and for room in the
 *           control socket. What the sandbox sends meanwhile waits in its socket.
 * HELD      a lane of the worker has a copy of the descriptor and reads; ours keeps the socket alive when the worker
 *           dies.
 * QUARANTINED  no worker gets it any more; also one that a worker let go of while its peer was there. It stays open,
 *           as its sandbox would not connect again; what is sent fills the sandbox's own buffer. Polled for the peer's
 *           end only.
 *
 * All connections of a state are in its list, in the order in which they came to it. Ids are never used twice.
 */
#ifndef SCD_SERVER_KEEPER_CONNECTIONS_H
#define SCD_SERVER_KEEPER_CONNECTIONS_H

#include <sys/queue.h>

#include "seccheckd/base/idmap.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/wire/custody.h"

enum scd__connection_state {
	SCD__CONNECTION_FREE,
	SCD__CONNECTION_GREETING,
	SCD__CONNECTION_WAITING,
	SCD__CONNECTION_HELD,
	SCD__CONNECTION_QUARANTINED,
	SCD__CONNECTION_STATES,
};

struct scd__connection {
	TAILQ_ENTRY(scd__connection) link; /* in the list of its state */
	enum scd__connection_state state;
	int fd; /* owned */
	uint64_t id;
	int64_t deadline_ns;                               /* of the handshake, monotonic */
	const char *listener;                              /* path; borrowed from the keeper */
	uint32_t pid, uid;                                 /* of the process that connected */
	bool given;                                        /* a worker had it, of now or before */
	uint32_t lane;                                     /* HELD: of the worker */
	uint32_t strikes;                                  /* workers that ended while they read it */
	int64_t struck_ns;                                 /* the last of them, monotonic */
	bool told;                                         /* QUARANTINED: a worker knows, and tells of it */
	uint32_t sndbuf_bytes;                             /* of the sender, charged to the account; 0: nothing is */
	char sandbox_id[SCD_LIMIT_CONTAINER_ID_BYTES + 1]; /* empty: it is not verified */
};

TAILQ_HEAD(scd__connection_list, scd__connection);

struct scd__connections {
	struct scd__connection *slots;
	size_t limit; /* slots */
	size_t used;  /* slots that were ever in use: memory behind them is not touched */
	size_t count; /* connections that are not FREE */
	struct scd__connection_list by_state[SCD__CONNECTION_STATES];
	struct scd_idmap by_id;
	uint64_t last_id;
};

/* 0 or -ENOMEM; after that nothing allocates but the id map. */
int scd__connections_init(struct scd__connections *table, size_t limit);

/* Closes every connection. Accepts an all-zero table. */
void scd__connections_done(struct scd__connections *table);

/*
 * A new connection in state GREETING with an id; fd is taken over, the other members are the caller's to fill. NULL
 * when the table is full or memory is exhausted: fd stays the caller's.
 */
struct scd__connection *scd__connections_add(struct scd__connections *table, int fd);

/* NULL when there is none with this id. */
struct scd__connection *scd__connections_find(const struct scd__connections *table, uint64_t id);

/* The one that is longest in this state, or NULL. */
struct scd__connection *scd__connections_first(const struct scd__connections *table, enum scd__connection_state state);

/* To the end of the list of a state, which is not FREE. */
void scd__connections_move(struct scd__connections *table, struct scd__connection *connection,
                           enum scd__connection_state state);

/* All that are HELD become WAITING, in front of those that are, in their order. */
void scd__connections_take_back(struct scd__connections *table);

/* Closes and forgets it. */
void scd__connections_remove(struct scd__connections *table, struct scd__connection *connection);

/* Closes all in this state. */
void scd__connections_remove_all(struct scd__connections *table, enum scd__connection_state state);

#endif
