/*
 * The worker process of `seccheckd serve`.
 */
#ifndef SCD_SERVER_CLI_WORKER_H
#define SCD_SERVER_CLI_WORKER_H

#include "seccheckd/keeper/keeper.h"

/*
 * A scd_worker_main_fn (keeper/keeper.h): evaluates what comes over the connections that its seat's control sockets
 * bring, each lane in a thread of its own, until the order to stop. user is the checked struct scd_config, which is
 * only read. The exit status: 0 when every alert was delivered, 1 when not or when it could not start,
 * SCD_WORKER_EXIT_FINAL when no output was left.
 */
int scd__worker_main(void *user, const struct scd_worker_seat *seat);

#endif
