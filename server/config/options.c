/*
 * The table of keys, and how a value becomes a member of struct scd_config.
 *
 * One store function per type. Each takes a YAML node, also for flags and defaults, which are wrapped into one: so
 * that a value means the same wherever it comes from.
 */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/defaults.h"

#define ANY              .words = NULL
#define RANGE(low, high) .min = (low), .max = (high)
#define WORDS(...)                     \
	.words = (const char *const[]) \
	{                              \
		__VA_ARGS__, NULL      \
	}
#define OPTION(path_, type_, member_, values_, initial_, doc_) \
	{ .path = (path_),                                     \
	  .type = SCD_CONFIG_##type_,                          \
	  .offset = offsetof(struct scd_config, member_),      \
	  values_,                                             \
	  .initial = (initial_),                               \
	  .doc = (doc_) },

static const struct scd_config_option options[] = {
#include "options.def"
};
#undef OPTION

#define OPTION_COUNT SCD_COUNT(options)
static_assert(OPTION_COUNT <= SCD_CONFIG_OPTION_MAX, "raise SCD_CONFIG_OPTION_MAX");

static const char *const url_schemes[] = { "http://", "https://", "http+unix://" };

const struct scd_config_option *scd_config_options(size_t *ret_count)
{
	*ret_count = OPTION_COUNT;
	return options;
}

const struct scd_config_option *scd_config_option(const char *path)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (strcmp(options[i].path, path) == 0)
			return &options[i];
	}
	return NULL;
}

const struct scd_config_origin *scd__config_origin(const struct scd_config *config,
                                                   const struct scd_config_option *option)
{
	return &config->origins[option - options];
}

static size_t describe_words(const char *const *words, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "one of");

	for (size_t i = 0; words[i] && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s %s", i ? "," : "", words[i]);
	return used;
}

void scd_config_describe(const struct scd_config_option *option, char *text, size_t size)
{
	switch (option->type) {
	case SCD_CONFIG_BOOLEAN: snprintf(text, size, "true or false"); break;
	case SCD_CONFIG_TEXT: snprintf(text, size, "a text"); break;
	case SCD_CONFIG_URL:
		snprintf(text, size, "a URL: http://..., https://... or http+unix:///path/to/socket:/request/path");
		break;
	case SCD_CONFIG_LIST: snprintf(text, size, "a list: `- VALUE` lines, or [VALUE, VALUE]"); break;
	case SCD_CONFIG_NUMBER: snprintf(text, size, "a whole number from %u to %u", option->min, option->max); break;
	case SCD_CONFIG_WORD: describe_words(option->words, text, size); break;
	case SCD_CONFIG_SWITCHES:
		snprintf(text, size, "a list of `- enable:` or `- disable:` {rule or tag: TEXT}");
		break;
	case SCD_CONFIG_OUTPUTS: snprintf(text, size, "a list of `- extra_output: TEXT`, with `match:`"); break;
	}
}

/* "KEY must be …", and what may stand there as the hint. */
static int refuse(const struct scd_config_option *option, const struct scd_yaml_node *node, const char *what,
                  struct scd_error *err)
{
	char hint[sizeof(err->hint)];

	scd_config_describe(option, hint, sizeof(hint));
	scd_error_set(err, -EINVAL, "%s %s", option->path, what);
	scd_error_at(err, NULL, node->line, node->column);
	scd_error_hint(err, "write %s", hint);
	return -EINVAL;
}

static int store_boolean(void *member, const struct scd_config_option *option, const struct scd_yaml_node *node,
                         struct scd_error *err)
{
	if (scd_yaml_bool(node, member) < 0)
		return refuse(option, node, "is not a boolean", err);
	return 0;
}

static int store_number(void *member, const struct scd_config_option *option, const struct scd_yaml_node *node,
                        struct scd_error *err)
{
	unsigned *number = member;
	uint64_t value;
	int r;

	r = scd_str_to_u64(node->text, &value);
	if (r == -EINVAL)
		return refuse(option, node, "is not a whole number", err);
	if (r < 0 || value < option->min || value > option->max)
		return refuse(option, node, "is out of range", err);
	*number = (unsigned)value;
	return 0;
}

static int store_word(void *member, const struct scd_config_option *option, const struct scd_yaml_node *node,
                      struct scd_error *err)
{
	const char **word = member;

	for (size_t i = 0; option->words[i]; i++) {
		if (strlen(option->words[i]) == node->text.len &&
		    strncasecmp(option->words[i], node->text.data, node->text.len) == 0) {
			*word = option->words[i];
			return 0;
		}
	}
	return refuse(option, node, "has an unknown value", err);
}

/* Copies a text into the arena. */
static int dup_text(struct scd_config *config, const struct scd_config_option *option, const struct scd_yaml_node *node,
                    const char **ret_text, struct scd_error *err)
{
	struct scd_str copy;

	if (memchr(node->text.data, '\0', node->text.len))
		return refuse(option, node, "contains a NUL character", err);
	copy = scd_arena_dup(&config->arena, node->text);
	if (!copy.data) {
		scd_error_set(err, -ENOMEM, "out of memory");
		return -ENOMEM;
	}
	*ret_text = copy.data;
	return 0;
}

static int store_text(struct scd_config *config, void *member, const struct scd_config_option *option,
                      const struct scd_yaml_node *node, struct scd_error *err)
{
	const char **text = member;

	if (node->text.len == 0) {
		*text = NULL;
		return 0;
	}
	return dup_text(config, option, node, text, err);
}

static bool is_url(struct scd_str text)
{
	for (size_t i = 0; i < SCD_COUNT(url_schemes); i++) {
		struct scd_str scheme = scd_str_from(url_schemes[i]);

		if (text.len > scheme.len && scd_str_starts_with(text, scheme))
			return true;
	}
	return false;
}

static int store_url(struct scd_config *config, void *member, const struct scd_config_option *option,
                     const struct scd_yaml_node *node, struct scd_error *err)
{
	if (node->text.len > 0 && !is_url(node->text))
		return refuse(option, node, "is not a URL that seccheckd can post to", err);
	return store_text(config, member, option, node, err);
}

/* The array has room for the next power of two, so it is full exactly when count is one (or zero). */
static int add_text(struct scd_config *config, struct scd_config_texts *texts, const char *text)
{
	size_t count = texts->count;

	if ((count & (count - 1)) == 0) {
		const char **items = scd_arena_zalloc(&config->arena, count ? 2 * count : 1, sizeof(*items));

		if (!items)
			return -ENOMEM;
		if (count)
			memcpy(items, texts->items, count * sizeof(*items));
		texts->items = items;
	}
	texts->items[texts->count++] = text;
	return 0;
}

static int store_item(struct scd_config *config, struct scd_config_texts *texts, const struct scd_config_option *option,
                      const struct scd_yaml_node *node, struct scd_error *err)
{
	const char *text;
	int r;

	if (node->kind != SCD_YAML_SCALAR)
		return refuse(option, node, "has an item that is not a text", err);
	if (node->text.len == 0 || scd_yaml_is_null(node))
		return refuse(option, node, "has an empty item", err);
	r = dup_text(config, option, node, &text, err);
	if (r < 0)
		return r;
	r = add_text(config, texts, text);
	return r < 0 ? scd_error_set(err, r, "out of memory") : 0;
}

static int store_list(struct scd_config *config, void *member, const struct scd_config_option *option,
                      const struct scd_yaml_node *node, struct scd_error *err)
{
	if (node->kind != SCD_YAML_SEQUENCE)
		return refuse(option, node, "is not a list", err);
	for (size_t i = 0; i < node->count; i++) {
		int r = store_item(config, member, option, node->items[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int store_scalar(struct scd_config *config, void *member, const struct scd_config_option *option,
                        const struct scd_yaml_node *node, struct scd_error *err)
{
	if (node->kind != SCD_YAML_SCALAR)
		return refuse(option, node, "is not a single value", err);
	switch (option->type) {
	case SCD_CONFIG_BOOLEAN: return store_boolean(member, option, node, err);
	case SCD_CONFIG_NUMBER: return store_number(member, option, node, err);
	case SCD_CONFIG_WORD: return store_word(member, option, node, err);
	case SCD_CONFIG_URL: return store_url(config, member, option, node, err);
	default: return store_text(config, member, option, node, err);
	}
}

int scd__config_store(struct scd_config *config, const struct scd_config_option *option,
                      const struct scd_yaml_node *node, struct scd_error *err)
{
	void *member = (char *)config + option->offset;
	int r;

	if (scd_yaml_is_null(node))
		return refuse(option, node, "has no value", err);
	if (option->type == SCD_CONFIG_SWITCHES || option->type == SCD_CONFIG_OUTPUTS)
		r = scd__config_store_maps(config, option, node, err);
	else if (option->type == SCD_CONFIG_LIST)
		r = store_list(config, member, option, node, err);
	else
		r = store_scalar(config, member, option, node, err);
	if (r < 0)
		return r;
	config->origins[option - options] = (struct scd_config_origin){ true, node->line, node->column };
	return 0;
}
