/*
 * Maps and pages: copied when they are shared and about to be changed, found by a binary search among the (few) pages
 * of a map. What a system call does to a table is fd_calls.c's.
 *
 *    map    | places, in the order of their pages' numbers                     |
 *             {number 0, written 7, page} {number 7, written 3, page} …     and which of them an exec may have closed
 *    page   | present | cloexec | cloexec known | 32 files |      number n holds the descriptors 32 n … 32 n + 31
 *
 * A page stays when its last descriptor is closed, so that the next open finds it.
 */
#include "state/fd_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"

#define PAGE_FDS     32u
#define PAGES_MAX    (SCD_LIMIT_PROCESS_FDS / PAGE_FDS)
#define FIRST_PLACES 2u
#define NUMBER_MAX   INT32_MAX

struct page {
	uint32_t refs;
	uint32_t present, cloexec, cloexec_known; /* a bit for each descriptor */
	struct scd__file *files[PAGE_FDS];
};

struct place {
	uint32_t number;
	uint32_t written; /* the map's clock when it was last written to */
	/*
	 * A bit for each descriptor: an exec closed it if it was to be closed on exec, which is not known. Here, so
	 * that an exec needs no copy of pages.
	 */
	uint32_t maybe_closed;
	struct page *page;
};

struct map {
	uint32_t refs;
	uint32_t count, room; /* of places */
	uint32_t clock;
	struct place places[];
};

struct scd__fd_table {
	uint32_t refs;
	bool given_up;
	struct map *map; /* NULL: empty */
};

/* Memory, with its account. */

static size_t map_bytes(uint32_t room)
{
	return sizeof(struct map) + room * sizeof(struct place);
}

static void *take_bytes(struct scd__fd_pool *pool, size_t bytes)
{
	void *memory = calloc(1, bytes);
	if (memory)
		pool->bytes += bytes;
	return memory;
}

static void give_bytes(struct scd__fd_pool *pool, void *memory, size_t bytes)
{
	pool->bytes -= bytes;
	free(memory);
}

/* Pages. */

static uint32_t bit_of(int64_t number)
{
	return UINT32_C(1) << (number % PAGE_FDS);
}

/* The descriptors of a page that lie between two numbers, both included. */
static uint32_t bits_between(uint32_t page_number, uint32_t first, uint32_t last)
{
	uint32_t from = page_number * PAGE_FDS, to = from + PAGE_FDS - 1;
	uint32_t bits = UINT32_MAX;
	if (last < from || first > to)
		return 0;
	if (first > from)
		bits &= UINT32_MAX << (first - from);
	if (last < to)
		bits &= UINT32_MAX >> (to - last);
	return bits;
}

static void page_clear(struct scd__fd_pool *pool, struct page *page, uint32_t bits)
{
	for (uint32_t left = page->present & bits; left; left &= left - 1) {
		struct scd__file **file = &page->files[__builtin_ctz(left)];
		scd__file_unref(pool, *file);
		*file = NULL;
	}
	page->present &= ~bits;
}

static void page_unref(struct scd__fd_pool *pool, struct page *page)
{
	if (--page->refs > 0)
		return;
	page_clear(pool, page, UINT32_MAX);
	give_bytes(pool, page, sizeof(*page));
}

static struct page *page_copy(struct scd__fd_pool *pool, const struct page *page)
{
	struct page *copy = take_bytes(pool, sizeof(*copy));
	if (!copy)
		return NULL;
	*copy = *page;
	copy->refs = 1;
	for (uint32_t left = copy->present; left; left &= left - 1)
		scd__file_ref(copy->files[__builtin_ctz(left)]);
	return copy;
}

/* Maps. */

static void map_unref(struct scd__fd_pool *pool, struct map *map)
{
	if (!map || --map->refs > 0)
		return;
	for (uint32_t i = 0; i < map->count; i++)
		page_unref(pool, map->places[i].page);
	give_bytes(pool, map, map_bytes(map->room));
}

static size_t map_fd_count(const struct map *map)
{
	size_t count = 0;
	for (uint32_t i = 0; map && i < map->count; i++)
		count += (size_t)__builtin_popcount(map->places[i].page->present);
	return count;
}

/* Index of the first place whose page has this number or a higher one. */
static uint32_t place_at(const struct map *map, uint32_t page_number)
{
	uint32_t low = 0, high = map->count;
	if (high > 0 && page_number <= map->places[0].number) /* nearly all descriptors are small numbers */
		return 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (map->places[middle].number < page_number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A map with the same places and room for more of them. */
static struct map *map_copy(struct scd__fd_pool *pool, const struct map *map, uint32_t room)
{
	struct map *copy = take_bytes(pool, map_bytes(room));
	if (!copy)
		return NULL;
	*copy = (struct map){ .refs = 1, .room = room };
	if (!map)
		return copy;
	copy->count = map->count;
	copy->clock = map->clock;
	memcpy(copy->places, map->places, map->count * sizeof(struct place));
	for (uint32_t i = 0; i < copy->count; i++) {
		assert(copy->places[i].page);
		copy->places[i].page->refs++;
	}
	return copy;
}

/* The table's map, its own alone, with room for `more` places. */
static struct map *own_map(struct scd__fd_pool *pool, struct scd__fd_table *table, uint32_t more)
{
	struct map *map = table->map;
	uint32_t room = map ? map->room : FIRST_PLACES;
	while (map && room < map->count + more)
		room *= 2;
	if (map && map->refs == 1 && map->room == room)
		return map;
	struct map *copy = map_copy(pool, map, room);
	if (!copy)
		return NULL;
	map_unref(pool, map);
	table->map = copy;
	return copy;
}

/* A place's page, the map's own alone. */
static struct page *own_page(struct scd__fd_pool *pool, struct map *map, struct place *place)
{
	place->written = ++map->clock;
	if (place->page->refs == 1)
		return place->page;
	struct page *copy = page_copy(pool, place->page);
	if (!copy)
		return NULL;
	page_unref(pool, place->page);
	place->page = copy;
	return copy;
}

static void remove_place(struct scd__fd_pool *pool, struct map *map, uint32_t index)
{
	page_unref(pool, map->places[index].page);
	memmove(&map->places[index], &map->places[index + 1], (map->count - index - 1) * sizeof(struct place));
	map->count--;
}

static void forget_oldest(struct scd__fd_pool *pool, struct map *map)
{
	uint32_t oldest = 0;
	for (uint32_t i = 1; i < map->count; i++)
		if (map->places[i].written < map->places[oldest].written)
			oldest = i;
	pool->forgotten_count += (unsigned)__builtin_popcount(map->places[oldest].page->present);
	remove_place(pool, map, oldest);
}

/* A new empty page in its place among the others. */
static struct place *add_place(struct scd__fd_pool *pool, struct scd__fd_table *table, uint32_t page_number)
{
	bool full = table->map && table->map->count == PAGES_MAX;
	struct map *map = own_map(pool, table, !full);
	struct page *page = map ? take_bytes(pool, sizeof(*page)) : NULL;
	if (!page)
		return NULL;
	if (full)
		forget_oldest(pool, map);
	page->refs = 1;
	uint32_t index = place_at(map, page_number);
	memmove(&map->places[index + 1], &map->places[index], (map->count - index) * sizeof(struct place));
	map->places[index] = (struct place){ .number = page_number, .page = page };
	map->count++;
	return &map->places[index];
}

/* The place of a number, with a page for writing into it, made if there is none. */
static struct place *place_for(struct scd__fd_pool *pool, struct scd__fd_table *table, int64_t number)
{
	uint32_t page_number = (uint32_t)number / PAGE_FDS;
	struct map *map = table->map;
	uint32_t index = map ? place_at(map, page_number) : 0;
	struct place *place;
	if (!map || index == map->count || map->places[index].number != page_number) {
		place = add_place(pool, table, page_number);
	} else {
		map = own_map(pool, table, 0);
		place = map ? &map->places[index] : NULL;
	}
	return place && own_page(pool, table->map, place) ? place : NULL;
}

/* Tables. */

struct scd__fd_table *scd__fd_table_new(struct scd__fd_pool *pool)
{
	struct scd__fd_table *table = take_bytes(pool, sizeof(*table));
	if (table)
		table->refs = 1;
	return table;
}

struct scd__fd_table *scd__fd_table_ref(struct scd__fd_table *table)
{
	table->refs++;
	return table;
}

void scd__fd_table_unref(struct scd__fd_pool *pool, struct scd__fd_table **table)
{
	if (*table && --(*table)->refs == 0) {
		map_unref(pool, (*table)->map);
		give_bytes(pool, *table, sizeof(**table));
	}
	*table = NULL;
}

bool scd__fd_table_is_own(const struct scd__fd_table *table)
{
	return table->refs == 1 && !table->given_up;
}

struct scd__fd_table *scd__fd_table_fork(struct scd__fd_pool *pool, const struct scd__fd_table *table)
{
	struct scd__fd_table *fork = scd__fd_table_new(pool);
	if (!fork || !table->map)
		return fork;
	fork->map = table->map;
	fork->map->refs++;
	return fork;
}

void scd__fd_table_forget(struct scd__fd_pool *pool, struct scd__fd_table *table)
{
	pool->forgotten_count += map_fd_count(table->map);
	map_unref(pool, table->map);
	table->map = NULL;
}

void scd__fd_table_give_up(struct scd__fd_pool *pool, struct scd__fd_table *table)
{
	map_unref(pool, table->map);
	table->map = NULL;
	table->given_up = true;
}

static const struct place *find_place(const struct scd__fd_table *table, int64_t number)
{
	if (!table || !table->map || number < 0 || number > NUMBER_MAX)
		return NULL;
	uint32_t page_number = (uint32_t)number / PAGE_FDS;
	uint32_t index = place_at(table->map, page_number);
	if (index == table->map->count || table->map->places[index].number != page_number)
		return NULL;
	return &table->map->places[index];
}

struct scd__file *scd__fd_table_get(const struct scd__fd_table *table, int64_t number)
{
	const struct place *place = find_place(table, number);
	return place ? place->page->files[number % PAGE_FDS] : NULL;
}

enum scd__cloexec scd__fd_table_cloexec(const struct scd__fd_table *table, int64_t number)
{
	const struct place *place = find_place(table, number);
	const struct page *page = place ? place->page : NULL;
	if (!page || !(page->present & page->cloexec_known & bit_of(number)))
		return SCD__CLOEXEC_UNKNOWN;
	return page->cloexec & bit_of(number) ? SCD__CLOEXEC_YES : SCD__CLOEXEC_NO;
}

bool scd__fd_table_maybe_closed(const struct scd__fd_table *table, int64_t number)
{
	const struct place *place = find_place(table, number);
	return place && place->page->present & place->maybe_closed & bit_of(number);
}

static void set_bit(uint32_t *bits, uint32_t bit, bool on)
{
	*bits = on ? *bits | bit : *bits & ~bit;
}

int scd__fd_table_put(struct scd__fd_pool *pool, struct scd__fd_table *table, int64_t number, struct scd__file *file,
                      enum scd__cloexec cloexec)
{
	bool can_be = !table->given_up && number >= 0 && number <= NUMBER_MAX;
	struct place *place = can_be ? place_for(pool, table, number) : NULL;
	if (!place) {
		scd__file_unref(pool, file);
		return can_be ? -ENOMEM : 0;
	}
	struct page *page = place->page;
	set_bit(&place->maybe_closed, bit_of(number), false);
	page_clear(pool, page, bit_of(number));
	page->files[number % PAGE_FDS] = file;
	page->present |= bit_of(number);
	set_bit(&page->cloexec, bit_of(number), cloexec == SCD__CLOEXEC_YES);
	set_bit(&page->cloexec_known, bit_of(number), cloexec != SCD__CLOEXEC_UNKNOWN);
	return 0;
}

/* Descriptors of a place in a map that is the table's own alone. 0 or -ENOMEM. */
typedef int change_fn(struct scd__fd_pool *pool, struct map *map, uint32_t index, uint32_t bits);

static int change_place(struct scd__fd_pool *pool, struct scd__fd_table *table, uint32_t index, uint32_t bits,
                        change_fn *change)
{
	struct map *map = own_map(pool, table, 0);
	return map ? change(pool, map, index, bits) : -ENOMEM;
}

/* Changes the known descriptors of a range, from its end on, since a place may go. */
static int change_range(struct scd__fd_pool *pool, struct scd__fd_table *table, uint32_t first, uint32_t last,
                        change_fn *change)
{
	int result = 0;
	uint32_t low = table->map ? place_at(table->map, first / PAGE_FDS) : 0;
	uint32_t index = table->map ? place_at(table->map, last / PAGE_FDS + 1) : 0;
	while (index-- > low) {
		const struct place *place = &table->map->places[index];
		uint32_t bits = place->page->present & bits_between(place->number, first, last);
		if (bits && change_place(pool, table, index, bits, change) < 0)
			result = -ENOMEM;
	}
	return result;
}

/* Of a page that others share, nothing is copied when nothing would be left of it. */
static int change_to_closed(struct scd__fd_pool *pool, struct map *map, uint32_t index, uint32_t bits)
{
	struct place *place = &map->places[index];
	if (place->page->refs > 1 && !(place->page->present & ~bits)) {
		remove_place(pool, map, index);
		return 0;
	}
	struct page *page = own_page(pool, map, place);
	if (!page)
		return -ENOMEM;
	page_clear(pool, page, bits);
	return 0;
}

static int change_to_cloexec(struct scd__fd_pool *pool, struct map *map, uint32_t index, uint32_t bits)
{
	struct page *page = own_page(pool, map, &map->places[index]);
	if (!page)
		return -ENOMEM;
	page->cloexec |= bits;
	page->cloexec_known |= bits;
	return 0;
}

static int change_to_kept(struct scd__fd_pool *pool, struct map *map, uint32_t index, uint32_t bits)
{
	struct page *page = own_page(pool, map, &map->places[index]);
	if (!page)
		return -ENOMEM;
	page->cloexec &= ~bits;
	page->cloexec_known |= bits;
	return 0;
}

/* As the range of one, which is what nearly all are. */
static int remove_one(struct scd__fd_pool *pool, struct scd__fd_table *table, uint32_t number)
{
	uint32_t index = table->map ? place_at(table->map, number / PAGE_FDS) : 0;
	const struct place *place = table->map && index < table->map->count ? &table->map->places[index] : NULL;
	if (!place || place->number != number / PAGE_FDS || !(place->page->present & bit_of(number)))
		return 0;
	return change_place(pool, table, index, bit_of(number), change_to_closed);
}

int scd__fd_table_remove(struct scd__fd_pool *pool, struct scd__fd_table *table, uint32_t first, uint32_t last)
{
	if (first == last)
		return remove_one(pool, table, first);
	return change_range(pool, table, first, last, change_to_closed);
}

int scd__fd_table_set_cloexec(struct scd__fd_pool *pool, struct scd__fd_table *table, uint32_t first, uint32_t last,
                              bool cloexec)
{
	return change_range(pool, table, first, last, cloexec ? change_to_cloexec : change_to_kept);
}

/* Marks are kept in the place, so what is not known costs no page. */
static int change_on_exec(struct scd__fd_pool *pool, struct map *map, uint32_t index, uint32_t bits)
{
	struct place *place = &map->places[index];
	uint32_t known = place->page->cloexec_known, closed = bits & place->page->cloexec & known;
	place->maybe_closed |= bits & ~known;
	return closed ? change_to_closed(pool, map, index, closed) : 0;
}

int scd__fd_table_exec(struct scd__fd_pool *pool, struct scd__fd_table *table)
{
	int result = 0;
	uint32_t index = table->map ? table->map->count : 0;
	while (index-- > 0) {
		const struct place *place = &table->map->places[index];
		const struct page *page = place->page;
		uint32_t unmarked = ~page->cloexec_known & ~place->maybe_closed;
		uint32_t bits = page->present & ((page->cloexec & page->cloexec_known) | unmarked);
		if (bits && change_place(pool, table, index, bits, change_on_exec) < 0)
			result = -ENOMEM;
	}
	return result;
}

size_t scd__fd_table_count(const struct scd__fd_table *table)
{
	return table ? map_fd_count(table->map) : 0;
}

uint32_t scd__fd_table_types(const struct scd__fd_table *table)
{
	uint32_t types = 0;
	for (uint32_t i = 0; table && table->map && i < table->map->count; i++) {
		const struct page *page = table->map->places[i].page;
		for (uint32_t left = page->present; left; left &= left - 1)
			types |= UINT32_C(1) << page->files[__builtin_ctz(left)]->pub.type;
	}
	return types;
}
