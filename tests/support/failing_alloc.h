/*
 * Make the Nth allocation fail.
 *
 * Defines malloc, calloc, realloc and free over those of glibc for the whole program, libraries included, so exactly
 * one source file of a program includes this. For one thread. Sanitizers bring their own allocator: with one of them
 * SCD_FAILING_ALLOC is not defined, and neither is anything else here.
 *
 *    for (unsigned long n = 0;; n++) {
 *            scd_failing_alloc_arm(n);
 *            r = operation();
 *            if (!scd_failing_alloc_disarm())
 *                    break;                     nothing failed: r is what it is with enough memory
 *            assert_int_equal(r, -ENOMEM);
 *    }
 */
#ifndef SCD_TESTS_SUPPORT_FAILING_ALLOC_H
#define SCD_TESTS_SUPPORT_FAILING_ALLOC_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SCD_SANITIZER_ALLOCATES
#endif
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(SCD_SANITIZER_ALLOCATES)
#define SCD_FAILING_ALLOC

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static struct {
	bool armed;
	bool failed;
	unsigned long pass; /* allocations that still succeed */
	long live;          /* blocks that were allocated and not freed, since the program began */
} scd_failing_alloc;

/* The next n allocations succeed, the one after them fails, those after it succeed again. */
static inline void scd_failing_alloc_arm(unsigned long n)
{
	scd_failing_alloc.pass = n;
	scd_failing_alloc.failed = false;
	scd_failing_alloc.armed = true;
}

/* Whether one failed since. */
static inline bool scd_failing_alloc_disarm(void)
{
	scd_failing_alloc.armed = false;
	return scd_failing_alloc.failed;
}

static inline bool scd_failing_alloc_now(void)
{
	if (!scd_failing_alloc.armed || scd_failing_alloc.failed)
		return false;
	scd_failing_alloc.failed = scd_failing_alloc.pass == 0;
	scd_failing_alloc.pass--;
	if (scd_failing_alloc.failed)
		errno = ENOMEM; /* as malloc(3) does */
	return scd_failing_alloc.failed;
}

/* To be compared before and after: a difference is a leak. */
static inline long scd_failing_alloc_live(void)
{
	return scd_failing_alloc.live;
}

void __libc_free(void *data);
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *data, size_t bytes);

static inline void *scd_failing_alloc_count(void *data)
{
	scd_failing_alloc.live += data != NULL;
	return data;
}

void *malloc(size_t bytes)
{
	return scd_failing_alloc_now() ? NULL : scd_failing_alloc_count(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
	return scd_failing_alloc_now() ? NULL : scd_failing_alloc_count(__libc_calloc(count, bytes));
}

void *realloc(void *data, size_t bytes)
{
	if (scd_failing_alloc_now())
		return NULL;
	return data ? __libc_realloc(data, bytes) : scd_failing_alloc_count(__libc_malloc(bytes));
}

void free(void *data)
{
	scd_failing_alloc.live -= data != NULL;
	__libc_free(data);
}

#endif
#endif
