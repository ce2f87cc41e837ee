/*
 * The outputs that a configuration asks for.
 */
#ifndef SCD_SERVER_CLI_WANTED_OUTPUTS_H
#define SCD_SERVER_CLI_WANTED_OUTPUTS_H

#include "seccheckd/config/config.h"
#include "seccheckd/emit/emitter.h"

/*
 * Checks what only the outputs can tell of a configuration: whether its URLs can be posted to. 0, or -EINVAL with err,
 * at the place of the key when it came from the file.
 */
int scd__wanted_outputs_check(const struct scd_config *config, struct scd_error *err);

/*
 * Adds them to an emitter. 0, or negative errno with err: which output and why. The configuration has been checked.
 */
int scd__wanted_outputs_add(struct scd_emitter *emitter, const struct scd_config *config, struct scd_error *err);

/* Logs, for each output that has lost alerts, how many. Returns how many were dropped by all of them together. */
uint64_t scd__wanted_outputs_report(const struct scd_emitter *emitter);

#endif
