/*
 * Inside config: values into members of struct scd_config, by the table.
 */
#ifndef SCD_SERVER_CONFIG_OPTIONS_H
#define SCD_SERVER_CONFIG_OPTIONS_H

#include "seccheckd/base/yaml.h"
#include "seccheckd/config/config.h"

/*
 * Checks a node and writes it to the option's member; a list gets the node's items added. The texts are copied. 0, or
 * negative errno with err; its place is that of the node at fault, its file is left to the caller.
 */
int scd__config_store(struct scd_config *config, const struct scd_config_option *option,
                      const struct scd_yaml_node *node, struct scd_error *err);

/* The same for the options whose value is a list of maps. rule_lists.c */
int scd__config_store_maps(struct scd_config *config, const struct scd_config_option *option,
                           const struct scd_yaml_node *node, struct scd_error *err);

/* The origin of an option's value. */
const struct scd_config_origin *scd__config_origin(const struct scd_config *config,
                                                   const struct scd_config_option *option);

#endif
