/*
 * Each message is a heap block of its own, so that AddressSanitizer sees a read past the end of any of them.
 */
#include "tests/support/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/wire/trace.h"

static _Noreturn void die(const struct scd_error *err)
{
	scd_error_print(err, stderr);
	exit(1);
}

static void append(struct trace *trace, struct scd_str message)
{
	struct scd_str *grown = realloc(trace->messages, (trace->count + 1) * sizeof(*grown));
	char *copy = malloc(message.len > 0 ? message.len : 1);

	if (!grown || !copy)
		abort();
	if (message.len > 0)
		memcpy(copy, message.data, message.len);
	grown[trace->count++] = (struct scd_str){ copy, message.len };
	trace->messages = grown;
}

struct trace trace_load(const char *path)
{
	struct trace trace = { 0 };
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;
	int rc = scd_trace_reader_open(path, &reader, &err);

	if (rc < 0)
		die(&err);
	while ((rc = scd_trace_reader_next(reader, &message, &err)) > 0)
		append(&trace, message);
	if (rc < 0)
		die(&err);
	scd_trace_reader_close(&reader);
	return trace;
}

void trace_done(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		union {
			const char *in;
			char *out;
		} cast = { trace->messages[i].data };

		free(cast.out);
	}
	free(trace->messages);
	*trace = (struct trace){ 0 };
}

bool trace_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
