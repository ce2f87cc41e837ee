/*
 * Spans of bytes that somebody else owns.
 *
 * A struct scd_str is a pointer and a length; it is not terminated by a NUL and may hold any byte, also NUL and text
 * that is not UTF-8: most of them point straight into a message that a hostile sandbox sent. Passed by value. An
 * empty span may have a NULL pointer. It lives as long as what it points into; whoever keeps one longer makes a copy
 * (scd_arena_dup).
 */
#ifndef SECCHECKD_BASE_STR_H
#define SECCHECKD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scd_str {
	const char *data;
	size_t len;
};

/* A span over a string literal, in code and (the second) in initialisers of static objects. */
#define SCD_STR(literal) ((struct scd_str){ (literal), sizeof(literal) - 1 })
#define SCD_STR_INIT(literal)                  \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

/* For printf: `printf(SCD_STR_FMT, SCD_STR_ARG(s))`. Spans over INT_MAX bytes do not occur (limits.h). */
#define SCD_STR_FMT    "%.*s"
#define SCD_STR_ARG(s) (int)(s).len, ((s).data ? (s).data : "")

/* A span over a C string; NULL gives the empty span. */
struct scd_str scd_str_from(const char *text);

/* Byte equality; two empty spans are equal whatever their pointers. */
bool scd_str_eq(struct scd_str a, struct scd_str b);

/* Equality with a C string. */
bool scd_str_is(struct scd_str a, const char *text);

/* Order as memcmp, a prefix before its continuation: negative, 0 or positive. */
int scd_str_compare(struct scd_str a, struct scd_str b);

bool scd_str_starts_with(struct scd_str text, struct scd_str prefix);
bool scd_str_ends_with(struct scd_str text, struct scd_str suffix);

/*
 * Substring search; an empty needle is found in everything. The second folds ASCII letters only. Time is linear in
 * the text, of the second for needles of up to 1024 bytes.
 */
bool scd_str_contains(struct scd_str text, struct scd_str needle);
bool scd_str_icontains(struct scd_str text, struct scd_str needle);

/* The text without blanks (space, tab, CR, LF) at both ends. */
struct scd_str scd_str_trim(struct scd_str text);

/*
 * Takes the next text off the front of several that end with a NUL each (the last may end without): arguments as the
 * kernel keeps them. False, and nothing changed, when none is left.
 */
bool scd_str_next_nul(struct scd_str *rest, struct scd_str *ret_text);

/*
 * What follows the last '/', the whole text where there is none (empty if it ends with one): basename as Falco has
 * it.
 */
struct scd_str scd_str_basename(struct scd_str path);

/*
 * Whole text as a decimal number, a sign allowed where the type has one. 0, or -EINVAL (no digits, something left
 * over), -ERANGE.
 */
int scd_str_to_i64(struct scd_str text, int64_t *ret_value);
int scd_str_to_u64(struct scd_str text, uint64_t *ret_value);

/*
 * Length of the valid UTF-8 sequence at the start of text (1..4), 0 if the bytes there are not one or text is empty.
 */
size_t scd_str_utf8_length(struct scd_str text);

/* The code point of one valid sequence, which is the whole text. */
uint32_t scd_str_utf8_code_point(struct scd_str sequence);

/*
 * Whether a terminal or a viewer obeys this code point instead of showing it: C0, DEL and C1, the marks and controls
 * that turn the direction of writing, line and paragraph separators. Text of a peer is shown with these escaped.
 */
bool scd_str_steers_display(uint32_t code_point);

#endif
