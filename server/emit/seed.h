/*
 * Numbers that nobody outside can foresee. Inside server/emit only.
 */
#ifndef SCD_SERVER_EMIT_SEED_H
#define SCD_SERVER_EMIT_SEED_H

#include <stdint.h>

/* A random number of the kernel's; early in the life of a host that has none yet, the clock. Never blocks. */
uint64_t scd__seed_draw(void);

#endif
