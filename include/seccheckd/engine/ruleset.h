/*
 * Rule sets: rule files in, one immutable generation out.
 *
 *   loader new → add file/text… → build → (ref … unref)
 *
 * A generation lives in one arena, is shared by all threads without a lock, and is freed when the last reference
 * goes. Lists, macros and rules of all files share one namespace and are compiled together, as Falco does.
 */
#ifndef SECCHECKD_ENGINE_RULESET_H
#define SECCHECKD_ENGINE_RULESET_H

#include "seccheckd/engine/diag.h"
#include "seccheckd/event/kind.h"

/*
 * The version of Falco's engine whose rule files are understood here: what required_engine_version is held against.
 */
#define SCD_RULESET_ENGINE_VERSION "0.63.0"

/* The version of Falco's plugin `container` whose fields are known here: what required_plugin_versions asks for. */
#define SCD_RULESET_CONTAINER_VERSION "0.4.0"

/* Falco's priorities, most urgent first. X(ENUM, "Name as alerts show it") */
#define SCD_PRIORITY_TABLE(X)             \
	X(EMERGENCY, "Emergency")         \
	X(ALERT, "Alert")                 \
	X(CRITICAL, "Critical")           \
	X(ERROR, "Error")                 \
	X(WARNING, "Warning")             \
	X(NOTICE, "Notice")               \
	X(INFORMATIONAL, "Informational") \
	X(DEBUG, "Debug")

enum scd_priority {
#define X(id, name) SCD_PRIORITY_##id,
	SCD_PRIORITY_TABLE(X) SCD_PRIORITY_COUNT
};
#undef X

const char *scd_priority_name(enum scd_priority priority);

/* Any letter case; "Info" is Informational. -EINVAL. */
int scd_priority_parse(struct scd_str text, enum scd_priority *ret_priority);

struct scd_ast;         /* lang/ast.h */
struct scd_clause;      /* engine/explain.h */
struct scd_format;      /* engine/format.h */
struct scd_field_table; /* engine/field.h */
struct scd_ruleset;

struct scd_rule {
	uint32_t index; /* order of first definition, which is the order of evaluation */
	struct scd_str name, desc, source;
	enum scd_priority priority;
	const struct scd_str *tags; /* sorted, no duplicates */
	size_t tag_count;
	bool enabled;
	const struct scd_format *output;
	struct scd_str output_text;       /* as it was compiled: with what was appended to it */
	const struct scd_ast *condition;  /* exceptions, lists and macros resolved; NULL unless keep_conditions */
	const struct scd_clause *clauses; /* its root; NULL unless keep_clauses, and where there are too many */
	size_t clause_count;
	const char *file;
	unsigned line;
	struct scd_kind_set kinds; /* event kinds that it can match at all */
};

/* Which rules an entry of `rules` or one of -D, -T, -t switches. */
enum scd_rule_switch_by {
	SCD_RULE_SWITCH_NAME,      /* the whole name, in which `*` stands for any text */
	SCD_RULE_SWITCH_SUBSTRING, /* a part of the name; empty: all */
	SCD_RULE_SWITCH_TAG,       /* rules that have the tag */
};

struct scd_rule_switch {
	bool enable;
	enum scd_rule_switch_by by;
	struct scd_str text;
};

/* Falco's append_output: text that rules print behind their own. What is empty here matches all. */
struct scd_extra_output {
	struct scd_str source;
	struct scd_str rule;        /* its whole name */
	const struct scd_str *tags; /* all of them */
	size_t tag_count;
	struct scd_str text;
};

/* A plugin that rule files may require. */
struct scd_plugin {
	const char *name, *version;
};

/* Zeroed but for minimum_priority, everything is off. What it points to is needed until the build is over. */
struct scd_ruleset_options {
	enum scd_priority minimum_priority; /* rules less urgent are compiled and never enabled; DEBUG: all */
	bool match_first;     /* rule_matching: first stops at an event's first match; default: all report */
	bool keep_conditions; /* fill scd_rule.condition, which may be large */
	bool keep_clauses;    /* fill scd_rule.clauses, the same */

	/* One after the other, over what `enabled` of the rules says. */
	const struct scd_rule_switch *switches;
	size_t switch_count;

	const struct scd_extra_output *extra_outputs; /* in this order */
	size_t extra_output_count;

	const struct scd_plugin *plugins; /* NULL: `container` */
	size_t plugin_count;

	/* What fields of conditions and outputs are; lives as long as the set. NULL: the catalogue. */
	const struct scd_field_table *fields;
};

/* Whether a switch is about this rule. */
bool scd_rule_switch_matches(const struct scd_rule_switch *one, const struct scd_rule *rule);

/* Whether a rule's name is what a pattern with `*` says. */
bool scd_rule_name_matches(struct scd_str pattern, struct scd_str name);

/* A rule's name as a label or name of a metric: `Terminal_shell_in_container`. -ENOMEM. */
int scd_rule_name_sanitize(struct scd_str name, struct scd_arena *arena, struct scd_str *ret_name);

struct scd_loader;

/* NULL on exhaustion. diags collects what is found; it lives longer than the loader. */
struct scd_loader *scd_loader_new(struct scd_diags *diags);

/*
 * A file, or a folder (its *.yaml and *.yml, not below, in byte order). 0, or -EINVAL/errno with the reasons in
 * diags.
 */
int scd_loader_add_path(struct scd_loader *loader, const char *path);
int scd_loader_add_text(struct scd_loader *loader, struct scd_str yaml, const char *name);

/*
 * The files that were added, in order: the name by which a diagnostic calls it, and its bytes. Adding the same texts
 * by the same names to another loader comes to the same generation. Both live as long as the loader.
 */
size_t scd_loader_file_count(const struct scd_loader *loader);
const char *scd_loader_file_name(const struct scd_loader *loader, size_t index);
struct scd_str scd_loader_file_text(const struct scd_loader *loader, size_t index);

/*
 * Compiles everything that was added. -EINVAL with the reasons in diags: no rule set is made, the running one is
 * untouched.
 */
int scd_loader_build(struct scd_loader *loader, const struct scd_ruleset_options *options,
                     struct scd_ruleset **ret_set);
void scd_loader_free(struct scd_loader **loader);

struct scd_ruleset *scd_ruleset_ref(struct scd_ruleset *set);
void scd_ruleset_unref(struct scd_ruleset **set); /* any thread */

size_t scd_ruleset_rule_count(const struct scd_ruleset *set);
const struct scd_rule *scd_ruleset_rule(const struct scd_ruleset *set, size_t index);

/*
 * XXH3 of all rule files in order, each its length (8 bytes, little endian) and its bytes, as 16 hex digits: which
 * rules made an alert. Lives as long as the set.
 */
const char *scd_ruleset_generation(const struct scd_ruleset *set);

/* Kinds that some enabled rule can match: events of other kinds are for state only. */
const struct scd_kind_set *scd_ruleset_kinds(const struct scd_ruleset *set);

/*
 * Whether some enabled rule compares or shows an environment (proc.env, proc.aenv, evt.arg.env): only then does
 * decode keep them.
 */
bool scd_ruleset_reads_env(const struct scd_ruleset *set);

#endif
