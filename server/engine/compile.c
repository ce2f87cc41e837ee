/*
 * A collection of items to a rule set: lists into texts, texts into trees, trees into programs, rules into plans.
 *
 * All rules are compiled even when one is wrong, so that every error is reported; then no set is made.
 */
#include "engine/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/needles.h"
#include "engine/plan.h"
#include "engine/program.h"
#include "engine/warn.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/format.h"

#define CHUNK_BYTES 65536u
#define MANY_KINDS  100u /* Falco warns when a rule is looked at for more event types than this */

/* A macro counts as used when its name stands in a condition, whatever becomes of that one. */
static void mark_macros(const struct scd__build *build, const struct scd_ast *node)
{
	struct scd__macro_item *macro = node->kind == SCD_AST_IDENTIFIER ? scd__macro_get(build, node->text) : NULL;
	if (macro)
		macro->used = true;
	for (size_t i = 0; i < node->child_count; i++)
		mark_macros(build, node->children[i]);
}

/* The condition that warnings are about. */
struct warned {
	struct scd_diags *diags;
	const struct scd__source *source;
	const char *kind;
	struct scd_str name;
};

static void report_warning(void *user, enum scd_diag_code code, size_t offset, const char *text)
{
	const struct warned *warned = user;
	scd__report_in(warned->diags, code, warned->source, offset, warned->kind, warned->name, NULL, "%s", text);
}

/* Joins the parts of a text, substitutes lists and parses. 0, -EINVAL when it was reported. */
static int parse_text(struct scd__build *build, const struct scd__text *parts, const char *kind, struct scd_str name,
                      struct scd__source *source, const struct scd_ast **ret_ast)
{
	struct scd_diags *diags = build->collection->diags;
	struct scd_ast_error error;
	struct scd_str text;
	int result = scd__text_join(&build->collection->arena, parts, &text);
	*source = (struct scd__source){ .text = parts };
	if (result == 0)
		result = scd__strip_comments(build, parts, kind, name, &text);
	if (result == 0)
		result = scd__substitute_lists(build->collection, text, source);
	if (result == -E2BIG) {
		scd__report_in(diags, SCD_DIAG_ERR_COMPILE_CONDITION, source, 0, kind, name,
		               "shorten the lists it uses", "the condition is longer than %u bytes with its lists",
		               SCD_LIMIT_CONDITION_BYTES);
		return -EINVAL;
	}
	if (result < 0)
		return result;
	result = scd_ast_parse(source->substituted, SCD_LIMIT_RULE_PARSE_DEPTH, &build->scratch, ret_ast, &error);
	if (result == -EINVAL)
		scd__report_in(diags, SCD_DIAG_ERR_COMPILE_CONDITION, source, error.pos.offset, kind, name, NULL, "%s",
		               error.what);
	if (result == 0) {
		struct warned warned = { diags, source, kind, name };
		mark_macros(build, *ret_ast);
		scd__warn_condition(*ret_ast, report_warning, &warned);
	}
	return result;
}

static int parse_macros(struct scd__build *build)
{
	int result = 0;
	for (size_t i = 0; i < build->collection->macros.count; i++) {
		struct scd__macro_item *macro = build->collection->macros.all[i];
		int one = parse_text(build, &macro->condition, "macro", macro->name, &macro->source, &macro->ast);
		if (one == -ENOMEM)
			return one;
		if (one < 0) {
			macro->ast = NULL;
			result = one;
		}
	}
	return result;
}

/* -EINVAL; -ENOENT when the rule is left out for a name that does not exist (SPEC 1.10), which is a warning. */
static int report_compile_error(struct scd__build *build, const struct scd__rule_item *rule,
                                const struct scd__compile_error *error)
{
	const struct scd__macro_item *macro = error->macro;
	struct scd_diags *diags = build->collection->diags;
	bool skip = error->is_unknown_name && rule->skip_if_unknown_filter;
	enum scd_diag_code code = skip ? SCD_DIAG_UNKNOWN_FILTER : error->code;
	if (macro)
		scd__report_in(diags, code, &macro->source, error->offset, "macro", macro->name, error->hint,
		               "%s (used by rule '" SCD_STR_FMT "')", error->what, SCD_STR_ARG(rule->pub.name));
	else
		scd__report_in(diags, code, &rule->source, error->offset, "rule", rule->pub.name, error->hint, "%s",
		               error->what);
	return skip ? -ENOENT : -EINVAL;
}

/* -EINVAL when it was reported, -ENOENT when the rule is left out. */
static int compile_condition(struct scd__build *build, struct scd__rule_item *item, struct scd_rule *rule,
                             int32_t *ret_entry, struct scd__gate *ret_gate)
{
	int result = scd__expand_exceptions(build->collection, item);
	if (result == 0)
		result = parse_text(build, &item->full_condition, "rule", item->pub.name, &item->source, &item->ast);
	if (result < 0)
		return result;
	struct scd__compile_error error = { 0 };
	result = scd__program_new(build, item->ast, ret_entry, ret_gate, &error);
	if (result == 0)
		result = scd__static_kinds(build, item->ast, &rule->kinds, &error);
	if (result == -EINVAL)
		return report_compile_error(build, item, &error);
	if (result == -E2BIG) {
		scd__report_in(build->collection->diags, SCD_DIAG_ERR_COMPILE_CONDITION, &item->source, 0, "rule",
		               item->pub.name, "macros that use macros several times grow exponentially",
		               "the condition has more than %u checks with its macros", SCD_LIMIT_CONDITION_NODES);
		return -EINVAL;
	}
	if (result < 0)
		return result;
	if (item->warn_evttypes && scd_kind_set_count(&rule->kinds) > MANY_KINDS)
		scd__report_in(build->collection->diags, SCD_DIAG_NO_EVTTYPE, &item->source, 0, "rule", item->pub.name,
		               "add `evt.type in (open, openat)`",
		               "Rule matches too many evt.type values. This has a significant performance penalty.");
	return 0;
}

/* What an error of an output is called. */
static enum scd_diag_code output_code(const struct scd__rule_item *item, int result)
{
	return result == -ENOENT && item->skip_if_unknown_filter ? SCD_DIAG_UNKNOWN_FILTER
	                                                         : SCD_DIAG_ERR_COMPILE_OUTPUT;
}

/* -EINVAL when it was reported, -ENOENT when the rule is left out. */
static int compile_output(struct scd__build *build, const struct scd__rule_item *item,
                          const struct scd_ruleset_options *options, struct scd_rule *rule)
{
	struct scd_error error;
	int result = scd__output_text(build, item, options, &rule->output_text);
	if (result == 0)
		result = scd_format_new_over(rule->output_text, options->fields, &build->set->arena, &rule->output,
		                             &error);
	if (result == 0)
		scd__warn_output(build, item, rule->output);
	if (result == 0 || result == -ENOMEM)
		return result;
	enum scd_diag_code code = output_code(item, result);
	scd__report_output(build, item, code, rule->output_text, &error);
	return code == SCD_DIAG_UNKNOWN_FILTER ? -ENOENT : -EINVAL;
}

static struct scd_str keep(struct scd_ruleset *set, struct scd_str text)
{
	return scd_arena_dup(&set->arena, text);
}

/* Copies what a rule says of itself into the set, which outlives the files. */
static int copy_rule(struct scd_ruleset *set, const struct scd__rule_item *item, struct scd_rule *rule)
{
	const struct scd_rule *from = &item->pub;
	struct scd_str *tags = scd_arena_zalloc(&set->arena, from->tag_count + 1, sizeof(*tags));
	if (!tags)
		return -ENOMEM;
	for (size_t i = 0; i < from->tag_count; i++)
		tags[i] = keep(set, from->tags[i]);
	*rule = *from;
	rule->tags = tags;
	rule->name = keep(set, from->name);
	if (scd__text_join(&set->arena, &item->desc, &rule->desc) < 0)
		return -ENOMEM;
	rule->desc = keep(set, rule->desc);
	rule->source = keep(set, from->source);
	rule->file = keep(set, scd_str_from(from->file)).data;
	return rule->name.data && rule->desc.data && rule->source.data && rule->file ? 0 : -ENOMEM;
}

/* Whether the rule whose nodes begin at `first_node`, the last one, shows or compares an environment. */
static bool reads_env(const struct scd_ruleset *set, size_t first_node, const struct scd_rule *rule)
{
	bool reads = false;
	for (size_t i = first_node; i < set->node_count; i++) {
		const struct scd__predicate *predicate = &set->predicates[set->nodes[i].predicate];
		reads |= scd__expr_reads_env(predicate->left);
		reads |= predicate->right && scd__expr_reads_env(predicate->right);
	}
	return reads || scd__format_reads_env(rule->output);
}

/* Makes a rule of what is behind the last one of the set. -EINVAL when it was reported, -ENOENT to leave it out. */
static int fill_rule(struct scd__build *build, struct scd__rule_item *item, const struct scd_ruleset_options *options)
{
	struct scd_ruleset *set = build->set;
	struct scd_rule *rule = &set->rules[set->rule_count];
	size_t first_node = set->node_count;
	int result = copy_rule(set, item, rule);
	if (result < 0)
		return result;
	rule->index = (uint32_t)set->rule_count;
	rule->enabled = scd__rule_is_enabled(&item->pub, options);
	int condition = compile_condition(build, item, rule, &set->entries[set->rule_count],
	                                  &set->gates[set->rule_count]);
	int output = condition == -ENOENT ? 0 : compile_output(build, item, options, rule);
	if (condition < 0 || output < 0) {
		set->node_count = first_node;
		return condition < 0 ? condition : output;
	}
	if (options->keep_conditions && scd__keep_condition(build, item, rule) < 0)
		return -ENOMEM;
	if (options->keep_clauses && scd__clauses_new(build, item, rule) < 0)
		return -ENOMEM;
	if (rule->enabled && reads_env(set, first_node, rule))
		set->reads_env = true;
	return 0;
}

/* A rule of another source, or one that asks for it and names what does not exist, is left out with a warning. */
static int compile_rule(struct scd__build *build, struct scd__rule_item *item,
                        const struct scd_ruleset_options *options)
{
	if (item->is_source_unknown) {
		scd__report(build->collection->diags, SCD_DIAG_UNKNOWN_SOURCE, item->place, 0, "rule", item->pub.name,
		            NULL, "Unknown source " SCD_STR_FMT ", skipping", SCD_STR_ARG(item->pub.source));
		return 0;
	}
	int result = fill_rule(build, item, options);
	if (result == 0)
		build->set->rule_count++;
	return result == -ENOENT ? 0 : result;
}

static int compile_rules(struct scd__build *build, const struct scd_ruleset_options *options)
{
	struct scd__collection *collection = build->collection;
	struct scd_ruleset *set = build->set;
	int result = 0;
	set->rules = scd_arena_zalloc(&set->arena, collection->rules.count + 1, sizeof(*set->rules));
	set->entries = scd_arena_zalloc(&set->arena, collection->rules.count + 1, sizeof(*set->entries));
	set->gates = scd_arena_zalloc(&set->arena, collection->rules.count + 1, sizeof(*set->gates));
	if (!set->rules || !set->entries || !set->gates)
		return -ENOMEM;
	for (size_t i = 0; i < collection->rules.count; i++) {
		int one = compile_rule(build, collection->rules.all[i], options);
		if (one == -ENOMEM)
			return one;
		result = one < 0 ? one : result;
	}
	return result;
}

static void warn_unused(const struct scd__collection *collection)
{
	for (size_t i = 0; i < collection->macros.count; i++) {
		const struct scd__macro_item *macro = collection->macros.all[i];
		if (!macro->used)
			scd__report(collection->diags, SCD_DIAG_UNUSED_MACRO, macro->place, 0, "macro", macro->name,
			            NULL, "Macro not referred to by any other rule/macro");
	}
	for (size_t i = 0; i < collection->lists.count; i++) {
		const struct scd__list_item *list = collection->lists.all[i];
		if (!list->used)
			scd__report(collection->diags, SCD_DIAG_UNUSED_LIST, list->place, 0, "list", list->name, NULL,
			            "List not referred to by any other rule/macro");
	}
}

static int compile_all(struct scd__build *build, const struct scd_ruleset_options *options)
{
	int required = scd__check_requirements(build->collection, options);
	int result = scd__resolve_lists(build->collection);
	if (result < 0)
		return result;
	int macros = parse_macros(build);
	if (macros == -ENOMEM)
		return macros;
	result = compile_rules(build, options);
	if (result == 0)
		result = scd__regexes_share(build->set, build->collection->diags);
	if (result == 0)
		result = scd__needles_build(build->set);
	if (result == 0)
		result = scd__plans_build(build->set);
	result = result < 0 ? result : macros;
	return result < 0 ? result : required;
}

/* What the rules of files of this size may take: small files that grow by macros of macros are a mistake. */
static size_t memory_for(size_t source_bytes)
{
	size_t most = source_bytes * SCD_LIMIT_RULESET_GROWTH;
	if (most < SCD_LIMIT_SMALL_RULESET_BYTES)
		return SCD_LIMIT_SMALL_RULESET_BYTES;
	return most < SCD_LIMIT_RULESET_BYTES ? most : SCD_LIMIT_RULESET_BYTES;
}

int scd__compile(struct scd__collection *collection, const struct scd_ruleset_options *options,
                 struct scd_ruleset **ret_set)
{
	struct scd_ruleset *set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	struct scd__build build = { .collection = collection, .set = set };
	atomic_init(&set->refs, 1);
	set->match_first = options->match_first;
	scd_arena_init(&set->arena, CHUNK_BYTES, memory_for(collection->source_bytes));
	scd_arena_init(&build.scratch, CHUNK_BYTES, memory_for(collection->source_bytes));
	scd__exprs_init(&build.exprs, &set->arena, options->fields);
	scd_strmap_init(&build.predicate_by_key);
	int result = compile_all(&build, options);
	if (result == 0)
		warn_unused(collection);
	set->slot_count = build.exprs.count;
	scd__exprs_done(&build.exprs);
	scd_strmap_done(&build.predicate_by_key);
	scd_arena_done(&build.scratch);
	if (result == 0)
		*ret_set = set;
	else
		scd_ruleset_unref(&set);
	return result;
}
