/*
 * Alerts for tests of what lies behind the engine: packed by hand, without rules, messages or state.
 */
#ifndef SCD_TESTS_SUPPORT_ALERTS_H
#define SCD_TESTS_SUPPORT_ALERTS_H

#include "seccheckd/alert/alert.h"

/* The n-th alert: its id, sequence and time tell n. Failure to allocate ends the test. */
struct scd_alert *alert_make(unsigned n);

/* With an output text of this many bytes. */
struct scd_alert *alert_make_long(unsigned n, size_t output_bytes);

/* Of the sandbox with this id; alert_make's have none. */
struct scd_alert *alert_make_of(const char *sandbox, unsigned n, size_t output_bytes);

/* The id of alert_make(n). */
#define ALERT_ID_BYTES 33
void alert_id(unsigned n, char ret_id[ALERT_ID_BYTES]);

/* Which n an id is of; -1 for no id of ours. */
long alert_number(const char *id);

#endif
