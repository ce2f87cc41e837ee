/*
 * The worker process of `seccheckd serve`.
 */
#ifndef SCD_SERVER_CLI_WORKER_H
#define SCD_SERVER_CLI_WORKER_H

#include "confinement.h"
#include "seccheckd/keeper/keeper.h"
#include "wanted_outputs.h"

/*
 * What a worker needs of the world: found once, in the process that all workers are children of, which looks into none
 * of it. Besides that, a worker that follows another one needs what that one kept (its seat).
 */
struct scd__worker_settings {
	const struct scd_config *config; /* checked; outlives it */
	struct scd__worker_user user;
	struct scd__open_outputs outputs;
};

/* 0, or negative errno with err: what is wrong or not there; nothing is left behind then. Before anything listens. */
int scd__worker_settle(const struct scd_config *config, struct scd__worker_settings *ret_settings,
                       struct scd_error *err);
void scd__worker_settings_done(struct scd__worker_settings *settings);

/*
 * A scd_worker_main_fn (keeper/keeper.h): evaluates what comes over the connections that its seat's control sockets
 * bring, each lane in a thread of its own, until the order to stop. user is the struct scd__worker_settings, of which a
 * worker has a copy of its own. The exit status: 0 when every alert was delivered, 1 when not or when it could not
 * start, SCD_WORKER_EXIT_FINAL when no output was left.
 */
int scd__worker_main(void *user, const struct scd_worker_seat *seat);

#endif
