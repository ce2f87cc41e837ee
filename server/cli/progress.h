/*
 * A line that tells how far a long replay is, for somebody who waits at a terminal.
 */
#ifndef SCD_SERVER_CLI_PROGRESS_H
#define SCD_SERVER_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct scd__progress {
	bool wanted; /* the file is large, and standard error is a terminal that standard output does not write to */
	const char *path;
	uint64_t done_bytes, total_bytes;
	unsigned percent; /* as shown */
};

/* path is borrowed until done. */
void scd__progress_init(struct scd__progress *progress, const char *path);
void scd__progress_add(struct scd__progress *progress, uint64_t bytes);

/* Takes the line away. */
void scd__progress_done(struct scd__progress *progress);

#endif
