/*
 * Globs against fnmatch(3). The input is a byte of flags, a pattern, a line feed and a text; only ASCII without NUL is
 * compared, and no pattern that POSIX leaves undefined (see index/glob.c), nor one so long that fnmatch, which is
 * exponential in the number of stars, would not come back.
 */
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/index/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LONGEST_PART_BYTES 24u

static bool is_comparable(const char *pattern)
{
	size_t len = strlen(pattern);

	return !strstr(pattern, "[.") && !strstr(pattern, "[=") && !strstr(pattern, "-[:") &&
	       (len == 0 || pattern[len - 1] != '-');
}

/* A terminated copy, or false if it is too long or no ASCII. */
static bool copy_ascii(char *out, const uint8_t *data, size_t len)
{
	if (len > LONGEST_PART_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (data[i] == 0 || data[i] > 0x7f)
			return false;
	}
	memcpy(out, data, len);
	out[len] = '\0';
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char pattern[LONGEST_PART_BYTES + 1], text[LONGEST_PART_BYTES + 1];
	const uint8_t *middle = size > 0 ? memchr(data + 1, '\n', size - 1) : NULL;
	const struct scd_glob *glob;
	struct scd_arena arena;
	bool matches, fold;

	if (!middle)
		return 0;
	fold = data[0] & 1;
	scd_arena_init(&arena, 4096, 0);
	glob = scd_glob_new((struct scd_str){ (const char *)data + 1, (size_t)(middle - data - 1) }, fold, &arena);
	matches = glob && scd_glob_matches(glob, (struct scd_str){ (const char *)middle + 1,
	                                                           (size_t)(data + size - middle - 1) });
	scd_arena_done(&arena);
	if (!copy_ascii(pattern, data + 1, (size_t)(middle - data - 1)) ||
	    !copy_ascii(text, middle + 1, (size_t)(data + size - middle - 1)) || !is_comparable(pattern))
		return 0;
	if (matches != (fnmatch(pattern, text, fold ? FNM_CASEFOLD : 0) == 0))
		abort();
	return 0;
}
