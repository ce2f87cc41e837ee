/*
 * What loading rules found: errors and warnings with Falco's codes and a place.
 */
#ifndef SECCHECKD_ENGINE_DIAG_H
#define SECCHECKD_ENGINE_DIAG_H

#include <stdio.h>

#include "seccheckd/base/arena.h"

/* X(ENUM, "code") — falco's rule_loading codes, as far as something here can find them. */
#define SCD_DIAG_TABLE(X)                                              \
	X(ERR_FILE_READ, "LOAD_ERR_FILE_READ")                         \
	X(ERR_YAML_PARSE, "LOAD_ERR_YAML_PARSE")                       \
	X(ERR_YAML_VALIDATE, "LOAD_ERR_YAML_VALIDATE")                 \
	X(ERR_COMPILE_CONDITION, "LOAD_ERR_COMPILE_CONDITION")         \
	X(ERR_COMPILE_OUTPUT, "LOAD_ERR_COMPILE_OUTPUT")               \
	X(ERR_VALIDATE, "LOAD_ERR_VALIDATE")                           \
	X(UNKNOWN_SOURCE, "LOAD_UNKNOWN_SOURCE")                       \
	X(NO_EVTTYPE, "LOAD_NO_EVTTYPE")                               \
	X(UNKNOWN_FILTER, "LOAD_UNKNOWN_FILTER")                       \
	X(UNUSED_MACRO, "LOAD_UNUSED_MACRO")                           \
	X(UNUSED_LIST, "LOAD_UNUSED_LIST")                             \
	X(UNKNOWN_ITEM, "LOAD_UNKNOWN_ITEM")                           \
	X(DEPRECATED_ITEM, "LOAD_DEPRECATED_ITEM")                     \
	X(UNSAFE_NA_CHECK, "LOAD_UNSAFE_NA_CHECK")                     \
	X(APPEND_NO_VALUES, "LOAD_APPEND_NO_VALUES")                   \
	X(EXCEPTION_NAME_NOT_UNIQUE, "LOAD_EXCEPTION_NAME_NOT_UNIQUE") \
	X(INVALID_MACRO_NAME, "LOAD_INVALID_MACRO_NAME")               \
	X(INVALID_LIST_NAME, "LOAD_INVALID_LIST_NAME")                 \
	X(COMPILE_CONDITION, "LOAD_COMPILE_CONDITION")                 \
	X(UNKNOWN_KEY, "LOAD_UNKNOWN_KEY")

enum scd_diag_code {
#define X(id, name) SCD_DIAG_##id,
	SCD_DIAG_TABLE(X) SCD_DIAG_COUNT
};
#undef X

struct scd_diag {
	enum scd_diag_code code;
	const char *file;
	unsigned line, column; /* from 1; 0 unknown */
	const char *item;      /* "rule 'Name'", "macro 'name'"; NULL outside items */
	const char *what;
	const char *hint;  /* NULL: none */
	const char *quote; /* the line of the file, or what of it surrounds the column; NULL: none */
	unsigned quote_at; /* byte of the quote that is meant */
};

/*
 * All findings of one load, in order. Texts live in the list's own arena. At most 1000 are kept; the rest is counted.
 */
struct scd_diags {
	struct scd_arena arena;
	struct scd_diag *items;
	size_t count, room;
	size_t error_count; /* also those not kept */
	size_t left_out;
};

void scd_diags_init(struct scd_diags *diags);
void scd_diags_done(struct scd_diags *diags);

const char *scd_diag_code_name(enum scd_diag_code code);
bool scd_diag_is_error(enum scd_diag_code code);

/* file, item and hint may be NULL; all are copied. */
void scd_diags_add(struct scd_diags *diags, enum scd_diag_code code, const char *file, unsigned line, unsigned column,
                   const char *item, const char *hint, const char *format, ...) __attribute__((format(printf, 8, 9)));

/*
 * Gives the finding added last the line that it is about, out of the file's text; offset and line are of a place
 * before it, from which the line is looked for.
 */
void scd_diags_quote(struct scd_diags *diags, struct scd_str file, size_t offset, unsigned line);

/*
 * Each as `FILE:LINE:COLUMN: error|warning CODE: ITEM: WHAT`; below it, where there are such, the line of the file with
 * a mark under the place, and the hint.
 */
void scd_diags_print(const struct scd_diags *diags, FILE *stream);

#endif
