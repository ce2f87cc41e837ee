/*
 * What reading (yaml_parse.c) and walking (yaml.c) of YAML share.
 */
#ifndef SCD_SERVER_BASE_YAML_TREE_H
#define SCD_SERVER_BASE_YAML_TREE_H

#include "seccheckd/base/arena.h"
#include "seccheckd/base/yaml.h"

struct scd_yaml {
	struct scd_arena arena; /* nodes, their texts, name */
	const char *name;
	char *source_block; /* heap; what source points to */
	struct scd_str source;
	struct scd_yaml_node **roots; /* one for each document, NULL for a null document */
	size_t root_count;
};

/* Parses yaml->source into roots. 0, or negative errno with err filled. */
int scd__yaml_parse(struct scd_yaml *yaml, struct scd_error *err);

#endif
