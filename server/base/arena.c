/*
 * Arenas as a list of chunks:
 *
 *    first ──▶ chunk ──▶ chunk ──▶ NULL
 *                ▲ current
 *    chunk = header | taken … | left …
 *
 * An allocation is cut from the current chunk; where it does not fit, a new chunk is linked behind the current one
 * and becomes current, and what was left of the old one is given up. An allocation that no ordinary chunk could hold
 * gets a chunk of its own and leaves `current` alone. The order of the list means nothing but for `first`.
 *
 * In builds with AddressSanitizer everything that is not handed out is poisoned, so that a use after a reset and a
 * run past the end of an allocation are found as they would be with malloc.
 */
#include "seccheckd/base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define SCD_ARENA_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCD_ARENA_ASAN
#endif
#endif

#ifdef SCD_ARENA_ASAN
/* Declared here: with the const pointers of the sanitizer's header, gcc takes the calls for reads. */
void __asan_poison_memory_region(void *data, size_t bytes);
void __asan_unpoison_memory_region(void *data, size_t bytes);
#define poison(data, bytes)   __asan_poison_memory_region((data), (bytes))
#define unpoison(data, bytes) __asan_unpoison_memory_region((data), (bytes))
#else
#define poison(data, bytes)   ((void)(data), (void)(bytes))
#define unpoison(data, bytes) ((void)(data), (void)(bytes))
#endif

#define ARENA_ALIGN 16u

struct scd__arena_chunk {
	struct scd__arena_chunk *next;
	size_t bytes; /* with this header */
	size_t taken; /* with this header; a multiple of ARENA_ALIGN */
};

#define HEADER_BYTES ((sizeof(struct scd__arena_chunk) + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN)

void scd_arena_init(struct scd_arena *arena, size_t chunk_bytes, size_t max_bytes)
{
	*arena = (struct scd_arena){ .chunk_bytes = chunk_bytes, .max_bytes = max_bytes };
}

static void free_chunks(struct scd__arena_chunk *chunk)
{
	while (chunk) {
		struct scd__arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void scd_arena_done(struct scd_arena *arena)
{
	free_chunks(arena->first);
	scd_arena_init(arena, arena->chunk_bytes, arena->max_bytes);
}

static void forget_contents(struct scd__arena_chunk *chunk)
{
	chunk->taken = HEADER_BYTES;
	poison((char *)chunk + HEADER_BYTES, chunk->bytes - HEADER_BYTES);
}

void scd_arena_reset(struct scd_arena *arena)
{
	struct scd__arena_chunk *first = arena->first;

	arena->refused_count = 0;
	if (!first)
		return;
	if (first->bytes > arena->chunk_bytes) {
		scd_arena_done(arena);
		return;
	}
	free_chunks(first->next);
	first->next = NULL;
	forget_contents(first);
	arena->current = first;
	arena->used_bytes = first->bytes;
}

/* A chunk with room for need bytes (a header included), as large as an ordinary one if the cap allows it. */
static struct scd__arena_chunk *new_chunk(struct scd_arena *arena, size_t need)
{
	size_t left = arena->max_bytes ? arena->max_bytes - arena->used_bytes : SIZE_MAX;
	size_t bytes = arena->chunk_bytes < left ? arena->chunk_bytes : left;
	struct scd__arena_chunk *chunk;

	if (need > left)
		return NULL;
	if (bytes < need)
		bytes = need;
	chunk = malloc(bytes);
	if (!chunk)
		return NULL;
	chunk->bytes = bytes;
	chunk->next = NULL;
	forget_contents(chunk);
	arena->used_bytes += bytes;
	return chunk;
}

static void link_chunk(struct scd_arena *arena, struct scd__arena_chunk *chunk)
{
	struct scd__arena_chunk *current = arena->current;

	if (!current) {
		arena->first = chunk;
		arena->current = chunk;
		return;
	}
	chunk->next = current->next;
	current->next = chunk;
	if (chunk->bytes <= arena->chunk_bytes)
		arena->current = chunk;
}

static void *refuse(struct scd_arena *arena)
{
	arena->refused_count++;
	return NULL;
}

void *scd_arena_alloc(struct scd_arena *arena, size_t bytes)
{
	struct scd__arena_chunk *chunk = arena->current;
	size_t rounded;
	char *data;

	if (bytes > SIZE_MAX - HEADER_BYTES - ARENA_ALIGN)
		return refuse(arena);
	rounded = (bytes + !bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (!chunk || chunk->bytes - chunk->taken < rounded) {
		chunk = new_chunk(arena, HEADER_BYTES + rounded);
		if (!chunk)
			return refuse(arena);
		link_chunk(arena, chunk);
	}
	data = (char *)chunk + chunk->taken;
	chunk->taken += rounded;
	unpoison(data, bytes);
	return data;
}

void *scd_arena_zalloc(struct scd_arena *arena, size_t count, size_t size)
{
	size_t bytes;
	void *data;

	if (__builtin_mul_overflow(count, size, &bytes))
		return refuse(arena);
	data = scd_arena_alloc(arena, bytes);
	return data ? memset(data, 0, bytes) : NULL;
}

struct scd_str scd_arena_dup(struct scd_arena *arena, struct scd_str text)
{
	char *copy;

	if (text.len == 0)
		return SCD_STR("");
	copy = text.len < SIZE_MAX ? scd_arena_alloc(arena, text.len + 1) : refuse(arena);
	if (!copy)
		return (struct scd_str){ NULL, 0 };
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return (struct scd_str){ copy, text.len };
}

struct scd_str scd_arena_vprintf(struct scd_arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text = NULL;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len >= 0)
		text = scd_arena_alloc(arena, (size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return (struct scd_str){ text, text ? (size_t)len : 0 };
}

struct scd_str scd_arena_printf(struct scd_arena *arena, const char *format, ...)
{
	struct scd_str text;
	va_list args;

	va_start(args, format);
	text = scd_arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}
