/*
 * Names of points.
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
