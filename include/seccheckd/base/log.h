/*
 * The daemon's log: lines on standard error, for its operator.
 *
 * Only the outer modules log (net, keeper, emit, cli); everything from wire to alert returns codes and counts
 * instead. A line is `LEVEL MESSAGE` with a time in front (`2026-01-31T08:30:00.123Z warning ...`); what a terminal
 * obeys (scd_str_steers_display) is shown as `\xNN`, because peers' text appears in it. Thread-safe (one write(2) a
 * line).
 *
 * A reader that stalls delays nobody: a line that finds no room in the pipe, socket or terminal is dropped, and the
 * next one that finds some begins with `(N lines lost)`.
 */
#ifndef SECCHECKD_BASE_LOG_H
#define SECCHECKD_BASE_LOG_H

#include <stdint.h>

enum scd_log_level {
	SCD_LOG_ERROR,
	SCD_LOG_WARNING,
	SCD_LOG_NOTICE,
	SCD_LOG_INFO,
	SCD_LOG_DEBUG,
};

/* A line less urgent than this is not written. The start value is SCD_LOG_INFO. */
void scd_log_set_level(enum scd_log_level level);

/*
 * "error", "warning", … as configuration files have them (Falco's log_level words, in any case; emergency, alert and
 * critical are error here); -EINVAL for another word.
 */
int scd_log_level_parse(const char *word, enum scd_log_level *ret_level);

void scd_log(enum scd_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line of level info that is written whatever the level is: somebody asked for it a moment ago. */
void scd_log_asked(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * A gate for lines that a peer can cause: at most `burst` lines in a second, then silence; the first line of a later
 * second tells how many similar ones were left out. A line that is left out costs no lock. One object per call site,
 * static (`static struct scd_log_gate gate = SCD_LOG_GATE(5);`) or a member of what the line is about.
 */
struct scd_log_gate {
	unsigned burst;
	_Atomic int64_t second;
	_Atomic unsigned in_second;
	_Atomic uint64_t left_out;
};
#define SCD_LOG_GATE(per_second)      \
	{                             \
		(per_second), 0, 0, 0 \
	}
void scd_log_gated(struct scd_log_gate *gate, enum scd_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#endif
