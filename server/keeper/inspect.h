/*
 * The keeper's look at who connects: who may, who it is, how large its buffer becomes. Inside server/keeper only.
 */
#ifndef SCD_SERVER_KEEPER_INSPECT_H
#define SCD_SERVER_KEEPER_INSPECT_H

#include "keeper/connections.h"
#include "keeper/enlarge.h"
#include "seccheckd/keeper/keeper.h"

struct scd__inspector {
	char **runsc_paths;
	size_t runsc_count;
	uint32_t *allowed_uids;
	size_t allowed_uid_count;
	size_t *shares; /* of each of them: connections that it has */
	size_t guests;  /* connections of all but root and our own user */

	struct scd__sndbuf_account all;       /* every connection's buffer, as long as it lives */
	struct scd__sndbuf_account strangers; /* of them, those that are not verified */

	int64_t window_end_ns; /* monotonic */
	int64_t strangers_ns;  /* spent on strangers in the window */

	bool told_size, told_privilege; /* what is missing is said once */
};

/* 0 or -ENOMEM; scd__inspector_done is due in both cases. The options are copied. */
int scd__inspector_init(struct scd__inspector *inspector, const struct scd_keeper_options *options);
void scd__inspector_done(struct scd__inspector *inspector);

/* Whether processes of this user may connect. */
bool scd__inspector_allows(const struct scd__inspector *inspector, uint32_t uid);

/*
 * Whether this user, who may connect, may have one connection more of `limit`: so that one who takes all that there are
 * does not keep others from starting sandboxes. A quarter is left to root and our own user, and of the rest no other
 * user has more than half.
 */
bool scd__inspector_has_share(const struct scd__inspector *inspector, uint32_t uid, size_t limit);

/* A connection of this user is there; scd__inspector_forget gives its share back. */
void scd__inspector_take_share(struct scd__inspector *inspector, uint32_t uid);

/*
 * Fills sandbox_id and sndbuf_bytes of a connection whose handshake has come and is not answered yet; logs and
 * counts. Never blocks.
 */
void scd__inspector_inspect(struct scd__inspector *inspector, struct scd__connection *connection,
                            struct scd_keeper_counters *counters);

/* The connection is about to end: its buffer and its share are given back. */
void scd__inspector_forget(struct scd__inspector *inspector, const struct scd__connection *connection);

#endif
