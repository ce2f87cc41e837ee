/*
 * One pass over the parts of base and path. The output only grows by whole `/part`s and shrinks by them on `..`, so
 * it is never longer than base and path with a slash in front of each.
 */
#include "seccheckd/base/path.h"

#include <string.h>

static bool is_absolute(struct scd_str path)
{
	return path.len > 0 && path.data[0] == '/';
}

static bool is_up(struct scd_str part)
{
	return part.len == 2 && part.data[0] == '.' && part.data[1] == '.';
}

static bool is_dots(struct scd_str part)
{
	return (part.len == 1 && part.data[0] == '.') || is_up(part);
}

/* Takes the next part that is not empty off the front of a path. */
static bool next_part(struct scd_str *path, struct scd_str *ret_part)
{
	size_t start = 0, end;
	while (start < path->len && path->data[start] == '/')
		start++;
	for (end = start; end < path->len && path->data[end] != '/'; end++)
		;
	*ret_part = (struct scd_str){ path->data + start, end - start };
	*path = (struct scd_str){ path->data + end, path->len - end };
	return ret_part->len > 0;
}

/* Whether an absolute path has no empty part, no dots and no slash at its end. */
static bool is_plain(struct scd_str path)
{
	size_t bytes = 0;
	struct scd_str rest = path, part;
	while (next_part(&rest, &part)) {
		if (is_dots(part))
			return false;
		bytes += part.len + 1;
	}
	return bytes == path.len || path.len == 1;
}

static size_t without_last_part(const char *out, size_t len)
{
	while (len > 0 && out[len - 1] != '/')
		len--;
	return len > 0 ? len - 1 : 0;
}

static size_t append_parts(char *out, size_t len, struct scd_str path)
{
	struct scd_str part;
	while (next_part(&path, &part)) {
		if (is_up(part))
			len = without_last_part(out, len);
		if (is_dots(part))
			continue;
		out[len++] = '/';
		memcpy(out + len, part.data, part.len);
		len += part.len;
	}
	return len;
}

/* Whether there is enough to make an absolute path of. */
static bool is_tellable(struct scd_str base, struct scd_str path)
{
	return path.len > 0 && (is_absolute(path) || is_absolute(base));
}

/* Into a buffer that has room for both with a slash in front of each. */
static struct scd_str write_joined(struct scd_str base, struct scd_str path, char *out)
{
	size_t len = is_absolute(path) ? 0 : append_parts(out, 0, base);
	len = append_parts(out, len, path);
	if (len == 0)
		out[len++] = '/';
	return (struct scd_str){ out, len };
}

bool scd_path_join(struct scd_str base, struct scd_str path, struct scd_arena *arena, struct scd_str *ret_path)
{
	if (!is_tellable(base, path))
		return false;
	if (is_absolute(path) && is_plain(path)) {
		*ret_path = path;
		return true;
	}
	char *out = scd_arena_alloc(arena, base.len + path.len + 2);
	if (!out)
		return false;
	*ret_path = write_joined(base, path, out);
	return true;
}

bool scd_path_join_into(struct scd_str base, struct scd_str path, char *buffer, size_t room, struct scd_str *ret_path)
{
	if (!is_tellable(base, path))
		return false;
	if (is_absolute(path) && is_plain(path)) {
		*ret_path = path;
		return true;
	}
	if (room < base.len + path.len + 2)
		return false;
	*ret_path = write_joined(base, path, buffer);
	return true;
}

bool scd_path_squeeze(struct scd_str path, struct scd_arena *arena, struct scd_str *ret_path)
{
	if (!scd_str_contains(path, SCD_STR("//"))) {
		*ret_path = path;
		return true;
	}
	char *out = scd_arena_alloc(arena, path.len);
	size_t len = 0;
	if (!out)
		return false;
	for (size_t i = 0; i < path.len; i++)
		if (path.data[i] != '/' || i == 0 || path.data[i - 1] != '/')
			out[len++] = path.data[i];
	*ret_path = (struct scd_str){ out, len };
	return true;
}
