/*
 * An arena for each test of this folder, as cmocka's state, and the parser without its ceremony.
 */
#ifndef SCD_TESTS_UNIT_LANG_FIXTURE_H
#define SCD_TESTS_UNIT_LANG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/lang/ast.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static inline int make_arena(void **state)
{
	struct scd_arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return -1;
	scd_arena_init(arena, 4096, (size_t)256 << 20);
	*state = arena;
	return 0;
}

static inline int drop_arena(void **state)
{
	struct scd_arena *arena = *state;

	scd_arena_done(arena);
	free(arena);
	return 0;
}

/* The tree, or NULL with *ret_error, for which the test has failed if the arena was exhausted. */
static inline const struct scd_ast *try_parse(struct scd_arena *arena, struct scd_str text,
                                              struct scd_ast_error *ret_error)
{
	const struct scd_ast *ast = NULL;
	int r = scd_ast_parse(text, SCD_LIMIT_PARSE_DEPTH, arena, &ast, ret_error);

	assert_int_not_equal(r, -ENOMEM);
	assert_true((r == 0) == (ast != NULL));
	return ast;
}

/* The tree of a text that has to be accepted. */
static inline const struct scd_ast *parse(struct scd_arena *arena, const char *text)
{
	struct scd_ast_error error = { .what = "" };
	const struct scd_ast *ast = try_parse(arena, scd_str_from(text), &error);

	if (!ast)
		fail_msg("`%s` is refused: %s", text, error.what);
	return ast;
}

static inline void accept_all(struct scd_arena *arena, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		parse(arena, texts[i]);
}

static inline void refuse_all(struct scd_arena *arena, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct scd_ast_error error = { .what = "" };

		if (try_parse(arena, scd_str_from(texts[i]), &error))
			fail_msg("`%s` is accepted", texts[i]);
		assert_true(error.what[0] != '\0');
		assert_true(error.pos.offset <= strlen(texts[i]));
	}
}

/* The canonical text, terminated. */
static inline const char *print(struct scd_arena *arena, const struct scd_ast *ast)
{
	struct scd_str text;

	assert_int_equal(scd_ast_print(ast, arena, &text), 0);
	text = scd_arena_dup(arena, text);
	assert_non_null(text.data);
	return text.data;
}

#define LANG_TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, drop_arena)

#endif
