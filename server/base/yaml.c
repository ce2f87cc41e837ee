/*
 * YAML trees: reading files, walking nodes, finding places. The tree itself is built in yaml_parse.c.
 */
#include "seccheckd/base/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/yaml_tree.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"

#define CHUNK_BYTES (64u << 10)

static int fail(struct scd_error *err, const char *name, int code, const char *what)
{
	scd_error_set(err, code, "%s", what);
	scd_error_at(err, name, 0, 0);
	return code;
}

/* Nobody counts a byte order mark as a column. */
static struct scd_str without_bom(struct scd_str text)
{
	size_t skip = scd_str_starts_with(text, SCD_STR("\xef\xbb\xbf")) ? 3 : 0;

	return (struct scd_str){ text.data + skip, text.len - skip };
}

/* Takes source, a heap block of len bytes, also on failure. The arena needs no cap: bytes and nodes have theirs. */
static int read_block(char *source, size_t len, const char *name, struct scd_yaml **ret_yaml, struct scd_error *err)
{
	struct scd_yaml *yaml = calloc(1, sizeof(*yaml));
	int r;

	if (!yaml) {
		free(source);
		return fail(err, name, -ENOMEM, "out of memory");
	}
	yaml->source_block = source;
	yaml->source = without_bom((struct scd_str){ source, len });
	scd_arena_init(&yaml->arena, CHUNK_BYTES, 0);
	yaml->name = scd_arena_dup(&yaml->arena, scd_str_from(name)).data;
	r = yaml->name ? scd__yaml_parse(yaml, err) : fail(err, name, -ENOMEM, "out of memory");
	if (r < 0)
		scd_yaml_free(&yaml);
	else
		*ret_yaml = yaml;
	return r;
}

int scd_yaml_read_text(struct scd_str text, const char *name, struct scd_yaml **ret_yaml, struct scd_error *err)
{
	char *copy;

	if (text.len > SCD_LIMIT_RULE_FILE_BYTES)
		return fail(err, name, -EFBIG, "the text is too large");
	copy = malloc(text.len + 1);
	if (!copy)
		return fail(err, name, -ENOMEM, "out of memory");
	if (text.len)
		memcpy(copy, text.data, text.len);
	return read_block(copy, text.len, name, ret_yaml, err);
}

static int check_kind(int fd, const char *path, struct scd_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(err, path, -errno, strerrordesc_np(errno));
	if (S_ISREG(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode))
		return fail(err, path, -EISDIR, "is a folder, not a file");
	return fail(err, path, -EINVAL,
	            S_ISFIFO(st.st_mode) ? "is a FIFO, not a regular file" : "is a device, not a regular file");
}

static int read_all(int fd, const char *path, struct scd_buf *buf, struct scd_error *err)
{
	char chunk[16384];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(err, path, -errno, strerrordesc_np(errno));
		if ((size_t)got > buf->max_bytes - buf->len)
			return fail(err, path, -EFBIG, "the file is too large");
		scd_buf_append(buf, chunk, (size_t)got);
		if (buf->failed)
			return fail(err, path, -ENOMEM, "out of memory");
	}
	return 0;
}

int scd_yaml_read_file(const char *path, struct scd_yaml **ret_yaml, struct scd_error *err)
{
	struct scd_buf buf;
	char *source;
	size_t len;
	int fd, r;

	/* O_NONBLOCK: opening a FIFO without a writer would wait. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail(err, path, -errno, strerrordesc_np(errno));
	scd_buf_init(&buf, SCD_LIMIT_RULE_FILE_BYTES);
	r = check_kind(fd, path, err);
	if (r == 0)
		r = read_all(fd, path, &buf, err);
	close(fd);
	source = r == 0 ? scd_buf_take(&buf, &len) : NULL;
	scd_buf_done(&buf);
	if (r < 0)
		return r;
	if (!source) /* an empty file */
		return scd_yaml_read_text(SCD_STR(""), path, ret_yaml, err);
	return read_block(source, len, path, ret_yaml, err);
}

void scd_yaml_free(struct scd_yaml **yaml)
{
	if (!yaml || !*yaml)
		return;
	free((*yaml)->source_block);
	scd_arena_done(&(*yaml)->arena);
	free(*yaml);
	*yaml = NULL;
}

size_t scd_yaml_document_count(const struct scd_yaml *yaml)
{
	return yaml->root_count;
}

const struct scd_yaml_node *scd_yaml_root(const struct scd_yaml *yaml, size_t document)
{
	return document < yaml->root_count ? yaml->roots[document] : NULL;
}

const char *scd_yaml_name(const struct scd_yaml *yaml)
{
	return yaml->name;
}

struct scd_str scd_yaml_source(const struct scd_yaml *yaml)
{
	return yaml->source;
}

const struct scd_yaml_node *scd_yaml_get(const struct scd_yaml_node *map, const char *key)
{
	struct scd_str wanted = scd_str_from(key);

	if (!map || map->kind != SCD_YAML_MAP)
		return NULL;
	for (size_t i = map->count; i-- > 0;) {
		if (scd_str_eq(map->keys[i]->text, wanted))
			return map->items[i];
	}
	return NULL;
}

bool scd_yaml_is_null(const struct scd_yaml_node *node)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (node->kind != SCD_YAML_SCALAR || node->style != SCD_YAML_PLAIN)
		return false;
	for (size_t i = 0; i < SCD_COUNT(words); i++) {
		if (scd_str_is(node->text, words[i]))
			return true;
	}
	return false;
}

int scd_yaml_bool(const struct scd_yaml_node *node, bool *ret_value)
{
	static const struct {
		const char *lower, *capitalised, *upper;
		bool value;
	} words[] = {
		{ "y", "Y", "Y", true },     { "n", "N", "N", false },         { "yes", "Yes", "YES", true },
		{ "no", "No", "NO", false }, { "true", "True", "TRUE", true }, { "false", "False", "FALSE", false },
		{ "on", "On", "ON", true },  { "off", "Off", "OFF", false },
	};

	if (node->kind != SCD_YAML_SCALAR)
		return -EINVAL;
	for (size_t i = 0; i < SCD_COUNT(words); i++) {
		if (scd_str_is(node->text, words[i].lower) || scd_str_is(node->text, words[i].capitalised) ||
		    scd_str_is(node->text, words[i].upper)) {
			*ret_value = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

/* A place in the source: where it is, how much follows, and what to tell a person. */
struct place {
	struct scd_str rest;
	unsigned line, column;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void step(struct place *place)
{
	bool line_ends = place->rest.data[0] == '\n';

	place->rest.data++;
	place->rest.len--;
	place->line += line_ends;
	place->column = line_ends ? 1 : place->column + 1;
}

static void skip_blanks(struct place *place)
{
	while (place->rest.len && is_blank(place->rest.data[0]))
		step(place);
}

static void skip_to_blank(struct place *place)
{
	while (place->rest.len && !is_blank(place->rest.data[0]))
		step(place);
}

static void skip_line(struct place *place)
{
	while (place->rest.len && place->rest.data[0] != '\n')
		step(place);
	if (place->rest.len)
		step(place);
}

static bool begins_with_one_of(const struct place *place, const char *bytes)
{
	return place->rest.len && place->rest.data[0] && strchr(bytes, place->rest.data[0]);
}

/* From the start of a node to the first byte that belongs to its text: over properties, quote, block header. */
static void skip_to_text(struct place *place)
{
	while (begins_with_one_of(place, "&!#")) {
		if (place->rest.data[0] == '#')
			skip_line(place);
		else
			skip_to_blank(place);
		skip_blanks(place);
	}
	if (begins_with_one_of(place, "|>"))
		skip_line(place);
	else if (begins_with_one_of(place, "'\""))
		step(place);
}

/* Goes on to the source byte of the next byte of the text that is not blank. False where the two differ. */
static bool match(struct place *place, char byte)
{
	skip_blanks(place);
	return place->rest.len && place->rest.data[0] == byte;
}

void scd_yaml_place(const struct scd_yaml *yaml, const struct scd_yaml_node *scalar, size_t offset, unsigned *ret_line,
                    unsigned *ret_column)
{
	struct place at = { { yaml->source.data + scalar->offset, yaml->source.len - scalar->offset },
		            scalar->line,
		            scalar->column };
	bool matches = true;

	skip_to_text(&at);
	for (size_t i = 0; i < scalar->text.len && i <= offset && matches; i++) {
		if (is_blank(scalar->text.data[i]))
			continue;
		matches = match(&at, scalar->text.data[i]);
		if (matches && i < offset)
			step(&at);
	}
	*ret_line = matches ? at.line : scalar->line;
	*ret_column = matches ? at.column : scalar->column;
}
