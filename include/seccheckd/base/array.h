/*
 * Arrays of the language, and arrays that grow.
 *
 * A growing array is three members of whoever owns it: items, count, room. Before something is appended, it gets
 * room; the block may move, and the pointer keeps its own type:
 *
 *    struct item *items = scd_array_grow(list->items, list->count, &list->room, sizeof(*items));
 *    if (!items)
 *            return -ENOMEM;
 *    list->items = items;
 *    list->items[list->count++] = item;
 */
#ifndef SECCHECKD_BASE_ARRAY_H
#define SECCHECKD_BASE_ARRAY_H

#include "seccheckd/base/arena.h"

/* How many elements an array has: of the array itself, not of a pointer to it, for which compilers warn. */
#define SCD_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Room for one more item behind `count`: the block that holds the items from now on, twice as large when it was full.
 * NULL on exhaustion; then items and *room are as they were. No items yet: NULL, 0, *room 0. The owner frees the
 * block.
 */
void *scd_array_grow(void *items, size_t count, size_t *room, size_t item_bytes);

/* The same in an arena, where the blocks that were too small stay: all together less than the last one. */
void *scd_array_grow_in(struct scd_arena *arena, void *items, size_t count, size_t *room, size_t item_bytes);

#endif
