/*
 * `seccheckd rules`: tools for those who write rules. Each subcommand is a row of the table in rules_command.c and a
 * file of its own.
 */
#ifndef SCD_SERVER_CLI_RULES_COMMAND_H
#define SCD_SERVER_CLI_RULES_COMMAND_H

#include <jansson.h>

#include "args.h"
#include "seccheckd/engine/details.h"
#include "seccheckd/engine/ruleset.h"

/* argv[0] is the subcommand's name. Return the exit status. */
int scd__rules_check(int argc, char **argv);
int scd__rules_list(int argc, char **argv);
int scd__rules_fields(int argc, char **argv);
int scd__rules_explain(int argc, char **argv);
int scd__rules_test(int argc, char **argv);

/* Rules for a subcommand. */
struct scd__rules_loaded {
	struct scd_diags diags;
	struct scd_ruleset *set; /* NULL: there are errors */
};

/* Loads files and folders with conditions kept, every priority on. -ENOMEM; errors of rules are in diags. */
int scd__rules_load_paths(char **paths, size_t count, struct scd__rules_loaded *ret_loaded);
void scd__rules_unload(struct scd__rules_loaded *loaded);

/* The same with options. No path: the bundled rules. */
int scd__rules_load_with(const char *const *paths, size_t count, const struct scd_ruleset_options *options,
                         struct scd__rules_loaded *ret_loaded);

/* A row for tables of flags, and the rules of its values: the bundled ones if it was not given. */
#define SCD__FLAG_RULES_OF_TOOL                                                                                    \
	{                                                                                                          \
		.name = "rules", .letter = 'r', .value = "PATH",                                                   \
		.help = "Load this rule file, or the *.yaml and *.yml of this folder. May be given several times." \
	}
int scd__rules_load_args(const struct scd__args *args, const struct scd_ruleset_options *options,
                         struct scd__rules_loaded *ret_loaded);

/* A rule by its name, or NULL. And the name that somebody may have meant; false: there is none that is near. */
const struct scd_rule *scd__rules_find(const struct scd_ruleset *set, struct scd_str name);
bool scd__rules_nearest(const struct scd_ruleset *set, struct scd_str name, struct scd_str *ret_name);

/* Texts as JSON; what is no UTF-8 in them is U+FFFD. */
json_t *scd__json_text(struct scd_str text);
json_t *scd__json_texts(const struct scd_str *texts, size_t count);

/* Prints it in one line, frees it, and flushes standard output. The exit status. */
int scd__json_print(json_t *json);

#endif
