/*
 * Arenas: many small allocations that die together.
 *
 * Every object of the daemon has one of four lifetimes (process, rule-set generation, sandbox session, event), and
 * the last three are arenas.
 *
 *    init → alloc… → reset → alloc… → done
 *
 * Nothing is freed alone. Reset keeps the first chunk, so a scratch arena that is reset after each message allocates
 * nothing in the steady state.
 *
 * An arena has a cap in bytes: a peer that makes us allocate without end gets NULL, not the machine's memory.
 * Not thread-safe; memory is aligned for any type and not zeroed unless said so.
 */
#ifndef SECCHECKD_BASE_ARENA_H
#define SECCHECKD_BASE_ARENA_H

#include <stdarg.h>

#include "seccheckd/base/str.h"

struct scd__arena_chunk;

struct scd_arena {
	struct scd__arena_chunk *first;   /* kept over resets */
	struct scd__arena_chunk *current; /* where the next allocation is tried */
	size_t chunk_bytes;               /* size of an ordinary chunk, its header included */
	size_t max_bytes;                 /* cap on the sum of all chunks */
	size_t used_bytes;                /* sum of all chunks */
	size_t refused_count;             /* allocations that got NULL since the last init, done or reset */
};

/* Allocates nothing yet. max_bytes 0 means no cap (process lifetime only). */
void scd_arena_init(struct scd_arena *arena, size_t chunk_bytes, size_t max_bytes);

/* Frees everything; the arena may be init'ed again. Accepts an arena that is all zero bytes. */
void scd_arena_done(struct scd_arena *arena);

/*
 * Forgets every allocation; keeps the first chunk, frees the others. A first chunk that is larger than an ordinary
 * one (it was made for one large allocation) goes too.
 */
void scd_arena_reset(struct scd_arena *arena);

/* NULL when the cap or the memory is exhausted; never NULL for another reason, also not for 0 bytes. */
void *scd_arena_alloc(struct scd_arena *arena, size_t bytes);

/* As alloc, zeroed, for count objects of size bytes; NULL too when the product overflows. */
void *scd_arena_zalloc(struct scd_arena *arena, size_t count, size_t size);

/*
 * A copy with a NUL behind it (not counted in len). An empty span with data NULL on exhaustion of a non-empty text.
 */
struct scd_str scd_arena_dup(struct scd_arena *arena, struct scd_str text);

/* printf into the arena, NUL-terminated; data NULL on exhaustion. */
struct scd_str scd_arena_printf(struct scd_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct scd_str scd_arena_vprintf(struct scd_arena *arena, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));

#endif
