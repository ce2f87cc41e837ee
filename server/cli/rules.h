/*
 * The rules of a configuration as a compiled set.
 */
#ifndef SCD_SERVER_CLI_RULES_H
#define SCD_SERVER_CLI_RULES_H

#include "seccheckd/config/config.h"
#include "seccheckd/engine/ruleset.h"
#include "seccheckd/keeper/keeper.h"

/*
 * Loads rules_files, or the bundled rules when there are none, with the configuration's priority and rule_matching.
 * Everything found is printed on standard error, warnings too. 0, or negative errno: there is no set.
 */
int scd__rules_load(const struct scd_config *config, struct scd_ruleset **ret_set);

/* How many rules of a set are evaluated: neither switched off nor less urgent than the priority. */
size_t scd__rules_enabled(const struct scd_ruleset *set);

/* The rules that come with the program. 0, or negative errno with the reason in diags. */
int scd__rules_add_bundled(struct scd_loader *loader, struct scd_diags *diags);

/*
 * The same as scd__rules_load for a worker of the keeper: the first one loads from the disk and keeps the texts in its
 * seat, and those that follow it load these, whatever has become of the files. What was found in them is not printed
 * again. The seat's good_fd and keep_fd are closed.
 */
int scd__rules_load_worker(const struct scd_config *config, const struct scd_worker_seat *seat,
                           struct scd_ruleset **ret_set);

#endif
