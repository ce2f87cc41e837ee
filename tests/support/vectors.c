/*
 * Reads files of vectors, runs their cases, and helps the kinds to say what they expected. It knows no kind but its
 * name.
 */
#include "tests/support/vectors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CASE_ARENA_BYTES     (256u << 20)
#define CASE_CHUNK_BYTES     65536u
#define REASON_BYTES         4096u
#define LONGEST_QUOTED_BYTES 400u

static const struct kind {
	const char *name;
	bool (*run)(struct vectors_case *c);
} kinds[] = {
	{ "parse", vectors_parse },
	{ "ast", vectors_ast },
	{ "ast_equal", vectors_ast_equal },
	{ "ast_positions", vectors_ast_positions },
	{ "escape", vectors_escape },
	{ "unescape", vectors_unescape },
	{ "escape_roundtrip", vectors_escape_roundtrip },
	{ "rulefile", vectors_rulefile },
	{ "format", vectors_format },
	{ "format_compile", vectors_format_compile },
	{ "macro", vectors_macro },
	{ "details", vectors_details },
	{ "plugin_requirements", vectors_plugin_requirements },
	{ "rule_name_wildcard", vectors_rule_name_wildcard },
	{ "sanitize_rule_name", vectors_sanitize_rule_name },
	{ "eval", vectors_eval },
	{ "compile", vectors_compile_check },
	{ "condition_warning", vectors_condition_warning },
	{ "transform", vectors_transform },
	{ "evttypes", vectors_evttypes },
	{ "evttypes_equal", vectors_evttypes_equal },
	{ "evttypes_resolvable", vectors_evttypes_resolvable },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* Code points back to bytes, in place; a code point over 255 stays as it is in UTF-8. */
static struct scd_str latin1(char *text, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c == 0xc2 || c == 0xc3) && i + 1 < len)
			c = (unsigned char)((c & 3) << 6 | ((unsigned char)text[++i] & 0x3f));
		text[out++] = (char)c;
	}
	return (struct scd_str){ text, out };
}

struct scd_str vectors_decode(struct vectors_case *c, const json_t *string)
{
	const char *encoding = json_string_value(json_object_get(c->json, "encoding"));
	struct scd_str text = { json_string_value(string), json_string_length(string) };
	char *copy;

	if (!encoding || strcmp(encoding, "latin1") != 0 || text.len == 0)
		return text;
	copy = scd_arena_alloc(c->arena, text.len);
	if (!copy)
		abort();
	memcpy(copy, text.data, text.len);
	return latin1(copy, text.len);
}

bool vectors_get_str(struct vectors_case *c, const char *key, struct scd_str *ret_text)
{
	const json_t *value = json_object_get(c->json, key);

	if (!json_is_string(value))
		return vectors_fail(c, "the case has no string '%s'", key);
	*ret_text = vectors_decode(c, value);
	return true;
}

bool vectors_get_bool(struct vectors_case *c, const char *key, bool *ret_value)
{
	const json_t *value = json_object_get(c->json, key);

	if (!json_is_boolean(value))
		return vectors_fail(c, "the case has no boolean '%s'", key);
	*ret_value = json_is_true(value);
	return true;
}

bool vectors_flag(const struct vectors_case *c, const char *key)
{
	return json_is_true(json_object_get(c->json, key));
}

void vectors_quote(struct scd_buf *buf, struct scd_str text)
{
	scd_buf_append_char(buf, '"');
	for (size_t i = 0; i < text.len && i < LONGEST_QUOTED_BYTES; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		if (byte < 0x20 || byte == 0x7f)
			scd_buf_printf(buf, "\\x%02x", byte);
		else
			scd_buf_append_char(buf, (char)byte);
	}
	scd_buf_append_char(buf, '"');
	if (text.len > LONGEST_QUOTED_BYTES)
		scd_buf_printf(buf, "... (%zu bytes)", text.len);
}

bool vectors_expect_str(struct vectors_case *c, const char *what, struct scd_str expected, struct scd_str got)
{
	if (scd_str_eq(expected, got))
		return true;
	scd_buf_printf(c->why, "%s: expected ", what);
	vectors_quote(c->why, expected);
	scd_buf_append_str(c->why, SCD_STR(", got "));
	vectors_quote(c->why, got);
	return false;
}

bool vectors_expect_bool(struct vectors_case *c, const char *what, bool expected, bool got)
{
	return expected == got ||
	       vectors_fail(c, "%s: expected %s, got %s", what, expected ? "true" : "false", got ? "true" : "false");
}

bool vectors_fail(struct vectors_case *c, const char *format, ...)
{
	char reason[512];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	scd_buf_append_str(c->why, scd_str_from(reason));
	return false;
}

/* A file that is being run. */
struct run {
	const char *path;
	size_t line;
	FILE *out;
	struct vectors_totals *totals;
	struct scd_arena arena;
	struct scd_buf why;
};

static void count_failure(struct run *run, const char *id, const char *why)
{
	run->totals->failed++;
	if (id)
		fprintf(run->out, "FAIL %s: %s\n", id, why);
	else
		fprintf(run->out, "FAIL %s:%zu: %s\n", run->path, run->line, why);
}

static void run_case(struct run *run, const json_t *json)
{
	struct vectors_case c = { .json = json, .arena = &run->arena, .why = &run->why };
	const char *id = json_string_value(json_object_get(json, "id"));
	const char *name = json_string_value(json_object_get(json, "kind"));
	const struct kind *kind = name ? find_kind(name) : NULL;

	scd_arena_reset(&run->arena);
	scd_buf_reset(&run->why);
	if (!name)
		count_failure(run, id, "the case has no kind");
	else if (!kind)
		run->totals->skipped++;
	else if (kind->run(&c))
		run->totals->passed++;
	else
		count_failure(run, id, run->why.data ? run->why.data : "no reason given");
}

static void run_line(struct run *run, const char *line, size_t len)
{
	json_error_t error;
	json_t *json;

	run->line++;
	if (scd_str_trim((struct scd_str){ line, len }).len == 0)
		return;
	json = json_loadb(line, len, JSON_ALLOW_NUL, &error);
	if (json)
		run_case(run, json);
	else
		count_failure(run, NULL, error.text);
	json_decref(json);
}

int vectors_run_file(const char *path, FILE *out, struct vectors_totals *totals)
{
	struct run run = { .path = path, .out = out, .totals = totals };
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int r;

	if (!file)
		return -errno;
	scd_arena_init(&run.arena, CASE_CHUNK_BYTES, CASE_ARENA_BYTES);
	scd_buf_init(&run.why, REASON_BYTES);
	while ((len = getline(&line, &room, file)) >= 0)
		run_line(&run, line, (size_t)len);
	r = ferror(file) ? -EIO : 0;
	scd_buf_done(&run.why);
	scd_arena_done(&run.arena);
	free(line);
	fclose(file);
	return r;
}

void vectors_print_totals(const struct vectors_totals *totals, FILE *out)
{
	fprintf(out, "%zu passed, %zu failed, %zu skipped\n", totals->passed, totals->failed, totals->skipped);
}
