/*
 * A configuration file into struct scd_config: a walk over the YAML tree beside the table of keys.
 *
 * A key is a path of the table or a section, which is a proper prefix of one ("http_output"); the walk goes down only
 * where the table does, so its depth is that of the table. The first error ends it. Environment variables are not
 * expanded: `${NAME}` stays as it is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/config/suggest.h"

#define PATH_MAX_BYTES 128

struct reading {
	struct scd_config *config;
	struct scd_error *err;
};

/* Keys of falco.yaml that have no counterpart, and what to do instead. */
static const struct foreign_key {
	const char *name, *hint;
} foreign_keys[] = {
	{ "rules_file", "the key is called rules_files" },
	{ "json_output", "alerts are always JSON" },
	{ "json_include_output_property", "alerts always have it" },
	{ "json_include_tags_property", "alerts always have it" },
	{ "engine", "events come from the sockets under listen" },
	{ "gvisor", "events come from the sockets under listen" },
	{ "plugins", "seccheckd has no plugins" },
	{ "load_plugins", "seccheckd has no plugins" },
	{ "syslog_output", "of Falco's outputs there are stdout_output, file_output and http_output" },
	{ "program_output", "of Falco's outputs there are stdout_output, file_output and http_output" },
	{ "grpc_output", "of Falco's outputs there are stdout_output, file_output and http_output" },
};

__attribute__((format(printf, 3, 4))) static int refuse(struct reading *reading, const struct scd_yaml_node *node,
                                                        const char *format, ...)
{
	va_list args;

	va_start(args, format);
	scd_error_vset(reading->err, -EINVAL, format, args);
	va_end(args);
	scd_error_at(reading->err, NULL, node->line, node->column);
	return -EINVAL;
}

/* A key is one component of a path: neither empty, nor with a dot or a NUL in it. */
static bool is_component(struct scd_str key)
{
	return key.len > 0 && !memchr(key.data, '.', key.len) && !memchr(key.data, '\0', key.len);
}

/* PREFIX.KEY, or KEY at the top; false if the table has no path that is so long. */
static bool join(char path[PATH_MAX_BYTES], const char *prefix, struct scd_str key)
{
	int len = snprintf(path, PATH_MAX_BYTES, "%s%s" SCD_STR_FMT, prefix, *prefix ? "." : "", SCD_STR_ARG(key));

	return len < PATH_MAX_BYTES;
}

/* What a path has behind a section's prefix: the text up to the next dot; an empty span for a path of elsewhere. */
static struct scd_str component(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (len > 0 && (strncmp(path, prefix, len) != 0 || path[len] != '.'))
		return (struct scd_str){ 0 };
	path += len > 0 ? len + 1 : 0;
	return (struct scd_str){ path, strcspn(path, ".") };
}

static bool is_section(const char *path)
{
	size_t count;
	const struct scd_config_option *options = scd_config_options(&count);

	for (size_t i = 0; i < count; i++) {
		if (component(options[i].path, path).len > 0)
			return true;
	}
	return false;
}

/* The known key below prefix that was probably meant, or NULL. */
static const char *nearest(struct scd_config *config, const char *prefix, struct scd_str key)
{
	const char *names[SCD_CONFIG_OPTION_MAX];
	size_t option_count, count = 0;
	const struct scd_config_option *options = scd_config_options(&option_count);

	for (size_t i = 0; i < option_count; i++) {
		struct scd_str name = component(options[i].path, prefix);

		if (name.len > 0)
			name = scd_arena_dup(&config->arena, name);
		if (name.data)
			names[count++] = name.data;
	}
	return scd_suggest_nearest(key, names, count);
}

static const char *foreign_hint(struct scd_str key)
{
	for (size_t i = 0; i < SCD_COUNT(foreign_keys); i++) {
		if (scd_str_is(key, foreign_keys[i].name))
			return foreign_keys[i].hint;
	}
	return NULL;
}

static int unknown_key(struct reading *reading, const char *prefix, const struct scd_yaml_node *key)
{
	const char *hint = *prefix ? NULL : foreign_hint(key->text);
	const char *name = hint ? NULL : nearest(reading->config, prefix, key->text);

	refuse(reading, key, "unknown key '" SCD_STR_FMT "'%s%s", SCD_STR_ARG(key->text), *prefix ? " in " : "",
	       prefix);
	if (hint)
		scd_error_hint(reading->err, "%s", hint);
	else if (name)
		scd_error_hint(reading->err, "did you mean '%s'?", name);
	return -EINVAL;
}

static int read_value(struct reading *reading, const struct scd_config_option *option, const struct scd_yaml_node *node)
{
	if (option->type == SCD_CONFIG_SWITCHES)
		reading->config->rules = (struct scd_config_switches){ 0 };
	else if (option->type == SCD_CONFIG_OUTPUTS)
		reading->config->append_output = (struct scd_config_outputs){ 0 };
	else if (option->type == SCD_CONFIG_LIST)
		scd_config_clear((void *)((char *)reading->config + option->offset));
	return scd__config_store(reading->config, option, node, reading->err);
}

static int read_section(struct reading *reading, const char *prefix, const struct scd_yaml_node *node);

static int read_key(struct reading *reading, const char *prefix, const struct scd_yaml_node *key,
                    const struct scd_yaml_node *value)
{
	const struct scd_config_option *option;
	char path[PATH_MAX_BYTES];

	if (!is_component(key->text) || !join(path, prefix, key->text))
		return unknown_key(reading, prefix, key);
	option = scd_config_option(path);
	if (option)
		return read_value(reading, option, value);
	if (is_section(path))
		return read_section(reading, path, value);
	return unknown_key(reading, prefix, key);
}

/* The index of an earlier key with the same name, or i. */
static size_t first_of_name(const struct scd_yaml_node *map, size_t i)
{
	size_t j = 0;

	while (!scd_str_eq(map->keys[j]->text, map->keys[i]->text))
		j++;
	return j;
}

/* A section of which every key is commented out is a null, and fine. */
static int read_section(struct reading *reading, const char *prefix, const struct scd_yaml_node *node)
{
	if (scd_yaml_is_null(node))
		return 0;
	if (node->kind != SCD_YAML_MAP) {
		refuse(reading, node, "%s is not a map of keys", *prefix ? prefix : "the configuration");
		scd_error_hint(reading->err, "write `KEY: VALUE` lines%s", *prefix ? ", indented below it" : "");
		return -EINVAL;
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct scd_yaml_node *key = node->keys[i];
		size_t first = first_of_name(node, i);
		int r;

		if (first != i)
			return refuse(reading, key, "key '" SCD_STR_FMT "' is given twice; the first is in line %u",
			              SCD_STR_ARG(key->text), node->keys[first]->line);
		r = read_key(reading, prefix, key, node->items[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_documents(struct reading *reading, const struct scd_yaml *yaml)
{
	const struct scd_yaml_node *root;

	if (scd_yaml_document_count(yaml) > 1) {
		root = scd_yaml_root(yaml, 1);
		scd_error_set(reading->err, -EINVAL, "the configuration is more than one YAML document");
		if (root)
			scd_error_at(reading->err, NULL, root->line, root->column);
		return -EINVAL;
	}
	root = scd_yaml_document_count(yaml) ? scd_yaml_root(yaml, 0) : NULL;
	return root ? read_section(reading, "", root) : 0;
}

/* Reads to the end of the file, which may be a pipe, or to the first byte over the limit. */
static int read_bytes(int fd, struct scd_buf *bytes)
{
	char chunk[16384];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		scd_buf_append(bytes, chunk, (size_t)n);
		if (bytes->failed)
			return -EFBIG;
	}
	return 0;
}

static int read_text(const char *path, struct scd_buf *bytes, struct scd_error *err)
{
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return scd_error_set(err, -errno, "cannot open the configuration %s: %s", path, strerror(errno));
	r = read_bytes(fd, bytes);
	close(fd);
	if (r == -EFBIG)
		return scd_error_set(err, r, "the configuration %s is over %u bytes", path,
		                     SCD_LIMIT_CONFIG_FILE_BYTES);
	if (r < 0)
		return scd_error_set(err, r, "cannot read the configuration %s: %s", path, strerror(-r));
	return 0;
}

int scd_config_read_file(struct scd_config *config, const char *path, struct scd_error *err)
{
	struct reading reading = { config, err };
	struct scd_yaml *yaml = NULL;
	struct scd_buf bytes;
	int r;

	config->file = scd_arena_dup(&config->arena, scd_str_from(path)).data;
	if (!config->file)
		return scd_error_set(err, -ENOMEM, "out of memory");
	scd_buf_init(&bytes, SCD_LIMIT_CONFIG_FILE_BYTES);
	r = read_text(path, &bytes, err);
	if (r == 0)
		r = scd_yaml_read_text(scd_buf_str(&bytes), path, &yaml, err);
	if (r == 0) {
		r = read_documents(&reading, yaml);
		if (r < 0)
			scd_error_at(err, path, err->line, err->column);
	}
	scd_yaml_free(&yaml);
	scd_buf_done(&bytes);
	return r;
}
