/*
 * Slots, handles and the order of use. What a process *is* (which event makes, changes and ends one) is sandbox.c's.
 *
 * Eviction takes exited processes first, then live ones, each from the end that was not used for the longest time.
 * Two caps drive it: the number of processes, and the bytes of their strings and descriptors. What is evicted is
 * forgotten whole; lineage that led through it ends there.
 */
#include "process_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"

#define FIRST_ROOM 16u

void scd__process_table_init(struct scd__process_table *table)
{
	memset(table, 0, sizeof(*table));
	scd_idmap_init(&table->by_tgid);
	table->unknown_image.refs = 1;
	table->unknown_image.pub.origin = SCD_IMAGE_UNKNOWN;
}

static uint32_t slot_of(const struct scd__process_table *table, const struct scd__process *process)
{
	return (uint32_t)(process - table->slots);
}

struct scd__process *scd__process_look_up(const struct scd__process_table *table, int32_t tgid)
{
	uint32_t slot;
	if (!scd_idmap_get(&table->by_tgid, (uint32_t)tgid, &slot))
		return NULL;
	return &table->slots[slot];
}

static struct scd__list *list_of(struct scd__process_table *table, const struct scd__process *process)
{
	return process->state == SCD__SLOT_LIVE ? &table->live : &table->exited;
}

static void list_remove(struct scd__process_table *table, struct scd__process *process)
{
	struct scd__list *list = list_of(table, process);
	if (process->newer)
		table->slots[process->newer - 1].older = process->older;
	else
		list->newest = process->older;
	if (process->older)
		table->slots[process->older - 1].newer = process->newer;
	else
		list->oldest = process->newer;
	process->newer = process->older = 0;
}

static void list_add_newest(struct scd__process_table *table, struct scd__process *process)
{
	struct scd__list *list = list_of(table, process);
	uint32_t link = slot_of(table, process) + 1;
	process->newer = 0;
	process->older = list->newest;
	if (list->newest)
		table->slots[list->newest - 1].newer = link;
	else
		list->oldest = link;
	list->newest = link;
}

void scd__process_make_newest(struct scd__process_table *table, struct scd__process *process)
{
	list_remove(table, process);
	list_add_newest(table, process);
}

static void unmap(struct scd__process_table *table, struct scd__process *process)
{
	if (process->mapped)
		scd_idmap_remove(&table->by_tgid, (uint32_t)process->pub.tgid);
	process->mapped = false;
}

static void text_unref(struct scd__process_table *table, struct scd__text **text)
{
	if (*text && --(*text)->refs == 0) {
		table->string_bytes -= sizeof(**text) + (*text)->len;
		free(*text);
	}
	*text = NULL;
}

static void image_unref(struct scd__process_table *table, struct scd__image *image)
{
	if (image && --image->refs == 0) {
		scd__image_drop_strings(table, image);
		table->string_bytes -= image->bytes;
		free(image);
	}
}

/* Frees one slot; returns its parent when that was only kept for this child, so that the caller frees it next. */
static struct scd__process *free_slot(struct scd__process_table *table, struct scd__process *process)
{
	struct scd__process *parent = scd__process_get(table, process->pub.parent);
	unmap(table, process);
	list_remove(table, process);
	text_unref(table, &process->name);
	text_unref(table, &process->cwd);
	text_unref(table, &process->container_id);
	image_unref(table, process->image);
	scd__fd_table_unref(&table->fd_pool, &process->fds);
	uint32_t generation = process->generation + 1;
	memset(process, 0, sizeof(*process));
	process->generation = generation ? generation : 1;
	process->older = table->free_list;
	table->free_list = slot_of(table, process) + 1;
	table->count--;
	if (parent && --parent->child_count == 0 && parent->state == SCD__SLOT_EXITED)
		return parent;
	return NULL;
}

static void free_with_ancestors(struct scd__process_table *table, struct scd__process *process)
{
	while (process)
		process = free_slot(table, process);
}

void scd__process_exit(struct scd__process_table *table, struct scd__process *process)
{
	scd__fd_table_unref(&table->fd_pool, &process->fds);
	if (process->child_count == 0) {
		free_with_ancestors(table, process);
		return;
	}
	unmap(table, process);
	list_remove(table, process);
	process->state = SCD__SLOT_EXITED;
	process->pub.exited = true;
	list_add_newest(table, process);
}

/* The next to go, or NULL when only `keep` is left. */
static struct scd__process *pick_victim(struct scd__process_table *table, const struct scd__process *keep)
{
	uint32_t candidates[] = { table->exited.oldest, table->live.oldest };
	if (table->count == 0)
		return NULL;
	assert(table->slots);
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		for (uint32_t link = candidates[i]; link; link = table->slots[link - 1].newer)
			if (&table->slots[link - 1] != keep)
				return &table->slots[link - 1];
	}
	return NULL;
}

static bool evict_one(struct scd__process_table *table, const struct scd__process *keep)
{
	struct scd__process *victim = pick_victim(table, keep);
	if (!victim)
		return false;
	table->evicted_count++;
	if (victim->fds && !scd__fd_table_is_own(victim->fds)) /* what it goes on doing to them would not be seen */
		scd__fd_table_give_up(&table->fd_pool, victim->fds);
	free_with_ancestors(table, victim);
	return true;
}

/* A part of the cap is made free at once, so that the search for what can go is not made for each event. */
static bool fits(const struct scd__process_table *table)
{
	return scd__process_table_held_bytes(table) <= (size_t)SCD_LIMIT_SANDBOX_STRING_BYTES / 8 * 7;
}

/* From the least recently used on; exited processes have none. */
static void drop_descriptors(struct scd__process_table *table, const struct scd__process *keep)
{
	for (uint32_t link = table->live.oldest; link && !fits(table); link = table->slots[link - 1].newer) {
		struct scd__process *process = &table->slots[link - 1];
		if (process->fds && (!keep || process->fds != keep->fds))
			scd__fd_table_forget(&table->fd_pool, process->fds);
	}
}

/* From the oldest of a list on. */
static void drop_strings(struct scd__process_table *table, const struct scd__list *list,
                         const struct scd__process *keep)
{
	for (uint32_t link = list->oldest; link && !fits(table); link = table->slots[link - 1].newer)
		if (!keep || table->slots[link - 1].image != keep->image)
			table->dropped_count += scd__image_drop_strings(table, table->slots[link - 1].image);
}

void scd__process_table_shrink(struct scd__process_table *table, const struct scd__process *keep)
{
	if (!scd__process_table_is_over(table))
		return;
	drop_descriptors(table, keep);
	drop_strings(table, &table->exited, keep);
	drop_strings(table, &table->live, keep);
	while (!fits(table) && evict_one(table, keep))
		;
}

static int grow(struct scd__process_table *table)
{
	uint32_t room = table->room ? 2 * table->room : FIRST_ROOM;
	struct scd__process *slots = realloc(table->slots, room * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memset(slots + table->room, 0, (room - table->room) * sizeof(*slots));
	table->slots = slots;
	table->room = room;
	return 0;
}

static struct scd__process *take_slot(struct scd__process_table *table)
{
	if (table->count >= SCD_LIMIT_SANDBOX_PROCESSES && !evict_one(table, NULL))
		return NULL;
	if (table->free_list) {
		struct scd__process *process = &table->slots[table->free_list - 1];
		table->free_list = process->older;
		process->older = 0;
		return process;
	}
	if (table->used == table->room && grow(table) < 0)
		return NULL;
	struct scd__process *process = &table->slots[table->used++];
	process->generation = 1;
	return process;
}

static void give_slot_back(struct scd__process_table *table, struct scd__process *process)
{
	process->older = table->free_list;
	table->free_list = slot_of(table, process) + 1;
}

struct scd__process *scd__process_create(struct scd__process_table *table, int32_t tgid)
{
	struct scd__process *process = take_slot(table);
	if (!process)
		return NULL;
	if (tgid != 0 && scd_idmap_put(&table->by_tgid, (uint32_t)tgid, slot_of(table, process)) < 0) {
		give_slot_back(table, process);
		return NULL;
	}
	process->mapped = tgid != 0;
	process->state = SCD__SLOT_LIVE;
	process->pub.tgid = tgid;
	process->pub.thread_count = 1;
	process->image = &table->unknown_image;
	process->image->refs++;
	process->pub.image = &process->image->pub;
	table->count++;
	list_add_newest(table, process);
	return process;
}

void scd__process_adopt(struct scd__process_table *table, struct scd__process *child, struct scd_process_ref ref)
{
	struct scd__process *parent = scd__process_get(table, ref);
	struct scd__process *before = scd__process_get(table, child->pub.parent);
	if (!parent || parent == child || parent == before)
		return;
	parent->child_count++;
	child->pub.parent = ref;
	if (before && --before->child_count == 0 && before->state == SCD__SLOT_EXITED)
		free_with_ancestors(table, before);
}

static struct scd__text *text_new(struct scd__process_table *table, struct scd_str value)
{
	struct scd__text *text = malloc(sizeof(*text) + value.len);
	if (!text)
		return NULL;
	text->refs = 1;
	text->len = (uint32_t)value.len;
	if (value.len)
		memcpy(text->data, value.data, value.len);
	table->string_bytes += sizeof(*text) + value.len;
	return text;
}

int scd__text_set(struct scd__process_table *table, struct scd__text **text, struct scd_str *view, struct scd_str value)
{
	if (scd__text_is(*text, value))
		return 0;
	struct scd__text *fresh = text_new(table, value);
	if (!fresh)
		return -ENOMEM;
	text_unref(table, text);
	*text = fresh;
	*view = (struct scd_str){ fresh->data, fresh->len };
	return 0;
}

void scd__text_share(struct scd__process_table *table, struct scd__text **text, struct scd_str *view,
                     struct scd__text *other)
{
	if (other)
		other->refs++;
	text_unref(table, text);
	*text = other;
	*view = other ? (struct scd_str){ other->data, other->len } : (struct scd_str){ NULL, 0 };
}

void scd__process_set_image(struct scd__process_table *table, struct scd__process *process, struct scd__image *image)
{
	image_unref(table, process->image);
	process->image = image;
	process->pub.image = &image->pub;
}

void scd__process_table_done(struct scd__process_table *table)
{
	for (uint32_t i = 0; i < table->used; i++) {
		struct scd__process *process = &table->slots[i];
		text_unref(table, &process->name);
		text_unref(table, &process->cwd);
		text_unref(table, &process->container_id);
		image_unref(table, process->image);
		scd__fd_table_unref(&table->fd_pool, &process->fds);
	}
	scd__fd_pool_done(&table->fd_pool);
	scd_idmap_done(&table->by_tgid);
	free(table->slots);
	memset(table, 0, sizeof(*table));
}
