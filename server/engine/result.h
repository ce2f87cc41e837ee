/*
 * What came of an event's system call. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_RESULT_H
#define SCD_SERVER_ENGINE_RESULT_H

#include "seccheckd/event/event.h"

/*
 * The result, or the negative error number. False for events that have none (the end of a thread). A point of the
 * sentry tells what has happened: its result is 0.
 */
bool scd__result_of(const struct scd_event *event, int64_t *ret_result);

/* The name of an error number (positive), NULL when it has none. Static. */
const char *scd__errno_name(int64_t number);

#endif
