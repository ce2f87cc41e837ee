/*
 * Connections as streams of a pipeline: what joins net to the data path.
 */
#ifndef SCD_SERVER_CLI_STREAMS_H
#define SCD_SERVER_CLI_STREAMS_H

#include "seccheckd/net/net.h"
#include "seccheckd/pipeline/pipeline.h"

/* A sink in which each connection is a stream of the pipeline, which outlives the net. */
struct scd_net_sink scd__streams_sink(struct scd_pipeline *pipeline);

#endif
