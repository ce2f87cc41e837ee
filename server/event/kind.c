/*
 * Kinds and their names: one table indexed by kind, and an index into it sorted by name that is built at the first
 * look-up. Sets of kinds are bit sets.
 */
#include "seccheckd/event/kind.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define SET_WORDS (sizeof(((struct scd_kind_set *)NULL)->words) / sizeof(uint64_t))

enum {
	FOREIGN_BEGIN = SCD_KIND_FOREIGN - 1,
#define SCD_SYSCALL(number, name)
#define SCD_FOREIGN(name) FOREIGN_##name,
#include "event/syscalls.def"
#undef SCD_SYSCALL
#undef SCD_FOREIGN
	FOREIGN_END
};
_Static_assert((int)FOREIGN_END == (int)SCD_KIND_COUNT, "kind.h counts the foreign names of syscalls.def");

static const struct scd_str names[SCD_KIND_COUNT] = {
#define SCD_SYSCALL(number, name) [number] = SCD_STR_INIT(#name),
#define SCD_FOREIGN(name)         [FOREIGN_##name] = SCD_STR_INIT(#name),
#include "event/syscalls.def"
#undef SCD_SYSCALL
#undef SCD_FOREIGN
	[SCD_KIND_PROCEXIT] = SCD_STR_INIT("procexit"),
	[SCD_KIND_HIDDEN] = SCD_STR_INIT("hidden"),
};

/* Kinds that have a name, by name and then by number. Written once, under by_name_once. */
static uint16_t by_name[SCD_KIND_COUNT];
static size_t by_name_count;
static pthread_once_t by_name_once = PTHREAD_ONCE_INIT;

static int compare_with(struct scd_str name, unsigned kind, unsigned other)
{
	int order = scd_str_compare(name, names[other]);

	return order != 0 ? order : (kind > other) - (kind < other);
}

static int compare_kinds(const void *a, const void *b)
{
	unsigned kind = *(const uint16_t *)a, other = *(const uint16_t *)b;

	return compare_with(names[kind], kind, other);
}

static void sort_names(void)
{
	for (unsigned kind = 0; kind < SCD_KIND_COUNT; kind++) {
		if (names[kind].len > 0)
			by_name[by_name_count++] = (uint16_t)kind;
	}
	qsort(by_name, by_name_count, sizeof(by_name[0]), compare_kinds);
}

struct scd_str scd_kind_name(unsigned kind)
{
	return kind < SCD_KIND_COUNT ? names[kind] : (struct scd_str){ 0 };
}

int scd_kind_find(struct scd_str name, unsigned next)
{
	size_t low = 0, high;

	pthread_once(&by_name_once, sort_names);
	high = by_name_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_with(name, next, by_name[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < by_name_count && scd_str_eq(names[by_name[low]], name) ? by_name[low] : -ENOENT;
}

void scd_kind_set_add(struct scd_kind_set *set, unsigned kind)
{
	if (kind < SCD_KIND_COUNT)
		set->words[kind / 64] |= (uint64_t)1 << (kind % 64);
}

void scd_kind_set_fill(struct scd_kind_set *set)
{
	*set = (struct scd_kind_set){ 0 };
	for (unsigned kind = 0; kind < SCD_KIND_COUNT; kind++) {
		if (names[kind].len > 0)
			scd_kind_set_add(set, kind);
	}
}

void scd_kind_set_unite(struct scd_kind_set *set, const struct scd_kind_set *other)
{
	for (size_t i = 0; i < SET_WORDS; i++)
		set->words[i] |= other->words[i];
}

void scd_kind_set_intersect(struct scd_kind_set *set, const struct scd_kind_set *other)
{
	for (size_t i = 0; i < SET_WORDS; i++)
		set->words[i] &= other->words[i];
}

void scd_kind_set_invert(struct scd_kind_set *set)
{
	struct scd_kind_set all;

	scd_kind_set_fill(&all);
	for (size_t i = 0; i < SET_WORDS; i++)
		set->words[i] = all.words[i] & ~set->words[i];
}

size_t scd_kind_set_count(const struct scd_kind_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < SET_WORDS; i++)
		count += (size_t)__builtin_popcountll(set->words[i]);
	return count;
}
