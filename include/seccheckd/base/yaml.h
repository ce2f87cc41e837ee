/*
 * YAML read into a bounded tree, with a place for every node.
 *
 * The one user of libyaml. Rule files and the configuration are both read through it: libyaml's event interface in
 * one place, plain tree walking everywhere else. Aliases are followed by copying the reference, with a cap on how
 * many nodes the expanded tree may have (a "billion laughs" file is an error, not a memory problem). Depth, size and
 * node count are capped (limits.h). The whole document lives in one arena, freed by scd_yaml_free.
 */
#ifndef SECCHECKD_BASE_YAML_H
#define SECCHECKD_BASE_YAML_H

#include "seccheckd/base/error.h"
#include "seccheckd/base/str.h"

enum scd_yaml_kind { SCD_YAML_SCALAR, SCD_YAML_SEQUENCE, SCD_YAML_MAP };

/*
 * How a scalar was written. Only a plain one can be null; a plain one with the tag `!` or `!!str` counts as quoted.
 */
enum scd_yaml_style { SCD_YAML_PLAIN, SCD_YAML_QUOTED, SCD_YAML_BLOCK };

struct scd_yaml_node {
	enum scd_yaml_kind kind;
	enum scd_yaml_style style;    /* of a scalar */
	unsigned line, column;        /* from 1, the column in bytes: where the node begins */
	size_t offset;                /* of the same place in the text that was read, in bytes */
	struct scd_str text;          /* of a scalar; NUL-terminated behind its length */
	size_t count;                 /* children of a sequence, pairs of a map */
	struct scd_yaml_node **items; /* of a sequence; values of a map */
	struct scd_yaml_node **keys;  /* of a map, in the order of the file; scalars always */
};

/* One file or text: a stream of documents. */
struct scd_yaml;

/*
 * Reads a regular file (a FIFO or device is an error, and is not waited for), or a text; name stands for the file in
 * errors. UTF-8 only. 0, or negative errno with err filled: -EFBIG for a file over its cap, -E2BIG for one that
 * expands to more nodes or a deeper tree than allowed, -EINVAL for what is wrong in it.
 */
int scd_yaml_read_file(const char *path, struct scd_yaml **ret_yaml, struct scd_error *err);
int scd_yaml_read_text(struct scd_str text, const char *name, struct scd_yaml **ret_yaml, struct scd_error *err);

/* Accepts NULL and a pointer to NULL. */
void scd_yaml_free(struct scd_yaml **yaml);

/* Documents in order. A null or empty document has root NULL. */
size_t scd_yaml_document_count(const struct scd_yaml *yaml);
const struct scd_yaml_node *scd_yaml_root(const struct scd_yaml *yaml, size_t document);

/* The name given at reading. Lives as long as the object. */
const char *scd_yaml_name(const struct scd_yaml *yaml);

/* The text that was read, as it was but for a byte order mark. Lives as long as the object. */
struct scd_str scd_yaml_source(const struct scd_yaml *yaml);

/*
 * The value of a key of a map; NULL when absent, or where map is NULL or no map. With the same key twice: the last
 * one, as yaml-cpp (Falco) has it.
 */
const struct scd_yaml_node *scd_yaml_get(const struct scd_yaml_node *map, const char *key);

/* Plain `~`, `null`, `Null`, `NULL` or nothing. */
bool scd_yaml_is_null(const struct scd_yaml_node *node);

/*
 * y/n, yes/no, true/false, on/off in lower, Capitalised or UPPER case, quoted or not (as yaml-cpp has it). -EINVAL if
 * it is none.
 */
int scd_yaml_bool(const struct scd_yaml_node *node, bool *ret_value);

/*
 * The place in the file of byte `offset` of a scalar's text: for an error inside a condition that is folded over
 * several lines. Walks the source and the text side by side over their non-blank bytes; where that fails (escapes),
 * the place of the node. A blank, and the end of the text, are placed right behind the last byte that is not blank.
 */
void scd_yaml_place(const struct scd_yaml *yaml, const struct scd_yaml_node *scalar, size_t offset, unsigned *ret_line,
                    unsigned *ret_column);

#endif
