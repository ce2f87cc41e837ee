/*
 * Predicates are sorted by expression and operator; each run of them becomes one automaton over all their constants. A
 * single constant has one, too: only an automaton reads what was cut out of a text (scd_value.whole).
 */
#include "engine/needles.h"

#include <errno.h>
#include <stdlib.h>

#include "seccheckd/base/array.h"

static bool is_search(const struct scd__predicate *predicate)
{
	bool searches = predicate->op == SCD__OP_CONTAINS || predicate->op == SCD__OP_ICONTAINS;
	if (!searches || predicate->right || predicate->constant_count == 0)
		return false;
	for (size_t i = 0; i < predicate->constant_count; i++)
		if (predicate->constants[i].text.len == 0)
			return false;
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct scd__predicate *left = *(struct scd__predicate *const *)a;
	const struct scd__predicate *right = *(struct scd__predicate *const *)b;
	if (left->left->slot != right->left->slot)
		return left->left->slot < right->left->slot ? -1 : 1;
	return (left->op > right->op) - (left->op < right->op);
}

static int add_automaton(struct scd_ruleset *set, const struct scd_automaton *automaton)
{
	const struct scd_automaton **automatons = scd_array_grow_in(&set->arena, set->automatons, set->automaton_count,
	                                                            &set->automaton_room,
	                                                            sizeof(struct scd_automaton *));
	if (!automatons)
		return -ENOMEM;
	set->automatons = automatons;
	set->automatons[set->automaton_count++] = automaton;
	return 0;
}

/* One automaton for predicates of the same expression and operator, with `needle_count` constants together. */
static int build_one(struct scd_ruleset *set, struct scd__predicate **predicates, size_t count, size_t needle_count)
{
	struct scd_str *needles = calloc(needle_count, sizeof(*needles));
	uint32_t *ids = scd_arena_zalloc(&set->arena, needle_count, sizeof(*ids));
	const struct scd_automaton *automaton = NULL;
	size_t at = 0;
	for (size_t i = 0; i < count && needles; i++)
		for (size_t j = 0; j < predicates[i]->constant_count; j++)
			needles[at++] = predicates[i]->constants[j].text;
	if (needles && ids)
		automaton = scd_automaton_new(needles, needle_count, predicates[0]->op == SCD__OP_ICONTAINS,
		                              &set->arena, ids);
	free(needles);
	if (!automaton || add_automaton(set, automaton) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		predicates[i]->automaton = (uint32_t)set->automaton_count - 1;
		predicates[i]->needle_ids = ids;
		ids += predicates[i]->constant_count;
	}
	return 0;
}

static int build_all(struct scd_ruleset *set, struct scd__predicate **predicates, size_t count)
{
	int r = 0;
	for (size_t from = 0, to; from < count && r == 0; from = to) {
		size_t needle_count = 0;
		for (to = from; to < count && compare(&predicates[from], &predicates[to]) == 0; to++)
			needle_count += predicates[to]->constant_count;
		r = build_one(set, predicates + from, to - from, needle_count);
	}
	return r;
}

int scd__needles_build(struct scd_ruleset *set)
{
	struct scd__predicate **searches = calloc(set->predicate_count + 1, sizeof(struct scd__predicate *));
	size_t count = 0;
	if (!searches)
		return -ENOMEM;
	for (size_t i = 0; i < set->predicate_count; i++)
		if (is_search(&set->predicates[i]))
			searches[count++] = &set->predicates[i];
	qsort(searches, count, sizeof(struct scd__predicate *), compare);
	int r = build_all(set, searches, count);
	free(searches);
	return r;
}

static void find_in_pieces(const struct scd_automaton *automaton, const struct scd_pieces *whole, struct scd_hits *hits)
{
	uint32_t state = 0;
	scd_automaton_find_piece(automaton, whole->head, &state, hits);
	for (size_t i = 0; i < whole->count; i++) {
		scd_automaton_find_piece(automaton, whole->between, &state, hits);
		scd_automaton_find_piece(automaton, whole->items[i], &state, hits);
	}
}

static void find_in_text(const struct scd_automaton *automaton, const struct scd_value *value, struct scd_hits *hits)
{
	scd_automaton_find(automaton, value->text, hits);
	if (value->whole)
		find_in_pieces(automaton, value->whole, hits);
}

void scd__needles_find(const struct scd_automaton *automaton, const struct scd_value *value, struct scd_hits *hits)
{
	if (!value->is_list)
		find_in_text(automaton, value, hits);
	for (size_t i = 0; value->is_list && i < value->list.count; i++)
		find_in_text(automaton, &value->list.items[i], hits);
}

bool scd__needles_hold(const struct scd__predicate *predicate, const struct scd_hits *hits)
{
	size_t held = 0;
	for (size_t i = 0; i < predicate->constant_count; i++) {
		uint32_t id = predicate->needle_ids[i];
		held += hits->bits[id / 64] >> (id % 64) & 1;
	}
	switch (predicate->quantity) {
	case SCD__ONE_OF: return held == 1;
	case SCD__ALL_OF: return held == predicate->constant_count;
	case SCD__ANY_OF: break;
	}
	return held > 0;
}
