/*
 * What system calls do to the descriptors of their process. Inside server/state only.
 *
 * All return 0 or -ENOMEM: then something that changed is missing from the table.
 */
#ifndef SCD_SERVER_STATE_FD_CALLS_H
#define SCD_SERVER_STATE_FD_CALLS_H

#include "state/process_table.h"

/* Before the rules: what the message tells of descriptors, and all that the call did but closing. */
int scd__fd_calls_apply(struct scd__process_table *table, struct scd__process *process, const struct scd_event *event);

/* After the rules, which still saw them: descriptors that the call closed. */
int scd__fd_calls_retire(struct scd__process_table *table, struct scd__process *process, const struct scd_event *event);

/* A clone with these flags made the child. */
int scd__fd_calls_fork(struct scd__process_table *table, struct scd__process *child, struct scd__process *parent,
                       uint64_t flags);

/* A clone with these flags made a thread of the process. */
int scd__fd_calls_thread(struct scd__process_table *table, struct scd__process *process, uint64_t flags);

/* The process executes another program. */
int scd__fd_calls_exec(struct scd__process_table *table, struct scd__process *process);

#endif
