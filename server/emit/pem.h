/*
 * Certificates and keys for libcurl, as texts.
 *
 * libcurl would read their files for each connection that it makes. By then the process is another user, with nothing
 * allowed that it does not need, and the files may be others: so they were read once (scd_pem_read), and what libcurl
 * gets is their content.
 */
#ifndef SCD_SERVER_EMIT_PEM_H
#define SCD_SERVER_EMIT_PEM_H

#include <curl/curl.h>

#include "seccheckd/emit/emitter.h"

/*
 * Gives the certificates and the key of the options to a handle, which makes copies. With an authority in the options,
 * the system's are no longer asked. 0 or negative errno with err.
 */
int scd__pem_set(CURL *easy, const struct scd_http_options *options, struct scd_error *err);

#endif
