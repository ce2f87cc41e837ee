/*
 * Tokens of conditions, read at the cursor. The regular expressions are those of the table in parser.c; each is a
 * function that measures how far it reaches, longest match. No locale: letters, digits and blanks are ASCII, and
 * every byte from 0x80 up is an ordinary character of a bare text.
 */
#include <errno.h>
#include <string.h>

#include "lang/escape.h"
#include "lang/parser.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name(char c)
{
	return is_letter(c) || is_digit(c) || c == '_';
}

/* What stands between tokens. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n';
}

/* POSIX [:space:], what ends a bare text: it has \v and \f and lacks the \b of blanks. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_bracket_text(char c)
{
	return !is_space(c) && c != '[' && c != ']' && c != '"' && c != '\'';
}

static bool is_bare(char c)
{
	return !is_space(c) && c != '(' && c != ')' && c != '"' && c != '\'' && c != '=' && c != ',';
}

/* Length of the run of such bytes in text from `from` on. */
static size_t run_length(struct scd_str text, size_t from, bool (*is_member)(char))
{
	size_t at = from;

	while (at < text.len && is_member(text.data[at]))
		at++;
	return at - from;
}

static struct scd_str rest_of(const struct scd__parser *p)
{
	return (struct scd_str){ p->text.data + p->pos.offset, p->text.len - p->pos.offset };
}

/* The position len bytes further on. CR and LF each start a line, so CR LF counts for two, as in Falco. */
static struct scd_ast_pos pos_after(const struct scd__parser *p, size_t len)
{
	struct scd_ast_pos pos = p->pos;

	for (size_t i = 0; i < len; i++) {
		char c = p->text.data[pos.offset];

		if (c == '\r' || c == '\n') {
			pos.line++;
			pos.column = 0;
		}
		pos.column++;
		pos.offset++;
	}
	return pos;
}

/* Reads a token of len bytes; none if len is 0. */
static bool take(struct scd__parser *p, size_t len)
{
	if (len == 0)
		return false;
	p->token = (struct scd_str){ rest_of(p).data, len };
	p->pos = pos_after(p, len);
	return true;
}

bool scd__lex_blank(struct scd__parser *p)
{
	size_t len = run_length(rest_of(p), 0, is_blank);

	p->pos = pos_after(p, len);
	return len > 0;
}

bool scd__peek_literal(const struct scd__parser *p, const char *literal)
{
	return scd_str_starts_with(rest_of(p), scd_str_from(literal));
}

bool scd__lex_literal(struct scd__parser *p, const char *literal)
{
	return scd__peek_literal(p, literal) && take(p, strlen(literal));
}

bool scd__lex_word(struct scd__parser *p, const char *word)
{
	size_t len = strlen(word);
	struct scd_str rest = rest_of(p);

	if (!scd__peek_literal(p, word) || rest.len == len || !is_blank(rest.data[len]))
		return false;
	take(p, len);
	scd__lex_blank(p);
	return true;
}

static size_t identifier_length(struct scd_str text, size_t from)
{
	if (from >= text.len || !is_letter(text.data[from]))
		return 0;
	return run_length(text, from, is_name);
}

struct scd_str scd__peek_identifier(const struct scd__parser *p)
{
	struct scd_str rest = rest_of(p);

	rest.len = identifier_length(rest, 0);
	return rest;
}

bool scd__lex_identifier(struct scd__parser *p)
{
	return take(p, identifier_length(rest_of(p), 0));
}

/* Two identifiers or more, joined with dots; a dot without one behind it is not part of the name. */
bool scd__lex_field_name(struct scd__parser *p)
{
	struct scd_str rest = rest_of(p);
	size_t first = identifier_length(rest, 0);
	size_t len = first;

	while (len > 0 && len < rest.len && rest.data[len] == '.') {
		size_t part = identifier_length(rest, len + 1);

		if (part == 0)
			break;
		len += 1 + part;
	}
	return len > first && take(p, len);
}

bool scd__lex_bracket_text(struct scd__parser *p)
{
	return take(p, run_length(rest_of(p), 0, is_bracket_text));
}

bool scd__lex_bare(struct scd__parser *p)
{
	return take(p, run_length(rest_of(p), 0, is_bare));
}

/* 0[xX][0-9a-fA-F]+ */
static size_t hex_length(struct scd_str text)
{
	size_t digits;

	if (text.len < 3 || text.data[0] != '0' || (text.data[1] != 'x' && text.data[1] != 'X'))
		return 0;
	digits = run_length(text, 2, is_hex_digit);
	return digits ? 2 + digits : 0;
}

/* [eE][+-][0-9]+, from `from` on */
static size_t exponent_length(struct scd_str text, size_t from)
{
	size_t digits;

	if (text.len - from < 3 || (text.data[from] != 'e' && text.data[from] != 'E') ||
	    (text.data[from + 1] != '+' && text.data[from + 1] != '-'))
		return 0;
	digits = run_length(text, from + 2, is_digit);
	return digits ? 2 + digits : 0;
}

/* [+-]?[0-9]+\.?[0-9]*(exponent)? */
static size_t decimal_length(struct scd_str text)
{
	size_t sign = text.len > 0 && (text.data[0] == '+' || text.data[0] == '-');
	size_t digits = run_length(text, sign, is_digit);
	size_t len = sign + digits;

	if (digits == 0)
		return 0;
	if (len < text.len && text.data[len] == '.')
		len++;
	len += run_length(text, len, is_digit);
	return len + exponent_length(text, len);
}

bool scd__lex_number(struct scd__parser *p)
{
	struct scd_str rest = rest_of(p);
	size_t hex = hex_length(rest);

	return take(p, hex ? hex : decimal_length(rest));
}

/*
 * Length of the quoted literal that text starts with, 0 if none ends. Only the byte before a quote says whether it is
 * escaped, so `\\'` does not end a literal; a NUL byte ends the search, as it ends Falco's text.
 */
static size_t quoted_length(struct scd_str text)
{
	if (text.len < 2 || (text.data[0] != '"' && text.data[0] != '\''))
		return 0;
	for (size_t i = 1; i < text.len && text.data[i] != '\0'; i++) {
		if (text.data[i] == text.data[0] && text.data[i - 1] != '\\')
			return i + 1;
	}
	return 0;
}

bool scd__lex_quoted(struct scd__parser *p)
{
	struct scd_str literal = rest_of(p);
	struct scd_str value;
	struct scd__bad_escape bad;
	int r;

	literal.len = quoted_length(literal);
	if (literal.len == 0)
		return false;
	r = scd__unescape(literal, p->arena, &value, &bad);
	if (r == -EINVAL)
		scd__fail_at(p, pos_after(p, bad.offset), "%s", bad.what);
	else if (r < 0)
		scd__fail_memory(p);
	else
		take(p, literal.len);
	if (r == 0)
		p->token = value;
	return r == 0;
}
