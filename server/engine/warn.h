/*
 * What in a condition compiles and is probably not meant. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_WARN_H
#define SCD_SERVER_ENGINE_WARN_H

#include "seccheckd/engine/diag.h"
#include "seccheckd/lang/ast.h"

/* code: SCD_DIAG_COMPILE_CONDITION, _UNSAFE_NA_CHECK, _DEPRECATED_ITEM. offset: of the check, in bytes. */
typedef void scd__warn_fn(void *user, enum scd_diag_code code, size_t offset, const char *text);

/* Tells all that is to be warned of in a tree, without its macros. */
void scd__warn_condition(const struct scd_ast *ast, scd__warn_fn *warn, void *user);

#endif
