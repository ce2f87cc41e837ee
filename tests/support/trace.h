/*
 * A whole trace in memory, for tests and benchmarks that go over its messages more than once.
 */
#ifndef SCD_TESTS_SUPPORT_TRACE_H
#define SCD_TESTS_SUPPORT_TRACE_H

#include "seccheckd/base/str.h"

struct trace {
	struct scd_str *messages; /* frames: header and payload */
	size_t count;
};

/* Reads a trace file. A file that cannot be read to its end prints why and ends the program. */
struct trace trace_load(const char *path);
void trace_done(struct trace *trace);

/* Whether there is such a file or folder. */
bool trace_exists(const char *path);

#endif
