/*
 * Conditions judged the slow and obvious way: straight over the tree, every name looked for from the first, every
 * constant read anew, patterns by fnmatch(3). What the compiled engine says has to be the same.
 *
 * It knows what this version evaluates; a condition is one that compiles. Fields come from the same getters.
 */
#ifndef SCD_TESTS_SUPPORT_NAIVE_EVAL_H
#define SCD_TESTS_SUPPORT_NAIVE_EVAL_H

#include "seccheckd/engine/field.h"
#include "seccheckd/lang/ast.h"

/* Of one check, with its lists put in. */
#define NAIVE_CONSTANTS_AT_MOST 64

struct naive_list {
	const char *name;
	const struct scd_str *items;
	size_t count;
};

struct naive_macro {
	const char *name;
	const struct scd_ast *condition;
};

/* What the names in conditions mean. Lists stand among the constants of operators that take several. */
struct naive_names {
	const struct naive_list *lists;
	size_t list_count;
	const struct naive_macro *macros;
	size_t macro_count;
};

/* Whether a condition holds for an event. Aborts on what does not compile. */
bool naive_holds(const struct naive_names *names, const struct scd_ast *condition, const struct scd_view *view);

#endif
