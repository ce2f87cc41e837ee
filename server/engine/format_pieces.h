/*
 * A compiled output string. Inside server/engine only: made by format_compile.c, shown by format.c.
 */
#ifndef SCD_SERVER_ENGINE_FORMAT_PIECES_H
#define SCD_SERVER_ENGINE_FORMAT_PIECES_H

#include "engine/expr.h"
#include "seccheckd/engine/format.h"

/* What an output shows, or what that is made from. Its name is canonical: `proc.env[HOME]`, `toupper(proc.name)`. */
struct scd__format_field {
	struct scd_str name;
	const struct scd__expr *expr;
	const struct scd_field_use *source; /* the field, or the first one in a transformer; NULL: there is none */
};

/* A literal, and what stands behind it. */
struct scd__format_piece {
	struct scd_str literal;
	const struct scd__format_field *field; /* NULL: none */
	size_t width;                          /* 0: as long as the value is */
};

struct scd_format {
	struct scd__format_piece *pieces;
	size_t piece_count;
	struct scd__format_field *fields; /* each once, in order of first use; what a transformer takes before it */
	size_t field_count;
	bool is_tolerant; /* a `*` began it */
};

#endif
