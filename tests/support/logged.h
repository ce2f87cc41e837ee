/*
 * What is written to standard error while a test looks: the lines of the log.
 */
#ifndef SCD_TESTS_SUPPORT_LOGGED_H
#define SCD_TESTS_SUPPORT_LOGGED_H

struct logged {
	int stderr_before, file;
};

void logged_start(struct logged *logged);

/* Puts standard error back. The text, for free(3). */
char *logged_stop(struct logged *logged);

#endif
