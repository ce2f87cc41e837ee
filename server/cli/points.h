/*
 * Points of a trace session, as runsc knows them, for what rules want to see.
 */
#ifndef SCD_SERVER_CLI_POINTS_H
#define SCD_SERVER_CLI_POINTS_H

#include "seccheckd/engine/details.h"
#include "seccheckd/event/kind.h"

/* Event types that have a message of their own; the others are raw system calls, of which only numbers are told. */
void scd__points_decoded(struct scd_kind_set *ret_kinds);

/* Adds the names of the points that make an event type: `syscall/bind/exit`. -ENOMEM. */
int scd__points_of(unsigned kind, struct scd_names *names, struct scd_arena *arena);

/* Adds the optional fields of points without which some fields are missing: `fd_path`. -ENOMEM. */
int scd__points_optional(const struct scd_names *points, const struct scd_names *fields, struct scd_names *names,
                         struct scd_arena *arena);

#endif
