/*
 * Results of system calls, and the names of errors: the C library's, and those that Linux keeps to itself but the
 * sentry reports (a call that was interrupted and will be restarted).
 */
#include "engine/result.h"

#include <limits.h>
#include <string.h>

bool scd__result_of(const struct scd_event *event, int64_t *ret_result)
{
	if (event->has_exit) {
		bool failed = event->exit_errorno != 0;
		*ret_result = failed ? (int64_t)(0 - (uint64_t)event->exit_errorno) : event->exit_result;
		return true;
	}
	*ret_result = 0;
	return event->point == SCD_POINT_SENTRY_EXEC || event->point == SCD_POINT_SENTRY_CLONE ||
	       event->point == SCD_POINT_CONTAINER_START;
}

const char *scd__errno_name(int64_t number)
{
	switch (number) {
	case 512: return "ERESTARTSYS";
	case 513: return "ERESTARTNOINTR";
	case 514: return "ERESTARTNOHAND";
	case 516: return "ERESTART_RESTARTBLOCK";
	default: return number > 0 && number < INT_MAX ? strerrorname_np((int)number) : NULL;
	}
}
