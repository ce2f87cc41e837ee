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

/*
 * A text that several places wrote: a condition, and what was appended to it. The text is its parts one after the
 * other.
 */
struct scd__part {
	struct scd_str text;
	struct scd__place place;
	bool is_written; /* the text is that of the place, byte for byte; else it was made from it */
};

struct scd__text {
	struct scd__part *parts;
	size_t count, room;
};

/* A text on its way to a tree: after lists were put in, and where each byte came from. */
struct scd__source {
	const struct scd__text *text;
	struct scd_str substituted;
	const uint32_t *origins; /* per byte of `substituted`: byte of `text`; NULL: the same */
};

struct scd__list_item {
	struct scd_str name;
	struct scd__place place;
	uint32_t index, visibility;
	struct scd_str *items;
	size_t item_count, item_room;
	struct scd_str text; /* what stands in its place in a condition, once resolved */
	bool used;
};

struct scd__macro_item {
	struct scd_str name;
	struct scd__place place; /* the item */
	struct scd__text condition;
	uint32_t index, visibility;
	struct scd__source source; /* once substituted */
	const struct scd_ast *ast; /* after list substitution; NULL: it does not parse */
	bool used;
	bool busy; /* being put into a condition: meeting it again is a loop */
	bool kinds_known[2];
	struct scd_kind_set kinds[2]; /* plain and negated, once analysed */
};

/* `fields`, `comps`, or one of the `values` of an exception: a text, or a sequence of them. */
struct scd__entry {
	struct scd__place place; /* node NULL: there is none */
	bool is_sequence;
	struct scd_str text;        /* when it is no sequence */
	struct scd__entry *entries; /* when it is one */
	size_t count;
};

struct scd__exception {
	struct scd_str name;
	struct scd__place place;
	struct scd__entry fields, comps;
	struct scd__entry *values;
	size_t value_count, value_room;
};

struct scd__exceptions {
	struct scd__exception *items;
	size_t count, room;
};

struct scd__rule_item {
	struct scd_rule pub; /* name, desc, source, priority, tags, enabled, file, line */
	struct scd__place place;
	struct scd__text condition, output, desc;
	struct scd__exceptions exceptions;
	struct scd__text full_condition; /* with the exceptions, once expanded */
	struct scd__source source;       /* once substituted */
	const struct scd_ast *ast;       /* once parsed */
	bool is_source_unknown;
	bool warn_evttypes, skip_if_unknown_filter;
};

/* What a file needs: one of several plugins. */
struct scd__plugin {
	struct scd_str name, version;
};

struct scd__requirement {
	struct scd__place place;
	struct scd__plugin *plugins;
	size_t count;
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
	struct scd__requirement *requirements;
	size_t requirement_count, requirement_room;
	uint32_t next_visibility;
	size_t source_bytes; /* of all files */
};

void scd__collection_init(struct scd__collection *collection, struct scd_diags *diags);
void scd__collection_done(struct scd__collection *collection);

/*
 * Reads all documents of a file into the collection. -EINVAL when something in it is an error (all of them are in
 * diags), -ENOMEM.
 */
int scd__collect(struct scd__collection *collection, const struct scd_yaml *yaml);

/*
 * Texts. add appends a part; join makes one text of all; a failed allocation is -ENOMEM.
 */
int scd__text_add(struct scd_arena *arena, struct scd__text *text, struct scd_str part, struct scd__place place,
                  bool is_written);
int scd__text_join(struct scd_arena *arena, const struct scd__text *text, struct scd_str *ret_joined);

/* Where byte `offset` was written, and the byte in that place's own text. */
struct scd__place scd__text_place(const struct scd__text *text, size_t offset, size_t *ret_offset);

/*
 * Reports at byte `offset` of the text at a place (0: its beginning). kind and name make "rule 'Name'"; kind NULL: no
 * item.
 */
void scd__report(struct scd_diags *diags, enum scd_diag_code code, struct scd__place place, size_t offset,
                 const char *kind, struct scd_str name, const char *hint, const char *format, ...)
        __attribute__((format(printf, 8, 9)));

/* The same at byte `offset` of the substituted text. */
void scd__report_in(struct scd_diags *diags, enum scd_diag_code code, const struct scd__source *source, size_t offset,
                    const char *kind, struct scd_str name, const char *hint, const char *format, ...)
        __attribute__((format(printf, 8, 9)));

/*
 * List resolution (SPEC 1.11). resolve_lists gives every list its text; substitute puts the texts of lists into a
 * condition, of which `text` is the joined one, and fills source->substituted and ->origins. Both mark the lists they
 * used. -ENOMEM, -E2BIG (SCD_LIMIT_CONDITION_BYTES).
 */
int scd__resolve_lists(struct scd__collection *collection);
int scd__substitute_lists(struct scd__collection *collection, struct scd_str text, struct scd__source *source);

/*
 * The condition of a rule with its exceptions (SPEC 1.9), into full_condition. -EINVAL when a value does not fit its
 * fields, which was reported; -ENOMEM.
 */
int scd__expand_exceptions(struct scd__collection *collection, struct scd__rule_item *rule);

/*
 * Holds the requirements of all files against the plugins that are there. -EINVAL when one is not met, which was
 * reported.
 */
int scd__check_requirements(const struct scd__collection *collection, const struct scd_ruleset_options *options);

#endif
