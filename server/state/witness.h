/*
 * Witnesses: system calls that are told twice, once as numbers only and once with their strings. Inside server/state
 * only.
 *
 * gVisor drops a message, and does not count it, when a string in it is not valid UTF-8 (an argument, a variable of the
 * environment, the process's name, its directory); a raw point has no strings and arrives. What comes of one thread, in
 * this order (measured):
 *
 *    connect                 raw exit, syscall/connect/exit
 *    an exec that failed     raw enter, syscall/execve/enter, raw exit, syscall/execve/exit
 *    one that succeeded      raw enter, syscall/execve/enter, sentry/execve, raw exit, syscall/execve/exit
 *
 * So a raw exit whose thread goes on without its decoded sibling tells of a call that was hidden. The sibling of a
 * success is sentry/execve, before or behind it, and nothing else: it alone has the environment and the path that links
 * led to, so it can be hidden while the messages of the system call arrive.
 *
 * Where that is the order, a raw exit of a success without sentry/execve in front of it is hidden at once: a program
 * that only computes would not say anything else. A runsc of which no sentry/execve has come yet may have another
 * order, so until then its thread's next message decides.
 *
 * A thread need not say anything afterwards: then its raw exit is hidden when the sandbox has gone on for long enough
 * (SCD_LIMIT_WITNESS_MS of its time, or SCD_LIMIT_WITNESS_MESSAGES), when more threads wait than there are places, and
 * at the end.
 *
 * Every raw exit is judged, from the first on. Waiting until a sibling was seen would hide the calls of whoever never
 * lets one be told.
 */
#ifndef SCD_SERVER_STATE_WITNESS_H
#define SCD_SERVER_STATE_WITNESS_H

#include "seccheckd/event/event.h"

/* Threads that may stand between two messages at once; of more, the one that has waited longest is judged. */
#define SCD__WITNESSES 64u

struct scd__witness;

struct scd__witnesses {
	int32_t tids[SCD__WITNESSES + 1]; /* who waits in which place; 0: nobody */
	struct scd__witness *places;      /* allocated when there was one */
	unsigned count, due_count;        /* who wait; hidden calls that nobody has taken yet */
	uint64_t checked_sequence;        /* when it was last looked for those that have waited for too long */
	int64_t checked_ns;
	bool image_first; /* a sentry/execve came in front of its raw exit: it always does */
};

void scd__witnesses_done(struct scd__witnesses *witnesses);
size_t scd__witnesses_memory_bytes(const struct scd__witnesses *witnesses);

/* Whether a message may matter here: it may begin a pair, or some thread stands between two messages. */
static inline bool scd__witnesses_care(const struct scd__witnesses *witnesses, const struct scd_event *event)
{
	return witnesses->count > 0 || event->point == SCD_POINT_SYSCALL_RAW || event->point == SCD_POINT_SENTRY_EXEC;
}

/*
 * Notes a message that scd__witnesses_care about (others change nothing), at this time of the sandbox (0: not known).
 * True when witnesses were left without their sibling: take them before the next one is noted.
 */
bool scd__witnesses_note(struct scd__witnesses *witnesses, const struct scd_event *event, int64_t now_ns);

/* Nothing more will come. True when witnesses were left without their sibling. */
bool scd__witnesses_end(struct scd__witnesses *witnesses);

/* The next hidden call, in the order of their messages: of the kind SCD_KIND_HIDDEN, without any string. */
bool scd__witnesses_take(struct scd__witnesses *witnesses, struct scd_event *ret_hidden);

#endif
