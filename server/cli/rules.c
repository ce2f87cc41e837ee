/*
 * Loading rules for a command.
 *
 * The bundled rules are found from the place of the program, so that an installation can be moved:
 *
 *    PREFIX/sbin/seccheckd    PREFIX/share/seccheckd/rules
 *    SOURCE/build/seccheckd   SOURCE/rules
 */
#include "rules.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle.h"
#include "rule_options.h"
#include "seccheckd/base/log.h"

#define INSTALLED_FOLDER "share/seccheckd/rules"
#define SOURCE_FOLDER    "rules"

#define OPTIONS_CHUNK_BYTES 4096u

static void cut_last_component(char *path)
{
	char *slash = strrchr(path, '/');

	*(slash ? slash : path) = '\0';
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Fills path with the folder of the bundled rules; where there is none, with the place where it belongs. */
static int find_bundled(char *path, size_t size)
{
	char prefix[PATH_MAX] = "", beside[2 * PATH_MAX];

	if (readlink("/proc/self/exe", prefix, sizeof(prefix) - 1) < 0)
		return -errno;
	cut_last_component(prefix);
	cut_last_component(prefix);
	snprintf(path, size, "%s/%s", prefix, INSTALLED_FOLDER);
	if (is_folder(path))
		return 0;
	snprintf(beside, sizeof(beside), "%s/%s", prefix, SOURCE_FOLDER);
	if (!is_folder(beside))
		return -ENOENT;
	snprintf(path, size, "%s", beside);
	return 0;
}

int scd__rules_add_bundled(struct scd_loader *loader, struct scd_diags *diags)
{
	char path[2 * PATH_MAX] = "";
	int r = find_bundled(path, sizeof(path));

	if (r == 0)
		return scd_loader_add_path(loader, path);
	scd_diags_add(diags, SCD_DIAG_ERR_FILE_READ, path, 0, 0, NULL,
	              "give --rules PATH, or rules_files in the configuration",
	              "no rules were given, and the folder of the bundled ones is not here: %s", strerror(-r));
	return r;
}

static int add_rules(struct scd_loader *loader, const struct scd_config_texts *paths, struct scd_diags *diags)
{
	if (paths->count == 0)
		return scd__rules_add_bundled(loader, diags);
	for (size_t i = 0; i < paths->count; i++) {
		int r = scd_loader_add_path(loader, paths->items[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Where the texts of the rules come from, and where they are kept; both -1 for a command that is no worker. */
struct source {
	int good_fd, keep_fd;
};

/* A worker does without: then the one that follows it reads the disk. */
static void keep(const struct scd_loader *loader, int keep_fd)
{
	int r = scd__bundle_write(loader, keep_fd);

	if (r < 0)
		scd_log(SCD_LOG_WARNING, "the rules cannot be kept for a later worker: %s", strerror(-r));
}

static int build(const struct scd_config *config, const struct source *source,
                 const struct scd_ruleset_options *options, struct scd_diags *diags, struct scd_ruleset **ret_set)
{
	struct scd_loader *loader = scd_loader_new(diags);
	int r;

	if (!loader)
		return -ENOMEM;
	if (source->good_fd >= 0)
		r = scd__bundle_read(source->good_fd, loader);
	else
		r = add_rules(loader, &config->rules_files, diags);
	if (r == 0)
		r = scd_loader_build(loader, options, ret_set);
	if (r == 0 && source->keep_fd >= 0)
		keep(loader, source->keep_fd);
	scd_loader_free(&loader);
	return r;
}

static int build_as_configured(const struct scd_config *config, const struct source *source, struct scd_diags *diags,
                               struct scd_ruleset **ret_set)
{
	struct scd_ruleset_options options;
	struct scd_arena arena;
	int r;

	scd_arena_init(&arena, OPTIONS_CHUNK_BYTES, 0);
	r = scd__rule_options_of(config, &arena, &options);
	if (r == 0)
		r = build(config, source, &options, diags, ret_set);
	scd_arena_done(&arena);
	return r;
}

static int load(const struct scd_config *config, const struct source *source, struct scd_ruleset **ret_set)
{
	bool told_before = source->good_fd >= 0; /* the same texts, by an earlier worker */
	struct scd_diags diags;
	int r;

	scd_diags_init(&diags);
	r = build_as_configured(config, source, &diags, ret_set);
	if (r < 0 || !told_before)
		scd_diags_print(&diags, stderr);
	if (r < 0 && diags.error_count == 0)
		fprintf(stderr, "seccheckd: cannot load the rules: %s\n", strerror(-r));
	if (r == 0 && !told_before && scd_ruleset_rule_count(*ret_set) == 0)
		fprintf(stderr, "seccheckd: warning: there is no rule in what was loaded, so there will be no alert\n");
	scd_diags_done(&diags);
	return r;
}

int scd__rules_load(const struct scd_config *config, struct scd_ruleset **ret_set)
{
	return load(config, &(struct source){ -1, -1 }, ret_set);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

int scd__rules_load_worker(const struct scd_config *config, const struct scd_worker_seat *seat,
                           struct scd_ruleset **ret_set)
{
	int r = load(config, &(struct source){ seat->good_fd, seat->keep_fd }, ret_set);

	close_if_open(seat->good_fd);
	close_if_open(seat->keep_fd);
	return r;
}
