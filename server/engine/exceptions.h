/*
 * Operators as exceptions write them. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_EXCEPTIONS_H
#define SCD_SERVER_ENGINE_EXCEPTIONS_H

#include "engine/items.h"

/* Whether what follows the operator is a list: `in`, `pmatch`, `intersects`, or an operator with a modifier. */
bool scd__is_list_operator(struct scd_str operator);

#endif
