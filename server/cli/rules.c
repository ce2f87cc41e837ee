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
#include "seccheckd/base/error.h"
#include "seccheckd/base/log.h"
#include "seccheckd/engine/format.h"

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

static bool switches_any(const struct scd_rule_switch *one, const struct scd_ruleset *set)
{
	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++)
		if (scd_rule_switch_matches(one, scd_ruleset_rule(set, i)))
			return true;
	return false;
}

/* A selector that is about no rule is a slip of the hand, which may leave a sandbox unwatched. */
static void warn_of_switches(const struct scd_ruleset_options *options, const struct scd_ruleset *set)
{
	static const char *const by[] = { [SCD_RULE_SWITCH_NAME] = "a name that is",
		                          [SCD_RULE_SWITCH_SUBSTRING] = "a name with",
		                          [SCD_RULE_SWITCH_TAG] = "the tag" };

	for (size_t i = 0; i < options->switch_count && scd_ruleset_rule_count(set) > 0; i++) {
		const struct scd_rule_switch *one = &options->switches[i];

		if (switches_any(one, set))
			continue;
		fprintf(stderr, "seccheckd: warning: no rule has %s '", by[one->by]);
		scd_error_print_text(one->text, stderr);
		fprintf(stderr, "', so nothing is %sabled by it\n", one->enable ? "en" : "dis");
	}
}

/* Each output that is appended, once and where it was written: in rules, it would be an error of each of them. */
static int check_outputs(const struct scd_config *config, const struct scd_ruleset_options *options,
                         struct scd_arena *arena, struct scd_diags *diags)
{
	int result = 0;

	for (size_t i = 0; i < options->extra_output_count; i++) {
		const struct scd_format *format;
		struct scd_error err = { 0 };
		int r = scd_format_new_over(options->extra_outputs[i].text, options->fields, arena, &format, &err);

		if (r == -ENOMEM)
			return r;
		if (r == 0)
			continue;
		scd_config_place(config, "append_output", &err);
		scd_diags_add(diags, SCD_DIAG_ERR_COMPILE_OUTPUT, err.file[0] ? err.file : NULL, err.line, err.column,
		              NULL, err.hint[0] ? err.hint : NULL, "append_output: '" SCD_STR_FMT "': %s",
		              SCD_STR_ARG(options->extra_outputs[i].text), err.what);
		result = r;
	}
	return result;
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
		r = check_outputs(config, &options, &arena, diags);
	if (r == 0)
		r = build(config, source, &options, diags, ret_set);
	if (r == 0 && source->good_fd < 0)
		warn_of_switches(&options, *ret_set);
	scd_arena_done(&arena);
	return r;
}

size_t scd__rules_enabled(const struct scd_ruleset *set)
{
	size_t count = 0;

	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++)
		count += scd_ruleset_rule(set, i)->enabled;
	return count;
}

/* Says why there will be no alert. */
static void warn_of_silence(const struct scd_ruleset *set)
{
	if (scd_ruleset_rule_count(set) == 0)
		fprintf(stderr, "seccheckd: warning: there is no rule in what was loaded, so there will be no alert\n");
	else if (scd__rules_enabled(set) == 0)
		fprintf(stderr,
		        "seccheckd: warning: all %zu rules are switched off, or less urgent than the "
		        "priority, so there will be no alert of a rule\n",
		        scd_ruleset_rule_count(set));
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
	if (r == 0 && !told_before)
		warn_of_silence(*ret_set);
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
