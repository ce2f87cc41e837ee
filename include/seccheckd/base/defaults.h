/*
 * Defaults of outputs that post over HTTP. The configuration shows them, the outputs apply them where there is no key,
 * and neither of the two modules includes the other: so they stand here, as plain numbers that can become text.
 */
#ifndef SECCHECKD_BASE_DEFAULTS_H
#define SECCHECKD_BASE_DEFAULTS_H

/* Alerts in one batch for a control plane. */
#define SCD_DEFAULT_BATCH_MAX_COUNT 256

/* For one request, from the look-up of the name to the end of the answer. */
#define SCD_DEFAULT_TIMEOUT_MS 10000

/* The first wait before another try, at most, and the longest. */
#define SCD_DEFAULT_BACKOFF_MIN_MS 250
#define SCD_DEFAULT_BACKOFF_MAX_MS 30000

/* One of them as a configuration file has it: SCD_DEFAULT_TEXT(SCD_DEFAULT_TIMEOUT_MS) is "10000". */
#define SCD_DEFAULT_TEXT(name)    SCD__DEFAULT_TEXT(name)
#define SCD__DEFAULT_TEXT(number) #number

#endif
