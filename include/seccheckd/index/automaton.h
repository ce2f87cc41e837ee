/*
 * Many texts looked for at once: which of them another text contains, in one pass over it (Aho-Corasick), or which of
 * them it begins or ends with.
 *
 * Time is linear in the text, whatever it is and however many needles there are: a needle that was found is not told
 * of again. Beginnings and ends cost no more steps than the longest needle has bytes.
 */
#ifndef SECCHECKD_INDEX_AUTOMATON_H
#define SECCHECKD_INDEX_AUTOMATON_H

#include "seccheckd/base/arena.h"

struct scd_automaton;

/*
 * Lives in the arena; borrows nothing. No needle is empty. fold: ASCII letters match either case. ret_ids, as long as
 * needles, gets the number of each: equal ones have the same, and all are below scd_automaton_count. NULL on
 * exhaustion.
 */
const struct scd_automaton *scd_automaton_new(const struct scd_str *needles, size_t count, bool fold,
                                              struct scd_arena *arena, uint32_t *ret_ids);
size_t scd_automaton_count(const struct scd_automaton *automaton);

/* Words of 64 bits in which there is a bit for each needle. */
size_t scd_automaton_words(const struct scd_automaton *automaton);

/*
 * Needles that were found: bit `id % 64` of bits[id / 64], and the ids in a row, each once. Its owner gives it zeroed
 * words for all bits and room for all ids.
 */
struct scd_hits {
	uint64_t *bits;
	uint32_t *ids;
	size_t count;
};

/* As if nothing had been found; costs as much as there was. */
void scd_hits_clear(struct scd_hits *hits);

/* Adds the needles that the text contains. */
void scd_automaton_find(const struct scd_automaton *automaton, struct scd_str text, struct scd_hits *hits);

/*
 * The same of a text that comes in pieces: *state, 0 for the first piece, says how far a needle has been read at its
 * end.
 */
void scd_automaton_find_piece(const struct scd_automaton *automaton, struct scd_str piece, uint32_t *state,
                              struct scd_hits *hits);

/*
 * The needles that the text begins with, shortest first; is_end: that it ends with, if each was given backwards.
 * ret_ids has room for as many as the longest needle has bytes. Returns how many.
 */
size_t scd_automaton_find_edge(const struct scd_automaton *automaton, struct scd_str text, bool is_end,
                               uint32_t *ret_ids);

#endif
