/*
 * Which rules of a plan can match an event: every probe is asked once, and what it finds is marked.
 *
 * A value that is missing finds nothing. One that stands for several is asked for each of them.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/plan.h"
#include "seccheckd/base/limits.h"

#define WORD_BITS 64u

/* Candidates. */

bool scd__candidates_init(struct scd__candidates *candidates, size_t largest_plan)
{
	size_t words = largest_plan / WORD_BITS + 1;
	candidates->words = calloc(words, sizeof(*candidates->words));
	candidates->summary = calloc(words / WORD_BITS + 1, sizeof(*candidates->summary));
	return candidates->words && candidates->summary;
}

void scd__candidates_done(struct scd__candidates *candidates)
{
	free(candidates->words);
	free(candidates->summary);
}

static void mark(struct scd__candidates *candidates, uint32_t position)
{
	uint32_t word = position / WORD_BITS;
	candidates->words[word] |= UINT64_C(1) << position % WORD_BITS;
	candidates->summary[word / WORD_BITS] |= UINT64_C(1) << word % WORD_BITS;
}

size_t scd__candidates_take(struct scd__candidates *candidates, size_t count)
{
	size_t summaries = count / WORD_BITS / WORD_BITS + 1;
	for (size_t i = 0; i < summaries; i++) {
		uint64_t *summary = &candidates->summary[i];
		if (*summary == 0)
			continue;
		size_t at = i * WORD_BITS + (size_t)__builtin_ctzll(*summary);
		uint64_t *word = &candidates->words[at];
		size_t position = at * WORD_BITS + (size_t)__builtin_ctzll(*word);
		*word &= *word - 1;
		if (*word == 0)
			*summary &= *summary - 1;
		return position;
	}
	return SCD__NO_CANDIDATE;
}

/* Addresses. */

void scd__address_key(const struct scd_ip *ip, struct scd__prefix prefix, char ret_key[SCD__ADDRESS_KEY_BYTES])
{
	size_t bytes = prefix.bits / 8, bits = prefix.bits % 8;
	memset(ret_key, 0, SCD__ADDRESS_KEY_BYTES);
	ret_key[0] = (char)prefix.family;
	ret_key[1] = (char)prefix.bits;
	memcpy(ret_key + 2, ip->bytes, bytes);
	if (bits > 0)
		ret_key[2 + bytes] = (char)(ip->bytes[bytes] & 0xff00u >> bits);
}

/* Probes. */

static void mark_key(const struct scd__probe *probe, uint32_t key, struct scd__candidates *candidates)
{
	for (uint32_t i = probe->first[key]; i < probe->first[key + 1]; i++)
		mark(candidates, probe->positions[i]);
}

static void probe_set(const struct scd__probe *probe, struct scd_str key, struct scd__candidates *candidates)
{
	uint32_t id = scd_strset_find(probe->keys, key);
	if (id != SCD_STRSET_NONE)
		mark_key(probe, id, candidates);
}

static void probe_address(const struct scd__probe *probe, const struct scd_ip *ip, struct scd__candidates *candidates)
{
	char key[SCD__ADDRESS_KEY_BYTES];
	for (size_t i = 0; i < probe->prefix_count; i++) {
		if (probe->prefixes[i].family != ip->family)
			continue;
		scd__address_key(ip, probe->prefixes[i], key);
		probe_set(probe, (struct scd_str){ key, sizeof(key) }, candidates);
	}
}

static void probe_edge(const struct scd__probe *probe, struct scd_str text, struct scd__candidates *candidates)
{
	uint32_t ids[SCD_LIMIT_CONSTANT_BYTES];
	size_t count = scd_automaton_find_edge(probe->automaton, text, probe->way == SCD__WAY_END, ids);
	for (size_t i = 0; i < count; i++)
		mark_key(probe, ids[i], candidates);
}

static void probe_one(const struct scd__probe *probe, const struct scd_value *value, struct scd__candidates *candidates)
{
	uint64_t number;
	switch (probe->way) {
	case SCD__WAY_NUMBER:
		number = value->type == SCD_TYPE_BOOL ? value->boolean : value->u64;
		probe_set(probe, (struct scd_str){ (const char *)&number, sizeof(number) }, candidates);
		break;
	case SCD__WAY_ADDRESS: probe_address(probe, &value->ip, candidates); break;
	case SCD__WAY_BEGINNING:
	case SCD__WAY_END: probe_edge(probe, value->text, candidates); break;
	default: probe_set(probe, value->text, candidates); break;
	}
}

static void probe_needles(const struct scd__probe *probe, struct scd_evaluator *evaluator,
                          const struct scd_value *value, struct scd__candidates *candidates)
{
	const struct scd_hits *hits = scd__evaluator_hits(evaluator, probe->index, value);
	for (size_t i = 0; i < hits->count; i++)
		mark_key(probe, hits->ids[i], candidates);
}

static void probe_value(const struct scd__probe *probe, struct scd_evaluator *evaluator, const struct scd_view *view,
                        struct scd__candidates *candidates)
{
	const struct scd_value *value = scd__evaluator_value(evaluator, probe->expr, view);
	if (!value)
		return;
	if (probe->way == SCD__WAY_NEEDLE) {
		probe_needles(probe, evaluator, value, candidates);
		return;
	}
	if (!value->is_list)
		probe_one(probe, value, candidates);
	for (size_t i = 0; value->is_list && i < value->list.count; i++)
		probe_one(probe, &value->list.items[i], candidates);
}

void scd__plan_probe(const struct scd__plan *plan, struct scd_evaluator *evaluator, const struct scd_view *view,
                     struct scd__candidates *candidates)
{
	for (size_t i = 0; i < plan->always_count; i++)
		mark(candidates, plan->always[i]);
	for (size_t i = 0; i < plan->probe_count; i++) {
		const struct scd__probe *probe = &plan->probes[i];
		if (probe->way != SCD__WAY_DIRECT)
			probe_value(probe, evaluator, view, candidates);
		else if (scd__evaluator_holds(evaluator, probe->index, view))
			mark_key(probe, 0, candidates);
	}
}
