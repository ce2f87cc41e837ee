/*
 * Images: what a process executes, in one allocation.
 *
 * Arguments are stored one after the other, each followed by a NUL. A list longer than SCD_LIMIT_PROCESS_ARGS_BYTES
 * keeps its head and its tail, since a miner's options may stand behind a megabyte of padding:
 *
 *     | argv[0] NUL argv[1] NUL … first half NUL | last half … argv[n-1] NUL |
 *
 * The cut may fall inside an argument; the NUL at it keeps the two halves from reading as one word.
 */
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

static struct cut plan_cut(size_t bytes)
{
	if (bytes <= SCD_LIMIT_PROCESS_ARGS_BYTES)
		return (struct cut){ bytes, bytes };
	size_t half = SCD_LIMIT_PROCESS_ARGS_BYTES / 2;
	return (struct cut){ half, bytes - half };
}

struct scd__image *scd__image_new(struct scd__process_table *table, struct scd_str exe_path,
                                  const struct scd_strings *argv, const struct scd_strings *env, bool *ret_cut)
{
	size_t argv_bytes = joined_bytes(argv), env_bytes = env ? joined_bytes(env) : 0;
	struct cut argv_cut = plan_cut(argv_bytes), env_cut = plan_cut(env_bytes);
	size_t kept = argv_bytes - (argv_cut.skip_to - argv_cut.skip_from) + env_bytes -
	              (env_cut.skip_to - env_cut.skip_from);
	struct scd__image *image = calloc(1, sizeof(*image) + exe_path.len + kept);
	if (!image)
		return NULL;
	image->refs = 1;
	image->bytes = sizeof(*image) + exe_path.len + kept;
	char *out = (char *)(image + 1);
	if (exe_path.len)
		memcpy(out, exe_path.data, exe_path.len);
	image->pub.exe_path = (struct scd_str){ out, exe_path.len };
	out += exe_path.len;
	image->pub.args = (struct scd_str){ out, join(out, argv, &argv_cut) };
	image->pub.args_count = (uint32_t)argv->count;
	image->pub.args_cut = argv_cut.skip_to > argv_cut.skip_from;
	if (env)
		image->pub.env = (struct scd_str){ out + image->pub.args.len,
			                           join(out + image->pub.args.len, env, &env_cut) };
	table->string_bytes += image->bytes;
	*ret_cut = image->pub.args_cut || env_cut.skip_to > env_cut.skip_from;
	return image;
}
