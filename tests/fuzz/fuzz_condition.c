/*
 * Conditions: whatever the bytes are, the parser answers. What it accepts equals itself when it is parsed again, and
 * prints; and if the canonical form can be read back, that gives the same tree and the same text. What compiles runs,
 * and says the same of the same event twice.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/condition.h"
#include "engine/warn.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/lang/ast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_CHUNK_BYTES 65536u
#define ARENA_BYTES       (64u << 20)

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Not empty, without the bytes that would need quotes and get none, and not ending so that the quote seems escaped. */
static bool is_readable(struct scd_str text, struct scd_str unreadable)
{
	for (size_t i = 0; i < unreadable.len; i++) {
		if (text.len > 0 && memchr(text.data, unreadable.data[i], text.len))
			return false;
	}
	return text.len > 0 && text.data[text.len - 1] != '\\';
}

static bool are_values_readable(const struct scd_ast *ast)
{
	for (size_t i = 0; i < ast->value_count; i++) {
		if (!is_readable(ast->values[i], SCD_STR("(),\v\0")))
			return false;
	}
	return true;
}

/* Constants among a transformer's arguments have to be quoted, and the canonical form does so only where it must. */
static bool is_argument_readable(const struct scd_ast *ast, struct scd_arena *arena)
{
	struct scd_str escaped;

	if (ast->kind != SCD_AST_VALUE)
		return true;
	require(scd_ast_escape(ast->text, arena, &escaped) == 0);
	return escaped.len != ast->text.len;
}

/* Whether the canonical text says what the tree is. */
static bool is_tree_readable(const struct scd_ast *ast, struct scd_arena *arena)
{
	bool has_arguments = ast->kind == SCD_AST_TRANSFORMER || ast->kind == SCD_AST_TRANSFORMER_LIST;

	if (ast->kind == SCD_AST_VALUE && !is_readable(ast->text, SCD_STR("(),\v\0")))
		return false;
	if (ast->kind == SCD_AST_NOT && ast->children[0]->kind == SCD_AST_NOT)
		return false;
	if (ast->kind == SCD_AST_IDENTIFIER && scd_str_is(ast->text, "not"))
		return false;
	if (ast->has_arg && ast->arg.len > 0 && !is_readable(ast->arg, SCD_STR("[]\v\0")))
		return false;
	for (size_t i = 0; i < ast->child_count; i++) {
		if (!is_tree_readable(ast->children[i], arena) ||
		    (has_arguments && !is_argument_readable(ast->children[i], arena)))
			return false;
	}
	return are_values_readable(ast);
}

static void check_tree(struct scd_str text, const struct scd_ast *ast, struct scd_arena *arena)
{
	const struct scd_ast *again;
	struct scd_ast_error error;
	struct scd_str canonical, canonical_again;

	require(scd_ast_parse(text, SCD_LIMIT_RULE_PARSE_DEPTH, arena, &again, &error) == 0);
	require(scd_ast_equal(ast, again));
	require(scd_ast_print(ast, arena, &canonical) == 0);
	if (!is_tree_readable(ast, arena))
		return;
	require(scd_ast_parse(canonical, SCD_LIMIT_RULE_PARSE_DEPTH, arena, &again, &error) == 0);
	require(scd_ast_equal(ast, again));
	require(scd_ast_print(again, arena, &canonical_again) == 0);
	require(scd_str_eq(canonical, canonical_again));
}

static void ignore_warning(void *user, enum scd_diag_code code, size_t offset, const char *text)
{
	size_t *size = user;

	require(offset < *size && text[0] != '\0' && !scd_diag_is_error(code));
}

static void run(const struct scd_ast *ast, struct scd_arena *arena)
{
	const struct scd_event event = { .sequence = 1, .kind = SCD_KIND_EXECVE, .has_exit = true, .fd = -1 };
	const struct scd_view view = { .event = &event, .scratch = arena };
	struct scd__compile_error error = { 0 };
	struct scd__condition *condition;
	struct scd_kind_set kinds;
	int r = scd__condition_new(ast, NULL, &condition, &error);

	if (r < 0) {
		require(r != -EINVAL || memchr(error.what, '\0', sizeof(error.what)) != error.what);
		return;
	}
	bool holds = scd__condition_holds(condition, &view);
	require(scd__condition_holds(condition, &view) == holds);
	if (scd__condition_kinds(ast, &kinds, &error) == 0 && holds)
		require(scd_kind_set_has(&kinds, event.kind));
	scd__condition_free(&condition);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_str text = { (const char *)data, size };
	const struct scd_ast *ast;
	struct scd_ast_error error;
	struct scd_arena arena;
	int r;

	scd_arena_init(&arena, ARENA_CHUNK_BYTES, ARENA_BYTES);
	r = scd_ast_parse(text, SCD_LIMIT_PARSE_DEPTH, &arena, &ast, &error);
	if (r == 0) {
		check_tree(text, ast, &arena);
		scd__warn_condition(ast, ignore_warning, &size);
		run(ast, &arena);
	} else {
		require(r == -EINVAL && error.pos.offset <= size && memchr(error.what, '\0', sizeof(error.what)));
	}
	scd_arena_done(&arena);
	return 0;
}
