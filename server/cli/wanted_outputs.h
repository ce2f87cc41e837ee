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

/*
 * Logs how many alerts were lost, for each output and on the way to them. Returns how many were dropped, in all these
 * places together.
 */
uint64_t scd__wanted_outputs_report(struct scd_emitter *emitter);

#endif
