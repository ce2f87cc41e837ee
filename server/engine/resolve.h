/*
 * Conditions with the macros in them put in place. Inside server/engine only; programs are compiled without it.
 */
#ifndef SCD_SERVER_ENGINE_RESOLVE_H
#define SCD_SERVER_ENGINE_RESOLVE_H

#include "seccheckd/lang/ast.h"

/* The tree of a macro, or NULL: there is none of that name, and its name stays in the tree. */
typedef const struct scd_ast *scd__macro_tree_fn(void *user, struct scd_str name);

/*
 * A copy of a tree, wholly in the arena, in which each macro's name is replaced by a copy of its tree. -E2BIG when it
 * has far more nodes than a rule may have checks, or macros lie within macros deeper than SCD_LIMIT_RULE_PARSE_DEPTH,
 * as those do that use themselves; -ENOMEM.
 */
int scd__resolve_macros(const struct scd_ast *ast, scd__macro_tree_fn *macro, void *user, struct scd_arena *arena,
                        const struct scd_ast **ret_ast);

#endif
