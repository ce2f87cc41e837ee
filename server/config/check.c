/*
 * The checks that look at several keys, or at what a key names on this host. All of it is said before anything listens;
 * the first fault ends it. What a URL may be is emit's to say, and cli asks it.
 */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"

/* An error at the place of a key, if a file set it. */
__attribute__((format(printf, 4, 5))) static int refuse(const struct scd_config *config, const char *path,
                                                        struct scd_error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	scd_error_vset(err, -EINVAL, format, args);
	va_end(args);
	scd_config_place(config, path, err);
	return -EINVAL;
}

static bool is_set(const struct scd_config *config, const char *path)
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
static int check_file(const struct scd_config *config, const char *section, const char *key, const char *file,
                      struct scd_error *err)
{
	char path[PATH_BYTES];

	if (!file || access(file, R_OK) == 0)
		return 0;
	return refuse(config, join(path, section, key), err, "%s.%s: cannot read %s: %m", section, key, file);
}

static int check_client_certificate(const struct scd_config *config, const char *section,
                                    const struct scd_config_tls *tls, struct scd_error *err)
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

static int check_listen(const struct scd_config *config, struct scd_error *err)
{
	for (size_t i = 0; i < config->listen.count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(config->listen.items[i], config->listen.items[j]) == 0)
				return refuse(config, "listen", err, "the socket %s is given twice",
				              config->listen.items[i]);
		}
	}
	return 0;
}

/* One that we do not see is one that no process can be held against. */
static int check_runsc_paths(const struct scd_config *config, struct scd_error *err)
{
	for (size_t i = 0; i < config->runsc_paths.count; i++) {
		if (access(config->runsc_paths.items[i], F_OK) < 0)
			return refuse(config, "runsc_paths", err, "cannot find %s: %m", config->runsc_paths.items[i]);
	}
	return 0;
}

/* Numbers are taken as they are; a user who has only that needs no entry in a database. */
static int find_user(const char *text, uint32_t *ret_uid)
{
	struct passwd entry, *user;
	char texts[4096]; /* of the entry; a longer one counts as none */
	uint64_t number;

	if (scd_str_to_u64(scd_str_from(text), &number) == 0) {
		if (number >= UINT32_MAX) /* which is "no user" */
			return -ERANGE;
		*ret_uid = (uint32_t)number;
		return 0;
	}
	if (getpwnam_r(text, &entry, texts, sizeof(texts), &user) != 0 || !user)
		return -ENOENT;
	*ret_uid = user->pw_uid;
	return 0;
}

static int settle_allowed_uids(struct scd_config *config, struct scd_error *err)
{
	const struct scd_config_texts *users = &config->allowed_uids;
	uint32_t *numbers;

	if (users->count == 0 && is_set(config, "allowed_uids"))
		return refuse(config, "allowed_uids", err,
		              "allowed_uids names nobody; leave it out for root and the user of the daemon");
	numbers = scd_arena_alloc(&config->arena, users->count * sizeof(*numbers));
	if (!numbers)
		return scd_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < users->count; i++) {
		int r = find_user(users->items[i], &numbers[i]);

		if (r < 0)
			return refuse(config, "allowed_uids", err,
			              r == -ERANGE ? "%s is not the number of a user" : "there is no user %s",
			              users->items[i]);
	}
	config->allowed_uid_numbers = numbers;
	return 0;
}

/* What they hold is the loader's to judge; that they are there can be said before anything listens. */
static int check_rules_files(const struct scd_config *config, struct scd_error *err)
{
	for (size_t i = 0; i < config->rules_files.count; i++) {
		if (access(config->rules_files.items[i], R_OK) < 0)
			return refuse(config, "rules_files", err, "cannot read %s: %m", config->rules_files.items[i]);
	}
	return 0;
}

/* Whether a file can be appended to, or made. */
static int check_writable(const struct scd_config *config, const char *filename, struct scd_error *err)
{
	const char *slash = strrchr(filename, '/');
	char folder[PATH_MAX];
	struct stat status;
	bool missing;

	if (stat(filename, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return refuse(config, "file_output.filename", err, "%s is a directory", filename);
		return access(filename, W_OK) == 0
		               ? 0
		               : refuse(config, "file_output.filename", err, "cannot write to %s: %m", filename);
	}
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - filename) + 1 : 1, slash ? filename : ".");
	if (access(folder, W_OK | X_OK) == 0)
		return 0;
	missing = errno == ENOENT;
	refuse(config, "file_output.filename", err, "cannot make %s: %m", filename);
	if (missing)
		scd_error_hint(err, "seccheckd makes the file, not its directory %s", folder);
	return -EINVAL;
}

static int check_file_output(const struct scd_config *config, struct scd_error *err)
{
	if (!config->file_output.enabled)
		return 0;
	if (config->file_output.filename)
		return check_writable(config, config->file_output.filename, err);
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

/* Keys of a control plane that there is not: somebody believes that alerts go there. */
static int check_no_control_plane(const struct scd_config *config, struct scd_error *err)
{
	size_t count;
	const struct scd_config_option *options = scd_config_options(&count);

	for (size_t i = 0; i < count; i++) {
		if (strncmp(options[i].path, "control_plane.", strlen("control_plane.")) != 0 ||
		    strcmp(options[i].path, "control_plane.url") == 0 || !is_set(config, options[i].path))
			continue;
		refuse(config, options[i].path, err, "%s is set, and control_plane.url is not", options[i].path);
		scd_error_hint(err, "set control_plane.url, or leave the section out");
		return -EINVAL;
	}
	return 0;
}

static int check_control_plane(struct scd_config *config, struct scd_error *err)
{
	if (!config->control_plane.url)
		return check_no_control_plane(config, err);
	if (config->control_plane.backoff_min_ms > config->control_plane.backoff_max_ms) {
		bool min_set = is_set(config, "control_plane.backoff_min_ms");

		return refuse(config, min_set ? "control_plane.backoff_min_ms" : "control_plane.backoff_max_ms", err,
		              "control_plane.backoff_min_ms (%u) is more than backoff_max_ms (%u)",
		              config->control_plane.backoff_min_ms, config->control_plane.backoff_max_ms);
	}
	return check_tls(config, "control_plane", &config->control_plane.tls, err);
}

/* Standard output is the output of who has asked for none; who has refused even that one made a mistake. */
static int settle_stdout(struct scd_config *config, struct scd_error *err)
{
	const bool others = config->file_output.enabled || config->http_output.enabled || config->control_plane.url;

	if (!is_set(config, "stdout_output.enabled"))
		config->stdout_output.enabled = !others;
	if (config->stdout_output.enabled || others)
		return 0;
	refuse(config, "stdout_output.enabled", err, "no output is enabled: alerts would reach nobody");
	scd_error_hint(err, "enable stdout_output, file_output or http_output, or set control_plane.url");
	return -EINVAL;
}

int scd_config_check(struct scd_config *config, struct scd_error *err)
{
	int r;

	r = check_listen(config, err);
	if (r == 0)
		r = check_runsc_paths(config, err);
	if (r == 0)
		r = settle_allowed_uids(config, err);
	if (r == 0)
		r = check_rules_files(config, err);
	if (r == 0)
		r = check_file_output(config, err);
	if (r == 0)
		r = check_http_output(config, err);
	if (r == 0)
		r = check_control_plane(config, err);
	if (r == 0)
		r = settle_stdout(config, err);
	return r;
}
