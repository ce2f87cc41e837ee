/*
 * `seccheckd rules check`: what is wrong with rule files, and what each rule can see on gVisor.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "points.h"
#include "rules_command.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/audit.h"
#include "stdout.h"

#define CHUNK_BYTES 65536u
#define MANY_KINDS  60u /* so many event types are all of them to who reads the text */

static const struct scd__flag flags[] = {
	{ .name = "json", .help = "Print one JSON object with ok, errors, warnings, findings and rules." },
};

static const struct scd__command command = {
	.name = "rules check",
	.summary = "Says what is wrong with rule files, and what each of their rules can see on gVisor.",
	.operands = "PATH...",
	.operands_min = 1,
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details =
	        "Files are loaded together, in the order given. Errors and warnings go to standard error (with --json "
	        "into "
	        "the object), with Falco's codes and their places; the status is 1 if there is an error. For each rule "
	        "it "
	        "says how much of it works: full; enrichment (reads fields that this version leaves missing, and can "
	        "match "
	        "without them); partial (some of its event types or fields do not come from gVisor); not_yet and never "
	        "(cannot match, and why); and which points of the trace session it needs.",
	.examples = "  seccheckd rules check rules/\n"
	            "  seccheckd rules check --json falco_rules.yaml | jq '.rules[] | select(.verdict == \"never\")'\n",
};

/* What is known of one rule. */
struct checked {
	const struct scd_rule *rule;
	struct scd_audit audit;
	struct scd_names points, optional;
};

static int check_rule(const struct scd_rule *rule, const struct scd_kind_set *decoded, struct scd_arena *arena,
                      struct checked *ret_checked)
{
	struct checked checked = { .rule = rule };
	int r = scd_audit_rule(rule, decoded, arena, &checked.audit);
	size_t count = scd_kind_set_count(&checked.audit.kinds);

	for (unsigned kind = 0; r == 0 && count < MANY_KINDS && kind < SCD_KIND_COUNT; kind++)
		if (scd_kind_set_has(&checked.audit.kinds, kind) || scd_kind_set_has(&checked.audit.failing, kind))
			r = scd__points_of(kind, &checked.points, arena);
	if (r == 0)
		r = scd__points_optional(&checked.points, &checked.audit.fields, &checked.optional, arena);
	*ret_checked = checked;
	return r;
}

/* Names of event types, each once. */
static int kind_names(const struct scd_kind_set *kinds, struct scd_arena *arena, struct scd_names *ret_names)
{
	int r = 0;

	*ret_names = (struct scd_names){ 0 };
	for (unsigned kind = 0; r == 0 && kind < SCD_KIND_COUNT; kind++)
		if (scd_kind_set_has(kinds, kind))
			r = scd_names_add(ret_names, scd_kind_name(kind), arena);
	return r;
}

/* JSON. */

static json_t *names_json(const struct scd_names *names)
{
	return scd__json_texts(names->items, names->count);
}

static json_t *kinds_json(const struct scd_kind_set *kinds, struct scd_arena *arena)
{
	struct scd_names names;

	return kind_names(kinds, arena, &names) == 0 ? names_json(&names) : json_array();
}

static json_t *checked_json(const struct checked *checked, struct scd_arena *arena)
{
	const struct scd_audit *audit = &checked->audit;
	const struct scd_rule *rule = checked->rule;

	return json_pack("{s:o, s:b, s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rule",
	                 scd__json_text(rule->name), "enabled", rule->enabled, "file",
	                 scd__json_text(scd_str_from(rule->file)), "line", (int)rule->line, "verdict",
	                 scd_audit_name(audit->verdict), "events", kinds_json(&audit->kinds, arena), "partial_events",
	                 kinds_json(&audit->partly, arena), "failing_events", kinds_json(&audit->failing, arena),
	                 "silent_events", kinds_json(&audit->deaf, arena), "absent_events",
	                 kinds_json(&audit->absent, arena), "points", names_json(&checked->points), "optional_fields",
	                 names_json(&checked->optional), "fields_not_yet", names_json(&audit->not_yet),
	                 "fields_in_part", names_json(&audit->in_part), "fields_never", names_json(&audit->never),
	                 "parameters_missing", names_json(&audit->params));
}

static void set_text(json_t *json, const char *key, const char *text)
{
	if (text)
		json_object_set_new(json, key, scd__json_text(scd_str_from(text)));
}

static json_t *finding_json(const struct scd_diag *diag)
{
	json_t *json = json_pack("{s:s, s:b, s:i, s:i}", "code", scd_diag_code_name(diag->code), "error",
	                         scd_diag_is_error(diag->code), "line", (int)diag->line, "column", (int)diag->column);

	set_text(json, "file", diag->file);
	set_text(json, "item", diag->item);
	set_text(json, "what", diag->what);
	set_text(json, "quote", diag->quote);
	set_text(json, "hint", diag->hint);
	return json;
}

static json_t *findings_json(const struct scd_diags *diags)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < diags->count; i++)
		json_array_append_new(findings, finding_json(&diags->items[i]));
	return findings;
}

/* Text. */

static void print_names(const char *head, const struct scd_names *names)
{
	if (names->count == 0)
		return;
	printf("    %s:", head);
	for (size_t i = 0; i < names->count; i++)
		printf("%s " SCD_STR_FMT, i ? "," : "", SCD_STR_ARG(names->items[i]));
	putchar('\n');
}

static void print_kinds(const char *head, const struct scd_kind_set *kinds, struct scd_arena *arena)
{
	struct scd_names names;

	if (scd_kind_set_count(kinds) >= MANY_KINDS)
		printf("    %s: nearly every one\n", head);
	else if (kind_names(kinds, arena, &names) == 0)
		print_names(head, &names);
}

static void print_checked(const struct checked *checked, struct scd_arena *arena)
{
	const struct scd_audit *audit = &checked->audit;

	printf("%-10s  " SCD_STR_FMT "%s\n", scd_audit_name(audit->verdict), SCD_STR_ARG(checked->rule->name),
	       checked->rule->enabled ? "" : " (off)");
	print_kinds("events", &audit->kinds, arena);
	print_kinds("events that tell a descriptor and no address", &audit->partly, arena);
	print_kinds("events that always fail on gVisor", &audit->failing, arena);
	print_kinds("events that cannot match here", &audit->deaf, arena);
	print_kinds("events that never come", &audit->absent, arena);
	print_names("points", &checked->points);
	print_names("optional fields", &checked->optional);
	print_names("fields not filled yet", &audit->not_yet);
	print_names("fields filled at times", &audit->in_part);
	print_names("fields that gVisor cannot tell", &audit->never);
	print_names("parameters that none of its events has", &audit->params);
}

static void print_totals(const size_t *totals, const struct scd_diags *diags)
{
	printf("\n");
	for (unsigned verdict = 0; verdict < SCD_AUDIT_COUNT; verdict++)
		if (totals[verdict])
			printf("%4zu %-10s  %s\n", totals[verdict], scd_audit_name(verdict), scd_audit_doc(verdict));
	printf("%zu errors, %zu warnings\n", diags->error_count, diags->count + diags->left_out - diags->error_count);
}

/* Everything about a set: into rules, or printed where that is NULL. */
static int check_set(const struct scd__rules_loaded *loaded, struct scd_arena *arena, json_t *rules)
{
	size_t totals[SCD_AUDIT_COUNT] = { 0 };
	struct scd_kind_set decoded;
	int r = 0;

	scd__points_decoded(&decoded);
	for (size_t i = 0; i < scd_ruleset_rule_count(loaded->set); i++) {
		struct checked checked;

		scd_arena_reset(arena);
		r = check_rule(scd_ruleset_rule(loaded->set, i), &decoded, arena, &checked);
		if (r < 0)
			return r;
		totals[checked.audit.verdict]++;
		if (rules)
			json_array_append_new(rules, checked_json(&checked, arena));
		else
			print_checked(&checked, arena);
	}
	if (!rules)
		print_totals(totals, &loaded->diags);
	return 0;
}

static int report_json(const struct scd__rules_loaded *loaded, json_t *rules)
{
	const struct scd_diags *diags = &loaded->diags;
	json_t *json = json_pack("{s:b, s:i, s:i, s:o, s:o}", "ok", loaded->set != NULL, "errors",
	                         (int)diags->error_count, "warnings",
	                         (int)(diags->count + diags->left_out - diags->error_count), "findings",
	                         findings_json(diags), "rules", rules);

	return scd__json_print(json);
}

static int check(const struct scd__rules_loaded *loaded, bool as_json)
{
	json_t *rules = as_json ? json_array() : NULL;
	struct scd_arena arena;
	int status = SCD__EXIT_SUCCESS, r = 0;

	scd_arena_init(&arena, CHUNK_BYTES, SCD_LIMIT_RULESET_BYTES);
	if (!as_json)
		scd_diags_print(&loaded->diags, stderr);
	if (loaded->set)
		r = check_set(loaded, &arena, rules);
	scd_arena_done(&arena);
	if (r < 0)
		fprintf(stderr, "seccheckd rules check: %s\n", strerror(-r));
	status = as_json ? report_json(loaded, rules) : (scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE);
	return loaded->set && r == 0 ? status : SCD__EXIT_FAILURE;
}

int scd__rules_check(int argc, char **argv)
{
	struct scd__rules_loaded loaded;
	struct scd__args args;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	if (scd__rules_load_paths(args.operands, args.operand_count, &loaded) < 0) {
		fprintf(stderr, "seccheckd rules check: out of memory\n");
		status = SCD__EXIT_FAILURE;
	} else {
		status = check(&loaded, scd__args_has(&args, "json"));
	}
	scd__rules_unload(&loaded);
	scd__args_done(&args);
	return status;
}
