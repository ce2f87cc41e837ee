/*
 * A line that tells how far long work is, for somebody who waits at a terminal.
 */
#ifndef SCD_SERVER_CLI_PROGRESS_H
#define SCD_SERVER_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct scd__progress {
	bool wanted;
	const char *path;
	uint64_t done_bytes, total_bytes;
	unsigned percent;  /* as shown */
	int64_t silent_ns; /* of the monotonic clock: nothing is shown before */
};

/*
 * For work that prints while it goes: wanted if the file is large, and standard error is a terminal that standard
 * output does not write to. path is borrowed until done.
 */
void scd__progress_init(struct scd__progress *progress, const char *path);

/* For work that prints nothing but may wait: wanted if it takes longer than a second, with this many bytes to do. */
void scd__progress_init_silent(struct scd__progress *progress, const char *path, uint64_t total_bytes);

void scd__progress_add(struct scd__progress *progress, uint64_t bytes);

/* Takes the line away. */
void scd__progress_done(struct scd__progress *progress);

#endif
