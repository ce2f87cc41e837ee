/*
 * The memory of a sandbox, whole. Inside server/state only.
 *
 *    sandbox.c   what each event does to it
 *    view.c      what others ask of it
 */
#ifndef SCD_SERVER_STATE_INTERNAL_H
#define SCD_SERVER_STATE_INTERNAL_H

#include "state/containers.h"
#include "state/process_table.h"
#include "state/witness.h"

struct scd_sandbox {
	struct scd__process_table processes;
	struct scd__containers containers;
	struct scd__witnesses witnesses;
	int64_t time_ns, first_time_ns, tainted_since_ns;
	int64_t time_limit_ns; /* 0: none */
	unsigned taints;       /* SCD_TAINT_BITs */
	bool keep_env;
	struct scd_sandbox_counters counters;
};

#endif
