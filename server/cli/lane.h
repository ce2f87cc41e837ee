/*
 * A lane: one thread of the worker, with a loop, the sessions of its connections, and the pipeline behind them.
 *
 *   new → start → go → (news…) → join → free
 *
 * A connection belongs to one lane for life. Its socket, its state and the evaluation of its messages never leave the
 * lane's thread, so nothing on the path of a message is locked. Alerts leave it through the pipeline's on_alert, and
 * what was counted through a report. Lanes share the rules and the host, which do not change.
 *
 * All functions are the main thread's.
 */
#ifndef SCD_SERVER_CLI_LANE_H
#define SCD_SERVER_CLI_LANE_H

#include "counted.h"

struct scd__lane;

struct scd__lane_options {
	size_t number;                               /* for the thread's name */
	int control_fd;                              /* taken over by new, also when that fails */
	struct scd_pulse *pulse;                     /* outlives the lane */
	const struct scd_pipeline_options *pipeline; /* its on_alert is called on the lane's thread */

	/*
	 * The report has changed: it has the counters that were asked for, or the lane has ended. Called on the lane's
	 * thread; must not block.
	 */
	void (*news)(void *user);
	void *user;
};

/* What a lane counts, each for itself: the sum over all lanes is what the worker has counted. */
enum { SCD__LANE_NET, SCD__LANE_PIPELINE, SCD__LANE_SANDBOXES, SCD__LANE_WATCHED, SCD__LANE_COUNTED };

struct scd__lane_report {
	bool ended;      /* its thread has nothing to do any more, and the counters are the last */
	unsigned round;  /* which request the counters answer */
	uint64_t unread; /* connections that still had messages when it ended: those are lost */
	struct scd__counted counted[SCD__LANE_COUNTED];
};

/* How many lanes a host should have: one for each four processors that we may use, and at least one. */
size_t scd__lane_default_count(void);

/* Makes what the lane needs, but for its thread: nothing is told to the keeper yet. 0 or negative errno. */
int scd__lane_new(const struct scd__lane_options *options, struct scd__lane **ret_lane);

/* Makes the thread, which waits for go. 0 or negative errno. Once. */
int scd__lane_start(struct scd__lane *lane);

/* It takes connections from now on, until the keeper's order to stop. Once, after start. */
void scd__lane_go(struct scd__lane *lane);

/* Asks for its counters. The answer is a report with this round, or with a later one, or the last report. */
void scd__lane_count(struct scd__lane *lane, unsigned round);

/* It ends with its loop's next turn, and reads nothing more. After start; may be called again. */
void scd__lane_abandon(struct scd__lane *lane);

/* The latest report, all zero before the first. */
void scd__lane_look(struct scd__lane *lane, struct scd__lane_report *ret_report);

/* Waits for the thread, which has ended or is about to. */
void scd__lane_join(struct scd__lane *lane);

/* At any time: a thread that still runs is abandoned and waited for. Accepts NULL and a pointer to NULL. */
void scd__lane_free(struct scd__lane **lane);

#endif
