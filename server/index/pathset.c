/*
 * A tree of path parts. Members that begin alike share their nodes:
 *
 *    /usr/bin/x        root ── usr ── bin ┬─ x  (ends)
 *    /usr/bin/?y                          └─ ?y (ends)        a pattern
 *    /etc                   ── etc (ends)
 *
 * Nodes are numbered; all edges of the tree are in one hash table from (node, part) to the child, so that a plain part
 * costs one probe however many siblings it has. The children of a node whose part is a pattern are linked in a list
 * besides, to be tried one by one.
 *
 * A path matches when its parts lead to a node where a member ends: the rest of the path does not matter. Every child
 * that matches a part is followed, plain or pattern, so the answer is "any member matches" and does not depend on
 * their order. (Falco's own loop may miss a member when several patterns stand side by side.) The search recurses
 * once for each part of a member, of which there are at most half as many as a constant has bytes, and visits no node
 * twice.
 */
#include "seccheckd/index/pathset.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/index/glob.h"

#define ROOT 0u
#define NONE UINT32_MAX

struct node {
	struct scd_str part;
	uint32_t parent;
	uint32_t first_pattern; /* of its children */
	uint32_t next_pattern;  /* of its siblings */
	bool is_pattern;
	const struct scd_glob *glob; /* of a pattern */
	bool ends;                   /* a member ends here */
};

struct scd_pathset {
	struct node *nodes;
	size_t count;
	uint32_t *slots; /* numbers of nodes but the root, ROOT where free */
	size_t mask;     /* number of slots, a power of two, less one */
};

/* The next part of the path, which *at is moved behind; empty when there is none. */
static struct scd_str next_part(struct scd_str path, size_t *at)
{
	struct scd_str part;
	const char *slash;

	while (*at < path.len && path.data[*at] == '/')
		(*at)++;
	part = (struct scd_str){ path.data + *at, path.len - *at };
	slash = part.len > 0 ? memchr(part.data, '/', part.len) : NULL;
	if (slash)
		part.len = (size_t)(slash - part.data);
	*at += part.len;
	return part;
}

static size_t count_parts(struct scd_str path)
{
	size_t count = 0;
	size_t at = 0;

	while (next_part(path, &at).len > 0)
		count++;
	return count;
}

static bool is_pattern(struct scd_str part)
{
	for (size_t i = 0; i < part.len; i++) {
		if (part.data[i] == '?' || part.data[i] == '*' || part.data[i] == '[')
			return true;
	}
	return false;
}

/* The slot of the child, or the free slot where it would be. */
static uint32_t *find(const struct scd_pathset *set, uint32_t parent, struct scd_str part)
{
	size_t at = XXH3_64bits_withSeed(part.data, part.len, parent) & set->mask;

	while (set->slots[at] != ROOT) {
		const struct node *node = &set->nodes[set->slots[at]];

		if (node->parent == parent && scd_str_eq(node->part, part))
			break;
		at = (at + 1) & set->mask;
	}
	return &set->slots[at];
}

/* The child of parent, made if there is none; NONE without memory. */
static uint32_t child_of(struct scd_pathset *set, uint32_t parent, struct scd_str part, struct scd_arena *arena)
{
	uint32_t *slot = find(set, parent, part);
	struct node *node = &set->nodes[set->count];

	if (*slot != ROOT)
		return *slot;
	*node = (struct node){ .part = scd_arena_dup(arena, part), .parent = parent, .first_pattern = NONE };
	if (!node->part.data)
		return NONE;
	*slot = (uint32_t)set->count++;
	node->is_pattern = is_pattern(part);
	node->next_pattern = set->nodes[parent].first_pattern;
	if (!node->is_pattern)
		return *slot;
	set->nodes[parent].first_pattern = *slot;
	node->glob = scd_glob_new(part, false, arena);
	return node->glob ? *slot : NONE;
}

/* Nothing is added behind a node where a shorter member ends. */
static bool add(struct scd_pathset *set, struct scd_str member, struct scd_arena *arena)
{
	uint32_t at_node = ROOT;
	size_t at = 0;

	while (!set->nodes[at_node].ends) {
		struct scd_str part = next_part(member, &at);

		if (part.len == 0) {
			set->nodes[at_node].ends = true;
			break;
		}
		at_node = child_of(set, at_node, part, arena);
		if (at_node == NONE)
			return false;
	}
	return true;
}

/* Room for as many nodes as there are parts, and the root. */
static bool reserve(struct scd_pathset *set, size_t parts, struct scd_arena *arena)
{
	size_t room = 2;

	if (parts >= UINT32_MAX / 4)
		return false;
	while (room < parts * 2)
		room *= 2;
	set->mask = room - 1;
	set->slots = scd_arena_zalloc(arena, room, sizeof(*set->slots));
	set->nodes = scd_arena_zalloc(arena, parts + 1, sizeof(*set->nodes));
	return set->slots && set->nodes;
}

const struct scd_pathset *scd_pathset_new(const struct scd_str *members, size_t count, struct scd_arena *arena)
{
	struct scd_pathset *set = scd_arena_zalloc(arena, 1, sizeof(*set));
	size_t parts = 0;

	for (size_t i = 0; i < count; i++) {
		if (members[i].len > SCD_LIMIT_CONSTANT_BYTES)
			return NULL;
		parts += count_parts(members[i]);
	}
	if (!set || !reserve(set, parts, arena))
		return NULL;
	set->nodes[ROOT].first_pattern = NONE;
	set->count = 1;
	for (size_t i = 0; i < count; i++) {
		if (!add(set, members[i], arena))
			return NULL;
	}
	return set;
}

/* The plain child of that name, or ROOT. No part of a member is longer than a constant. */
static uint32_t find_plain(const struct scd_pathset *set, uint32_t parent, struct scd_str part)
{
	uint32_t child = part.len <= SCD_LIMIT_CONSTANT_BYTES ? *find(set, parent, part) : ROOT;

	return set->nodes[child].is_pattern ? ROOT : child;
}

/* Whether a member ends at the node or below it on the way that path, from `at` on, leads. */
static bool leads_to_end(const struct scd_pathset *set, uint32_t node, struct scd_str path, size_t at)
{
	struct scd_str part = next_part(path, &at);
	uint32_t child;

	if (set->nodes[node].ends)
		return true;
	if (part.len == 0)
		return false;
	child = find_plain(set, node, part);
	if (child != ROOT && leads_to_end(set, child, path, at))
		return true;
	for (child = set->nodes[node].first_pattern; child != NONE; child = set->nodes[child].next_pattern) {
		if (scd_glob_matches(set->nodes[child].glob, part) && leads_to_end(set, child, path, at))
			return true;
	}
	return false;
}

bool scd_pathset_matches(const struct scd_pathset *set, struct scd_str path)
{
	return leads_to_end(set, ROOT, path, 0);
}
