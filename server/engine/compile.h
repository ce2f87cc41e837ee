/*
 * From collected items to a rule set. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_COMPILE_H
#define SCD_SERVER_ENGINE_COMPILE_H

#include "engine/items.h"

/*
 * 0 with a set that has one reference and no generation yet; -EINVAL with the reasons in the collection's diags;
 * -ENOMEM.
 */
int scd__compile(struct scd__collection *collection, const struct scd_ruleset_options *options,
                 struct scd_ruleset **ret_set);

#endif
