/*
 * usage PID: what a process and all its descendants have used so far, as soon as they rest.
 *
 *    cpu_ms=1234.567 rss_kib=20480 processes=2
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/usage.h"

int main(int argc, char **argv)
{
	struct usage usage;

	if (argc != 2) {
		fprintf(stderr, "usage: usage PID\n");
		return 2;
	}
	usage = usage_at_rest((pid_t)strtol(argv[1], NULL, 10));
	printf("cpu_ms=%.3f rss_kib=%" PRId64 " processes=%u\n", (double)usage.cpu_ns / 1e6, usage.rss_bytes / 1024,
	       usage.processes);
	return usage.processes > 0 ? 0 : 1;
}
