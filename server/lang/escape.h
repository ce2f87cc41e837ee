/*
 * String constants inside the module: the parser wants to know what was wrong with an escape, the printer writes
 * constants between other text.
 */
#ifndef SCD_SERVER_LANG_ESCAPE_H
#define SCD_SERVER_LANG_ESCAPE_H

#include "seccheckd/base/arena.h"

struct scd__bad_escape {
	size_t offset; /* of the backslash, from the opening quote */
	char what[64]; /* Falco's wording */
};

/* As scd_ast_unescape; with -EINVAL it fills *ret_bad. */
int scd__unescape(struct scd_str literal, struct scd_arena *arena, struct scd_str *ret_text,
                  struct scd__bad_escape *ret_bad);

/*
 * Where text goes, in two passes: with out NULL a sink only counts, then it writes into a block of that size. What is
 * printed is never moved and never larger than it must be.
 */
struct scd__sink {
	char *out;
	size_t len;
};

void scd__sink_put(struct scd__sink *sink, struct scd_str text);
void scd__sink_put_char(struct scd__sink *sink, char byte);

/* The constant in canonical form: with quotes and escapes if it needs them. */
void scd__sink_put_escaped(struct scd__sink *sink, struct scd_str text);

#endif
