/*
 * What the workers of the commands are confined to (confine/confine.h has how), and what the log says of it.
 */
#ifndef SCD_SERVER_CLI_CONFINEMENT_H
#define SCD_SERVER_CLI_CONFINEMENT_H

#include "seccheckd/config/config.h"

/*
 * Whether there is the user that the worker of `serve` shall become; says which one that is, where nobody has chosen.
 * Before anything listens. 0 or negative errno with err.
 */
int scd__confinement_check(const struct scd_config *config, struct scd_error *err);

/*
 * Confines the worker of `serve`: another user, the ports of its URLs, no file. When rules are loaded and outputs are
 * open, before there is another thread and before anything is read that a sandbox sent. 0, or negative errno when it
 * was said what is wrong.
 */
int scd__confinement_enter(const struct scd_config *config);

/* Confines the worker of `record`: the user as it is, as the traces are his; no port; no file but below the folder. */
int scd__confinement_enter_recorder(const char *folder);

#endif
