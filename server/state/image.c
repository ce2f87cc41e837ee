/*
 * Images: what a process executes, in two allocations: the image with its path, and the strings that are given up
 * first when a sandbox's memory is full (arguments, environment).
 *
 * Arguments are stored one after the other, each followed by a NUL. A list longer than SCD_LIMIT_PROCESS_ARGS_BYTES
 * keeps its head and its tail, since a miner's options may stand behind a megabyte of padding:
 *
 *     | argv[0] NUL argv[1] NUL … first half NUL | arguments of the last half … argv[n-1] NUL |
 *
 * The head may end inside an argument, with a NUL; the tail begins with a whole one. What is left over of an argument
 * that was cut is dropped: it could be the rest of a secret, and nobody could tell any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process_table.h"
#include "seccheckd/base/limits.h"

static size_t joined_bytes(const struct scd_strings *strings)
{
	size_t bytes = 0;
	for (size_t i = 0; i < strings->count; i++)
		bytes += strings->items[i].len + 1;
	return bytes;
}

/* Which bytes of the joined text are left out. */
struct cut {
	size_t skip_from, skip_to;
};

/*
 * Copies the part of text[0..len) that begins at joined offset `at` and lies outside the cut. Returns the new end of
 * out.
 */
static char *copy_outside(char *out, const char *text, size_t len, size_t at, const struct cut *cut)
{
	size_t head = at >= cut->skip_from ? 0 : cut->skip_from - at;
	if (head > len)
		head = len;
	memcpy(out, text, head);
	out += head;
	size_t tail_start = at >= cut->skip_to ? 0 : cut->skip_to - at;
	if (tail_start < head)
		tail_start = head;
	if (tail_start < len) {
		memcpy(out, text + tail_start, len - tail_start);
		out += len - tail_start;
	}
	return out;
}

/* Joins the strings, each with a NUL behind it, without what the cut leaves out. */
static size_t join(char *out, const struct scd_strings *strings, const struct cut *cut)
{
	char *start = out;
	size_t at = 0;
	for (size_t i = 0; i < strings->count; i++) {
		struct scd_str item = strings->items[i];
		if (item.len)
			out = copy_outside(out, item.data, item.len, at, cut);
		at += item.len;
		out = copy_outside(out, "", 1, at, cut);
		at++;
	}
	if (cut->skip_to > cut->skip_from)
		start[cut->skip_from - 1] = '\0';
	return (size_t)(out - start);
}

/* Where the first argument begins at or behind a place in the joined text. */
static size_t next_start(const struct scd_strings *strings, size_t from)
{
	size_t at = 0;
	for (size_t i = 0; i < strings->count && at < from; i++)
		at += strings->items[i].len + 1;
	return at;
}

static struct cut plan_cut(const struct scd_strings *strings, size_t bytes)
{
	size_t half = SCD_LIMIT_PROCESS_ARGS_BYTES / 2;
	if (bytes <= SCD_LIMIT_PROCESS_ARGS_BYTES)
		return (struct cut){ bytes, bytes };
	return (struct cut){ half, next_start(strings, bytes - half) };
}

static size_t kept_bytes(size_t bytes, const struct cut *cut)
{
	return bytes - (cut->skip_to - cut->skip_from);
}

/* Arguments and environment into a block of their own. */
static int store_strings(struct scd__image *image, const struct scd_strings *argv, const struct scd_strings *env)
{
	static const struct scd_strings none = { NULL, 0 };
	const struct scd_strings *kept_env = env ? env : &none;
	size_t argv_bytes = joined_bytes(argv), env_bytes = joined_bytes(kept_env);
	struct cut argv_cut = plan_cut(argv, argv_bytes), env_cut = plan_cut(kept_env, env_bytes);
	size_t bytes = kept_bytes(argv_bytes, &argv_cut) + kept_bytes(env_bytes, &env_cut);
	char *strings = malloc(bytes + 1);
	if (!strings)
		return -ENOMEM;
	size_t args_len = join(strings, argv, &argv_cut);
	image->strings = strings;
	image->strings_bytes = bytes + 1;
	image->pub.args = (struct scd_str){ strings, args_len };
	image->pub.args_count = (uint32_t)argv->count;
	image->pub.args_cut = argv_cut.skip_to > argv_cut.skip_from;
	image->pub.env = (struct scd_str){ strings + args_len, join(strings + args_len, kept_env, &env_cut) };
	return 0;
}

struct scd__image *scd__image_new(struct scd__process_table *table, struct scd_str exe_path,
                                  const struct scd_strings *argv, const struct scd_strings *env)
{
	struct scd__image *image = calloc(1, sizeof(*image) + exe_path.len);
	if (!image)
		return NULL;
	if (store_strings(image, argv, env) < 0) {
		free(image);
		return NULL;
	}
	image->refs = 1;
	image->bytes = sizeof(*image) + exe_path.len;
	if (exe_path.len)
		memcpy(image + 1, exe_path.data, exe_path.len);
	image->pub.exe_path = (struct scd_str){ (char *)(image + 1), exe_path.len };
	table->string_bytes += image->bytes + image->strings_bytes;
	return image;
}

bool scd__image_drop_strings(struct scd__process_table *table, struct scd__image *image)
{
	if (!image->strings)
		return false;
	table->string_bytes -= image->strings_bytes;
	free(image->strings);
	image->strings = NULL;
	image->strings_bytes = 0;
	image->pub.args_cut = image->pub.args.len > 0;
	image->pub.args = image->pub.env = (struct scd_str){ NULL, 0 };
	return true;
}
