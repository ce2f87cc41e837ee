/*
 * The life of a configuration: defaults and single values.
 */
#include "seccheckd/config/config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "options.h"
#include "seccheckd/base/limits.h"

#define ARENA_CHUNK_BYTES 4096u

/* All texts of the largest file, and the arrays of the lists: at worst one pointer, doubled, for two bytes. */
#define ARENA_MAX_BYTES ((size_t)16 * SCD_LIMIT_CONFIG_FILE_BYTES)

/* A text as a node without a place; quoted, so that no text is a null. */
static struct scd_yaml_node wrap(const char *text)
{
	return (struct scd_yaml_node){
		.kind = SCD_YAML_SCALAR,
		.style = SCD_YAML_QUOTED,
		.text = scd_str_from(text),
	};
}

void scd_config_init(struct scd_config *config)
{
	size_t count;
	const struct scd_config_option *options = scd_config_options(&count);

	memset(config, 0, sizeof(*config));
	scd_arena_init(&config->arena, ARENA_CHUNK_BYTES, ARENA_MAX_BYTES);
	for (size_t i = 0; i < count; i++) {
		struct scd_yaml_node node = wrap(options[i].initial);
		int r = options[i].initial ? scd__config_store(config, &options[i], &node, NULL) : 0;

		assert(r == 0);
	}
	memset(config->origins, 0, sizeof(config->origins));
}

void scd_config_done(struct scd_config *config)
{
	scd_arena_done(&config->arena);
}

void scd_config_clear(struct scd_config_texts *texts)
{
	*texts = (struct scd_config_texts){ 0 };
}

int scd_config_set(struct scd_config *config, const char *path, const char *text, struct scd_error *err)
{
	const struct scd_config_option *option = scd_config_option(path);
	struct scd_yaml_node node = wrap(text), *item = &node;
	struct scd_yaml_node list = { .kind = SCD_YAML_SEQUENCE, .count = 1, .items = &item };

	assert(option);
	return scd__config_store(config, option, option->type == SCD_CONFIG_LIST ? &list : &node, err);
}

void scd_config_place(const struct scd_config *config, const char *path, struct scd_error *err)
{
	const struct scd_config_origin *origin = scd__config_origin(config, scd_config_option(path));

	if (origin->line)
		scd_error_at(err, config->file, origin->line, origin->column);
}
