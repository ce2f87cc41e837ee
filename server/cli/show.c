/*
 * `seccheckd show`: the points of recorded traces, one line for each message, as text or as JSON.
 *
 * Line N is message N: what cannot be printed as a message gets a line, too. A trace that cannot be read, or not to
 * its end, does not keep the others from being printed; a failure to write does.
 */
#include <errno.h>
#include <stdio.h>

#include "args.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/cli/cli.h"
#include "seccheckd/decode/print.h"
#include "seccheckd/wire/frame.h"
#include "seccheckd/wire/trace.h"
#include "stdout.h"

static const struct scd__flag flags[] = {
	{ .name = "json", .help = "Print protobuf's canonical JSON, with the type as @type." },
};

static const struct scd__command command = {
	.name = "show",
	.summary = "Prints the points of recorded traces (gVisor's tracereplay format), one line for each message.",
	.operands = "TRACE...",
	.operands_min = 1,
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details =
	        "Nothing is masked: environments, arguments and paths of a trace are printed with the "
	        "secrets that are in them. The text is that of gVisor's example server: 'E NAME FIELDS' for the entry "
	        "of a system call, 'X NAME FIELDS' for its exit, 'NAME => FIELDS' for other points, and a line that "
	        "begins with '?' for a message that is not known or damaged. Exit status 1 if a trace is damaged or "
	        "cannot be read; what came before the damage is printed, and so are the other traces.",
	.examples = "  seccheckd show sandbox.trace | grep Connect\n"
	            "  seccheckd show --json sandbox.trace | jq -r .pathname\n",
};

struct show {
	bool as_json;
	struct scd_buf line;
	bool stopped; /* standard output takes nothing more */
};

/* What stands for a message whose header is bad. */
static int format_headless(struct show *show, size_t message_bytes)
{
	scd_buf_reset(&show->line);
	if (show->as_json)
		scd_buf_printf(&show->line, "{\"error\":\"bad header\",\"messageBytes\":%zu}", message_bytes);
	else
		scd_buf_printf(&show->line, "? %zu bytes: bad header", message_bytes);
	return show->line.failed ? -ENOMEM : 0;
}

static int format_message(struct show *show, struct scd_str message)
{
	struct scd_frame frame;

	if (scd_frame_parse(message, &frame) < 0)
		return format_headless(show, message.len);
	if (show->as_json)
		return scd_print_json(frame.message_type, frame.payload, &show->line);
	return scd_print_text(frame.message_type, frame.payload, &show->line);
}

/* Prints what is left of a trace. 0, or negative errno with err when it ends badly. */
static int show_messages(struct show *show, struct scd_trace_reader *reader, const char *path, struct scd_error *err)
{
	struct scd_str message;
	int r;

	while ((r = scd_trace_reader_next(reader, &message, err)) > 0 && !show->stopped) {
		r = format_message(show, message);
		if (r < 0) {
			scd_error_set(err, r, "no memory for the text of a message");
			scd_error_at(err, path, 0, 0);
			return r;
		}
		show->stopped = !scd__stdout_write(show->line.data, show->line.len) || !scd__stdout_write("\n", 1);
	}
	return r < 0 ? r : 0;
}

/* The exit status for one trace. Its lines are written out when it ends, before anything is said about it. */
static int show_trace(struct show *show, const char *path)
{
	struct scd_trace_reader *reader = NULL;
	struct scd_error err = { 0 };
	int r;

	r = scd_trace_reader_open(path, &reader, &err);
	if (r == 0)
		r = show_messages(show, reader, path, &err);
	scd_trace_reader_close(&reader);
	show->stopped = !scd__stdout_flush();
	if (r < 0)
		scd_error_print(&err, stderr);
	return r < 0 ? SCD__EXIT_FAILURE : SCD__EXIT_SUCCESS;
}

static int show_all(struct show *show, const struct scd__args *args)
{
	int status = SCD__EXIT_SUCCESS;

	for (size_t i = 0; i < args->operand_count && !show->stopped; i++)
		status |= show_trace(show, args->operands[i]);
	return show->stopped ? SCD__EXIT_FAILURE : status;
}

int scd_cli_show(int argc, char **argv)
{
	struct show show = { 0 };
	struct scd__args args;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	show.as_json = scd__args_has(&args, "json");
	scd_buf_init(&show.line, SCD_LIMIT_PRINT_BYTES);
	status = show_all(&show, &args);
	scd_buf_done(&show.line);
	scd__args_done(&args);
	return status;
}
