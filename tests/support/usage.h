/*
 * What a process and all its descendants use, from /proc: for benchmarks, which compare daemons of one process with
 * daemons of several.
 */
#ifndef SCD_TESTS_SUPPORT_USAGE_H
#define SCD_TESTS_SUPPORT_USAGE_H

#include <stdint.h>
#include <sys/types.h>

struct usage {
	int64_t cpu_ns;    /* time on a CPU, user and system, of the threads that are alive */
	int64_t rss_bytes; /* pages that two of the processes share count twice */
	unsigned processes;
};

/* What has ended meanwhile counts nothing; nor does a process that is not there. */
struct usage usage_of(pid_t pid);

/* The usage as soon as the processes rest: their time on a CPU hardly grows any more, or five seconds are over. */
struct usage usage_at_rest(pid_t pid);

#endif
