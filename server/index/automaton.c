/*
 * Aho-Corasick: a trie of the needles, in which every node knows where to go on when the next byte leads nowhere.
 *
 *    needles he, she, hers            (root) ─h─ 1 ─e─ 2* ─r─ 3 ─s─ 4*
 *                                       └───s─ 5 ─h─ 6 ─e─ 7*
 *
 *    suffix     of a node, the node of the longest proper end of its text that is in the trie: that of 6 (sh) is 1 (h),
 *               that of 7 (she) is 2 (he)
 *    shorter    the next node on the way of suffixes where a needle ends: that of 7 is 2
 *
 * Reading a byte, the reader goes down an edge, or to the suffix until there is one. Each step to a suffix gives back
 * one that went down, so a text of n bytes takes at most 2n steps. At a node, all needles that end there are those on
 * its way of `shorter`; where one of them has been found already, so has the rest of the way.
 *
 * Who looks for beginnings goes down the edges from the root, and stops where there is none.
 *
 * Edges lie in one array, those of a node together and in order of their bytes. The root has a table of all bytes,
 * since most bytes of most texts are read there.
 */
#include "seccheckd/index/automaton.h"

#include <string.h>

#define ROOT 0u
#define NONE UINT32_MAX

struct node {
	uint32_t first_edge;
	uint16_t edge_count;
	uint32_t suffix;
	uint32_t shorter; /* NONE: none */
	uint32_t needle;  /* that ends here; NONE: none */
};

struct edge {
	uint32_t to;
	unsigned char byte;
};

struct scd_automaton {
	struct node *nodes;
	struct edge *edges;
	size_t node_count, needle_count;
	bool fold;
	uint32_t from_root[256]; /* ROOT where there is no edge */
};

static unsigned char fold_byte(unsigned char c, bool fold)
{
	return fold && c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/* The trie while it grows: children as lists, in order of their bytes. */
struct sprout {
	uint32_t first_child, next_sibling;
	uint32_t needle;
	unsigned char byte;
};

struct trie {
	struct sprout *sprouts;
	size_t count;
};

/* The place of the child in the list: what points to it, or where it would be put in. */
static uint32_t *find_child(struct trie *trie, uint32_t parent, unsigned char byte)
{
	uint32_t *place = &trie->sprouts[parent].first_child;

	while (*place != NONE && trie->sprouts[*place].byte < byte)
		place = &trie->sprouts[*place].next_sibling;
	return place;
}

static uint32_t child_of(struct trie *trie, uint32_t parent, unsigned char byte)
{
	uint32_t *place = find_child(trie, parent, byte);

	if (*place != NONE && trie->sprouts[*place].byte == byte)
		return *place;
	trie->sprouts[trie->count] = (struct sprout){ NONE, *place, NONE, byte };
	*place = (uint32_t)trie->count++;
	return *place;
}

/* The number of the needle, which is a new one if none of its text was there. */
static uint32_t plant(struct trie *trie, struct scd_str needle, bool fold, size_t *needle_count)
{
	uint32_t at = ROOT;

	for (size_t i = 0; i < needle.len; i++)
		at = child_of(trie, at, fold_byte((unsigned char)needle.data[i], fold));
	if (trie->sprouts[at].needle == NONE)
		trie->sprouts[at].needle = (uint32_t)(*needle_count)++;
	return trie->sprouts[at].needle;
}

static uint32_t follow(const struct scd_automaton *a, uint32_t at, unsigned char byte)
{
	const struct edge *edges = &a->edges[a->nodes[at].first_edge];
	size_t low = 0, high = a->nodes[at].edge_count;

	if (at == ROOT)
		return a->from_root[byte] != ROOT ? a->from_root[byte] : NONE;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (edges[middle].byte == byte)
			return edges[middle].to;
		if (edges[middle].byte < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return NONE;
}

static uint32_t step(const struct scd_automaton *a, uint32_t at, unsigned char byte)
{
	uint32_t to = follow(a, at, byte);

	while (to == NONE && at != ROOT) {
		at = a->nodes[at].suffix;
		to = follow(a, at, byte);
	}
	return to == NONE ? ROOT : to;
}

/* The edges of all nodes, which keep their numbers. */
static void lay_edges(struct scd_automaton *a, const struct trie *trie)
{
	uint32_t edge_count = 0;

	for (size_t i = 0; i < trie->count; i++) {
		struct node *node = &a->nodes[i];

		*node = (struct node){ edge_count, 0, ROOT, NONE, trie->sprouts[i].needle };
		for (uint32_t child = trie->sprouts[i].first_child; child != NONE;
		     child = trie->sprouts[child].next_sibling) {
			a->edges[edge_count++] = (struct edge){ child, trie->sprouts[child].byte };
			node->edge_count++;
			if (i == ROOT)
				a->from_root[trie->sprouts[child].byte] = child;
		}
	}
}

/* Breadth first, so that the suffixes of shorter texts are there when they are needed; queue has room for all nodes. */
static void link_suffixes(struct scd_automaton *a, uint32_t *queue)
{
	size_t head = 0, tail = 0;

	queue[tail++] = ROOT;
	while (head < tail) {
		uint32_t at = queue[head++];

		for (uint32_t i = 0; i < a->nodes[at].edge_count; i++) {
			const struct edge *edge = &a->edges[a->nodes[at].first_edge + i];
			struct node *node = &a->nodes[edge->to], *suffix;

			node->suffix = at == ROOT ? ROOT : step(a, a->nodes[at].suffix, edge->byte);
			suffix = &a->nodes[node->suffix];
			node->shorter = suffix->needle != NONE ? node->suffix : suffix->shorter;
			queue[tail++] = edge->to;
		}
	}
}

static size_t count_bytes(const struct scd_str *needles, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += needles[i].len;
	return bytes;
}

/* What is needed while it is being made is in an arena of its own. */
static bool make(struct scd_automaton *a, const struct scd_str *needles, size_t count, struct scd_arena *arena,
                 struct scd_arena *scratch, uint32_t *ret_ids)
{
	size_t most = count_bytes(needles, count) + 1;
	struct trie trie = { .sprouts = most < NONE ? scd_arena_zalloc(scratch, most, sizeof(*trie.sprouts)) : NULL };
	uint32_t *queue = scd_arena_zalloc(scratch, most, sizeof(*queue));

	if (!trie.sprouts || !queue)
		return false;
	trie.sprouts[trie.count++] = (struct sprout){ NONE, NONE, NONE, 0 };
	for (size_t i = 0; i < count; i++)
		ret_ids[i] = plant(&trie, needles[i], a->fold, &a->needle_count);
	a->node_count = trie.count;
	a->nodes = scd_arena_zalloc(arena, trie.count, sizeof(*a->nodes));
	a->edges = scd_arena_zalloc(arena, trie.count, sizeof(*a->edges));
	if (!a->nodes || !a->edges)
		return false;
	lay_edges(a, &trie);
	link_suffixes(a, queue);
	return true;
}

const struct scd_automaton *scd_automaton_new(const struct scd_str *needles, size_t count, bool fold,
                                              struct scd_arena *arena, uint32_t *ret_ids)
{
	struct scd_automaton *a = scd_arena_zalloc(arena, 1, sizeof(*a));
	struct scd_arena scratch;
	bool made;

	if (!a)
		return NULL;
	a->fold = fold;
	scd_arena_init(&scratch, 65536, 0);
	made = make(a, needles, count, arena, &scratch, ret_ids);
	scd_arena_done(&scratch);
	return made ? a : NULL;
}

size_t scd_automaton_count(const struct scd_automaton *automaton)
{
	return automaton->needle_count;
}

size_t scd_automaton_words(const struct scd_automaton *automaton)
{
	return (automaton->needle_count + 63) / 64;
}

void scd_hits_clear(struct scd_hits *hits)
{
	for (size_t i = 0; i < hits->count; i++)
		hits->bits[hits->ids[i] / 64] = 0;
	hits->count = 0;
}

/* False when the needle was found before. */
static bool mark(struct scd_hits *hits, uint32_t needle)
{
	uint64_t bit = UINT64_C(1) << needle % 64;

	if (hits->bits[needle / 64] & bit)
		return false;
	hits->bits[needle / 64] |= bit;
	hits->ids[hits->count++] = needle;
	return true;
}

static void mark_all(const struct scd_automaton *a, uint32_t at, struct scd_hits *hits)
{
	if (a->nodes[at].needle == NONE)
		at = a->nodes[at].shorter;
	while (at != NONE && mark(hits, a->nodes[at].needle))
		at = a->nodes[at].shorter;
}

void scd_automaton_find_piece(const struct scd_automaton *automaton, struct scd_str piece, uint32_t *state,
                              struct scd_hits *hits)
{
	uint32_t at = *state;

	for (size_t i = 0; i < piece.len; i++) {
		unsigned char byte = fold_byte((unsigned char)piece.data[i], automaton->fold);

		at = at == ROOT ? automaton->from_root[byte] : step(automaton, at, byte);
		if (at != ROOT)
			mark_all(automaton, at, hits);
	}
	*state = at;
}

void scd_automaton_find(const struct scd_automaton *automaton, struct scd_str text, struct scd_hits *hits)
{
	uint32_t state = ROOT;

	scd_automaton_find_piece(automaton, text, &state, hits);
}

size_t scd_automaton_find_edge(const struct scd_automaton *automaton, struct scd_str text, bool is_end,
                               uint32_t *ret_ids)
{
	uint32_t at = ROOT;
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.data[is_end ? text.len - 1 - i : i];

		at = follow(automaton, at, fold_byte(byte, automaton->fold));
		if (at == NONE)
			break;
		if (automaton->nodes[at].needle != NONE)
			ret_ids[count++] = automaton->nodes[at].needle;
	}
	return count;
}
