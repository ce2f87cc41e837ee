/*
 * Reading one item of a rule file. Inside server/engine only.
 *
 * A reader goes over one map of a file and reports what is wrong with it: the first mistake sets `failed`, the others
 * are reported all the same, and the item is left out. Texts it gives are those of the document, which stays open as
 * long as the collection is used.
 */
#ifndef SCD_SERVER_ENGINE_READER_H
#define SCD_SERVER_ENGINE_READER_H

#include "engine/items.h"

struct scd__reader {
	struct scd__collection *collection;
	const struct scd_yaml *yaml;
	const struct scd_yaml_node *map; /* the item, or a map within it */
	const char *kind;                /* "rule" */
	struct scd_str name;
	bool failed; /* the item is wrong */
	bool exhausted;
};

/* Reports at a node, NULL: at the item. */
#define SCD__FAIL(reader, code, node, hint, ...)                                                                \
	do {                                                                                                    \
		(reader)->failed = true;                                                                        \
		scd__report((reader)->collection->diags, code, scd__reader_at(reader, node), 0, (reader)->kind, \
		            (reader)->name, hint, __VA_ARGS__);                                                 \
	} while (0)

#define SCD__WARN(reader, code, node, hint, ...)                                                        \
	scd__report((reader)->collection->diags, code, scd__reader_at(reader, node), 0, (reader)->kind, \
	            (reader)->name, hint, __VA_ARGS__)

struct scd__place scd__reader_at(const struct scd__reader *reader, const struct scd_yaml_node *node);

/* -ENOMEM or -EINVAL when something failed, else 0. */
int scd__reader_result(const struct scd__reader *reader);

/* Whether the map has the key at all. */
bool scd__reader_has(const struct scd__reader *reader, const char *key);

/* A scalar that must be there and not be empty: its node. NULL when it was reported. */
const struct scd_yaml_node *scd__reader_text(struct scd__reader *reader, const char *key);

/* The value of a key that may be absent. */
bool scd__reader_bool(struct scd__reader *reader, const char *key, bool value);
void scd__reader_unsigned(struct scd__reader *reader, const char *key);

/* A sequence of scalars, in an array of its own. False when it was reported. */
bool scd__reader_texts(struct scd__reader *reader, const struct scd_yaml_node *node, struct scd_str **ret_items,
                       size_t *ret_count);

/* Warns about keys that are not in the list, which ends with NULL. */
void scd__reader_warn_unknown(struct scd__reader *reader, const char *const *known);

/* What `override` says of one key. */
enum scd__override { SCD__OVERRIDE_NONE, SCD__OVERRIDE_APPEND, SCD__OVERRIDE_REPLACE };

/* A key that `override` may name. */
struct scd__overridable {
	const char *key;
	bool append, replace;
};

#define SCD__OVERRIDE_MAX 16u

/*
 * Reads `override` (SPEC 1.7) into ret, one for each of the keys, and `append`, which is deprecated. Keys that are
 * there and not named, or named and not there, are reported. What `append: true` means is told by ret_append.
 */
void scd__reader_overrides(struct scd__reader *reader, const struct scd__overridable *keys, size_t count,
                           enum scd__override *ret, bool *ret_any, bool *ret_append);

/*
 * Exceptions of a rule (SPEC 1.9). `is_append`: fields may be missing, and values are expected. `is_checked`: fields
 * must be fields.
 */
void scd__read_exceptions(struct scd__reader *reader, bool is_append, struct scd__exceptions *ret_exceptions);
void scd__check_exceptions(struct scd__reader *reader, struct scd__exceptions *exceptions, bool is_checked);
void scd__append_exceptions(struct scd__reader *reader, struct scd__rule_item *rule, struct scd__exceptions *added);

/* One item each. 0, -EINVAL when it was reported, -ENOMEM. */
int scd__collect_rule(struct scd__reader *reader);
int scd__read_engine_version(struct scd__reader *reader);
int scd__read_plugin_versions(struct scd__reader *reader);

/*
 * The item of the reader's name: an earlier one, or a new zeroed one of `bytes`. *ret_index is its position of first
 * definition, set only for a new one. NULL on exhaustion.
 */
void *scd__find_or_add(struct scd__reader *reader, struct scd__items *items, size_t bytes, uint32_t *ret_index);

#endif
