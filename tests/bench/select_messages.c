/*
 * select_messages [--all] TRACE OUT: the messages of a trace that a sandbox's memory does not need, as a trace of their
 * own: with rules that read nothing of them either, they are those that nobody reads. Prints how many. Points that
 * change the state are left out whatever the rules are (scd_sandbox_needs); with --all nothing is.
 *
 *    messages=1234 of=8308
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/state/sandbox.h"
#include "seccheckd/wire/frame.h"
#include "seccheckd/wire/trace.h"
#include "tests/support/trace.h"

static bool is_unneeded(struct scd_str message)
{
	struct scd_frame frame;

	return scd_frame_parse(message, &frame) == 0 && !scd_sandbox_needs(frame.message_type);
}

/* Formats them. How many; negative errno. */
static long select_all(const struct trace *trace, bool all, struct scd_buf *records)
{
	long count = 0;

	for (size_t i = 0; i < trace->count; i++) {
		if (!all && !is_unneeded(trace->messages[i]))
			continue;
		int r = scd_trace_format(records, trace->messages[i]);
		if (r < 0)
			return r;
		count++;
	}
	return count;
}

static int write_trace(const char *path, struct scd_str records)
{
	struct scd_trace_writer *writer;
	int r;

	unlink(path);
	r = scd_trace_writer_open(AT_FDCWD, path, &writer);
	if (r < 0)
		return r;
	r = scd_trace_writer_write(writer, records);
	scd_trace_writer_close(&writer);
	return r;
}

int main(int argc, char **argv)
{
	bool all = argc > 1 && strcmp(argv[1], "--all") == 0;
	struct scd_buf records;
	struct trace trace;
	long count;
	int r;

	argc -= all;
	argv += all;
	if (argc != 3) {
		fprintf(stderr, "usage: select_messages [--all] TRACE OUT\n");
		return 2;
	}
	trace = trace_load(argv[1]);
	scd_buf_init(&records, 1u << 30);
	count = select_all(&trace, all, &records);
	r = count < 0 ? (int)count : write_trace(argv[2], scd_buf_str(&records));
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[2], strerror(-r));
	else
		printf("messages=%ld of=%zu\n", count, trace.count);
	scd_buf_done(&records);
	trace_done(&trace);
	return r < 0;
}
