/*
 * Names of ports, as conditions may write them: `fd.sport = https`. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_SERVICES_H
#define SCD_SERVER_ENGINE_SERVICES_H

#include "seccheckd/base/str.h"

/* False for a name that is not in our table, whatever services(5) of this host says. */
bool scd__service_port(struct scd_str name, uint64_t *ret_port);

#endif
