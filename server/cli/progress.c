/*
 * `PATH: 42 %`, written over itself at every further percent.
 */
#include "progress.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "seccheckd/base/error.h"

/* A smaller file is replayed before somebody wonders. */
#define LARGE_BYTES (64u << 20)

/* Work that is done sooner needs no line. */
#define SILENT_NS INT64_C(1000000000)

#define ERASE_LINE "\r\033[K"

void scd__progress_init(struct scd__progress *progress, const char *path)
{
	struct stat st;

	*progress = (struct scd__progress){ .path = path };
	if (stat(path, &st) < 0 || st.st_size < (off_t)LARGE_BYTES)
		return;
	progress->total_bytes = (uint64_t)st.st_size;
	progress->wanted = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
}

void scd__progress_init_silent(struct scd__progress *progress, const char *path, uint64_t total_bytes)
{
	*progress = (struct scd__progress){
		.wanted = total_bytes > 0 && isatty(STDERR_FILENO),
		.path = path,
		.total_bytes = total_bytes,
		.silent_ns = scd_clock_mono_ns() + SILENT_NS,
	};
}

void scd__progress_add(struct scd__progress *progress, uint64_t bytes)
{
	unsigned percent;

	if (!progress->wanted)
		return;
	progress->done_bytes += bytes;
	percent = (unsigned)(progress->done_bytes * 100 / progress->total_bytes);
	if (percent == progress->percent || scd_clock_mono_ns() < progress->silent_ns)
		return;
	progress->percent = percent;
	fputs(ERASE_LINE, stderr);
	scd_error_print_text(scd_str_from(progress->path), stderr);
	fprintf(stderr, ": %u %%", percent);
}

void scd__progress_done(struct scd__progress *progress)
{
	if (progress->wanted)
		fprintf(stderr, ERASE_LINE);
	progress->wanted = false;
}
