/*
 * What the modules have counted, as rows of one shape: they can be copied, added up, and logged, one line for each
 * module.
 *
 *     scd__counted_net(net, &counted);  scd__counted_add(&sum, &counted);  scd__counted_log(&sum, false);
 *
 * A module has one function here. What is taken is a copy: whoever counts must not count meanwhile (its own thread
 * takes it), and afterwards may.
 */
#ifndef SCD_SERVER_CLI_COUNTED_H
#define SCD_SERVER_CLI_COUNTED_H

#include "seccheckd/base/counters.h"
#include "seccheckd/emit/emitter.h"
#include "seccheckd/net/net.h"
#include "seccheckd/pipeline/pipeline.h"
#include "seccheckd/record/record.h"

/* Room for the longest table of a module. */
#define SCD__COUNTED_ROWS 32u

struct scd__counted {
	const char *who; /* the module, as the log calls it; lives for ever; NULL: nothing yet */
	size_t count;
	struct scd_counter rows[SCD__COUNTED_ROWS];
};

void scd__counted_net(const struct scd_net *net, struct scd__counted *ret_counted);
void scd__counted_pipeline(const struct scd_pipeline *pipeline, struct scd__counted *ret_counted);

/* What the states of its sandboxes have counted, and how well they are watched now. */
void scd__counted_sandboxes(const struct scd_pipeline *pipeline, struct scd__counted *ret_counted);
void scd__counted_watched(const struct scd_pipeline *pipeline, struct scd__counted *ret_counted);
void scd__counted_recorder(const struct scd_recorder *recorder, struct scd__counted *ret_counted);

/* Adds the rows of one to those of another of the same module, or of none yet. */
void scd__counted_add(struct scd__counted *sum, const struct scd__counted *counted);

/* asked: see base/counters.h. */
void scd__counted_log(const struct scd__counted *counted, bool asked);

/* The outputs, and the way to them. On the emitter's thread. */
void scd__counted_log_emitter(struct scd_emitter *emitter, bool asked);

#endif
