/*
 * Rows of counters as a line of the log.
 */
#include "seccheckd/base/counters.h"

#include <inttypes.h>
#include <stdio.h>

#include "seccheckd/base/log.h"

/* A line of the log has PIPE_BUF bytes; the largest table of a module takes a quarter of this. */
#define TEXT_BYTES 3072

void scd_counters_log(const char *who, const struct scd_counter *counters, size_t count, bool asked)
{
	char text[TEXT_BYTES];
	size_t len = 0;

	for (size_t i = 0; i < count && len < sizeof(text); i++) {
		if (counters[i].value > 0)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %" PRIu64, len ? ", " : "",
			                        counters[i].name, counters[i].value);
	}
	if (len > 0 && asked)
		scd_log_asked("%s: %s", who, text);
	else if (len > 0)
		scd_log(SCD_LOG_INFO, "%s: %s", who, text);
}
