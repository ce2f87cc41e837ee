/*
 * From gates to plans.
 *
 *    rules of a plan      0: proc.name is x    1: open    2: proc.name is x, is y    3: fd.name begins with /z/
 *
 *    probe proc.name, TEXT          keys  x  y           first 0 2 3      positions 0 2 | 2
 *    probe fd.name, BEGINNING       keys  /z/            first 0 1        positions 3
 *    always                                                               positions 1
 *
 * Every gate is taken apart into entries, one for each key of each atom; the entries are sorted by their question
 * (way and expression), and what asks the same becomes one probe: a hash set, a tree of beginnings, or the automaton
 * that the set has already. An event then costs one lookup for each probe of its plan, and the rules that it finds,
 * however many others there are.
 */
#include "engine/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"

/* With fewer rules than this, running them costs no more than asking which. */
#define FEW_RULES 8u

/* One key of one atom of one rule. */
struct entry {
	enum scd__way way;
	uint32_t index;     /* slot, automaton or predicate: with the way, the question */
	struct scd_str key; /* all but NEEDLE and DIRECT */
	uint32_t id;        /* of the key: NEEDLE its needle, DIRECT 0; of the others when the probe is made */
	uint32_t predicate; /* one that asks it */
	uint32_t position;
	struct scd__prefix prefix; /* ADDRESS */
};

struct builder {
	struct scd_ruleset *set;
	struct scd_arena scratch; /* of the plan that is being made */
	struct entry *entries;
	size_t count, room;
	uint32_t *rules; /* the kind's */
	size_t rule_count;
};

/* Entries. */

static int add_entry(struct builder *b, const struct entry *entry)
{
	struct entry *entries = scd_array_grow_in(&b->scratch, b->entries, b->count, &b->room, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	b->entries = entries;
	b->entries[b->count++] = *entry;
	return 0;
}

/* In the set, as its index borrows it. Data NULL without memory. */
static struct scd_str number_key(struct builder *b, const struct scd__predicate *predicate, size_t index)
{
	const union scd__constant *constant = &predicate->constants[index];
	uint64_t number = predicate->left->type == SCD_TYPE_BOOL ? constant->boolean : constant->u64;
	return scd_arena_dup(&b->set->arena, (struct scd_str){ (const char *)&number, sizeof(number) });
}

static struct scd_str address_key(struct builder *b, const struct scd__cidr *cidr, struct scd__prefix *ret_prefix)
{
	char key[SCD__ADDRESS_KEY_BYTES];
	*ret_prefix = (struct scd__prefix){ cidr->ip.family, (uint8_t)cidr->prefix_bits };
	scd__address_key(&cidr->ip, *ret_prefix, key);
	return scd_arena_dup(&b->set->arena, (struct scd_str){ key, sizeof(key) });
}

static struct scd_str backwards(struct builder *b, struct scd_str text)
{
	char *copy = scd_arena_alloc(&b->scratch, text.len);
	for (size_t i = 0; i < text.len && copy; i++)
		copy[i] = text.data[text.len - 1 - i];
	return (struct scd_str){ copy, copy ? text.len : 0 };
}

static int add_key(struct builder *b, const struct scd__predicate *predicate, struct entry entry, size_t index)
{
	switch (entry.way) {
	case SCD__WAY_NUMBER: entry.key = number_key(b, predicate, index); break;
	case SCD__WAY_ADDRESS: entry.key = address_key(b, &predicate->constants[index].cidr, &entry.prefix); break;
	case SCD__WAY_END: entry.key = backwards(b, scd__gate_text(predicate, entry.way, index)); break;
	case SCD__WAY_NEEDLE: entry.id = predicate->needle_ids[index]; return add_entry(b, &entry);
	default: entry.key = scd__gate_text(predicate, entry.way, index); return add_entry(b, &entry);
	}
	return entry.key.data ? add_entry(b, &entry) : -ENOMEM;
}

/* A text that is looked for alone has no automaton. */
static int add_atom(struct builder *b, uint32_t index, uint32_t position)
{
	const struct scd__predicate *predicate = &b->set->predicates[index];
	struct scd__keys keys = scd__gate_keys(predicate);
	struct entry entry = { .way = keys.way, .index = predicate->left->slot, .predicate = index };
	int r = 0;
	entry.position = position;
	if (keys.way == SCD__WAY_NEEDLE)
		entry.index = predicate->automaton;
	if (keys.way == SCD__WAY_DIRECT || (keys.way == SCD__WAY_NEEDLE && !predicate->needle_ids)) {
		entry.way = SCD__WAY_DIRECT;
		entry.index = index;
		return add_entry(b, &entry);
	}
	for (size_t i = 0; i < keys.count && r == 0; i++)
		r = add_key(b, predicate, entry, keys.from + i);
	return r;
}

static int add_gates(struct builder *b, struct scd__plan *plan)
{
	uint32_t *always = scd_arena_zalloc(&b->set->arena, plan->count, sizeof(*always));
	if (!always)
		return -ENOMEM;
	plan->always = always;
	for (size_t i = 0; i < plan->count; i++) {
		const struct scd__gate *gate = &b->set->gates[plan->rules[i]];
		int r = 0;
		if (gate->open)
			always[plan->always_count++] = (uint32_t)i;
		for (size_t j = 0; j < gate->count && r == 0; j++)
			r = add_atom(b, gate->atoms[j], (uint32_t)i);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_questions(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	if (left->way != right->way)
		return left->way < right->way ? -1 : 1;
	return (left->index > right->index) - (left->index < right->index);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = compare_questions(a, b);
	return order ? order : (left->position > right->position) - (left->position < right->position);
}

/* Probes. */

static int number_by_set(struct builder *b, struct scd__probe *probe, struct entry *entries, size_t count,
                         const struct scd_str *keys)
{
	probe->keys = scd_strset_new(keys, count, &b->set->arena);
	if (!probe->keys)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		entries[i].id = scd_strset_find(probe->keys, keys[i]);
	probe->key_count = scd_strset_count(probe->keys);
	return 0;
}

static int number_by_automaton(struct builder *b, struct scd__probe *probe, struct entry *entries, size_t count,
                               const struct scd_str *keys)
{
	uint32_t *ids = scd_arena_zalloc(&b->scratch, count, sizeof(*ids));
	probe->automaton = ids ? scd_automaton_new(keys, count, false, &b->set->arena, ids) : NULL;
	if (!probe->automaton)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		entries[i].id = ids[i];
	probe->key_count = scd_automaton_count(probe->automaton);
	return 0;
}

/* Gives the keys of a probe their numbers. */
static int number_keys(struct builder *b, struct scd__probe *probe, struct entry *entries, size_t count)
{
	struct scd_str *keys;
	if (probe->way == SCD__WAY_DIRECT)
		return 0;
	if (probe->way == SCD__WAY_NEEDLE) {
		probe->key_count = scd_automaton_count(b->set->automatons[probe->index]);
		return 0;
	}
	keys = scd_arena_zalloc(&b->scratch, count, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		keys[i] = entries[i].key;
	if (probe->way == SCD__WAY_BEGINNING || probe->way == SCD__WAY_END)
		return number_by_automaton(b, probe, entries, count, keys);
	return number_by_set(b, probe, entries, count, keys);
}

/* The sizes of networks that occur, each once. */
static int list_prefixes(struct builder *b, struct scd__probe *probe, const struct entry *entries, size_t count)
{
	bool seen[2][129] = { { false } };
	struct scd__prefix *prefixes = scd_arena_zalloc(&b->set->arena, 33 + 129, sizeof(*prefixes));
	if (!prefixes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		bool *one = &seen[entries[i].prefix.family == 6][entries[i].prefix.bits];
		if (!*one)
			prefixes[probe->prefix_count++] = entries[i].prefix;
		*one = true;
	}
	probe->prefixes = prefixes;
	return 0;
}

/* The positions of each key together, by counting. */
static int lay_positions(struct builder *b, struct scd__probe *probe, const struct entry *entries, size_t count)
{
	uint32_t *first = scd_arena_zalloc(&b->set->arena, probe->key_count + 2, sizeof(*first));
	uint32_t *positions = scd_arena_zalloc(&b->set->arena, count, sizeof(*positions));
	if (!first || !positions)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		first[entries[i].id + 2]++;
	for (size_t i = 2; i < probe->key_count + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < count; i++)
		positions[first[entries[i].id + 1]++] = entries[i].position;
	probe->first = first;
	probe->positions = positions;
	return 0;
}

static int make_probe(struct builder *b, struct scd__probe *probe, struct entry *entries, size_t count)
{
	int r;
	*probe = (struct scd__probe){ .way = entries->way, .index = entries->index, .key_count = 1 };
	probe->expr = b->set->predicates[entries->predicate].left;
	r = number_keys(b, probe, entries, count);
	if (r == 0 && probe->way == SCD__WAY_ADDRESS)
		r = list_prefixes(b, probe, entries, count);
	return r < 0 ? r : lay_positions(b, probe, entries, count);
}

static size_t run_length(const struct entry *entries, size_t count)
{
	size_t length = 1;
	while (length < count && compare_questions(entries, entries + length) == 0)
		length++;
	return length;
}

static int make_probes(struct builder *b, struct scd__plan *plan)
{
	size_t questions = 0;
	for (size_t from = 0; from < b->count; from += run_length(b->entries + from, b->count - from))
		questions++;
	struct scd__probe *probes = scd_arena_zalloc(&b->set->arena, questions + 1, sizeof(*probes));
	if (!probes)
		return -ENOMEM;
	plan->probes = probes;
	for (size_t from = 0; from < b->count;) {
		size_t length = run_length(b->entries + from, b->count - from);
		int r = make_probe(b, &probes[plan->probe_count], b->entries + from, length);
		if (r < 0)
			return r;
		plan->probe_count++;
		from += length;
	}
	return 0;
}

static int fill_plan(struct builder *b, struct scd__plan *plan)
{
	int r;
	if (plan->count < FEW_RULES)
		return 0;
	scd_arena_init(&b->scratch, 65536, 0);
	b->entries = NULL;
	b->count = b->room = 0;
	r = add_gates(b, plan);
	if (b->count > 0)
		qsort(b->entries, b->count, sizeof(*b->entries), compare_entries);
	if (r == 0 && plan->always_count < plan->count)
		r = make_probes(b, plan);
	scd_arena_done(&b->scratch);
	return r;
}

/* Plans. */

static bool can_fire(const struct scd_ruleset *set, size_t rule, unsigned kind)
{
	return set->rules[rule].enabled && set->entries[rule] != SCD__NO &&
	       scd_kind_set_has(&set->rules[rule].kinds, kind);
}

/* The plan of an earlier kind with the same rules, or NULL. */
static const struct scd__plan *known_plan(const struct builder *b, unsigned kind)
{
	for (unsigned i = kind; i-- > 0;) {
		const struct scd__plan *plan = b->set->plans[i];
		if (plan && plan->count == b->rule_count &&
		    memcmp(plan->rules, b->rules, plan->count * sizeof(*b->rules)) == 0)
			return plan;
	}
	return NULL;
}

static int new_plan(struct builder *b, unsigned kind)
{
	struct scd_ruleset *set = b->set;
	struct scd__plan *plan = scd_arena_zalloc(&set->arena, 1, sizeof(*plan));
	uint32_t *rules = scd_arena_zalloc(&set->arena, b->rule_count, sizeof(*rules));
	if (!plan || !rules)
		return -ENOMEM;
	memcpy(rules, b->rules, b->rule_count * sizeof(*rules));
	plan->rules = rules;
	plan->count = b->rule_count;
	set->plans[kind] = plan;
	if (set->largest_plan < plan->count)
		set->largest_plan = plan->count;
	return fill_plan(b, plan);
}

static int plan_kind(struct builder *b, unsigned kind)
{
	b->rule_count = 0;
	for (size_t i = 0; i < b->set->rule_count; i++)
		if (can_fire(b->set, i, kind))
			b->rules[b->rule_count++] = (uint32_t)i;
	if (b->rule_count == 0)
		return 0;
	scd_kind_set_add(&b->set->kinds, kind);
	b->set->plans[kind] = known_plan(b, kind);
	return b->set->plans[kind] ? 0 : new_plan(b, kind);
}

int scd__plans_build(struct scd_ruleset *set)
{
	struct builder b = { .set = set, .rules = calloc(set->rule_count + 1, sizeof(*b.rules)) };
	int r = b.rules ? 0 : -ENOMEM;
	for (unsigned kind = 0; kind < SCD_KIND_COUNT && r == 0; kind++)
		r = plan_kind(&b, kind);
	free(b.rules);
	return r;
}
