/*
 * `seccheckd rules list`: the rules of files, in the order in which they are evaluated.
 */
#include <stdio.h>
#include <string.h>

#include "rules_command.h"
#include "seccheckd/base/array.h"
#include "stdout.h"

static const struct scd__flag flags[] = {
	{ .name = "json",
	  .help = "Print one JSON array of objects with rule, priority, enabled, source, tags, file, line." },
};

static const struct scd__command command = {
	.name = "rules list",
	.summary = "Prints the rules of rule files, in the order in which they are evaluated.",
	.operands = "PATH...",
	.operands_min = 1,
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details =
	        "One line for each rule: its priority, whether it is on or off, its name, its tags, and where it was "
	        "defined first. Rules of another source than syscall are not loaded, and not listed.",
	.examples = "  seccheckd rules list rules/\n"
	            "  seccheckd rules list --json falco_rules.yaml | jq -r '.[] | select(.enabled) | .rule'\n",
};

static json_t *rule_json(const struct scd_rule *rule)
{
	return json_pack("{s:o, s:s, s:b, s:o, s:o, s:o, s:i}", "rule", scd__json_text(rule->name), "priority",
	                 scd_priority_name(rule->priority), "enabled", rule->enabled, "source",
	                 scd__json_text(rule->source), "tags", scd__json_texts(rule->tags, rule->tag_count), "file",
	                 scd__json_text(scd_str_from(rule->file)), "line", (int)rule->line);
}

static int print_json(const struct scd_ruleset *set)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++)
		json_array_append_new(rules, rule_json(scd_ruleset_rule(set, i)));
	return scd__json_print(rules);
}

static int print_text(const struct scd_ruleset *set)
{
	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++) {
		const struct scd_rule *rule = scd_ruleset_rule(set, i);

		printf("%-13s %-3s  " SCD_STR_FMT, scd_priority_name(rule->priority), rule->enabled ? "on" : "off",
		       SCD_STR_ARG(rule->name));
		for (size_t t = 0; t < rule->tag_count; t++)
			printf("%s" SCD_STR_FMT, t ? ", " : "  [", SCD_STR_ARG(rule->tags[t]));
		printf("%s  %s:%u\n", rule->tag_count ? "]" : "", rule->file, rule->line);
	}
	return scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE;
}

int scd__rules_list(int argc, char **argv)
{
	struct scd__rules_loaded loaded;
	struct scd__args args;
	int status = SCD__EXIT_FAILURE;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	if (scd__rules_load_paths(args.operands, args.operand_count, &loaded) == 0 && loaded.set)
		status = scd__args_has(&args, "json") ? print_json(loaded.set) : print_text(loaded.set);
	else
		status = SCD__EXIT_FAILURE;
	if (status != SCD__EXIT_SUCCESS)
		scd_diags_print(&loaded.diags, stderr);
	scd__rules_unload(&loaded);
	scd__args_done(&args);
	return status;
}
