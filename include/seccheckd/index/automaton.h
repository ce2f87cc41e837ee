/*
 * Many texts looked for at once: which of them another text contains, in one pass over it (Aho-Corasick).
 *
 * Time is linear in the text, whatever it is and however many needles there are: a needle that was found is not told
 * of again.
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

/* Sets the bits of the needles that the text contains: bit `id % 64` of found[id / 64]. Clears none. */
void scd_automaton_find(const struct scd_automaton *automaton, struct scd_str text, uint64_t *found);

#endif
