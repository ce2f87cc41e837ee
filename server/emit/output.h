/*
 * What every output is to the emitter, and what the emitter does for it.
 *
 * An output is a struct that begins with a struct scd__output. It takes alerts from its queue, has some of them under
 * way, and gives each of them up exactly once: delivered, rejected or dropped. Everything here runs on the loop.
 *
 *   scd__output_add → wake… → (stop → scd__output_stopped) → close → scd__output_closed
 */
#ifndef SCD_SERVER_EMIT_OUTPUT_H
#define SCD_SERVER_EMIT_OUTPUT_H

#include "queue.h"
#include "seccheckd/base/log.h"
#include "seccheckd/emit/emitter.h"

struct scd__output;

/* The longest wait between two tries while the emitter drains. */
#define SCD__DRAIN_WAIT_MS 500u

struct scd__output_ops {
	/*
	 * There is an alert in the queue. Starts to deliver when nothing is under way, else does nothing. Never blocks.
	 * Not called on a dead output, nor after stop.
	 */
	void (*wake)(struct scd__output *output);

	/*
	 * The drain has begun: what waits for its next try is tried now, and no wait from now on is longer than
	 * SCD__DRAIN_WAIT_MS. Called at most once, and not on a dead output.
	 */
	void (*hurry)(struct scd__output *output);

	/* How many alerts are under way (taken from the queue, not given up), and the n-th of them. */
	size_t (*pending_count)(const struct scd__output *output);
	struct scd_alert *(*pending_at)(const struct scd__output *output, size_t index);

	/*
	 * Ends what is under way without waiting for its peer; what was not delivered stays pending. Called at most
	 * once. The output answers with scd__output_stopped, at once or from a later callback.
	 */
	void (*stop)(struct scd__output *output);

	/*
	 * Closes handles and gives up what is pending, with its references. Called once, when nothing runs: after
	 * stop was answered, or with nothing pending. The output's last close callback calls scd__output_closed, which
	 * frees nothing of the output's own, then frees the output.
	 */
	void (*close)(struct scd__output *output);
};

struct scd__output {
	const struct scd__output_ops *ops;
	struct scd_emitter *emitter;
	char *name; /* for logs and status; owned */
	struct scd__queue queue;
#define X(member, help) uint64_t member;
	SCD_OUTPUT_COUNTERS(X)
#undef X
	struct scd_log_gate drop_gate, retry_gate; /* of its own: a noisy output hides nothing of another */
	struct scd_log_gate works_gate;
	bool failing; /* what was tried last is to be tried again */
	bool dead;    /* will never deliver anything again: alerts are dropped, and counted */
	bool stopped; /* stop was answered */
};

/* Fills the base and makes the output the emitter's. name is copied. -ENOMEM: nothing was changed. */
int scd__output_add(struct scd_emitter *emitter, struct scd__output *output, const struct scd__output_ops *ops,
                    const char *name);

uv_loop_t *scd__emitter_loop(const struct scd_emitter *emitter);

/* Nothing is under way any more. May be said more often than needed. */
void scd__output_idle(struct scd__output *output);

void scd__output_stopped(struct scd__output *output);
void scd__output_closed(struct scd__output *output);

/* Nothing will ever be delivered again; nothing is under way or in the queue any more. Said once. */
void scd__output_died(struct scd__output *output);

/* Counts alerts that are lost, and logs it as an error, not too often. */
void scd__output_count_dropped(struct scd__output *output, size_t count, const char *why);

/* Counts a retry and logs, not too often, why and when. */
void scd__output_count_retry(struct scd__output *output, enum scd_log_level level, unsigned delay_ms, const char *why);

/* Something was delivered or settled: it is logged once behind retries. */
void scd__output_works(struct scd__output *output);

#endif
