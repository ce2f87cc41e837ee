/*
 * What a user wrote wrongly, where, and what would be right.
 *
 * Used for everything that a person wrote (rules, configuration, command line) and for files that they named. Hostile
 * input from a sandbox is not answered with one of these: that is an error code and a counter. Plain data, no
 * ownership: texts are copied in and cut to the room there is.
 */
#ifndef SECCHECKD_BASE_ERROR_H
#define SECCHECKD_BASE_ERROR_H

#include <stdarg.h>
#include <stdio.h>

#include "seccheckd/base/str.h"

struct scd_error {
	int code;        /* negative errno; 0 while nothing went wrong */
	char file[256];  /* empty when there is no file */
	unsigned line;   /* from 1; 0 when not known */
	unsigned column; /* from 1, in bytes; 0 when not known */
	char what[512];  /* one sentence without a full stop */
	char hint[256];  /* what would be right; may be empty */
};

/*
 * Fills code and what, clears the rest; returns code, so that `return scd_error_set(…)` reads well. err may be NULL.
 */
int scd_error_set(struct scd_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int scd_error_vset(struct scd_error *err, int code, const char *format, va_list args)
        __attribute__((format(printf, 3, 0)));

/* Adds a place to an error that was set. file NULL leaves the file as it is. */
void scd_error_at(struct scd_error *err, const char *file, unsigned line, unsigned column);

/* Adds the hint. */
void scd_error_hint(struct scd_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * `FILE:LINE:COLUMN: WHAT\n` and, if there is one, a line `  hint: HINT`. Parts that are not known are left out. Names
 * of files and what stands in them may be a stranger's: what steers a terminal is shown as scd_error_print_text shows
 * it.
 */
void scd_error_print(const struct scd_error *err, FILE *stream);

/*
 * A text for a terminal: what that would obey instead of showing it (scd_str_steers_display), and bytes that are not
 * UTF-8, become `\xNN`.
 */
void scd_error_print_text(struct scd_str text, FILE *stream);

#endif
