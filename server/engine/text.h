/*
 * Texts that fields make: joined, and none longer than a field may be. Inside server/engine only.
 *
 * Where a text is too long (SCD_LIMIT_FIELD_TEXT_BYTES), its head and its tail are kept, with SCD_FIELD_CUT between
 * them, and the view's losses count it. All functions are false when the scratch arena is exhausted.
 */
#ifndef SCD_SERVER_ENGINE_TEXT_H
#define SCD_SERVER_ENGINE_TEXT_H

#include "seccheckd/engine/field.h"

/*
 * Strings one after the other, from a message (list) or from state (packed: a NUL behind each). Walked with
 * scd__words_next, which uses it up; copy it to walk again.
 */
struct scd__words {
	const struct scd_str *list;
	size_t list_count;
	struct scd_str packed;
};

bool scd__words_next(struct scd__words *words, struct scd_str *ret_word);

/*
 * The text of all words with a blank between them. What gives a value gives the whole beside the cut text, unless the
 * words are packed ones.
 */
bool scd__words_join(const struct scd_view *view, struct scd__words words, struct scd_value *ret_value);

/* The same with `head` in front of them, which may be empty: then the text begins with a blank. */
bool scd__words_join_behind(const struct scd_view *view, struct scd_str head, struct scd__words words,
                            struct scd_value *ret_value);

/* The bytes of all words with a NUL behind each. */
bool scd__words_pack(const struct scd_view *view, struct scd__words words, struct scd_value *ret_value);

/* Parts with nothing between them. */
bool scd__text_concat(const struct scd_view *view, const struct scd_str *parts, size_t count, struct scd_str *ret_text);

/* Cuts a text that is too long; any other stays what it is, without a copy. */
bool scd__text_cut(const struct scd_view *view, struct scd_str *text);

/* The same with another limit, which is longer than the mark. */
bool scd__text_cut_to(const struct scd_view *view, size_t max_bytes, struct scd_str *text);

/* The same with the text or the bytes of a value, which keeps its whole; other values, and lists, stay as they are. */
bool scd__value_cut(const struct scd_view *view, struct scd_value *value);

#endif
