/*
 * The worker process of `seccheckd serve`.
 */
#ifndef SCD_SERVER_CLI_WORKER_H
#define SCD_SERVER_CLI_WORKER_H

/*
 * A scd_worker_main_fn (keeper/keeper.h): evaluates what comes over the connections that control_fd brings, until the
 * order to stop. user is the checked struct scd_config, which is only read. The exit status: 0 when every alert was
 * delivered.
 */
int scd__worker_main(void *user, int control_fd);

#endif
