/*
 * The rules of a configuration as a compiled set.
 */
#ifndef SCD_SERVER_CLI_RULES_H
#define SCD_SERVER_CLI_RULES_H

#include "seccheckd/config/config.h"
#include "seccheckd/engine/ruleset.h"

/*
 * Loads rules_files, or the bundled rules when there are none, with the configuration's priority and rule_matching.
 * Everything found is printed on standard error, warnings too. 0, or negative errno: there is no set.
 */
int scd__rules_load(const struct scd_config *config, struct scd_ruleset **ret_set);

#endif
