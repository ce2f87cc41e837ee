/*
 * The container of an event. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_CONTAINER_VIEW_H
#define SCD_SERVER_ENGINE_CONTAINER_VIEW_H

#include "seccheckd/engine/field.h"

/* NULL when the event tells none and the sandbox has several. */
const struct scd_container *scd__container_of(const struct scd_view *view);

/* Start of the container's first process in nanoseconds since the epoch; 0 when not known. */
int64_t scd__container_init_start_ns(const struct scd_view *view, const struct scd_container *container);

#endif
