/*
 * Witnesses: system calls that are told twice, once as numbers only and once with their strings. Inside server/state
 * only.
 *
 * gVisor drops a message, and does not count it, when a string in it is not valid UTF-8 (an argument, the process's
 * name, its directory); a raw point has no strings and arrives. For each system call the raw message comes first and
 * its decoded sibling is the next message of the same thread (measured), so a raw exit whose thread goes on without
 * the sibling tells of a call that was hidden.
 */
#ifndef SCD_SERVER_STATE_WITNESS_H
#define SCD_SERVER_STATE_WITNESS_H

#include "seccheckd/event/event.h"

#define SCD__WITNESSES 64u /* threads that may stand between the two messages at once; the oldest gives way */

struct scd__witness {
	int32_t tid; /* 0: free */
	struct scd_event event;
};

struct scd__witnesses {
	struct scd__witness *items; /* SCD__WITNESSES of them, once there was a first */
	unsigned count, next;
	bool exec_told, connect_told; /* a decoded sibling of this sort has been seen: the session has the point */
};

void scd__witnesses_done(struct scd__witnesses *witnesses);

/*
 * Notes a message. True when an earlier witness of its thread was left without its sibling: *ret_hidden is that call,
 * with the kind SCD_KIND_HIDDEN and without any string. One at most: a thread makes one call at a time.
 */
bool scd__witnesses_note(struct scd__witnesses *witnesses, const struct scd_event *event, struct scd_event *ret_hidden);

#endif
