/*
 * Paths joined and made plain, against what Falco makes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/path.h"
#include "tests/support/rng.h"

static struct scd_arena arena;

static int set_up(void **state)
{
	(void)state;
	scd_arena_init(&arena, 4096, 1u << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scd_arena_done(&arena);
	return 0;
}

static void test_join__rows(void **state)
{
	(void)state;
	static const struct {
		const char *base, *path, *joined; /* joined NULL: cannot be told */
	} rows[] = {
		{ "", "/a", "/a" },
		{ "", "/", "/" },
		{ "", "//", "/" },
		{ "", "/a/", "/a" },
		{ "", "/a//b", "/a/b" },
		{ "", "/a/./b/.", "/a/b" },
		{ "", "/a/../b", "/b" },
		{ "", "/..", "/" },
		{ "", "/../../a", "/a" },
		{ "", "/a/..", "/" },
		{ "", "/.a/..b/c.", "/.a/..b/c." },
		{ "", "/a/...", "/a/..." },
		{ "/x", "/a", "/a" },
		{ "/x", "a", "/x/a" },
		{ "/x/", "a", "/x/a" },
		{ "/x//y", "a", "/x/y/a" },
		{ "/", "a", "/a" },
		{ "/x/y", "..", "/x" },
		{ "/x/y", "../../..", "/" },
		{ "/x", ".", "/x" },
		{ "/x", "./", "/x" },
		{ "", "a", NULL },
		{ "x", "a", NULL },
		{ "/x", "", NULL },
	};
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_str joined;
		bool told = scd_path_join(scd_str_from(rows[i].base), scd_str_from(rows[i].path), &arena, &joined);
		if (told != (rows[i].joined != NULL) || (told && !scd_str_is(joined, rows[i].joined)))
			fail_msg("'%s' + '%s' is '" SCD_STR_FMT "'", rows[i].base, rows[i].path,
			         told ? (int)joined.len : 4, told ? joined.data : "none");
	}
}

static void test_join__of_a_plain_path_copies_nothing(void **state)
{
	(void)state;
	struct scd_str path = SCD_STR("/usr/bin/env"), joined;
	assert_true(scd_path_join((struct scd_str){ NULL, 0 }, path, &arena, &joined));
	assert_ptr_equal(joined.data, path.data);
	assert_int_equal(arena.used_bytes, 0);
}

static void test_join_into__needs_room_unless_nothing_is_written(void **state)
{
	(void)state;
	char buffer[16];
	struct scd_str joined;
	assert_true(scd_path_join_into(SCD_STR("/srv/www"), SCD_STR("a/../b"), buffer, 16, &joined));
	assert_true(scd_str_is(joined, "/srv/www/b"));
	assert_ptr_equal(joined.data, buffer);
	assert_false(scd_path_join_into(SCD_STR("/srv/www"), SCD_STR("a/../b"), buffer, 15, &joined));
	assert_true(scd_path_join_into(SCD_STR("/srv/www"), SCD_STR("/plain"), NULL, 0, &joined));
	assert_true(scd_str_is(joined, "/plain"));
	assert_false(scd_path_join_into(SCD_STR("srv"), SCD_STR("b"), buffer, 16, &joined));
}

static void test_squeeze__rows(void **state)
{
	(void)state;
	static const struct {
		const char *path, *squeezed;
	} rows[] = { { "", "" },           { "/", "/" },      { "//", "/" }, { "a//b///c", "a/b/c" },
		     { "/a/b/", "/a/b/" }, { "//a//", "/a/" } };
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_str squeezed;
		assert_true(scd_path_squeeze(scd_str_from(rows[i].path), &arena, &squeezed));
		assert_true(scd_str_is(squeezed, rows[i].squeezed));
	}
}

/* The model: a stack of parts, one at a time. */
static size_t model_parts(char parts[][64], size_t count, const char *path)
{
	char text[512];
	snprintf(text, sizeof(text), "%s", path);
	char *position = NULL;
	for (char *part = strtok_r(text, "/", &position); part; part = strtok_r(NULL, "/", &position)) {
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0)
			count -= count > 0;
		else
			snprintf(parts[count++], 64, "%s", part);
	}
	return count;
}

static void model_join(const char *base, const char *path, char out[1024])
{
	static char parts[256][64];
	size_t count = path[0] == '/' ? 0 : model_parts(parts, 0, base), len = 0;
	count = model_parts(parts, count, path);
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(out + len, 1024 - len, "/%s", parts[i]);
	if (count == 0)
		snprintf(out, 1024, "/");
}

static void random_path(struct scd_rng *rng, char *out, size_t most)
{
	static const char letters[] = "//..ab";
	size_t len = 1 + scd_rng_below(rng, most - 1);
	for (size_t i = 0; i < len; i++)
		out[i] = letters[scd_rng_below(rng, sizeof(letters) - 1)];
	out[len] = '\0';
}

static void test_join__agrees_with_a_stack_of_parts(void **state)
{
	(void)state;
	struct scd_rng rng = scd_rng_start("test_join__agrees_with_a_stack_of_parts");
	for (unsigned i = 0; i < 20000; i++) {
		char base[40] = "/", path[40], expected[1024];
		struct scd_str joined;
		random_path(&rng, base + 1, sizeof(base) - 2);
		random_path(&rng, path, sizeof(path) - 1);
		model_join(base, path, expected);
		assert_true(scd_path_join(scd_str_from(base), scd_str_from(path), &arena, &joined));
		if (!scd_str_is(joined, expected))
			fail_msg("'%s' + '%s' is '" SCD_STR_FMT "', expected '%s'", base, path, SCD_STR_ARG(joined),
			         expected);
		scd_arena_reset(&arena);
	}
}

static void test_join__needs_memory(void **state)
{
	(void)state;
	struct scd_arena small;
	struct scd_str joined;
	scd_arena_init(&small, 64, 64);
	assert_false(scd_path_join(SCD_STR("/a-folder-with-a-name-that-is-longer-than-the-whole-arena"),
	                           SCD_STR("a-file-with-a-name-that-is-as-long"), &small, &joined));
	scd_arena_done(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_join__rows),
		TEST(test_join__of_a_plain_path_copies_nothing),
		TEST(test_join_into__needs_room_unless_nothing_is_written),
		TEST(test_squeeze__rows),
		TEST(test_join__agrees_with_a_stack_of_parts),
		TEST(test_join__needs_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
