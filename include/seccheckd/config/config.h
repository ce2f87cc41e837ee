/*
 * The configuration: a YAML file and command-line flags into one plain struct.
 *
 * Names are Falco's where the meaning is Falco's (rules_files, priority, rule_matching, stdout_output, file_output,
 * http_output, log_level). Unknown keys, wrong types and impossible values are errors with line and column.
 * docs/configuration.md lists every key.
 */
#ifndef SECCHECKD_CONFIG_CONFIG_H
#define SECCHECKD_CONFIG_CONFIG_H

#include "seccheckd/base/arena.h"
#include "seccheckd/base/error.h"

struct scd_config_texts {
	const char **items;
	size_t count;
};

struct scd_config_tls {
	const char *ca_cert, *client_cert, *client_key;
	bool insecure;
};

/* Strings live in the config's arena. NULL: not set. */
struct scd_config {
	struct scd_arena arena;

	struct scd_config_texts listen;
	struct scd_config_texts rules_files;
	const char *priority;      /* minimum, as written; default "debug" */
	const char *rule_matching; /* "all" (default) or "first" */
	const char *log_level;     /* default "info" */

	struct {
		bool enabled; /* default: true when no other output is configured */
		bool enabled_set;
	} stdout_output;
	struct {
		bool enabled;
		const char *filename;
	} file_output;
	struct {
		bool enabled;
		const char *url;
		const char *user_agent;
		struct scd_config_tls tls;
	} http_output;
	struct {
		const char *url;    /* NULL: no control plane */
		const char *format; /* "protobuf" (default) or "json" */
		const char *ack;    /* "ids" (default) or "status" */
		unsigned batch_max_count;
		unsigned timeout_ms, backoff_min_ms, backoff_max_ms;
		struct scd_config_tls tls;
	} control_plane;
};

void scd_config_init(struct scd_config *config); /* defaults */
void scd_config_done(struct scd_config *config);

/*
 * Reads a file over what is there. 0, or negative errno with err: file, line, column, what, hint. config may be
 * partly changed.
 */
int scd_config_read_file(struct scd_config *config, const char *path, struct scd_error *err);

/* Appends to a list; -ENOMEM. */
int scd_config_add(struct scd_config *config, struct scd_config_texts *texts, const char *text);

#endif
