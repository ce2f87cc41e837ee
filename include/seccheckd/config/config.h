/*
 * The configuration: a YAML file and command-line flags into one plain struct.
 *
 *   init → read_file → set… → check → (read the members) → done
 *
 * Names are Falco's where the meaning is Falco's (rules_files, priority, rule_matching, stdout_output, file_output,
 * http_output, log_level). Unknown keys, wrong types and impossible values are errors with line and column. One table
 * (server/config/options.def) has every key with its type, range, default and documentation; docs/configuration.md
 * explains them.
 */
#ifndef SECCHECKD_CONFIG_CONFIG_H
#define SECCHECKD_CONFIG_CONFIG_H

#include "seccheckd/base/arena.h"
#include "seccheckd/base/error.h"

/* Room for the keys of the table; the table checks at compile time that it fits. */
#define SCD_CONFIG_OPTION_MAX 48u

struct scd_config_texts {
	const char **items;
	size_t count;
};

/* What an item of `rules` names: rules by the whole name, with `*` for any text, by a part of it, or by a tag. */
enum scd_config_switch_by { SCD_CONFIG_BY_NAME, SCD_CONFIG_BY_SUBSTRING, SCD_CONFIG_BY_TAG };

struct scd_config_switch {
	bool enable;
	enum scd_config_switch_by by;
	const char *text;
};

struct scd_config_switches {
	struct scd_config_switch *items;
	size_t count, room;
};

/* An item of `append_output`: text behind the output of the rules that match all that is not NULL or empty. */
struct scd_config_output {
	const char *rule, *source;
	struct scd_config_texts tags;
	const char *text;
};

struct scd_config_outputs {
	struct scd_config_output *items;
	size_t count, room;
};

/* After check, client_cert and client_key are both set or both NULL. */
struct scd_config_tls {
	const char *ca_cert, *client_cert, *client_key;
	bool mtls; /* default: whether client_cert or client_key is set */
	bool insecure;
};

/* Where a key got its value. */
struct scd_config_origin {
	bool set;
	unsigned line, column; /* of the value in the file; 0: it came from a flag */
};

/* Strings live in the config's arena, or for ever. NULL: not set. An empty text in the file means not set. */
struct scd_config {
	struct scd_arena arena;
	const char *file; /* the last one read; NULL: none */
	struct scd_config_origin origins[SCD_CONFIG_OPTION_MAX];

	struct scd_config_texts listen;
	struct scd_config_texts runsc_paths;
	struct scd_config_texts allowed_uids;
	const uint32_t *allowed_uid_numbers; /* set by check: as many as there are allowed_uids */
	struct scd_config_texts rules_files;
	const char *priority;      /* minimum; one of Falco's words in lower case; default "debug" */
	const char *rule_matching; /* "all" (default) or "first" */
	bool coverage_alerts;      /* default true */
	unsigned worker_threads;   /* 0 (default): as many as the host should have */
	const char *log_level;     /* default "info" */
	struct scd_config_switches rules;
	struct scd_config_outputs append_output;
	const char *user; /* of the worker, by name or number; NULL: see cli/confinement.c */

	struct {
		bool enabled; /* default: whether no other output is configured */
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

void scd_config_init(struct scd_config *config); /* defaults; allocates nothing */
void scd_config_done(struct scd_config *config);

/*
 * Reads a file over what is there: a key that the file has replaces the value, lists as a whole. 0, or negative errno
 * with err: file, line, column, what, hint. config may be partly changed then.
 */
int scd_config_read_file(struct scd_config *config, const char *path, struct scd_error *err);

/*
 * Sets one key from text, as a flag does: a list gets one more item. 0; -EINVAL with err (without a place) for an
 * impossible value; -ENOMEM. The path is one of the table.
 */
int scd_config_set(struct scd_config *config, const char *path, const char *text, struct scd_error *err);

/* Adds an item to `rules`, as the flags -D, -T and -t do. -ENOMEM. */
int scd_config_add_switch(struct scd_config *config, bool enable, enum scd_config_switch_by by, const char *text);

/* Forgets a list, so that flags can replace what the file said. */
void scd_config_clear(struct scd_config_texts *texts);

/*
 * What depends on several keys and on this host: settles the defaults that do, and refuses contradictions, files that
 * are not there or cannot be read or written, and settings by which no alert would reach anybody. Call once, after the
 * last set. 0, or -EINVAL with err, at the place of the key when it came from the file.
 */
int scd_config_check(struct scd_config *config, struct scd_error *err);

/* Gives an error the place of a key's value, if the file set it. The path is one of the table. */
void scd_config_place(const struct scd_config *config, const char *path, struct scd_error *err);

enum scd_config_type {
	SCD_CONFIG_BOOLEAN,
	SCD_CONFIG_TEXT,
	SCD_CONFIG_URL, /* text that starts with http://, https:// or http+unix:// */
	SCD_CONFIG_LIST,
	SCD_CONFIG_NUMBER,
	SCD_CONFIG_WORD,     /* one of a few; any letter case */
	SCD_CONFIG_SWITCHES, /* of `rules` */
	SCD_CONFIG_OUTPUTS,  /* of `append_output` */
};

/* One row of the table of keys. */
struct scd_config_option {
	const char *path; /* "http_output.url" */
	enum scd_config_type type;
	size_t offset;            /* of the member in struct scd_config */
	unsigned min, max;        /* of a NUMBER */
	const char *const *words; /* of a WORD, NULL-terminated; else NULL */
	const char *initial;      /* the default, as a file would have it; NULL: not set */
	const char *doc;          /* one sentence */
};

/* All rows, in the order of the documentation. */
const struct scd_config_option *scd_config_options(size_t *ret_count);

/* The row of a path, or NULL. */
const struct scd_config_option *scd_config_option(const char *path);

/* What may stand there: "a whole number from 1 to 10", "one of a, b". Written to text, at most size bytes. */
void scd_config_describe(const struct scd_config_option *option, char *text, size_t size);

#endif
