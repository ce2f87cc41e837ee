/*
 * The table of processes of one sandbox: slots, handles, least-recently-used order, shared strings and images.
 *
 * Inside server/state only. A slot is free, live (in the map from thread group ids) or exited (kept while live
 * descendants need it for their lineage). Handles carry the slot's generation, which changes when the slot is freed.
 *
 *              create                 exit, children left
 *     free ───────────────▶ live ───────────────────────────▶ exited
 *      ▲                     │ exit, no children                 │ last child freed, or evicted
 *      └─────────────────────┴───────────────────────────────────┘
 */
#ifndef SCD_SERVER_STATE_PROCESS_TABLE_H
#define SCD_SERVER_STATE_PROCESS_TABLE_H

#include <string.h>

#include "seccheckd/base/idmap.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/state/sandbox.h"
#include "state/fd_table.h"

#define SCD__COMM_BYTES 15u /* TASK_COMM_LEN - 1 */

/*
 * An immutable string with a reference count, so that a child shares its parent's name, directory and container id.
 */
struct scd__text {
	uint32_t refs;
	uint32_t len;
	char data[];
};

struct scd__image {
	struct scd_image pub;
	uint32_t refs;
	size_t bytes;  /* of this allocation, for the account: the path stands behind the struct */
	char *strings; /* arguments and environment; NULL once they were given up */
	size_t strings_bytes;
};

enum scd__slot_state { SCD__SLOT_FREE, SCD__SLOT_LIVE, SCD__SLOT_EXITED };

struct scd__process {
	struct scd_process pub;
	enum scd__slot_state state;
	bool mapped;           /* its thread group id leads to it (a process without an id is not in the map) */
	uint32_t generation;   /* never 0 */
	uint32_t newer, older; /* neighbours in the list of its state; slot + 1, 0 is none */
	bool leader_exited;    /* its first thread has ended; others may go on */
	uint32_t child_count;  /* live or exited processes whose parent handle leads here */
	struct scd__text *name, *cwd, *container_id;
	const struct scd_container *container; /* whose id container_id is, whole; NULL: compare the texts */
	struct scd__image *image;
	struct scd__fd_table *fds;          /* NULL: nothing is known; always of one that has exited */
	char pending_name[SCD__COMM_BYTES]; /* of the file that an execve which entered wants to run */
	uint8_t pending_name_len;
};

struct scd__list {
	uint32_t newest, oldest; /* slot + 1 */
};

struct scd__process_table {
	struct scd__process *slots;
	uint32_t room, used; /* slots allocated; slots that were ever in use */
	uint32_t free_list;  /* slot + 1, linked through `older` */
	uint32_t count;      /* live and exited */
	struct scd__list live, exited;
	struct scd_idmap by_tgid; /* live ones */
	size_t string_bytes;      /* of all texts and images */
	struct scd__fd_pool fd_pool;
	struct scd__image unknown_image;
	uint64_t evicted_count; /* taken for want of room */
	uint64_t dropped_count; /* images whose arguments were given up for want of room */
};

void scd__process_table_init(struct scd__process_table *table);
void scd__process_table_done(struct scd__process_table *table);

/*
 * A new live process with the unknown image; tgid 0 is not mapped. Evicts when full. NULL on exhaustion. Moves slots.
 */
struct scd__process *scd__process_create(struct scd__process_table *table, int32_t tgid);

/* NULL when the handle is stale, or none. */
static inline struct scd__process *scd__process_get(const struct scd__process_table *table, struct scd_process_ref ref)
{
	struct scd__process *process;

	if (ref.slot == 0 || ref.slot > table->used)
		return NULL;
	process = &table->slots[ref.slot - 1];
	return process->state == SCD__SLOT_FREE || process->generation != ref.generation ? NULL : process;
}

/* By the map of all live ones. */
struct scd__process *scd__process_look_up(const struct scd__process_table *table, int32_t tgid);

/* The live process of a thread group, or NULL. Mostly it is the one that was used last. tgid is not 0. */
static inline struct scd__process *scd__process_find(const struct scd__process_table *table, int32_t tgid)
{
	struct scd__process *newest = table->live.newest ? &table->slots[table->live.newest - 1] : NULL;

	return newest && newest->mapped && newest->pub.tgid == tgid ? newest : scd__process_look_up(table, tgid);
}

static inline struct scd_process_ref scd__process_ref(const struct scd__process_table *table,
                                                      const struct scd__process *process)
{
	return (struct scd_process_ref){ (uint32_t)(process - table->slots) + 1, process->generation };
}

/* Makes it the most recently used of its state. */
void scd__process_make_newest(struct scd__process_table *table, struct scd__process *process);

static inline void scd__process_touch(struct scd__process_table *table, struct scd__process *process)
{
	if (process->newer)
		scd__process_make_newest(table, process);
}

/* Sets or replaces the parent; a handle that leads nowhere is no parent. */
void scd__process_adopt(struct scd__process_table *table, struct scd__process *child, struct scd_process_ref parent);

/* The process has ended: it stays as exited while it has children. */
void scd__process_exit(struct scd__process_table *table, struct scd__process *process);

/*
 * Makes strings and descriptors fit: first the descriptors of the least recently used go, then their arguments, then
 * whole processes; those of `keep` stay. Where a program came from says more than with which words it was started.
 */
void scd__process_table_shrink(struct scd__process_table *table, const struct scd__process *keep);

static inline size_t scd__process_table_held_bytes(const struct scd__process_table *table)
{
	return table->string_bytes + table->fd_pool.bytes;
}

static inline bool scd__process_table_is_over(const struct scd__process_table *table)
{
	return scd__process_table_held_bytes(table) > SCD_LIMIT_SANDBOX_STRING_BYTES;
}

/* Whether it is the text of a process already, as it is with nearly every message. NULL: there is none. */
static inline bool scd__text_is(const struct scd__text *text, struct scd_str value)
{
	return text && text->len == value.len && (value.len == 0 || memcmp(text->data, value.data, value.len) == 0);
}

/* Replaces a text of a process unless it is equal already. -ENOMEM (unchanged). */
int scd__text_set(struct scd__process_table *table, struct scd__text **text, struct scd_str *view,
                  struct scd_str value);
/* Makes the one share the other's text. */
void scd__text_share(struct scd__process_table *table, struct scd__text **text, struct scd_str *view,
                     struct scd__text *other);

/* Gives a process an image (takes over one reference), dropping the old one. */
void scd__process_set_image(struct scd__process_table *table, struct scd__process *process, struct scd__image *image);

/*
 * A new image from argv and env (NULL: none); head and tail of arguments longer than SCD_LIMIT_PROCESS_ARGS_BYTES are
 * kept. pub's scalar members are the caller's to fill. NULL on exhaustion.
 */
struct scd__image *scd__image_new(struct scd__process_table *table, struct scd_str exe_path,
                                  const struct scd_strings *argv, const struct scd_strings *env);

/* Gives up arguments and environment, for all who share the image. False when it had none. */
bool scd__image_drop_strings(struct scd__process_table *table, struct scd__image *image);

#endif
