/*
 * RE2 behind functions that C can call; the only C++ of the project.
 *
 * No exception leaves this file: what RE2 cannot allocate is -ENOMEM, or no match. It never writes to standard error
 * (log_errors).
 */
extern "C" {
#include "seccheckd/index/regex.h"

#include "seccheckd/base/limits.h"
}

#include <errno.h>
#include <re2/re2.h>
#include <string.h>

namespace
{

constexpr char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */
constexpr size_t REPLACEMENT_BYTES = sizeof(REPLACEMENT) - 1;

constexpr char CUT[] = "<...>"; /* SCD_FIELD_CUT of the engine */
constexpr size_t CUT_BYTES = sizeof(CUT) - 1;

re2::StringPiece piece(struct scd_str text)
{
	return re2::StringPiece(text.len > 0 ? text.data : "", text.len);
}

re2::RE2::Options options(size_t max_bytes)
{
	re2::RE2::Options options(re2::RE2::POSIX);

	options.set_log_errors(false);
	options.set_never_capture(true);
	options.set_max_mem(static_cast<int64_t>(max_bytes));
	return options;
}

struct scd_str behind(struct scd_str text, size_t bytes)
{
	return scd_str{ text.data + bytes, text.len - bytes };
}

/* Bytes that begin no valid sequence. */
size_t count_bad_bytes(struct scd_str text)
{
	size_t count = 0;

	while (text.len > 0) {
		size_t len = scd_str_utf8_length(text);

		count += len == 0;
		text = behind(text, len > 0 ? len : 1);
	}
	return count;
}

/* Leaves out the middle of a text that is too long for a pattern. False without memory. */
bool cut(struct scd_str *text, size_t max_bytes, struct scd_arena *scratch)
{
	size_t half = max_bytes / 2;
	char *copy;

	if (text->len <= max_bytes)
		return true;
	copy = static_cast<char *>(scd_arena_alloc(scratch, 2 * half + CUT_BYTES));
	if (!copy)
		return false;
	memcpy(copy, text->data, half);
	memcpy(copy + half, CUT, CUT_BYTES);
	memcpy(copy + half + CUT_BYTES, text->data + (text->len - half), half);
	*text = scd_str{ copy, 2 * half + CUT_BYTES };
	return true;
}

/* False without memory. A text without bad bytes stays what it is. */
bool make_utf8(struct scd_str *text, struct scd_arena *scratch)
{
	size_t bad = count_bad_bytes(*text), len = text->len + bad * (REPLACEMENT_BYTES - 1), at = 0;
	char *copy;

	if (bad == 0)
		return true;
	copy = static_cast<char *>(scd_arena_alloc(scratch, len));
	if (!copy)
		return false;
	for (struct scd_str rest = *text; rest.len > 0;) {
		size_t valid = scd_str_utf8_length(rest);

		memcpy(copy + at, valid > 0 ? rest.data : REPLACEMENT, valid > 0 ? valid : REPLACEMENT_BYTES);
		at += valid > 0 ? valid : REPLACEMENT_BYTES;
		rest = behind(rest, valid > 0 ? valid : 1);
	}
	*text = scd_str{ copy, len };
	return true;
}

} // namespace

struct scd_regex {
	re2::RE2 *re2 = nullptr;
	size_t most_text = 0; /* bytes of a text that it sees */

	~scd_regex() { delete re2; }
};

namespace
{

/* In the place of what the regex has; where it fails, nothing changes. */
int compile(struct scd_regex *regex, struct scd_str pattern, size_t max_bytes, struct scd_error *err)
{
	re2::RE2 *re2 = new re2::RE2(piece(pattern), options(max_bytes));

	if (!re2->ok()) {
		scd_error_set(err, -EINVAL, "invalid regular expression: %s", re2->error().c_str());
		delete re2;
		return -EINVAL;
	}
	if (re2->ProgramSize() > static_cast<int>(SCD_LIMIT_REGEX_PROGRAM)) {
		scd_error_set(err, -EINVAL, "the regular expression has %d steps, and at most %u are allowed",
		              re2->ProgramSize(), SCD_LIMIT_REGEX_PROGRAM);
		delete re2;
		return -EINVAL;
	}
	delete regex->re2;
	regex->re2 = re2;
	regex->most_text = SCD_LIMIT_REGEX_WORK / static_cast<size_t>(re2->ProgramSize() + 1);
	return 0;
}

} // namespace

extern "C" int scd_regex_new(struct scd_str pattern, struct scd_regex **ret_regex, struct scd_error *err)
{
	struct scd_regex *regex = nullptr;
	int r = -ENOMEM;

	try {
		regex = new scd_regex;
		r = compile(regex, pattern, SCD_LIMIT_REGEX_BYTES, err);
	} catch (...) {
		r = -ENOMEM;
	}
	if (r == 0)
		*ret_regex = regex;
	else
		delete regex;
	return r;
}

extern "C" int scd_regex_limit(struct scd_regex *regex, size_t max_bytes, struct scd_error *err)
{
	try {
		return compile(regex, scd_regex_pattern(regex), max_bytes, err);
	} catch (...) {
		return -ENOMEM;
	}
}

extern "C" void scd_regex_free(struct scd_regex **regex)
{
	delete *regex;
	*regex = nullptr;
}

extern "C" struct scd_str scd_regex_pattern(const struct scd_regex *regex)
{
	const std::string &pattern = regex->re2->pattern();

	return scd_str{ pattern.data(), pattern.size() };
}

extern "C" bool scd_regex_matches(const struct scd_regex *regex, struct scd_str text, struct scd_arena *scratch)
{
	if (!cut(&text, regex->most_text, scratch) || !make_utf8(&text, scratch))
		return false;
	try {
		return regex->re2->Match(piece(text), 0, text.len, re2::RE2::ANCHOR_BOTH, nullptr, 0);
	} catch (...) {
		return false;
	}
}
