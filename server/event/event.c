/*
 * Names of points, and what follows from the members of an event.
 */
#include "seccheckd/event/event.h"

static const char *const point_names[SCD_POINT_COUNT] = { [SCD_POINT_UNKNOWN] = "unknown",
#define X(number, id, name) [SCD_POINT_##id] = (name),
	                                                  SCD_POINT_TABLE(X)
#undef X
};

const char *scd_point_name(unsigned point)
{
	return point < SCD_POINT_COUNT ? point_names[point] : point_names[SCD_POINT_UNKNOWN];
}

bool scd_event_is_from_memfd(const struct scd_event *event)
{
	struct scd_str path = event->u.exec.binary_path;
	return event->u.exec.binary_in_memfd ||
	       (scd_str_starts_with(path, SCD_STR("/memfd:")) && scd_str_ends_with(path, SCD_STR(" (deleted)")));
}
