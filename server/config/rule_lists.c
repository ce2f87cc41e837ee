/*
 * The two keys whose value is a list of maps: `rules`, which switches rules on and off, and `append_output`, which adds
 * to what they print. Both are Falco's:
 *
 *    rules:                                append_output:
 *      - disable: {rule: "*"}                - match: {source: syscall, tags: [network], rule: NAME}
 *      - enable: {tag: network}                extra_output: "image=%container.image.repository"
 */
#include <errno.h>
#include <string.h>

#include "options.h"
#include "seccheckd/base/array.h"

__attribute__((format(printf, 4, 5))) static int refuse(const struct scd_yaml_node *node, struct scd_error *err,
                                                        const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	scd_error_vset(err, -EINVAL, format, args);
	va_end(args);
	scd_error_at(err, NULL, node->line, node->column);
	scd_error_hint(err, "%s", hint);
	return -EINVAL;
}

static int out_of_memory(struct scd_error *err)
{
	return scd_error_set(err, -ENOMEM, "out of memory");
}

/* A text that must be there, copied. */
static int read_text(struct scd_config *config, const char *key, const struct scd_yaml_node *node,
                     const char **ret_text, struct scd_error *err)
{
	struct scd_str copy;

	if (node->kind != SCD_YAML_SCALAR || node->text.len == 0 || memchr(node->text.data, '\0', node->text.len))
		return refuse(node, err, "write a text", "%s is not a text", key);
	copy = scd_arena_dup(&config->arena, node->text);
	if (!copy.data)
		return out_of_memory(err);
	*ret_text = copy.data;
	return 0;
}

int scd_config_add_switch(struct scd_config *config, bool enable, enum scd_config_switch_by by, const char *text)
{
	struct scd_config_switches *switches = &config->rules;
	struct scd_config_switch *items = scd_array_grow_in(&config->arena, switches->items, switches->count,
	                                                    &switches->room, sizeof(*items));
	struct scd_str copy = scd_arena_dup(&config->arena, scd_str_from(text));

	if (!items || !copy.data)
		return -ENOMEM;
	switches->items = items;
	items[switches->count++] = (struct scd_config_switch){ enable, by, copy.data };
	return 0;
}

#define SWITCH_HINT "write `- disable: {rule: NAME}`, `- enable: {tag: TAG}`; a NAME may have * in it"

static int store_switch(struct scd_config *config, const struct scd_yaml_node *node, struct scd_error *err)
{
	const struct scd_yaml_node *enable = scd_yaml_get(node, "enable"), *disable = scd_yaml_get(node, "disable");
	const struct scd_yaml_node *what = enable ? enable : disable;
	const struct scd_yaml_node *rule = scd_yaml_get(what, "rule"), *tag = scd_yaml_get(what, "tag");
	const char *text = NULL;
	int r;

	if (node->kind != SCD_YAML_MAP || node->count != 1 || !what)
		return refuse(node, err, SWITCH_HINT, "an item of rules is neither 'enable' nor 'disable'");
	if (what->kind != SCD_YAML_MAP || what->count != 1 || (!rule && !tag))
		return refuse(what, err, SWITCH_HINT, "an item of rules names neither a 'rule' nor a 'tag'");
	r = read_text(config, rule ? "rule" : "tag", rule ? rule : tag, &text, err);
	if (r < 0)
		return r;
	r = scd_config_add_switch(config, enable != NULL, rule ? SCD_CONFIG_BY_NAME : SCD_CONFIG_BY_TAG, text);
	return r < 0 ? out_of_memory(err) : 0;
}

#define OUTPUT_HINT \
	"write `- extra_output: TEXT`, with `match: {rule: NAME, tags: [TAG], source: syscall}` if not for all"

static const struct scd_yaml_node *unknown_key(const struct scd_yaml_node *map, const char *const *known)
{
	for (size_t i = 0; i < map->count; i++) {
		const char *const *name = known;

		while (*name && !scd_str_is(map->keys[i]->text, *name))
			name++;
		if (!*name)
			return map->keys[i];
	}
	return NULL;
}

static int read_tags(struct scd_config *config, const struct scd_yaml_node *node, struct scd_config_texts *ret_tags,
                     struct scd_error *err)
{
	const char **items;
	int r = 0;

	if (node->kind != SCD_YAML_SEQUENCE)
		return refuse(node, err, "write [TAG, TAG]", "tags is not a list");
	items = scd_arena_zalloc(&config->arena, node->count + 1, sizeof(*items));
	if (!items)
		return out_of_memory(err);
	for (size_t i = 0; i < node->count && r == 0; i++)
		r = read_text(config, "tags", node->items[i], &items[i], err);
	*ret_tags = (struct scd_config_texts){ items, node->count };
	return r;
}

static int read_match(struct scd_config *config, const struct scd_yaml_node *match, struct scd_config_output *output,
                      struct scd_error *err)
{
	static const char *const known[] = { "rule", "source", "tags", NULL };
	const struct scd_yaml_node *rule = scd_yaml_get(match, "rule"), *source = scd_yaml_get(match, "source");
	const struct scd_yaml_node *tags = scd_yaml_get(match, "tags");
	int r = 0;

	if (match->kind != SCD_YAML_MAP || unknown_key(match, known))
		return refuse(match, err, OUTPUT_HINT, "match is no map of rule, source and tags");
	if (rule)
		r = read_text(config, "rule", rule, &output->rule, err);
	if (r == 0 && source)
		r = read_text(config, "source", source, &output->source, err);
	if (r == 0 && tags)
		r = read_tags(config, tags, &output->tags, err);
	return r;
}

static int store_output(struct scd_config *config, const struct scd_yaml_node *node, struct scd_error *err)
{
	static const char *const known[] = { "match", "extra_output", NULL };
	const struct scd_yaml_node *text = scd_yaml_get(node, "extra_output"), *match = scd_yaml_get(node, "match");
	struct scd_config_outputs *outputs = &config->append_output;
	struct scd_config_output output = { 0 }, *items;
	int r = 0;

	if (node->kind != SCD_YAML_MAP || !text || unknown_key(node, known))
		return refuse(node, err, OUTPUT_HINT,
		              "an item of append_output has other keys than extra_output and match");
	r = read_text(config, "extra_output", text, &output.text, err);
	if (r == 0 && match && !scd_yaml_is_null(match))
		r = read_match(config, match, &output, err);
	if (r < 0)
		return r;
	items = scd_array_grow_in(&config->arena, outputs->items, outputs->count, &outputs->room, sizeof(*items));
	if (!items)
		return out_of_memory(err);
	outputs->items = items;
	items[outputs->count++] = output;
	return 0;
}

int scd__config_store_maps(struct scd_config *config, const struct scd_config_option *option,
                           const struct scd_yaml_node *node, struct scd_error *err)
{
	bool is_switches = option->type == SCD_CONFIG_SWITCHES;
	int r = 0;

	if (node->kind != SCD_YAML_SEQUENCE)
		return refuse(node, err, is_switches ? SWITCH_HINT : OUTPUT_HINT, "%s is not a list", option->path);
	for (size_t i = 0; i < node->count && r == 0; i++)
		r = is_switches ? store_switch(config, node->items[i], err) : store_output(config, node->items[i], err);
	return r;
}
