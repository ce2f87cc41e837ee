/*
 * Certificates and keys for libcurl, read before they are needed.
 *
 * libcurl would read their files for each connection that it makes. By then the process is another user, with nothing
 * allowed that it does not need: so they are read once, and what libcurl gets is their content.
 */
#ifndef SCD_SERVER_EMIT_PEM_H
#define SCD_SERVER_EMIT_PEM_H

#include <curl/curl.h>

#include "seccheckd/emit/emitter.h"

/*
 * Gives the certificates and the key of the options to a handle, which makes copies. With an authority in the options,
 * the system's are no longer asked. 0; negative errno with err, which names the file.
 */
int scd__pem_set(CURL *easy, const struct scd_http_options *options, struct scd_error *err);

#endif
