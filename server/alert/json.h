/*
 * Inside the module: JSON values as text.
 */
#ifndef SCD_SERVER_ALERT_JSON_H
#define SCD_SERVER_ALERT_JSON_H

#include <jansson.h>

#include "seccheckd/base/buf.h"

/* Appends a value, written with jansson's flags. -ENOMEM, also when json is NULL. */
int scd__json_write(const json_t *json, size_t flags, struct scd_buf *ret_text);

#endif
