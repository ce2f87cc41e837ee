/*
 * Conformance vectors: files of one JSON object a line, each one case of the behaviour of Falco's rule language.
 *
 *    {"id": "and/1", "kind": "ast", "input": "a and b", "canonical": "(a and b)"}
 *
 * `kind` says what the case is about and which keys it has; each kind is a row of the table in vectors.c and a
 * function in vectors_AREA.c. Strings are UTF-8, or, with "encoding": "latin1", code points that stand for bytes.
 */
#ifndef SCD_TESTS_SUPPORT_VECTORS_H
#define SCD_TESTS_SUPPORT_VECTORS_H

#include <jansson.h>
#include <stdio.h>

#include "seccheckd/base/arena.h"
#include "seccheckd/base/buf.h"

struct vectors_totals {
	size_t passed;
	size_t failed;
	size_t skipped; /* of kinds that are not known */
};

/*
 * Runs every case of the file and adds to *totals. For each that fails, and each line that is not a case, prints one
 * line to out: `FAIL ID: WHY`. 0, or -errno when the file cannot be read.
 */
int vectors_run_file(const char *path, FILE *out, struct vectors_totals *totals);

/* `N passed, M failed, K skipped` */
void vectors_print_totals(const struct vectors_totals *totals, FILE *out);

/* One case, as a kind's function gets it. */
struct vectors_case {
	const json_t *json;
	struct scd_arena *arena; /* dies with the case */
	struct scd_buf *why;     /* why it failed: what was expected, what came */
};

/*
 * What a case says. str and bool want the key to be there and of that type; when it is not, the case has failed and
 * they return false.
 */
bool vectors_get_str(struct vectors_case *c, const char *key, struct scd_str *ret_text);
bool vectors_get_bool(struct vectors_case *c, const char *key, bool *ret_value);
bool vectors_flag(const struct vectors_case *c, const char *key); /* absent is false */

/* A JSON string in the encoding of the case. */
struct scd_str vectors_decode(struct vectors_case *c, const json_t *string);

/*
 * Comparisons; what names the thing that was compared. False, with a reason, if they differ. fail always is. A reason
 * is one line: bytes that cannot be printed are shown as \xHH.
 */
bool vectors_expect_str(struct vectors_case *c, const char *what, struct scd_str expected, struct scd_str got);
bool vectors_expect_bool(struct vectors_case *c, const char *what, bool expected, bool got);
bool vectors_fail(struct vectors_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends the text in quotes, in one line. */
void vectors_quote(struct scd_buf *buf, struct scd_str text);

/* The kinds. Each returns whether the case passed. */
bool vectors_parse(struct vectors_case *c); /* vectors_lang.c */
bool vectors_ast(struct vectors_case *c);
bool vectors_ast_equal(struct vectors_case *c);
bool vectors_ast_positions(struct vectors_case *c);
bool vectors_escape(struct vectors_case *c);
bool vectors_unescape(struct vectors_case *c);
bool vectors_escape_roundtrip(struct vectors_case *c);
bool vectors_rulefile(struct vectors_case *c); /* vectors_rulefile.c */
bool vectors_macro(struct vectors_case *c);
bool vectors_format(struct vectors_case *c); /* vectors_format.c */
bool vectors_format_compile(struct vectors_case *c);
bool vectors_details(struct vectors_case *c);
bool vectors_plugin_requirements(struct vectors_case *c);
bool vectors_rule_name_wildcard(struct vectors_case *c); /* vectors_names.c */
bool vectors_sanitize_rule_name(struct vectors_case *c);
bool vectors_eval(struct vectors_case *c);          /* vectors_eval.c */
bool vectors_compile_check(struct vectors_case *c); /* vectors_compile.c */
bool vectors_condition_warning(struct vectors_case *c);
bool vectors_transform(struct vectors_case *c); /* vectors_transform.c */
bool vectors_evttypes(struct vectors_case *c);  /* vectors_evttypes.c */
bool vectors_evttypes_equal(struct vectors_case *c);
bool vectors_evttypes_resolvable(struct vectors_case *c);

#endif
