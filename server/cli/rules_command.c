/*
 * The second word of `seccheckd rules …` to its subcommand, and what they share.
 */
#include "rules_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/cli/cli.h"
#include "seccheckd/config/suggest.h"
#include "stdout.h"

#define NAMES_CHUNK_BYTES 4096u

static const struct entry {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
} subcommands[] = {
	{ "check", "Says what is wrong with rule files, and what rules can see on gVisor.", scd__rules_check },
	{ "list", "Prints the rules of rule files.", scd__rules_list },
	{ "fields", "Prints the fields that rules can read.", scd__rules_fields },
	{ "explain", "Says why a rule matched the events of a trace, and why not.", scd__rules_explain },
	{ "test", "Runs unit tests of rules.", scd__rules_test },
};
#define COUNT SCD_COUNT(subcommands)

static void print_usage(FILE *stream)
{
	fprintf(stream, "usage: seccheckd rules SUBCOMMAND [OPTION]... [PATH]...\n\n"
	                "Tools for those who write rules.\n\nSubcommands:\n");
	for (size_t i = 0; i < COUNT; i++)
		fprintf(stream, "  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
	fprintf(stream, "\n'seccheckd rules SUBCOMMAND --help' tells more.\n");
}

static int unknown_subcommand(const char *name)
{
	const char *names[COUNT], *nearest;

	for (size_t i = 0; i < COUNT; i++)
		names[i] = subcommands[i].name;
	nearest = scd_suggest_nearest(scd_str_from(name), names, COUNT);
	fprintf(stderr, "seccheckd rules: unknown %s '%s'", *name == '-' ? "option" : "subcommand", name);
	if (nearest)
		fprintf(stderr, ", did you mean '%s'?", nearest);
	fprintf(stderr, "\ntry 'seccheckd rules --help'\n");
	return SCD__EXIT_USAGE;
}

int scd_cli_rules(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return SCD__EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE;
	}
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(subcommands[i].name, argv[1]) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	return unknown_subcommand(argv[1]);
}

int scd__rules_load_with(const char *const *paths, size_t count, const struct scd_ruleset_options *options,
                         struct scd__rules_loaded *ret_loaded)
{
	struct scd_loader *loader;

	ret_loaded->set = NULL;
	scd_diags_init(&ret_loaded->diags);
	loader = scd_loader_new(&ret_loaded->diags);
	if (!loader)
		return -ENOMEM;
	if (count > 0 || scd__rules_add_bundled(loader, &ret_loaded->diags) == 0) {
		for (size_t i = 0; i < count; i++)
			scd_loader_add_path(loader, paths[i]);
		scd_loader_build(loader, options, &ret_loaded->set);
	}
	scd_loader_free(&loader);
	return 0;
}

int scd__rules_load_paths(char **paths, size_t count, struct scd__rules_loaded *ret_loaded)
{
	const struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG, .keep_conditions = true };

	return scd__rules_load_with((const char *const *)paths, count, &options, ret_loaded);
}

int scd__rules_load_args(const struct scd__args *args, const struct scd_ruleset_options *options,
                         struct scd__rules_loaded *ret_loaded)
{
	const char **paths = calloc(args->count + 1, sizeof(*paths));
	size_t count = 0;
	int r;

	for (size_t i = 0; paths && i < args->count; i++)
		if (strcmp(args->items[i].flag->name, "rules") == 0)
			paths[count++] = args->items[i].value;
	if (paths) {
		r = scd__rules_load_with(paths, count, options, ret_loaded);
	} else {
		ret_loaded->set = NULL;
		scd_diags_init(&ret_loaded->diags);
		r = -ENOMEM;
	}
	free(paths);
	return r;
}

const struct scd_rule *scd__rules_find(const struct scd_ruleset *set, struct scd_str name)
{
	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++)
		if (scd_str_eq(scd_ruleset_rule(set, i)->name, name))
			return scd_ruleset_rule(set, i);
	return NULL;
}

/* A rule whose name has this in it, or is this but for the case. */
static bool find_containing(const struct scd_ruleset *set, struct scd_str part, struct scd_str *ret_name)
{
	for (size_t i = 0; part.len > 0 && i < scd_ruleset_rule_count(set); i++) {
		*ret_name = scd_ruleset_rule(set, i)->name;
		if (scd_str_icontains(*ret_name, part))
			return true;
	}
	return false;
}

bool scd__rules_nearest(const struct scd_ruleset *set, struct scd_str name, struct scd_str *ret_name)
{
	size_t count = scd_ruleset_rule_count(set);
	const char **names = calloc(count + 1, sizeof(*names));
	struct scd_arena arena;
	const char *nearest;

	scd_arena_init(&arena, NAMES_CHUNK_BYTES, 0);
	for (size_t i = 0; names && i < count; i++) {
		names[i] = scd_arena_dup(&arena, scd_ruleset_rule(set, i)->name).data;
		count = names[i] ? count : i;
	}
	nearest = names ? scd_suggest_nearest(name, names, count) : NULL;
	for (size_t i = 0; nearest && i < count; i++)
		if (nearest == names[i])
			*ret_name = scd_ruleset_rule(set, i)->name;
	free(names);
	scd_arena_done(&arena);
	return nearest || find_containing(set, name, ret_name);
}

void scd__rules_unload(struct scd__rules_loaded *loaded)
{
	scd_ruleset_unref(&loaded->set);
	scd_diags_done(&loaded->diags);
}

json_t *scd__json_text(struct scd_str text)
{
	json_t *json = json_stringn(text.data ? text.data : "", text.len);
	struct scd_buf mended;

	if (json)
		return json;
	scd_buf_init(&mended, 3 * text.len + 1);
	while (text.len) {
		size_t len = scd_str_utf8_length(text);

		scd_buf_append_str(&mended, len ? (struct scd_str){ text.data, len } : SCD_STR("\xef\xbf\xbd"));
		text.data += len ? len : 1;
		text.len -= len ? len : 1;
	}
	json = json_stringn(mended.data ? mended.data : "", mended.len);
	scd_buf_done(&mended);
	return json;
}

json_t *scd__json_texts(const struct scd_str *texts, size_t count)
{
	json_t *json = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(json, scd__json_text(texts[i]));
	return json;
}

int scd__json_print(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text) {
		fprintf(stderr, "seccheckd rules: out of memory\n");
		return SCD__EXIT_FAILURE;
	}
	puts(text);
	free(text);
	return scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE;
}
