/*
 * Connections as recordings: what joins net to the recorder.
 */
#ifndef SCD_SERVER_CLI_RECORDINGS_H
#define SCD_SERVER_CLI_RECORDINGS_H

#include "seccheckd/base/arena.h"
#include "seccheckd/net/net.h"
#include "seccheckd/record/record.h"

struct scd__recordings {
	struct scd_recorder *recorder;
	struct scd_arena scratch; /* for the event in hand */
};

/* The recorder outlives the net and done. */
void scd__recordings_init(struct scd__recordings *recordings, struct scd_recorder *recorder);
void scd__recordings_done(struct scd__recordings *recordings);

/* A sink in which each connection is a recording. */
struct scd_net_sink scd__recordings_sink(struct scd__recordings *recordings);

#endif
