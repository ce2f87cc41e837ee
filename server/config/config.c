/*
 * The life of a configuration: defaults, single values, and the checks that look at several keys.
 */
#include "seccheckd/config/config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

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

/* An error at the place of a key, if a file set it. */
__attribute__((format(printf, 4, 5))) static int refuse(struct scd_config *config, const char *path,
                                                        struct scd_error *err, const char *format, ...)
{
	const struct scd_config_origin *origin = scd__config_origin(config, scd_config_option(path));
	va_list args;

	va_start(args, format);
	scd_error_vset(err, -EINVAL, format, args);
	va_end(args);
	if (origin->line)
		scd_error_at(err, config->file, origin->line, origin->column);
	return -EINVAL;
}

static bool is_set(struct scd_config *config, const char *path)
{
	return scd__config_origin(config, scd_config_option(path))->set;
}

/* SECTION.KEY */
#define PATH_BYTES 64
static const char *join(char path[PATH_BYTES], const char *section, const char *key)
{
	snprintf(path, PATH_BYTES, "%s.%s", section, key);
	return path;
}

/* One of the certificate files of a section, which must be readable now: later, every request would fail. */
static int check_file(struct scd_config *config, const char *section, const char *key, const char *file,
                      struct scd_error *err)
{
	char path[PATH_BYTES];

	if (!file || access(file, R_OK) == 0)
		return 0;
	return refuse(config, join(path, section, key), err, "%s.%s: cannot read %s: %m", section, key, file);
}

static int check_client_certificate(struct scd_config *config, const char *section, const struct scd_config_tls *tls,
                                    struct scd_error *err)
{
	const char *at = tls->client_cert ? "client_cert" : tls->client_key ? "client_key" : "mtls";
	char path[PATH_BYTES];

	if (tls->client_cert && tls->client_key)
		return 0;
	refuse(config, join(path, section, at), err, "%s: a client certificate needs client_cert and client_key",
	       section);
	scd_error_hint(err, "set both, or neither");
	return -EINVAL;
}

/* Falco's files carry paths of client certificates beside `mtls: false`: then they are not used, nor looked at. */
static int check_tls(struct scd_config *config, const char *section, struct scd_config_tls *tls, struct scd_error *err)
{
	char path[PATH_BYTES];
	int r = 0;

	if (!is_set(config, join(path, section, "mtls")))
		tls->mtls = tls->client_cert || tls->client_key;
	if (tls->mtls)
		r = check_client_certificate(config, section, tls, err);
	else
		tls->client_cert = tls->client_key = NULL;
	if (r == 0)
		r = check_file(config, section, "ca_cert", tls->ca_cert, err);
	if (r == 0)
		r = check_file(config, section, "client_cert", tls->client_cert, err);
	if (r == 0)
		r = check_file(config, section, "client_key", tls->client_key, err);
	return r;
}

static int check_file_output(struct scd_config *config, struct scd_error *err)
{
	if (!config->file_output.enabled || config->file_output.filename)
		return 0;
	refuse(config, "file_output.enabled", err, "file_output is enabled and has no filename");
	scd_error_hint(err, "set file_output.filename");
	return -EINVAL;
}

static int check_http_output(struct scd_config *config, struct scd_error *err)
{
	if (!config->http_output.enabled)
		return 0;
	if (!config->http_output.url) {
		refuse(config, "http_output.enabled", err, "http_output is enabled and has no url");
		scd_error_hint(err, "set http_output.url");
		return -EINVAL;
	}
	return check_tls(config, "http_output", &config->http_output.tls, err);
}

static int check_control_plane(struct scd_config *config, struct scd_error *err)
{
	if (!config->control_plane.url)
		return 0;
	if (config->control_plane.backoff_min_ms > config->control_plane.backoff_max_ms) {
		bool min_set = is_set(config, "control_plane.backoff_min_ms");

		return refuse(config, min_set ? "control_plane.backoff_min_ms" : "control_plane.backoff_max_ms", err,
		              "control_plane.backoff_min_ms (%u) is more than backoff_max_ms (%u)",
		              config->control_plane.backoff_min_ms, config->control_plane.backoff_max_ms);
	}
	return check_tls(config, "control_plane", &config->control_plane.tls, err);
}

int scd_config_check(struct scd_config *config, struct scd_error *err)
{
	int r;

	r = check_file_output(config, err);
	if (r == 0)
		r = check_http_output(config, err);
	if (r == 0)
		r = check_control_plane(config, err);
	if (r == 0 && !is_set(config, "stdout_output.enabled"))
		config->stdout_output.enabled = !config->file_output.enabled && !config->http_output.enabled &&
		                                !config->control_plane.url;
	return r;
}
