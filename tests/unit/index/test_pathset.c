/*
 * Path prefixes: a table, and as the model every member compared part by part with fnmatch(3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/index/pathset.h"
#include "tests/support/rng.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MOST_MEMBERS    6

static int make_arena(void **state)
{
	static struct scd_arena arena;

	scd_arena_init(&arena, 4096, (size_t)256 << 20);
	*state = &arena;
	return 0;
}

static int drop_arena(void **state)
{
	scd_arena_done(*state);
	return 0;
}

static const struct scd_pathset *make_set(struct scd_arena *arena, const char *const *members, size_t count)
{
	struct scd_str texts[MOST_MEMBERS];
	const struct scd_pathset *set;

	for (size_t i = 0; i < count; i++)
		texts[i] = scd_str_from(members[i]);
	set = scd_pathset_new(texts, count, arena);
	assert_non_null(set);
	return set;
}

static const struct {
	const char *members[MOST_MEMBERS];
	const char *path;
	bool matches;
} rows[] = {
	/* clang-format off */
	{ { NULL }, "/a", false },
	{ { NULL }, "", false },
	{ { "/" }, "/a", true },
	{ { "/" }, "", true },
	{ { "" }, "a", true },
	{ { "///" }, "/", true },
	{ { "/a" }, "/a", true },
	{ { "/a" }, "/a/b", true },
	{ { "/a" }, "/ab", false },
	{ { "/a" }, "/", false },
	{ { "/a" }, "", false },
	{ { "/a" }, "a", true },
	{ { "a/" }, "/a//b", true },
	{ { "/a/b" }, "/a", false },
	{ { "/a/b" }, "//a/b/", true },
	{ { "/a/b" }, "/b/a/b", false },
	{ { "/a/b", "/a" }, "/a/c", true },
	{ { "/a", "/a/b" }, "/a/c", true },
	{ { "/a/b", "/a/c" }, "/a/c/d", true },
	{ { "/a/b", "/a/c" }, "/a/d", false },
	{ { "/A" }, "/a", false },
	{ { "/a/*" }, "/a/b", true },
	{ { "/a/*" }, "/a", false },
	{ { "/a/*/c" }, "/a/b/c/d", true },
	{ { "/a/*/c" }, "/a/b/d/c", false },
	{ { "/*" }, "/.hidden", true },
	{ { "/a?" }, "/ab/c", true },
	{ { "/a?" }, "/a/b", false },
	{ { "/a[bc]" }, "/ac", true },
	{ { "/a[bc]" }, "/ad", false },
	{ { "/[a]" }, "/[a]", false },
	{ { "/[a" }, "/[a", true },
	{ { "/*.so" }, "/lib.so", true },
	{ { "/a\\b" }, "/a\\b", true },
	{ { "/a\\b" }, "/ab", false },
	{ { "/a\\*" }, "/a*", true },
	{ { "/a\\*" }, "/ab", false },
	/* several that match a part, of which the first or the last goes on */
	{ { "/a*/x", "/*b/y" }, "/ab/x", true },
	{ { "/a*/x", "/*b/y" }, "/ab/y", true },
	{ { "/ab/x", "/a*/y", "/*/z" }, "/ab/y", true },
	{ { "/ab/x", "/a*/y", "/*/z" }, "/ab/z", true },
	{ { "/ab/x", "/a*/y", "/*/z" }, "/ab/w", false },
	{ { "/*/*/c", "/a/b/d", "/a/*/e" }, "/a/b/c", true },
	{ { "/*/*/c", "/a/b/d", "/a/*/e" }, "/a/b/d", true },
	{ { "/*/*/c", "/a/b/d", "/a/*/e" }, "/a/b/e", true },
	{ { "/*/*/c", "/a/b/d", "/a/*/e" }, "/b/b/e", false },
	/* clang-format on */
};

static void test_pathset__matches_parts_that_lead_to_the_end_of_a_member(void **state)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t count = 0;

		while (count < MOST_MEMBERS && rows[i].members[count])
			count++;
		if (scd_pathset_matches(make_set(*state, rows[i].members, count), scd_str_from(rows[i].path)) !=
		    rows[i].matches)
			fail_msg("row %zu, path `%s`", i, rows[i].path);
	}
}

/* Copies the next part, which *rest is moved behind; false at the end. */
static bool copy_part(const char **rest, char *part)
{
	size_t len;

	*rest += strspn(*rest, "/");
	len = strcspn(*rest, "/");
	memcpy(part, *rest, len);
	part[len] = '\0';
	*rest += len;
	return len > 0;
}

static bool part_matches(const char *part, const char *name)
{
	return strpbrk(part, "?*[") ? fnmatch(part, name, 0) == 0 : strcmp(part, name) == 0;
}

/* Whether the parts of the member are a prefix of the parts of the path. */
static bool member_matches(const char *member, const char *path)
{
	char part[32], name[32];

	while (copy_part(&member, part)) {
		if (!copy_part(&path, name) || !part_matches(part, name))
			return false;
	}
	return true;
}

static bool any_member_matches(const char *const *members, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++) {
		if (member_matches(members[i], path))
			return true;
	}
	return false;
}

static void put_random_path(struct scd_rng *rng, char *out, const char *const *parts, size_t count)
{
	size_t len = 0;

	out[0] = '\0';
	for (uint64_t n = scd_rng_below(rng, 5); n > 0; n--)
		len += (size_t)snprintf(out + len, 32 - len, "%s%s", scd_rng_below(rng, 8) ? "/" : "//",
		                        parts[scd_rng_below(rng, count)]);
}

static void test_pathset__agrees_with_every_member_tried_in_turn(void **state)
{
	static const char *const patterns[] = { "a", "b", "ab", "*", "a*", "*b", "?", "[a]", "[!a]", "a\\b" };
	static const char *const names[] = { "a", "b", "ab", "bb", "a\\b", "[a]", "c" };
	struct scd_rng rng = scd_rng_start("pathset");
	unsigned matches = 0;

	for (unsigned round = 0; round < 20000; round++) {
		size_t count = scd_rng_below(&rng, MOST_MEMBERS + 1);
		const char *members[MOST_MEMBERS];
		char texts[MOST_MEMBERS][32], path[32];
		const struct scd_pathset *set;

		for (size_t i = 0; i < count; i++) {
			put_random_path(&rng, texts[i], patterns, COUNT_OF(patterns));
			members[i] = texts[i];
		}
		set = make_set(*state, members, count);
		for (unsigned i = 0; i < 8; i++) {
			bool expected;

			put_random_path(&rng, path, names, COUNT_OF(names));
			expected = any_member_matches(members, count, path);
			matches += expected;
			assert_int_equal(scd_pathset_matches(set, scd_str_from(path)), expected);
		}
		scd_arena_reset(*state);
	}
	assert_true(matches > 10000);
}

static void test_pathset__borrows_nothing(void **state)
{
	char text[] = "/usr/b*";
	struct scd_str member = scd_str_from(text);
	const struct scd_pathset *set = scd_pathset_new(&member, 1, *state);

	memset(text, 'x', sizeof(text));
	assert_true(scd_pathset_matches(set, SCD_STR("/usr/bin")));
}

static void test_pathset__finds_each_of_many_members(void **state)
{
	enum { MANY = 100000 };
	struct scd_str *members = scd_arena_zalloc(*state, MANY, sizeof(*members));
	const struct scd_pathset *set;

	for (unsigned i = 0; i < MANY; i++)
		members[i] = scd_arena_printf(*state, "/srv/%u/%u", i / 100, i % 100);
	set = scd_pathset_new(members, MANY, *state);
	assert_non_null(set);
	for (unsigned i = 0; i < MANY; i++)
		assert_true(scd_pathset_matches(set, members[i]));
	assert_false(scd_pathset_matches(set, SCD_STR("/srv/1000/0")));
	assert_false(scd_pathset_matches(set, SCD_STR("/srv/1")));
}

/* As many patterns beside each other as a constant has parts, and a path that meets them all. */
static void test_pathset__takes_the_longest_constant_and_no_longer_one(void **state)
{
	char text[SCD_LIMIT_CONSTANT_BYTES + 1], path[1024];
	struct scd_str member = { text, SCD_LIMIT_CONSTANT_BYTES };
	const struct scd_pathset *set;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "*/"[i % 2];
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = "a/"[i % 2];
	set = scd_pathset_new(&member, 1, *state);
	assert_non_null(set);
	assert_true(scd_pathset_matches(set, (struct scd_str){ path, sizeof(path) }));
	assert_false(scd_pathset_matches(set, (struct scd_str){ path, 100 }));
	member.len++;
	assert_null(scd_pathset_new(&member, 1, *state));
}

static void test_pathset__passes_over_parts_longer_than_any_constant(void **state)
{
	static const char *const members[] = { "/a/b", "/*/c" };
	const struct scd_pathset *set = make_set(*state, members, COUNT_OF(members));
	char path[5000];

	memset(path, 'a', sizeof(path));
	assert_false(scd_pathset_matches(set, (struct scd_str){ path, sizeof(path) }));
	memcpy(path + sizeof(path) - 2, "/c", 2);
	assert_true(scd_pathset_matches(set, (struct scd_str){ path, sizeof(path) }));
}

static void test_pathset__is_null_without_memory(void **state)
{
	static const struct scd_str members[] = { SCD_STR_INIT("/a/b"), SCD_STR_INIT("/a/*"), SCD_STR_INIT("/c") };
	unsigned failures = 0;

	(void)state;
	for (size_t max_bytes = 16;; max_bytes += 16) {
		const struct scd_pathset *set;
		struct scd_arena arena;

		scd_arena_init(&arena, 32, max_bytes);
		set = scd_pathset_new(members, COUNT_OF(members), &arena);
		scd_arena_done(&arena);
		if (set)
			break;
		failures++;
	}
	assert_true(failures > 5);
}

#define PATHSET_TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, drop_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PATHSET_TEST(test_pathset__matches_parts_that_lead_to_the_end_of_a_member),
		PATHSET_TEST(test_pathset__agrees_with_every_member_tried_in_turn),
		PATHSET_TEST(test_pathset__borrows_nothing),
		PATHSET_TEST(test_pathset__finds_each_of_many_members),
		PATHSET_TEST(test_pathset__takes_the_longest_constant_and_no_longer_one),
		PATHSET_TEST(test_pathset__passes_over_parts_longer_than_any_constant),
		PATHSET_TEST(test_pathset__is_null_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
