/*
 * The edit distance of two words: a character inserted, left out, replaced, or swapped with the next one counts 1.
 *
 * The usual table (Levenshtein's, with Damerau's swap of neighbours): cost[i][j] is the distance of the first i
 * characters of one word from the first j of the other, made from the costs of shorter beginnings.
 */
#include "seccheckd/config/suggest.h"

/* Longer words are nobody's slip of the hand. */
#define WORD_MAX_BYTES 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool swapped(struct scd_str a, struct scd_str b, size_t i, size_t j)
{
	return i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1];
}

/* Both words have at most WORD_MAX_BYTES. */
static size_t distance(struct scd_str a, struct scd_str b)
{
	size_t cost[WORD_MAX_BYTES + 1][WORD_MAX_BYTES + 1];

	for (size_t i = 0; i <= a.len; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= b.len; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		for (size_t j = 1; j <= b.len; j++) {
			cost[i][j] = least(cost[i - 1][j], cost[i][j - 1]) + 1;
			cost[i][j] = least(cost[i][j], cost[i - 1][j - 1] + (a.data[i - 1] != b.data[j - 1]));
			if (swapped(a, b, i, j))
				cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
		}
	}
	return cost[a.len][b.len];
}

const char *scd_suggest_nearest(struct scd_str word, const char *const *names, size_t count)
{
	size_t nearest_distance = (word.len < 6 ? 1 : word.len / 3) + 1;
	const char *nearest = NULL;

	if (word.len > WORD_MAX_BYTES)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct scd_str name = scd_str_from(names[i]);
		size_t d = name.len > WORD_MAX_BYTES ? SIZE_MAX : distance(word, name);

		if (d < nearest_distance) {
			nearest_distance = d;
			nearest = names[i];
		}
	}
	return nearest;
}
