/*
 * String constants: canonical form and back.
 *
 *    value byte                 in canonical form, between "…"
 *    \b \f \n \r \t " \         a backslash and b f n r t " \
 *    space = ' NUL              itself
 *    any other                  itself, and it alone asks for no quotes
 *
 * A literal, in "…" or '…', may also have `\/`, `\xHH`, its own quote behind a backslash, and a backslash before a
 * space, which stands for a backslash alone (old rule files rely on it). The canonical form is Falco's: a constant
 * that is empty or holds a parenthesis or a comma gets no quotes either, so not every canonical text can be read back.
 */
#include "lang/escape.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/lang/ast.h"

/* Both directions. What is not in the table is not escaped. */
static const struct {
	char letter; /* after the backslash */
	char value;
	bool canonical; /* the canonical form writes it so */
} escapes[] = {
	{ 'b', '\b', true }, { 'f', '\f', true },  { 'n', '\n', true }, { 'r', '\r', true },   { 't', '\t', true },
	{ '"', '"', true },  { '\\', '\\', true }, { '/', '/', false }, { '\'', '\'', false }, { ' ', '\\', false },
};

/* The letter that stands for value in canonical form, or 0. */
static char letter_for(char value)
{
	for (size_t i = 0; i < SCD_COUNT(escapes); i++) {
		if (escapes[i].canonical && escapes[i].value == value)
			return escapes[i].letter;
	}
	return '\0';
}

static bool needs_quotes(struct scd_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == ' ' || c == '=' || c == '\'' || c == '\0' || letter_for(c))
			return true;
	}
	return false;
}

void scd__sink_put(struct scd__sink *sink, struct scd_str text)
{
	if (sink->out && text.len > 0)
		memcpy(sink->out + sink->len, text.data, text.len);
	sink->len += text.len;
}

void scd__sink_put_char(struct scd__sink *sink, char byte)
{
	if (sink->out)
		sink->out[sink->len] = byte;
	sink->len++;
}

void scd__sink_put_escaped(struct scd__sink *sink, struct scd_str text)
{
	if (!needs_quotes(text)) {
		scd__sink_put(sink, text);
		return;
	}
	scd__sink_put_char(sink, '"');
	for (size_t i = 0; i < text.len; i++) {
		char letter = letter_for(text.data[i]);

		if (letter)
			scd__sink_put_char(sink, '\\');
		scd__sink_put_char(sink, letter ? letter : text.data[i]);
	}
	scd__sink_put_char(sink, '"');
}

int scd_ast_escape(struct scd_str text, struct scd_arena *arena, struct scd_str *ret_text)
{
	struct scd__sink sink = { 0 };

	if (!needs_quotes(text)) {
		*ret_text = text;
		return 0;
	}
	scd__sink_put_escaped(&sink, text);
	sink.out = scd_arena_alloc(arena, sink.len);
	if (!sink.out)
		return -ENOMEM;
	sink.len = 0;
	scd__sink_put_escaped(&sink, text);
	*ret_text = (struct scd_str){ sink.out, sink.len };
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Records what is wrong and returns 0, the length of an escape that is none. */
__attribute__((format(printf, 2, 3))) static size_t bad_escape(struct scd__bad_escape *bad, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(bad->what, sizeof(bad->what), format, args);
	va_end(args);
	return 0;
}

/* HH of \xHH; text starts at the x. */
static size_t decode_hex(struct scd_str text, char *ret_value, struct scd__bad_escape *bad)
{
	int high, low;

	if (text.len < 3)
		return bad_escape(bad, "truncated hex char escape sequence");
	high = hex_value(text.data[1]);
	low = hex_value(text.data[2]);
	if (high < 0 || low < 0)
		return bad_escape(bad, "invalid hex char escape sequence: %.2s", text.data + 1);
	*ret_value = (char)(high << 4 | low);
	return 3;
}

/* One escape; text is what follows its backslash, the closing quote not in it. Returns its length, 0 if it is bad. */
static size_t decode_escape(struct scd_str text, char quote, char *ret_value, struct scd__bad_escape *bad)
{
	char letter = text.len > 0 ? text.data[0] : '\0';

	if (letter == 'x')
		return decode_hex(text, ret_value, bad);
	if ((letter == '"' || letter == '\'') && letter != quote)
		return bad_escape(bad, "invalid \\%c escape in %c-quoted string", letter, quote);
	for (size_t i = 0; i < SCD_COUNT(escapes) && text.len > 0; i++) {
		if (escapes[i].letter == letter) {
			*ret_value = escapes[i].value;
			return 1;
		}
	}
	return bad_escape(bad, "unsupported string escape sequence: \\%.*s", text.len > 0, text.data);
}

/* Decodes body, the text between the quotes, to out, which is as large. */
static int decode(struct scd_str body, char quote, char *out, size_t *ret_len, struct scd__bad_escape *bad)
{
	size_t len = 0;

	for (size_t i = 0; i < body.len; i++) {
		struct scd_str rest = { body.data + i + 1, body.len - i - 1 };
		size_t used;

		if (body.data[i] != '\\') {
			out[len++] = body.data[i];
			continue;
		}
		used = decode_escape(rest, quote, &out[len], bad);
		if (used == 0) {
			bad->offset = i + 1;
			return -EINVAL;
		}
		len++;
		i += used;
	}
	*ret_len = len;
	return 0;
}

int scd__unescape(struct scd_str literal, struct scd_arena *arena, struct scd_str *ret_text,
                  struct scd__bad_escape *ret_bad)
{
	struct scd_str body;
	size_t len;
	char *out;
	int r;

	if (literal.len < 2 || (literal.data[0] != '"' && literal.data[0] != '\'') ||
	    literal.data[literal.len - 1] != literal.data[0]) {
		bad_escape(ret_bad, "not a quoted string");
		ret_bad->offset = 0;
		return -EINVAL;
	}
	body = (struct scd_str){ literal.data + 1, literal.len - 2 };
	if (body.len == 0 || !memchr(body.data, '\\', body.len)) {
		*ret_text = body;
		return 0;
	}
	out = scd_arena_alloc(arena, body.len);
	if (!out)
		return -ENOMEM;
	r = decode(body, literal.data[0], out, &len, ret_bad);
	if (r == 0)
		*ret_text = (struct scd_str){ out, len };
	return r;
}

int scd_ast_unescape(struct scd_str literal, struct scd_arena *arena, struct scd_str *ret_text)
{
	struct scd__bad_escape bad;

	return scd__unescape(literal, arena, ret_text, &bad);
}
