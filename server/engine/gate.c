/*
 * From conditions to gates.
 *
 *    condition                                                  gate
 *    proc.name = x and fd.name startswith /y/            proc.name is x              the rarer one will do
 *    proc.name in (x, y) or proc.name startswith z       proc.name is x y, or begins z             all of them
 *    proc.name = x or evt.rawres < 0                     open: an order is no atom, and may hold alone
 *    not proc.name = x                                   open: it holds for a missing value, too
 *    not (proc.name != x or not fd.name endswith z)      fd.name ends z              De Morgan
 *
 * An atom is a positive comparison with constants: a missing value makes it false, and so does every value in which
 * none of its keys is found. For most atoms the keys are their constants; of glob and regex the text that all they
 * match begins (or ends) with; of `allof`, one constant: where it is not found, not all are. A field that stands for
 * several values is asked for the keys of each. What holds of a list field without values (`in`) is no atom.
 *
 * Which of two gates holds more seldom nobody knows before events come. Costs are guesses: equality before beginnings
 * and ends, long texts before short ones, few constants before many, numbers and booleans last.
 *
 * A subtree leaves its gate on a stack, above those of the subtrees before it, so that uniting two of them is nothing
 * to do, and choosing one of them is to drop or to move the upper one.
 */
#include "engine/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"

/* A set of more constants is asked itself. */
#define MANY_KEYS 4096u

/* A gate of more atoms is no help. */
#define MANY_ATOMS 4096u

/* Patterns. */

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

/* What each text that a glob matches begins with. */
static struct scd_str glob_beginning(struct scd_str glob)
{
	size_t len = 0;
	while (len < glob.len && !is_one_of(glob.data[len], "*?[\\"))
		len++;
	return (struct scd_str){ glob.data, len };
}

/* What it ends with; nothing for a glob with brackets or backslashes, which may hide a wildcard. */
static struct scd_str glob_end(struct scd_str glob)
{
	size_t from = glob.len;
	for (size_t i = 0; i < glob.len; i++)
		if (glob.data[i] == '[' || glob.data[i] == '\\')
			return SCD_STR("");
	while (from > 0 && glob.data[from - 1] != '*' && glob.data[from - 1] != '?')
		from--;
	return (struct scd_str){ glob.data + from, glob.len - from };
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       is_one_of(c, "/_-,:;=@%&~ ");
}

/*
 * What each text that a regular expression matches begins with: up to the first byte that may mean something, less the
 * byte before it if that may occur zero times. Texts are matched as a whole, and ASCII is what is left as it was of
 * texts that are not UTF-8.
 */
static struct scd_str regex_beginning(struct scd_str pattern)
{
	size_t from = pattern.len > 0 && pattern.data[0] == '^', at = from;
	if (pattern.len > 0 && memchr(pattern.data, '|', pattern.len))
		return SCD_STR("");
	while (at < pattern.len && is_plain(pattern.data[at]))
		at++;
	if (at > from && at < pattern.len && is_one_of(pattern.data[at], "*?{"))
		at--;
	return (struct scd_str){ pattern.data + from, at - from };
}

struct scd_str scd__gate_text(const struct scd__predicate *predicate, enum scd__way way, size_t index)
{
	const union scd__constant *constant = &predicate->constants[index];
	switch (predicate->op) {
	case SCD__OP_GLOB: return way == SCD__WAY_END ? glob_end(constant->text) : glob_beginning(constant->text);
	case SCD__OP_REGEX: return regex_beginning(scd_regex_pattern(constant->regex));
	default: return constant->text;
	}
}

/* Ways. */

static enum scd__way way_of_equality(const struct scd__predicate *predicate)
{
	enum scd_type type = predicate->left->type;
	if (predicate->constant_count > MANY_KEYS)
		return SCD__WAY_DIRECT;
	if (scd_type_is_text(type) || type == SCD_TYPE_BYTES)
		return SCD__WAY_TEXT;
	if (type == SCD_TYPE_IPADDR || type == SCD_TYPE_IPNET)
		return SCD__WAY_ADDRESS;
	bool is_number = type == SCD_TYPE_BOOL || scd_type_is_signed(type) || scd_type_is_unsigned(type);
	return is_number ? SCD__WAY_NUMBER : SCD__WAY_NONE;
}

/* Whether every one of these keys says something. */
static bool has_texts(const struct scd__predicate *predicate, const struct scd__keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		if (scd__gate_text(predicate, keys->way, keys->from + i).len == 0)
			return false;
	return true;
}

/* Of `allof`, the longest text, or the first of what are no texts. */
static void choose_one(const struct scd__predicate *predicate, struct scd__keys *keys)
{
	size_t longest = 0;
	for (size_t i = 1; i < keys->count && keys->way != SCD__WAY_NUMBER && keys->way != SCD__WAY_ADDRESS; i++)
		if (scd__gate_text(predicate, keys->way, i).len > scd__gate_text(predicate, keys->way, longest).len)
			longest = i;
	keys->from = longest;
	keys->count = 1;
}

static struct scd__keys keys_by(const struct scd__predicate *predicate, enum scd__way way)
{
	struct scd__keys keys = { way, 0, predicate->constant_count };
	bool affix = way == SCD__WAY_BEGINNING || way == SCD__WAY_END || way == SCD__WAY_NEEDLE;
	if (predicate->quantity == SCD__ALL_OF && keys.count > 1 && way != SCD__WAY_DIRECT)
		choose_one(predicate, &keys);
	if (affix && !has_texts(predicate, &keys))
		keys.way = SCD__WAY_NONE;
	return keys;
}

struct scd__keys scd__gate_keys(const struct scd__predicate *predicate)
{
	struct scd__keys keys = { SCD__WAY_NONE, 0, 0 };
	bool is_list = predicate->left->is_list && !predicate->left->is_any_of;
	if (predicate->right || predicate->never || (is_list && predicate->op != SCD__OP_INTERSECTS))
		return keys;
	switch (predicate->op) {
	case SCD__OP_EQ:
	case SCD__OP_IN:
	case SCD__OP_INTERSECTS: return keys_by(predicate, way_of_equality(predicate));
	case SCD__OP_CONTAINS:
	case SCD__OP_ICONTAINS: return keys_by(predicate, SCD__WAY_NEEDLE);
	case SCD__OP_STARTSWITH: return keys_by(predicate, SCD__WAY_BEGINNING);
	case SCD__OP_ENDSWITH: return keys_by(predicate, SCD__WAY_END);
	case SCD__OP_PMATCH: return keys_by(predicate, SCD__WAY_DIRECT);
	case SCD__OP_GLOB:
	case SCD__OP_REGEX: keys = keys_by(predicate, SCD__WAY_BEGINNING); break;
	default: break;
	}
	if (keys.way == SCD__WAY_NONE && predicate->op == SCD__OP_GLOB)
		keys = keys_by(predicate, SCD__WAY_END);
	return keys;
}

/* Costs. */

enum { RARE = 4, ORDINARY = 16, FREQUENT = 128, COMMON = 1024, ASKED = 64 };

/* Of one key. */
static uint32_t cost_of_text(enum scd__way way, struct scd_str key)
{
	uint32_t cost = key.len >= 8 ? 2 * RARE : key.len >= 4 ? ORDINARY : key.len >= 2 ? FREQUENT : COMMON;
	if (way == SCD__WAY_TEXT)
		return RARE;
	return way == SCD__WAY_NEEDLE ? 2 * cost : cost;
}

static uint32_t cost_of_number(const struct scd__predicate *predicate)
{
	if (predicate->left->type == SCD_TYPE_BOOL)
		return 2 * COMMON;
	return predicate->left->type == SCD_TYPE_PORT ? ORDINARY : FREQUENT;
}

static uint32_t cost_of_address(const struct scd__cidr *cidr)
{
	if (cidr->prefix_bits < 8)
		return COMMON;
	return cidr->prefix_bits >= 24 ? RARE : ORDINARY;
}

static uint32_t cost_of_key(const struct scd__predicate *predicate, enum scd__way way, size_t index)
{
	switch (way) {
	case SCD__WAY_NUMBER: return cost_of_number(predicate);
	case SCD__WAY_ADDRESS: return cost_of_address(&predicate->constants[index].cidr);
	default: return cost_of_text(way, scd__gate_text(predicate, way, index));
	}
}

/* The worst key counts, and each of the others a little. */
static uint32_t cost_of(const struct scd__predicate *predicate)
{
	struct scd__keys keys = scd__gate_keys(predicate);
	uint32_t worst = 0;
	if (keys.way == SCD__WAY_NONE)
		return SCD__GATE_OPEN;
	if (keys.way == SCD__WAY_DIRECT)
		return FREQUENT + ASKED;
	for (size_t i = 0; i < keys.count; i++) {
		uint32_t cost = cost_of_key(predicate, keys.way, keys.from + i);
		worst = cost > worst ? cost : worst;
	}
	return worst + (uint32_t)(keys.count / 4);
}

/* Gates. */

int scd__gate_push(struct scd__gates *gates, const struct scd_ruleset *set, uint32_t predicate, uint32_t *ret_cost)
{
	uint32_t cost = cost_of(&set->predicates[predicate]);
	if (cost != SCD__GATE_OPEN) {
		uint32_t *atoms = scd_array_grow_in(gates->arena, gates->atoms, gates->count, &gates->room,
		                                    sizeof(*atoms));
		if (!atoms)
			return -ENOMEM;
		gates->atoms = atoms;
		gates->atoms[gates->count++] = predicate;
	}
	*ret_cost = cost;
	return 0;
}

uint32_t scd__gate_choose(struct scd__gates *gates, size_t from, size_t at, uint32_t first, uint32_t second)
{
	size_t count = gates->count - at;
	if (second >= first) {
		gates->count = at;
		return first;
	}
	if (count > 0)
		memmove(gates->atoms + from, gates->atoms + at, count * sizeof(*gates->atoms));
	gates->count = from + count;
	return second;
}

uint32_t scd__gate_unite(struct scd__gates *gates, size_t from, uint32_t first, uint32_t second)
{
	if (second < SCD__GATE_OPEN - first)
		return first + second;
	gates->count = from;
	return SCD__GATE_OPEN;
}

static int compare_atoms(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

int scd__gate_keep(struct scd__gates *gates, uint32_t cost, struct scd_arena *arena, struct scd__gate *ret_gate)
{
	uint32_t *atoms;
	size_t count = 0;
	*ret_gate = (struct scd__gate){ .open = true };
	if (cost == SCD__GATE_OPEN || gates->count > MANY_ATOMS)
		return 0;
	atoms = scd_arena_zalloc(arena, gates->count + 1, sizeof(*atoms));
	if (!atoms)
		return -ENOMEM;
	if (gates->count > 0)
		qsort(gates->atoms, gates->count, sizeof(*atoms), compare_atoms);
	for (size_t i = 0; i < gates->count; i++)
		if (count == 0 || atoms[count - 1] != gates->atoms[i])
			atoms[count++] = gates->atoms[i];
	*ret_gate = (struct scd__gate){ atoms, count, false };
	return 0;
}
