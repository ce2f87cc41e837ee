/*
 * Recording: what comes over a connection as a trace file, with a description beside it.
 *
 *    client-0001              the messages (wire/trace.h)
 *    client-0001.meta.json    what the format has no place for (docs/trace-files.md)
 *
 * The loop never waits for the disk. A recording collects formatted messages, and a job on libuv's thread pool writes
 * what has collected; there is one job for a recording at a time, so that a slow disk makes fewer and larger writes.
 * What a recording, and all of them together, may have collected is limited (limits.h). Beyond that, messages are
 * left out of the file: counted, and said in the description. So are those that come after the file reached its cap
 * or the disk is full. Whoever drains the connection is never held up.
 *
 * Files are made for their owner alone, and nothing that is there is written over: each takes the next free number.
 * Nothing is synced.
 *
 * Not thread-safe: everything is called on the loop's thread, but `finished`.
 */
#ifndef SECCHECKD_RECORD_RECORD_H
#define SECCHECKD_RECORD_RECORD_H

#include <uv.h>

#include "seccheckd/base/str.h"

/* X(member, "help") — one counter each; names become metrics. */
#define SCD_RECORDER_COUNTERS(X)                                                                   \
	X(started, "Recordings that were begun.")                                                  \
	X(complete, "Recordings that ended with all that came over the connection.")               \
	X(capped, "Recordings that ended with the head of it, as they reached the cap of a file.") \
	X(incomplete, "Recordings that ended with something missing for any other reason.")        \
	X(failed, "Recordings without a file.")                                                    \
	X(messages, "Messages written to files.")                                                  \
	X(left_out, "Messages that are in no file.")                                               \
	X(meta_errors, "Descriptions that could not be written.")

struct scd_recorder_counters {
#define X(member, help) uint64_t member;
	SCD_RECORDER_COUNTERS(X)
#undef X
};

struct scd_recorder;
struct scd_recording;

struct scd_recorder_options {
	uv_loop_t *loop;
	int folder_fd;                    /* where the files go; borrowed */
	uint64_t max_bytes;               /* of one trace file, which begins with its head; 0: no cap */
	struct scd_str hostname, boot_id; /* for descriptions; borrowed */
};

/* A recording that has ended; borrowed for the call. */
struct scd_recording_result {
	const char *name; /* of the trace file in the folder */
	uint64_t message_count, byte_count;
	uint64_t left_out_count;
	const char *reason; /* why something is missing; NULL: nothing is */
};

struct scd_recorder_ops {
	/*
	 * Trace and description are on the disk. Called once for each recording that has a file, on a thread of
	 * libuv's pool, several at a time: may block, calls nothing of the recorder or the loop.
	 */
	void (*finished)(void *user, const struct scd_recording_result *result);
};

/* Looks for the first free number: blocks on the disk, this once. NULL on exhaustion. */
struct scd_recorder *scd_recorder_new(const struct scd_recorder_options *options, const struct scd_recorder_ops *ops,
                                      void *user);

/* Every recording was ended before, and the loop has run until nothing was left to do. Accepts a pointer to NULL. */
void scd_recorder_free(struct scd_recorder **recorder);

/* The first number that no trace of this folder has, which the next recorder begins with. Blocks on the disk. */
uint64_t scd_recorder_first_number(int folder_fd);

/*
 * Tells the names of traces, from this number up to the first that is free, whose descriptions do not say how they
 * ended: nobody records them any more if no recorder is left. Reads the descriptions and parses none. Blocks.
 */
void scd_recorder_find_unended(int folder_fd, uint64_t first_number, void (*found)(void *user, const char *name),
                               void *user);

const struct scd_recorder_counters *scd_recorder_counters(const struct scd_recorder *recorder);

/* What is known of a connection when it begins. */
struct scd_recording_info {
	uint32_t peer_pid, peer_uid;
	bool resumed;              /* an earlier process had it and ended: what that read is not here */
	struct scd_str listener;   /* copied */
	struct scd_str sandbox_id; /* established from the host side, copied; empty: it was not */
};

/* Begins a file, also if no message will ever come. NULL on exhaustion. */
struct scd_recording *scd_recording_start(struct scd_recorder *recorder, const struct scd_recording_info *info);

/* One raw message, header included, copied. */
void scd_recording_add(struct scd_recording *recording, struct scd_str message);

/* A message was received that cannot be had: it was longer than a message may be. */
void scd_recording_lost(struct scd_recording *recording);

/*
 * Whose connection it is, as its payloads say; copied, up to SCD_LIMIT_CONTAINER_ID_BYTES. It does not replace a name
 * that was established.
 */
void scd_recording_claim_sandbox_id(struct scd_recording *recording, struct scd_str sandbox_id);

/* For logs: empty while not known; messages that came, recorded or not; messages that the sender dropped. */
struct scd_str scd_recording_sandbox_id(const struct scd_recording *recording);
uint64_t scd_recording_message_count(const struct scd_recording *recording);
uint64_t scd_recording_dropped_count(const struct scd_recording *recording);

/*
 * The connection has ended, and how: a word for the description. missing: why something that came over it was not even
 * received; NULL: nothing is known to be. Both of static storage. What has collected is written, and then the
 * recording is gone.
 */
void scd_recording_end(struct scd_recording **recording, const char *how, const char *missing);

#endif
