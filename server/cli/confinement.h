/*
 * What the workers of the commands are confined to (confine/confine.h has how), and what the log says of it.
 */
#ifndef SCD_SERVER_CLI_CONFINEMENT_H
#define SCD_SERVER_CLI_CONFINEMENT_H

#include <sys/types.h>

#include "seccheckd/config/config.h"

/* Who a worker is. */
struct scd__worker_user {
	const char *name; /* whom it becomes, as the configuration has it; lives as long as that. NULL: it stays */
	uid_t uid;
	gid_t gid;
	const char *same_because; /* why it stays; lives for ever */
};

/*
 * Looks up the user that the worker of `serve` shall become; says which one that is, where nobody has chosen. Once,
 * before anything listens: a later worker becomes the same, whatever has become of the entry. 0 or negative errno with
 * err.
 */
int scd__confinement_find_user(const struct scd_config *config, struct scd__worker_user *ret_user,
                               struct scd_error *err);

/*
 * Confines the worker of `serve`: another user, the ports of its URLs, no file. When rules are loaded and outputs are
 * open, before there is another thread and before anything is read that a sandbox sent. A Unix socket of an output that
 * this user may not connect to is a failure, but a warning for a later worker: the output tries again. 0, or negative
 * errno when it was said what is wrong.
 */
int scd__confinement_enter(const struct scd_config *config, const struct scd__worker_user *user, bool is_later);

/* Confines the worker of `record`: the user as it is, as the traces are his; no port; no file but below the folder. */
int scd__confinement_enter_recorder(const char *folder);

#endif
