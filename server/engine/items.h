/*
 * Rule files as written: lists, macros and rules of all files in one collection, before anything is compiled.
 *
 * Inside server/engine only. Falco's model: one collector for all files, in order. A second definition replaces the
 * content and keeps the *index* (position of the first); its *visibility* is the position of the latest. A list or
 * macro sees the lists or macros whose index is lower than its visibility; rules see all.
 */
#ifndef SCD_SERVER_ENGINE_ITEMS_H
#define SCD_SERVER_ENGINE_ITEMS_H

#include "seccheckd/base/arena.h"
#include "seccheckd/base/strmap.h"
#include "seccheckd/base/yaml.h"
#include "seccheckd/engine/diag.h"
#include "seccheckd/engine/ruleset.h"
#include "seccheckd/lang/ast.h"

/* Where something was written; the document stays open until the rule set is built. */
struct scd__place {
	const struct scd_yaml *yaml;
	const struct scd_yaml_node *node;
};

struct scd__list_item {
	struct scd_str name;
	struct scd__place place;
	uint32_t index, visibility;
	const struct scd_str *items;
	size_t item_count;
	struct scd_str text; /* what stands in its place in a condition, once resolved */
	bool used;
};

struct scd__macro_item {
	struct scd_str name;
	struct scd__place place;     /* the item */
	struct scd__place condition; /* its condition */
	uint32_t index, visibility;
	struct scd_str text;
	const struct scd_ast *ast; /* after list substitution; NULL: it does not parse */
	bool used;
	bool busy; /* being put into a condition: meeting it again is a loop */
	bool kinds_known[2];
	struct scd_kind_set kinds[2]; /* plain and negated, once analysed */
};

struct scd__rule_item {
	struct scd_rule pub; /* name, desc, source, priority, tags, enabled, file, line */
	struct scd__place place, condition, output;
	struct scd_str condition_text, output_text;
	bool warn_evttypes, skip_if_unknown_filter;
};

/* All items of one kind: pointers to one of the structs above, in order of first definition, and by name. */
struct scd__items {
	void **all;
	size_t count, room;
	struct scd_strmap by_name;
};

struct scd__collection {
	struct scd_arena arena;
	struct scd_diags *diags;
	struct scd__items lists, macros, rules;
	uint32_t next_visibility;
};

void scd__collection_init(struct scd__collection *collection, struct scd_diags *diags);
void scd__collection_done(struct scd__collection *collection);

/*
 * Reads all documents of a file into the collection. -EINVAL when something in it is an error (all of them are in
 * diags), -ENOMEM.
 */
int scd__collect(struct scd__collection *collection, const struct scd_yaml *yaml);

/*
 * Reports at byte `offset` of the text at a place (0: its beginning). kind and name make "rule 'Name'"; kind NULL: no
 * item.
 */
void scd__report(struct scd_diags *diags, enum scd_diag_code code, struct scd__place place, size_t offset,
                 const char *kind, struct scd_str name, const char *hint, const char *format, ...)
        __attribute__((format(printf, 8, 9)));

/*
 * List resolution (SPEC 1.11). resolve_lists gives every list its text; substitute puts the texts of lists into a
 * condition. Both mark the lists they used. -ENOMEM, -E2BIG (SCD_LIMIT_CONDITION_BYTES).
 */
int scd__resolve_lists(struct scd__collection *collection);
int scd__substitute_lists(struct scd__collection *collection, struct scd_str text, struct scd_str *ret_text);

#endif
