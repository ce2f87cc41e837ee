/*
 * The worker process of `seccheckd serve`.
 */
#ifndef SCD_SERVER_CLI_WORKER_H
#define SCD_SERVER_CLI_WORKER_H

#include "seccheckd/keeper/keeper.h"

/*
 * A scd_worker_main_fn (keeper/keeper.h): evaluates what comes over the connections that its seat's control sockets
 * bring, until the order to stop. user is the checked struct scd_config, which is only read. The exit status: 0 when every alert was
 * delivered.
 */
int scd__worker_main(void *user, const struct scd_worker_seat *seat);

#endif
