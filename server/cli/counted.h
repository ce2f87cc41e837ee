/*
 * What the modules have counted, in the log: one line for each module.
 */
#ifndef SCD_SERVER_CLI_COUNTED_H
#define SCD_SERVER_CLI_COUNTED_H

#include "seccheckd/emit/emitter.h"
#include "seccheckd/net/net.h"
#include "seccheckd/pipeline/pipeline.h"
#include "seccheckd/record/record.h"

void scd__counted_log_net(const struct scd_net *net);
void scd__counted_log_pipeline(const struct scd_pipeline *pipeline);
void scd__counted_log_outputs(const struct scd_emitter *emitter);
void scd__counted_log_recorder(const struct scd_recorder *recorder);

#endif
