/*
 * Tables of descriptors: which number leads to which open file. Inside server/state only.
 *
 * Three levels, each with a reference count, so that a fork costs the same however many descriptors there are:
 *
 *    process ──▶ table ──▶ map ──▶ page of 32 numbers ──▶ open files
 *                  │         │            │                   └ shared by descriptors: dup, fork
 *                  │         │            └ shared by maps until one of them writes into it
 *                  │         └ shared by tables: a fork, until one of the two changes
 *                  └ shared by processes: clone with CLONE_FILES
 *
 * A number that is not there is not known. A table has at most SCD_LIMIT_PROCESS_FDS numbers; over it, the page that
 * was written to longest ago is forgotten. What is opened and closed again allocates nothing: pages stay, and some open
 * files are kept for the next open.
 */
#ifndef SCD_SERVER_STATE_FD_TABLE_H
#define SCD_SERVER_STATE_FD_TABLE_H

#include "seccheckd/state/fd.h"

/* pub.path borrows from text, which has `room` bytes. */
struct scd__file {
	struct scd_fd pub;
	uint32_t refs;
	uint32_t room;
	struct scd__file *next_spare;
	char text[];
};

/* What the tables of a sandbox have in common. All zero bytes is the start. */
struct scd__fd_pool {
	size_t bytes; /* of all tables, maps, pages and files */
	struct scd__file *spares;
	unsigned spare_count;
	uint64_t forgotten_count; /* descriptors that went for want of room */
	uint64_t dropped_count;   /* paths that were too long to be kept, since it was last looked at */
};

struct scd__fd_table;

enum scd__cloexec { SCD__CLOEXEC_NO, SCD__CLOEXEC_YES, SCD__CLOEXEC_UNKNOWN };

/* Every table is gone before. */
void scd__fd_pool_done(struct scd__fd_pool *pool);

/* Open files. */

/* With one reference, nothing known, and room for a path of this many bytes. NULL on exhaustion. */
struct scd__file *scd__file_new(struct scd__fd_pool *pool, size_t room);
struct scd__file *scd__file_ref(struct scd__file *file);
void scd__file_unref(struct scd__fd_pool *pool, struct scd__file *file);

/* A file that is like another but for its path; NULL on exhaustion. */
struct scd__file *scd__file_like(struct scd__fd_pool *pool, const struct scd_fd *other, struct scd_str path);

/* A path that there is no room for is not known afterwards. */
void scd__file_set_path(struct scd__file *file, struct scd_str path);

/* Tables. Those that make one return NULL on exhaustion; those that change one 0, or -ENOMEM: not all was done. */

struct scd__fd_table *scd__fd_table_new(struct scd__fd_pool *pool);
struct scd__fd_table *scd__fd_table_ref(struct scd__fd_table *table);
void scd__fd_table_unref(struct scd__fd_pool *pool, struct scd__fd_table **table);

/* Whether it is one process's alone, and followed. */
bool scd__fd_table_is_own(const struct scd__fd_table *table);

/* A table of its own with the same content; an empty one of a table that was given up. */
struct scd__fd_table *scd__fd_table_fork(struct scd__fd_pool *pool, const struct scd__fd_table *table);

/* Forgets all that it holds; counted. */
void scd__fd_table_forget(struct scd__fd_pool *pool, struct scd__fd_table *table);

/* It is not known any more who changes what: forgets all, and nothing is noted from now on. */
void scd__fd_table_give_up(struct scd__fd_pool *pool, struct scd__fd_table *table);

/* NULL: not known. table may be NULL. */
struct scd__file *scd__fd_table_get(const struct scd__fd_table *table, int64_t number);
enum scd__cloexec scd__fd_table_cloexec(const struct scd__fd_table *table, int64_t number);

/* Whether an exec closed it if it was to be closed on exec, which is not known. */
bool scd__fd_table_maybe_closed(const struct scd__fd_table *table, int64_t number);

/* Takes over one reference on the file, also on failure. Numbers that cannot be (negative, over 31 bits): nothing. */
int scd__fd_table_put(struct scd__fd_pool *pool, struct scd__fd_table *table, int64_t number, struct scd__file *file,
                      enum scd__cloexec cloexec);

/* Ranges: both ends included. */
int scd__fd_table_remove(struct scd__fd_pool *pool, struct scd__fd_table *table, uint32_t first, uint32_t last);
int scd__fd_table_set_cloexec(struct scd__fd_pool *pool, struct scd__fd_table *table, uint32_t first, uint32_t last,
                              bool cloexec);

/* Closes what is to be closed on exec, and marks what may be: costs the map, however many files are open. */
int scd__fd_table_exec(struct scd__fd_pool *pool, struct scd__fd_table *table);

/* Of NULL: 0. The second: bits of 1 << enum scd_fd_type. */
size_t scd__fd_table_count(const struct scd__fd_table *table);
uint32_t scd__fd_table_types(const struct scd__fd_table *table);

#endif
