/*
 * What outputs still have. Inside server/emit only.
 */
#ifndef SCD_SERVER_EMIT_LEFT_H
#define SCD_SERVER_EMIT_LEFT_H

#include "output.h"

/* Alerts of one output: in its queue and under way. */
size_t scd__left_count(const struct scd__output *output);

/* Alerts that some output still has, each counted once. Without memory: those of all outputs added up. */
size_t scd__left_in_all(struct scd__output *const *outputs, size_t output_count);

#endif
