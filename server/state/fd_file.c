/*
 * Open files: counted, and recycled while they are small, so that a program that opens and closes file after file costs
 * no allocation.
 */
#include <stdlib.h>
#include <string.h>

#include "state/fd_table.h"

#define SPARE_ROOM  112u /* most paths, and all names of Unix sockets (108) */
#define SPARES_KEPT 32u

static struct scd__file *take_spare(struct scd__fd_pool *pool)
{
	struct scd__file *file = pool->spares;
	if (!file)
		return NULL;
	pool->spares = file->next_spare;
	pool->spare_count--;
	return file;
}

static void free_file(struct scd__fd_pool *pool, struct scd__file *file)
{
	pool->bytes -= sizeof(*file) + file->room;
	free(file);
}

static struct scd__file *allocate(struct scd__fd_pool *pool, size_t room)
{
	struct scd__file *file = malloc(sizeof(*file) + room);
	if (file)
		pool->bytes += sizeof(*file) + room;
	return file;
}

struct scd__file *scd__file_new(struct scd__fd_pool *pool, size_t room)
{
	struct scd__file *file = room <= SPARE_ROOM ? take_spare(pool) : NULL;
	if (room < SPARE_ROOM)
		room = SPARE_ROOM;
	if (!file)
		file = allocate(pool, room);
	if (file)
		*file = (struct scd__file){ .refs = 1, .room = (uint32_t)room };
	return file;
}

struct scd__file *scd__file_ref(struct scd__file *file)
{
	file->refs++;
	return file;
}

void scd__file_unref(struct scd__fd_pool *pool, struct scd__file *file)
{
	if (--file->refs > 0)
		return;
	if (file->room > SPARE_ROOM || pool->spare_count == SPARES_KEPT) {
		free_file(pool, file);
		return;
	}
	file->next_spare = pool->spares;
	pool->spares = file;
	pool->spare_count++;
}

void scd__file_set_path(struct scd__file *file, struct scd_str path)
{
	file->pub.path = (struct scd_str){ NULL, 0 };
	if (path.len == 0 || path.len > file->room)
		return;
	memmove(file->text, path.data, path.len);
	file->pub.path = (struct scd_str){ file->text, path.len };
}

struct scd__file *scd__file_like(struct scd__fd_pool *pool, const struct scd_fd *other, struct scd_str path)
{
	struct scd__file *file = scd__file_new(pool, path.len);
	if (!file)
		return NULL;
	file->pub = *other;
	scd__file_set_path(file, path);
	return file;
}

void scd__fd_pool_done(struct scd__fd_pool *pool)
{
	struct scd__file *file;
	while ((file = take_spare(pool)))
		free_file(pool, file);
}
