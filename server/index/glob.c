/*
 * Shell patterns, with the meaning of glibc's fnmatch(3) in the C locale.
 *
 *    ?         any byte
 *    *         any bytes, also none
 *    \c        the byte c; a backslash at the end of the pattern matches nothing
 *    [...]     one byte of a set: bytes, ranges a-z, classes [:alpha:], [=a=] and [.a.]; after ! or ^ any other byte.
 *              `]` is a member when it comes first. Without a closing bracket, `[` is an ordinary byte.
 *    c         itself
 *
 * Every element but `*` matches exactly one byte, so of all stars only the last one that was reached needs to be
 * tried again: what an earlier star could gain by taking more, the last one can gain too.
 *
 *    pattern   a*b*cd      the text is read on until an element does not match, then again from one byte behind
 *                 ^        where the last star had stopped, with the pattern set back to that star
 *
 * That is at most text * pattern steps. Patterns are read once, and an expression becomes a set of bytes: a bracket
 * that is not closed after all, as in `[[[[\]`, would be read to the end each time it is met.
 *
 * With folding, ASCII letters of the pattern and the text count as lower case, also as ends of ranges; classes, [=a=]
 * and [.a.] look at the byte as it is. So does FNM_CASEFOLD.
 *
 * Where an expression ends, and whether it does, depends on the pattern alone. In fnmatch it may depend on the text as
 * well, for what POSIX leaves undefined: a range that ends with a class or at the end of the pattern, and [=...=] and
 * [....] of another length than one.
 */
#include "seccheckd/index/glob.h"
#include "seccheckd/base/array.h"

#include <string.h>

static unsigned char fold_byte(unsigned char c, bool fold)
{
	return fold && c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

struct range {
	unsigned char low, high;
};

static const struct character_class {
	const char *name;
	size_t count;
	struct range ranges[4];
} classes[] = {
	{ "alnum", 3, { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } } },
	{ "alpha", 2, { { 'A', 'Z' }, { 'a', 'z' } } },
	{ "blank", 2, { { '\t', '\t' }, { ' ', ' ' } } },
	{ "cntrl", 2, { { 0x00, 0x1f }, { 0x7f, 0x7f } } },
	{ "digit", 1, { { '0', '9' } } },
	{ "graph", 1, { { 0x21, 0x7e } } },
	{ "lower", 1, { { 'a', 'z' } } },
	{ "print", 1, { { 0x20, 0x7e } } },
	{ "punct", 4, { { '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' } } },
	{ "space", 2, { { '\t', '\r' }, { ' ', ' ' } } },
	{ "upper", 1, { { 'A', 'Z' } } },
	{ "xdigit", 3, { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } } },
};

static const struct character_class *find_class(struct scd_str name)
{
	for (size_t i = 0; i < SCD_COUNT(classes); i++) {
		if (scd_str_is(name, classes[i].name))
			return &classes[i];
	}
	return NULL;
}

static bool class_has(const struct character_class *class, unsigned char byte)
{
	for (size_t i = 0; i < class->count; i++) {
		if (class->ranges[i].low <= byte && byte <= class->ranges[i].high)
			return true;
	}
	return false;
}

/* A pattern that is being read. */
struct reader {
	struct scd_str pattern;
	size_t at;
	bool fold;
};

/* The byte so far ahead, or -1 at the end. */
static int peek(const struct reader *r, size_t ahead)
{
	return r->at + ahead < r->pattern.len ? (unsigned char)r->pattern.data[r->at + ahead] : -1;
}

enum verdict {
	NO,
	YES,
	NEVER, /* a class that there is none of: the expression matches nothing, negated or not */
	OPEN,  /* the pattern ends before the expression does, which is none then */
};

/* Whether `[:name:]` stands here. No name of a class has a z; fnmatch does not take one for a class either. */
static bool read_class_name(struct reader *r, struct scd_str *ret_name)
{
	size_t len = 0;

	if (peek(r, 0) != '[' || peek(r, 1) != ':')
		return false;
	while (peek(r, 2 + len) >= 'a' && peek(r, 2 + len) < 'z')
		len++;
	if (peek(r, 2 + len) != ':' || peek(r, 3 + len) != ']')
		return false;
	*ret_name = (struct scd_str){ r->pattern.data + r->at + 2, len };
	r->at += len + 4;
	return true;
}

/* Whether `[=c=]` or `[.c.]` stands here. */
static bool read_symbol(struct reader *r, char mark, unsigned char *ret_byte)
{
	if (peek(r, 0) != '[' || peek(r, 1) != mark || peek(r, 3) != mark || peek(r, 4) != ']')
		return false;
	*ret_byte = (unsigned char)peek(r, 2);
	r->at += 5;
	return true;
}

/* A byte that stands alone or at an end of a range. */
struct bound {
	unsigned char byte;
	bool as_is; /* not folded */
};

/* False where the pattern ends first, also behind a backslash. */
static bool read_bound(struct reader *r, struct bound *ret_bound)
{
	ret_bound->as_is = read_symbol(r, '.', &ret_bound->byte);
	if (ret_bound->as_is)
		return true;
	if (peek(r, 0) == '\\')
		r->at++;
	if (peek(r, 0) < 0)
		return false;
	ret_bound->byte = fold_byte((unsigned char)peek(r, 0), r->fold);
	r->at++;
	return true;
}

/* Reads a byte or a range. */
static enum verdict range_has(struct reader *r, unsigned char byte)
{
	unsigned char folded = fold_byte(byte, r->fold);
	struct bound low, high;

	if (!read_bound(r, &low))
		return OPEN;
	if (peek(r, 0) != '-' || peek(r, 1) == ']')
		return low.byte == (low.as_is ? byte : folded) ? YES : NO;
	r->at++;
	if (!read_bound(r, &high))
		return OPEN;
	return low.byte <= folded && folded <= high.byte ? YES : NO;
}

/* Reads one member of an expression. */
static enum verdict member_has(struct reader *r, unsigned char byte)
{
	const struct character_class *class;
	unsigned char symbol;
	struct scd_str name;

	if (read_class_name(r, &name)) {
		class = find_class(name);
		if (!class)
			return NEVER;
		return class_has(class, byte) ? YES : NO;
	}
	if (read_symbol(r, '=', &symbol))
		return symbol == byte ? YES : NO;
	return range_has(r, byte);
}

/* Reads an expression behind its `[`. */
static enum verdict expression_has(struct reader *r, unsigned char byte)
{
	bool negated = peek(r, 0) == '!' || peek(r, 0) == '^';
	bool has = false;

	r->at += negated;
	do {
		enum verdict verdict = member_has(r, byte);

		if (verdict == OPEN || (verdict == NEVER && !has))
			return verdict;
		has = has || verdict == YES;
	} while (peek(r, 0) != ']');
	r->at++;
	return has != negated ? YES : NO;
}

/* Reads an element that is not a star. Where the reader stands after a false does not matter. */
static bool element_has(struct reader *r, size_t last_close, unsigned char byte)
{
	unsigned char c = (unsigned char)peek(r, 0);

	r->at++;
	if (c == '?')
		return true;
	if (c == '[' && r->at < last_close) {
		struct reader inner = *r;
		enum verdict verdict = expression_has(&inner, byte);

		if (verdict != OPEN) {
			*r = inner;
			return verdict == YES;
		}
	}
	if (c == '\\') {
		if (peek(r, 0) < 0)
			return false;
		c = (unsigned char)peek(r, 0);
		r->at++;
	}
	return fold_byte(c, r->fold) == fold_byte(byte, r->fold);
}

/* Offset of the last `]` of a pattern, 0 if there is none: no expression starts behind it. */
static size_t find_last_close(struct scd_str pattern)
{
	const char *close = pattern.len > 0 ? memrchr(pattern.data, ']', pattern.len) : NULL;

	return close ? (size_t)(close - pattern.data) : 0;
}

/* What one element matches. */
enum kind { STAR, ANY, BYTE, SET, NOTHING };

struct element {
	uint8_t kind;
	unsigned char byte; /* BYTE: folded */
	uint16_t set;       /* SET: which */
};

struct set {
	uint64_t words[4];
};

struct scd_glob {
	const struct element *elements;
	size_t count;
	const struct set *sets;
	bool fold;
};

static bool set_has(const struct set *set, unsigned char byte)
{
	return set->words[byte / 64] >> (byte % 64) & 1;
}

/* What an element of brackets matches, and where the next one is; for ends that depend on the text, see above. */
static struct set read_set(struct reader *r, size_t last_close)
{
	struct set set = { 0 };
	struct reader behind = *r;

	behind.at++;
	for (unsigned byte = 0; byte < 256; byte++) {
		struct reader inner = *r;

		if (!element_has(&inner, last_close, (unsigned char)byte))
			continue;
		set.words[byte / 64] |= UINT64_C(1) << byte % 64;
		behind = inner;
	}
	*r = behind;
	return set;
}

/* A set of brackets that matches nothing ends the match, so it does not matter where the next element is. */
static struct element read_element(struct reader *r, size_t last_close, struct set *sets, size_t *set_count)
{
	int c = peek(r, 0);

	if (c == '[' && r->at + 1 < last_close) {
		sets[*set_count] = read_set(r, last_close);
		return (struct element){ SET, 0, (uint16_t)(*set_count)++ };
	}
	r->at++;
	if (c == '*' || c == '?')
		return (struct element){ c == '*' ? STAR : ANY, 0, 0 };
	if (c == '\\') {
		c = peek(r, 0);
		if (c < 0)
			return (struct element){ NOTHING, 0, 0 };
		r->at++;
	}
	return (struct element){ BYTE, fold_byte((unsigned char)c, r->fold), 0 };
}

static size_t count_brackets(struct scd_str pattern)
{
	size_t count = 0;

	for (size_t i = 0; i < pattern.len; i++)
		count += pattern.data[i] == '[';
	return count;
}

const struct scd_glob *scd_glob_new(struct scd_str pattern, bool fold, struct scd_arena *arena)
{
	struct scd_glob *glob = scd_arena_zalloc(arena, 1, sizeof(*glob));
	struct element *elements = scd_arena_zalloc(arena, pattern.len + 1, sizeof(*elements));
	struct set *sets = scd_arena_zalloc(arena, count_brackets(pattern) + 1, sizeof(*sets));
	struct reader r = { .pattern = pattern, .fold = fold };
	size_t last_close = find_last_close(pattern), set_count = 0;

	if (!glob || !elements || !sets)
		return NULL;
	while (peek(&r, 0) >= 0)
		elements[glob->count++] = read_element(&r, last_close, sets, &set_count);
	glob->elements = elements;
	glob->sets = sets;
	glob->fold = fold;
	return glob;
}

static bool matches_byte(const struct scd_glob *glob, const struct element *element, unsigned char byte)
{
	switch (element->kind) {
	case ANY: return true;
	case BYTE: return element->byte == fold_byte(byte, glob->fold);
	case SET: return set_has(&glob->sets[element->set], byte);
	default: return false;
	}
}

bool scd_glob_matches(const struct scd_glob *glob, struct scd_str text)
{
	size_t star = SIZE_MAX; /* the element behind the last star */
	size_t star_text = 0;   /* where its text ends so far */
	size_t at = 0, i = 0;

	while (at < text.len) {
		if (i < glob->count && glob->elements[i].kind == STAR) {
			star = ++i;
			star_text = at;
		} else if (i < glob->count && matches_byte(glob, &glob->elements[i], (unsigned char)text.data[at])) {
			at++;
			i++;
		} else if (star == SIZE_MAX) {
			return false;
		} else {
			i = star;
			at = ++star_text;
		}
	}
	while (i < glob->count && glob->elements[i].kind == STAR)
		i++;
	return i == glob->count;
}
