/*
 * Base64 (RFC 4648).
 */
#ifndef SCD_SERVER_BASE_BASE64_H
#define SCD_SERVER_BASE_BASE64_H

#include "seccheckd/base/str.h"

/* The standard alphabet with padding, NUL-terminated; the caller frees it. NULL when out of memory. */
char *scd__base64_encode(const uint8_t *data, size_t len);

/*
 * Either alphabet (`+/` or `-_`), padding allowed and not required. A heap block that the caller frees, also when it
 * holds nothing. 0, -EINVAL, or -ENOMEM.
 */
int scd__base64_decode(struct scd_str text, uint8_t **ret_data, size_t *ret_len);

#endif
