/*
 * What alerts say about the host they come from.
 */
#ifndef SCD_SERVER_CLI_HOST_H
#define SCD_SERVER_CLI_HOST_H

#include "seccheckd/engine/field.h"

/*
 * The name of the host is that of FALCO_HOSTNAME, if it is set and not empty, else gethostname's. What cannot be
 * found out is empty. Filled once; lives as long as the process.
 */
const struct scd_host *scd__host_get(void);

#endif
