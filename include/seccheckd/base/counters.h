/*
 * Counters of a module, as rows with names.
 *
 * A module has one X-macro table of its counters, X(member, "help"), from which come its struct and these rows:
 *
 *     const struct scd_counter rows[] = {
 *     #define X(member, help) { #member, help, counters->member },
 *         SCD_NET_COUNTERS(X)
 *     #undef X
 *     };
 */
#ifndef SECCHECKD_BASE_COUNTERS_H
#define SECCHECKD_BASE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scd_counter {
	const char *name, *help;
	uint64_t value;
};

/*
 * Logs those that are not 0 as one info line, `WHO: NAME VALUE, NAME VALUE`; no line when all are 0. asked: somebody
 * wants to see them now, whatever the level of the log is.
 */
void scd_counters_log(const char *who, const struct scd_counter *counters, size_t count, bool asked);

#endif
