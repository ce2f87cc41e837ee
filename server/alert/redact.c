/*
 * The redactor: one walk over the text that stops at each secret.
 *
 *     --user 48edf… --password=hunter2 https://me:hunter2@host/?token=x
 *                              ^^^^^^^            ^^^^^^^          ^
 * A walk reads names (runs of letters, digits, '-', '_', '.') and asks of each whether it says "secret", by its end:
 * MYSQL_ROOT_PASSWORD, x-auth-token, clientSecret. What follows decides where the value is:
 *
 *     NAME=value  NAME = value  NAME: value  "NAME": "value"  \"NAME\":\"value\"  --NAME value
 *     Authorization: SCHEME value
 *
 * A value in quotes reaches to the closing quote, one without to the next blank, in the query of a URL to the next '&'
 * or '#'. Where that is too much (`PASSWORD=x;./miner`), too much is taken: better that than half a secret. Every step
 * goes on behind what it looked at, so the walk is linear. The text is walked twice when something is found: to
 * measure the copy and to write it.
 *
 * Two more say what they are: tokens by the way they begin (`ghp_…`, `AKIA…`, a JWT's `eyJ…`), wherever they stand; and
 * -pSECRET behind the name of a program that takes a password so (mysql, sshpass), up to the end of that command.
 *
 * It does not find secrets that nothing names: positional arguments, user:password of `curl -u`.
 */
#include "seccheckd/alert/redact.h"

#include <string.h>

#define MASK SCD_STR("<redacted>")

/* Ends of names that say "secret", wherever the name's words begin. */
static const struct scd_str secret_ends[] = {
	SCD_STR_INIT("password"),      SCD_STR_INIT("passwd"),     SCD_STR_INIT("passphrase"),
	SCD_STR_INIT("secret"),        SCD_STR_INIT("token"),      SCD_STR_INIT("apikey"),
	SCD_STR_INIT("accesskey"),     SCD_STR_INIT("accountkey"), SCD_STR_INIT("privatekey"),
	SCD_STR_INIT("secretkey"),     SCD_STR_INIT("sshpass"),    SCD_STR_INIT("authkey"),
	SCD_STR_INIT("encryptionkey"), SCD_STR_INIT("credential"), SCD_STR_INIT("credentials"),
};

/* Short words that say it only as the last word of a name: `db-pass`, not `bypass`. */
static const struct scd_str secret_words[] = { SCD_STR_INIT("pass"), SCD_STR_INIT("pwd"), SCD_STR_INIT("pw") };

static const struct scd_str auth_schemes[] = {
	SCD_STR_INIT("bearer"),    SCD_STR_INIT("basic"), SCD_STR_INIT("token"),  SCD_STR_INIT("digest"),
	SCD_STR_INIT("negotiate"), SCD_STR_INIT("ntlm"),  SCD_STR_INIT("apikey"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Part of the text, by offsets. */
struct span {
	size_t start, end;
};

static bool is_upper(char byte)
{
	return byte >= 'A' && byte <= 'Z';
}

static char fold(char byte)
{
	return is_upper(byte) ? (char)(byte - 'A' + 'a') : byte;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter_or_digit(char byte)
{
	return is_digit(byte) || (fold(byte) >= 'a' && fold(byte) <= 'z');
}

static bool is_separator(char byte)
{
	return byte == '-' || byte == '_' || byte == '.';
}

static bool is_name_byte(char byte)
{
	return is_letter_or_digit(byte) || is_separator(byte);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\0';
}

static bool is_quote(char byte)
{
	return byte == '"' || byte == '\'';
}

static size_t skip_blanks(struct scd_str text, size_t at)
{
	while (at < text.len && is_blank(text.data[at]))
		at++;
	return at;
}

static size_t skip_word(struct scd_str text, size_t at)
{
	while (at < text.len && !is_blank(text.data[at]))
		at++;
	return at;
}

static size_t skip_name(struct scd_str text, size_t at)
{
	while (at < text.len && is_name_byte(text.data[at]))
		at++;
	return at;
}

/*
 * Where the end of a name that spells `end` begins, or name.len. One separator between two letters of it is passed
 * over: api_key, API-KEY and apikey all spell "apikey".
 */
static size_t find_end(struct scd_str name, struct scd_str end)
{
	size_t at = name.len, left = end.len;

	while (left && at) {
		if (is_separator(name.data[at - 1]) && at < name.len && --at == 0)
			break;
		if (fold(name.data[at - 1]) != end.data[left - 1])
			break;
		at--;
		left--;
	}
	return left ? name.len : at;
}

/*
 * A name's last word, as in db-pass and dbPass; one that is the whole name counts too unless it is PWD, the shell's
 * working directory.
 */
static bool ends_with_word(struct scd_str name, struct scd_str word)
{
	size_t at = find_end(name, word);

	if (at == name.len)
		return false;
	if (at == 0)
		return !scd_str_eq(name, SCD_STR("PWD"));
	return is_separator(name.data[at - 1]) || (is_upper(name.data[at]) && !is_upper(name.data[at - 1]));
}

static bool is_secret_name(struct scd_str name)
{
	while (name.len && is_digit(name.data[name.len - 1])) /* password2 */
		name.len--;
	for (size_t i = 0; i < COUNT(secret_ends); i++)
		if (find_end(name, secret_ends[i]) < name.len)
			return true;
	for (size_t i = 0; i < COUNT(secret_words); i++)
		if (ends_with_word(name, secret_words[i]))
			return true;
	return false;
}

/* `--no-password` announces no value. */
static bool takes_secret(struct scd_str option)
{
	return is_secret_name(option) && !scd_str_starts_with(option, SCD_STR("--no-"));
}

static bool is_scheme(struct scd_str word)
{
	for (size_t i = 0; i < COUNT(auth_schemes); i++)
		if (word.len == auth_schemes[i].len && find_end(word, auth_schemes[i]) == 0)
			return true;
	return false;
}

/* Behind a quote at `at`, with backslashes before it (text inside a quoted text); `at` where there is none. */
static size_t skip_quote(struct scd_str text, size_t at)
{
	size_t quote = at;

	while (quote < text.len && text.data[quote] == '\\')
		quote++;
	return quote < text.len && is_quote(text.data[quote]) ? quote + 1 : at;
}

/*
 * The quote that closes what was opened right before start, or the text's end. After \" the next quote does, with the
 * backslashes before it; after " one that is not escaped.
 */
static size_t find_closing_quote(struct scd_str text, size_t start)
{
	char quote = text.data[start - 1];
	bool nested = start >= 2 && text.data[start - 2] == '\\';
	bool escaped = false;

	for (size_t at = start; at < text.len; at++) {
		if (text.data[at] == quote && !escaped)
			return at;
		escaped = !nested && quote == '"' && text.data[at] == '\\' && !escaped;
	}
	return text.len;
}

static size_t skip_query_value(struct scd_str text, size_t at)
{
	while (at < text.len && !is_blank(text.data[at]) && text.data[at] != '&' && text.data[at] != '#')
		at++;
	return at;
}

static struct span read_value(struct scd_str text, size_t at, bool in_query)
{
	size_t inside = skip_quote(text, at);

	if (inside > at)
		return (struct span){ inside, find_closing_quote(text, inside) };
	return (struct span){ at, in_query ? skip_query_value(text, at) : skip_word(text, at) };
}

/*
 * Behind the '=' or ':' that follows a name which ends at `at`, and the blanks that may stand there; 0 when none
 * follows. `NAME= word` is an empty value, `NAME = word` is not; `NAME://` is the scheme of a URL.
 */
static size_t skip_assignment(struct scd_str text, size_t at)
{
	size_t sign = skip_blanks(text, skip_quote(text, at));

	if (sign == text.len || (text.data[sign] != '=' && text.data[sign] != ':'))
		return 0;
	if (text.len - sign >= 3 && memcmp(text.data + sign, "://", 3) == 0)
		return 0;
	if (text.data[sign] == '=' && sign == at)
		return sign + 1;
	return skip_blanks(text, sign + 1);
}

/* `SCHEME value` or `value` of an Authorization header. */
static struct span read_credentials(struct scd_str text, size_t at)
{
	struct span value = read_value(text, at, false);
	bool quoted = value.start > at;
	size_t word_end = skip_word((struct scd_str){ text.data, value.end }, value.start);

	if (!is_scheme((struct scd_str){ text.data + value.start, word_end - value.start }))
		return value;
	value.start = skip_blanks(text, word_end);
	value.end = quoted ? value.end : skip_word(text, value.start);
	return value;
}

/* The secret that belongs to a name; an empty span where there is none. */
static struct span secret_of_name(struct scd_str text, struct span name)
{
	static const struct span none = { 0, 0 };
	struct scd_str word = { text.data + name.start, name.end - name.start };
	bool in_query = name.start > 0 && (text.data[name.start - 1] == '?' || text.data[name.start - 1] == '&');
	bool is_header = find_end(word, SCD_STR("authorization")) < word.len;
	size_t at;

	if (!is_header && !is_secret_name(word))
		return none;
	at = skip_assignment(text, name.end);
	if (at)
		return is_header ? read_credentials(text, at) : read_value(text, at, in_query);
	if (is_header || word.data[0] != '-' || !takes_secret(word))
		return none;
	at = skip_blanks(text, name.end);
	if (at == name.end || at == text.len || text.data[at] == '-')
		return none;
	return read_value(text, at, false);
}

static bool ends_authority(char byte)
{
	return is_blank(byte) || is_quote(byte) || byte == '/' || byte == '?' || byte == '#';
}

static bool is_port(struct scd_str text, size_t at)
{
	while (at < text.len && is_digit(text.data[at]))
		at++;
	return at == text.len;
}

/*
 * The password in the user info of the URL whose authority begins at `at`; an empty span where there is none. A text
 * that ends in the authority may have been cut before its '@': what follows the colon then is a port or a secret.
 */
static struct span secret_of_authority(struct scd_str text, size_t at)
{
	struct span secret = { 0, 0 };
	bool is_address = at < text.len && text.data[at] == '['; /* IPv6, with colons of its own */
	size_t colon = 0;

	for (; at < text.len && !ends_authority(text.data[at]); at++) {
		if (text.data[at] == ':' && !colon)
			colon = at;
		if (text.data[at] == '@' && colon)
			secret = (struct span){ colon + 1, at };
	}
	if (at == text.len && colon && !secret.end && !is_address && !is_port(text, colon + 1))
		secret = (struct span){ colon + 1, at };
	return secret;
}

/* Tokens. */

/*
 * How tokens begin, and how many bytes follow at least: of strict ones capitals and digits only. Strict and mixed ones
 * begin where a word begins, the others say enough also as `-tghp_…`.
 */
static const struct token {
	struct scd_str prefix;
	size_t least;
	bool strict, mixed; /* mixed: lower case letters alone are words */
} tokens[] = {
	{ SCD_STR_INIT("AKIA"), 16, true, false },   { SCD_STR_INIT("ASIA"), 16, true, false },
	{ SCD_STR_INIT("ghp_"), 16, false, false },  { SCD_STR_INIT("gho_"), 16, false, false },
	{ SCD_STR_INIT("ghu_"), 16, false, false },  { SCD_STR_INIT("ghs_"), 16, false, false },
	{ SCD_STR_INIT("ghr_"), 16, false, false },  { SCD_STR_INIT("github_pat_"), 16, false, false },
	{ SCD_STR_INIT("xoxa-"), 10, false, false }, { SCD_STR_INIT("xoxb-"), 10, false, false },
	{ SCD_STR_INIT("xoxp-"), 10, false, false }, { SCD_STR_INIT("xoxr-"), 10, false, false },
	{ SCD_STR_INIT("xoxs-"), 10, false, false }, { SCD_STR_INIT("glpat-"), 16, false, false },
	{ SCD_STR_INIT("sk-"), 20, false, true },    { SCD_STR_INIT("eyJ"), 20, false, true },
};

/* Whether the token begins here; looks at no more bytes than the least of a token has. */
static bool is_token(const struct token *token, struct scd_str text)
{
	bool is_mixed = false;

	if (!scd_str_starts_with(text, token->prefix) || text.len < token->prefix.len + token->least)
		return false;
	for (size_t i = token->prefix.len; i < token->prefix.len + token->least; i++) {
		bool plain = is_upper(text.data[i]) || is_digit(text.data[i]);

		if (!is_name_byte(text.data[i]) || (token->strict && !plain))
			return false;
		is_mixed = is_mixed || plain;
	}
	return is_mixed || !token->mixed;
}

/* The token in a run of name bytes, up to the run's end; an empty span where there is none. */
static struct span token_in(struct scd_str text, struct span run)
{
	for (size_t at = run.start; at < run.end; at++) {
		struct scd_str rest = { text.data + at, run.end - at };

		bool glued = at > run.start && is_letter_or_digit(text.data[at - 1]);

		for (size_t i = 0; i < COUNT(tokens); i++)
			if (!(glued && (tokens[i].strict || tokens[i].mixed)) && is_token(&tokens[i], rest))
				return (struct span){ at, run.end };
	}
	return (struct span){ 0, 0 };
}

/* Programs whose -p is a password. */

enum tool { NO_TOOL, MYSQL, SSHPASS };

static const struct {
	struct scd_str name;
	enum tool tool;
} tools[] = {
	{ SCD_STR_INIT("mysql"), MYSQL },          { SCD_STR_INIT("mysqldump"), MYSQL },
	{ SCD_STR_INIT("mysqladmin"), MYSQL },     { SCD_STR_INIT("mysqlimport"), MYSQL },
	{ SCD_STR_INIT("mysqlshow"), MYSQL },      { SCD_STR_INIT("mysqlcheck"), MYSQL },
	{ SCD_STR_INIT("mysqlpump"), MYSQL },      { SCD_STR_INIT("mysqlbinlog"), MYSQL },
	{ SCD_STR_INIT("mysqlslap"), MYSQL },      { SCD_STR_INIT("mariadb"), MYSQL },
	{ SCD_STR_INIT("mariadb-dump"), MYSQL },   { SCD_STR_INIT("mariadb-admin"), MYSQL },
	{ SCD_STR_INIT("mariadb-import"), MYSQL }, { SCD_STR_INIT("mariadb-check"), MYSQL },
	{ SCD_STR_INIT("mariadb-binlog"), MYSQL }, { SCD_STR_INIT("sshpass"), SSHPASS },
};

static enum tool tool_of(struct scd_str name)
{
	for (size_t i = 0; i < COUNT(tools); i++)
		if (scd_str_eq(name, tools[i].name))
			return tools[i].tool;
	return NO_TOOL;
}

/* What -p at `start` is followed by: `-pVALUE`, and of sshpass `-p VALUE`. */
static struct span secret_of_tool(struct scd_str text, size_t start, enum tool tool)
{
	size_t at = start + 2;

	if (tool == NO_TOOL || text.len < at || memcmp(text.data + start, "-p", 2) != 0)
		return (struct span){ 0, 0 };
	if (start > 0 && !is_blank(text.data[start - 1]) && !is_quote(text.data[start - 1]))
		return (struct span){ 0, 0 };
	if (at == text.len || is_blank(text.data[at])) {
		if (tool != SSHPASS)
			return (struct span){ 0, 0 };
		at = skip_blanks(text, at);
	}
	return read_value(text, at, false);
}

/* The walk. */

struct walk {
	struct scd_str text;
	size_t at;
	enum tool tool; /* of the command that is being read */
};

static bool ends_command(char byte)
{
	return byte == ';' || byte == '|' || byte == '&' || byte == '\n';
}

/* The secret of a name that begins at the walk's place, which moves behind the name. */
static struct span secret_at_name(struct walk *walk)
{
	struct span name = { walk->at, skip_name(walk->text, walk->at) };
	struct span found = secret_of_tool(walk->text, name.start, walk->tool);
	enum tool tool = tool_of((struct scd_str){ walk->text.data + name.start, name.end - name.start });

	walk->at = name.end;
	walk->tool = tool ? tool : walk->tool;
	if (found.end <= found.start)
		found = secret_of_name(walk->text, name);
	return found.end > found.start ? found : token_in(walk->text, name);
}

/* Finds the next secret and moves behind what was looked at. */
static bool next_secret(struct walk *walk, struct span *ret_secret)
{
	struct scd_str text = walk->text;
	size_t *at = &walk->at;

	while (*at < text.len) {
		struct span found = { 0, 0 };
		size_t start = *at;

		if (ends_command(text.data[start]))
			walk->tool = NO_TOOL;
		if (is_name_byte(text.data[start])) {
			found = secret_at_name(walk);
		} else if (text.len - start > 3 && memcmp(text.data + start, "://", 3) == 0) {
			*at = start + 3;
			found = secret_of_authority(text, *at);
		} else {
			*at = start + 1;
		}
		if (found.end > found.start) {
			*at = found.end;
			*ret_secret = found;
			return true;
		}
	}
	return false;
}

static char *put(char *out, const char *data, size_t len)
{
	return (char *)memcpy(out, data, len) + len;
}

/* Length of the text with its secrets masked. Written to out as well unless that is NULL. */
static size_t mask_secrets(struct scd_str text, char *out)
{
	struct walk walk = { .text = text };
	size_t copied = 0, len = 0;
	struct span secret;

	while (next_secret(&walk, &secret)) {
		if (out) {
			out = put(out, text.data + copied, secret.start - copied);
			out = put(out, MASK.data, MASK.len);
		}
		len += secret.start - copied + MASK.len;
		copied = secret.end;
	}
	if (out)
		put(out, text.data + copied, text.len - copied);
	return len + text.len - copied;
}

struct scd_str scd_redact_text(struct scd_str text, struct scd_arena *arena)
{
	struct walk walk = { .text = text };
	struct span first;
	size_t len;
	char *out;

	if (!next_secret(&walk, &first))
		return text;
	len = mask_secrets(text, NULL);
	out = scd_arena_alloc(arena, len);
	if (!out)
		return (struct scd_str){ NULL, 0 };
	mask_secrets(text, out);
	return (struct scd_str){ out, len };
}

/* `--NAME=value` with a secret NAME: where the value begins, else 0. */
static size_t option_value(struct scd_str argument)
{
	size_t end = skip_name(argument, 0);

	if (end < 2 || end == argument.len || argument.data[0] != '-' || argument.data[end] != '=')
		return 0;
	return is_secret_name((struct scd_str){ argument.data, end }) ? end + 1 : 0;
}

static struct scd_str base_name(struct scd_str path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
	size_t at = slash ? (size_t)(slash - path.data) + 1 : 0;

	return slash ? (struct scd_str){ slash + 1, path.len - at } : path;
}

struct scd_str scd_redact_argument(struct scd_str program, struct scd_str previous, struct scd_str argument,
                                   struct scd_arena *arena)
{
	enum tool tool = tool_of(base_name(program));
	size_t value;

	if (!argument.len)
		return argument;
	if (tool == SSHPASS && scd_str_is(previous, "-p"))
		return MASK;
	if (tool && argument.len > 2 && scd_str_starts_with(argument, SCD_STR("-p")))
		return scd_arena_printf(arena, "-p" SCD_STR_FMT, SCD_STR_ARG(MASK));
	if (argument.data[0] != '-' && scd_redact_names_secret(previous))
		return MASK;
	value = option_value(argument);
	if (value == 0 || value == argument.len)
		return scd_redact_text(argument, arena);
	return scd_arena_printf(arena, SCD_STR_FMT SCD_STR_FMT, (int)value, argument.data, SCD_STR_ARG(MASK));
}

bool scd_redact_names_secret(struct scd_str argument)
{
	return argument.len > 1 && argument.data[0] == '-' && skip_name(argument, 0) == argument.len &&
	       takes_secret(argument);
}
