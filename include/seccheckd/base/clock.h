/*
 * Clocks and the text forms of time. The pure path never reads a clock: it takes its times from events.
 */
#ifndef SECCHECKD_BASE_CLOCK_H
#define SECCHECKD_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC and CLOCK_REALTIME. */
int64_t scd_clock_mono_ns(void);
int64_t scd_clock_wall_ns(void);

/* Room for each of the texts below, NUL included. */
#define SCD_CLOCK_TEXT_BYTES 40

/* `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn` and the suffix ("Z", "+0000") in UTC: Falco's `time` key and evt.time.iso8601. */
void scd_clock_format_iso8601(int64_t wall_ns, const char *suffix, char ret_text[SCD_CLOCK_TEXT_BYTES]);

/* `HH:MM:SS.nnnnnnnnn` (Falco's evt.time), in UTC: a daemon's alerts must not depend on the zone of its host. */
void scd_clock_format_time(int64_t wall_ns, char ret_text[SCD_CLOCK_TEXT_BYTES]);

#endif
