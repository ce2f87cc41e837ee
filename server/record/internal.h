/*
 * A recording and who may touch what of it. Inside server/record only.
 *
 *    recorder.c     life of the recorder, names of files
 *    recording.c    messages in, jobs out
 *    meta.c         the description
 */
#ifndef SCD_SERVER_RECORD_INTERNAL_H
#define SCD_SERVER_RECORD_INTERNAL_H

#include <stdatomic.h>

#include "seccheckd/base/buf.h"
#include "seccheckd/record/record.h"
#include "seccheckd/wire/trace.h"

/* "client-" and a number of up to 20 digits; with ".meta.json" behind it. */
#define SCD__TRACE_NAME_BYTES 32
#define SCD__META_NAME_BYTES  48

struct scd_recorder {
	struct scd_recorder_options options; /* does not change */
	const struct scd_recorder_ops *ops;
	void *user;
	atomic_ullong next_number; /* taken by the loop, and by jobs that find a file of that number */
	size_t recording_count;
	size_t queued_bytes; /* collected by all recordings and not written yet */
	struct scd_recorder_counters counters;
};

struct scd_recording {
	/* Set at the start. */
	struct scd_recorder *recorder;
	uint32_t peer_pid, peer_uid;
	char *listener;
	bool resumed;       /* it begins where an earlier process ended */
	bool verified;      /* sandbox_id was established from the host side, and does not change */
	int64_t started_ns; /* wall clock */

	/* The loop's. The last job reads them too: nobody changes them any more. */
	struct scd_buf filling; /* formatted messages for the next job */
	bool busy;              /* a job is under way */
	bool closed;            /* the file takes no more: its cap, or an error */
	bool failure_told;
	const char *reason; /* why a message was left out, the first; NULL: none was */
	const char *how;    /* it ended; NULL: it has not */
	uint64_t accepted_bytes;
	uint64_t received_count;
	uint64_t dropped_total; /* by the sender */
	uint32_t dropped_count; /* as the last frame said */
	char *sandbox_id;
	int64_t ended_ns;

	/* The job's while one is under way, else the loop's. */
	uv_work_t work;
	bool last; /* it is the last one */
	struct scd_buf writing;
	uint64_t number;
	char name[SCD__TRACE_NAME_BYTES];   /* empty: there is no file */
	struct scd_trace_writer *writer;    /* NULL before the first job and after the last */
	uint64_t message_count, byte_count; /* in the file */
	int error;                          /* negative errno of the trace, the first */
	int meta_error;                     /* negative errno of the description */
};

/* recorder.c */

/* Opens the writer under the recording's number, or the next free one. 0 or negative errno. Blocks. */
int scd__recorder_make_file(struct scd_recording *recording);

/* recording.c */

/* Messages that came and are not in the file. For the last job, and after it. */
uint64_t scd__recording_left_out_count(const struct scd_recording *recording);

/* Why something is missing, or NULL; an error of the disk before all. For the last job, and after it. */
const char *scd__recording_reason(const struct scd_recording *recording);

/* meta.c */

void scd__meta_name(const char *trace_name, char ret_name[SCD__META_NAME_BYTES]);

/*
 * Writes the description: at the start, in a new file, what is known then; at the end over it. A file that is not
 * whole is removed. 0 or negative errno. Blocks.
 */
int scd__meta_write(const struct scd_recording *recording);

/* Whether the description of a trace is there and says how it ended. Blocks. */
bool scd__meta_tells_end(int folder_fd, const char *trace_name);

#endif
