/*
 * The list of findings of one load. Texts are cut at MAX_TEXT_BYTES and findings at MAX_COUNT: a rule file of
 * millions of wrong items must not become a log of the same size.
 */
#include "seccheckd/engine/diag.h"

#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/error.h"

#define MAX_COUNT      1000u
#define MAX_TEXT_BYTES 2048u
#define QUOTE_BYTES    160u
#define CHUNK_BYTES    16384u

static const char *const names[] = {
#define X(id, name) [SCD_DIAG_##id] = (name),
	SCD_DIAG_TABLE(X)
#undef X
};

void scd_diags_init(struct scd_diags *diags)
{
	*diags = (struct scd_diags){ 0 };
	scd_arena_init(&diags->arena, CHUNK_BYTES, 0);
}

void scd_diags_done(struct scd_diags *diags)
{
	scd_arena_done(&diags->arena);
	free(diags->items);
	*diags = (struct scd_diags){ 0 };
}

const char *scd_diag_code_name(enum scd_diag_code code)
{
	return names[code];
}

bool scd_diag_is_error(enum scd_diag_code code)
{
	return strncmp(names[code], "LOAD_ERR_", sizeof("LOAD_ERR_") - 1) == 0;
}

/* NULL stays NULL; so does what no memory is left for. */
static const char *keep(struct scd_diags *diags, const char *text)
{
	if (!text)
		return NULL;
	return scd_arena_dup(&diags->arena, (struct scd_str){ text, strnlen(text, MAX_TEXT_BYTES) }).data;
}

void scd_diags_add(struct scd_diags *diags, enum scd_diag_code code, const char *file, unsigned line, unsigned column,
                   const char *item, const char *hint, const char *format, ...)
{
	struct scd_diag *items = NULL;
	diags->error_count += scd_diag_is_error(code);
	if (diags->count < MAX_COUNT)
		items = scd_array_grow(diags->items, diags->count, &diags->room, sizeof(*items));
	if (!items) {
		diags->left_out++;
		return;
	}
	diags->items = items;
	char what[MAX_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	const char *kept = keep(diags, what);
	diags->items[diags->count++] = (struct scd_diag){
		.code = code,
		.file = keep(diags, file),
		.line = line,
		.column = column,
		.item = keep(diags, item),
		.what = kept ? kept : "",
		.hint = keep(diags, hint),
	};
}

/* The line of a text in which a byte stands. */
static struct scd_str line_around(struct scd_str text, size_t offset)
{
	const char *newline;
	size_t start = offset;

	while (start > 0 && text.data[start - 1] != '\n')
		start--;
	newline = memchr(text.data + start, '\n', text.len - start);
	return (struct scd_str){ text.data + start,
		                 newline ? (size_t)(newline - text.data) - start : text.len - start };
}

void scd_diags_quote(struct scd_diags *diags, struct scd_str file, size_t offset, unsigned line)
{
	struct scd_diag *diag = diags->count ? &diags->items[diags->count - 1] : NULL;
	struct scd_str text;
	size_t at;

	if (!diag || diags->left_out || diag->line < line || offset > file.len)
		return;
	for (; line < diag->line; line++) {
		const char *newline = memchr(file.data + offset, '\n', file.len - offset);

		if (!newline)
			return;
		offset = (size_t)(newline + 1 - file.data);
	}
	text = line_around(file, offset);
	at = diag->column ? diag->column - 1 : 0;
	if (at > text.len)
		at = text.len;
	if (at > QUOTE_BYTES / 2) {
		text.data += at - QUOTE_BYTES / 2;
		text.len -= at - QUOTE_BYTES / 2;
		at = QUOTE_BYTES / 2;
	}
	if (text.len > QUOTE_BYTES)
		text.len = QUOTE_BYTES;
	diag->quote = scd_arena_dup(&diags->arena, text).data;
	diag->quote_at = (unsigned)at;
}

static bool breaks_line(char byte)
{
	return byte == '\n' || byte == '\t' || byte == '\r';
}

/* On one line, whatever a rule file has in it, and with nothing that steers a terminal. */
static void print_text(const char *text, FILE *stream)
{
	while (*text) {
		size_t len = 0;

		while (text[len] && !breaks_line(text[len]))
			len++;
		scd_error_print_text((struct scd_str){ text, len }, stream);
		text += len;
		if (*text) {
			fputc(' ', stream);
			text++;
		}
	}
}

/* As wide as it is, so that a mark fits: each character that steers a terminal is a question mark. */
static void print_line(const char *text, FILE *stream)
{
	struct scd_str rest = scd_str_from(text);

	while (rest.len > 0) {
		size_t len = scd_str_utf8_length(rest);
		struct scd_str next = { rest.data, len ? len : 1 };
		bool bad = !len || scd_str_steers_display(scd_str_utf8_code_point(next));

		if (bad)
			fputc(breaks_line(*next.data) ? ' ' : '?', stream);
		else
			fwrite(next.data, 1, next.len, stream);
		rest = (struct scd_str){ rest.data + next.len, rest.len - next.len };
	}
}

static void print_place(const struct scd_diag *diag, FILE *stream)
{
	if (!diag->file)
		return;
	print_text(diag->file, stream);
	if (diag->line)
		fprintf(stream, ":%u", diag->line);
	if (diag->line && diag->column)
		fprintf(stream, ":%u", diag->column);
	fputs(": ", stream);
}

/* The line, and a mark under the byte that is meant, whatever its bytes before that are wide. */
static void print_quote(const struct scd_diag *diag, FILE *stream)
{
	fputs("\n  ", stream);
	print_line(diag->quote, stream);
	fputs("\n  ", stream);
	for (unsigned i = 0; i < diag->quote_at; i++)
		if (((unsigned char)diag->quote[i] & 0xc0) != 0x80)
			fputc(' ', stream);
	fputc('^', stream);
}

static void print_one(const struct scd_diag *diag, FILE *stream)
{
	print_place(diag, stream);
	fprintf(stream, "%s %s: ", scd_diag_is_error(diag->code) ? "error" : "warning", names[diag->code]);
	if (diag->item) {
		print_text(diag->item, stream);
		fputs(": ", stream);
	}
	print_text(diag->what, stream);
	if (diag->quote)
		print_quote(diag, stream);
	if (diag->hint) {
		fputs("\n  hint: ", stream);
		print_text(diag->hint, stream);
	}
	fputc('\n', stream);
}

void scd_diags_print(const struct scd_diags *diags, FILE *stream)
{
	for (size_t i = 0; i < diags->count; i++)
		print_one(&diags->items[i], stream);
	if (diags->left_out)
		fprintf(stream, "%zu more findings are not shown\n", diags->left_out);
}
