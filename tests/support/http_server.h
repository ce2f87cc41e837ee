/*
 * A real HTTP server for tests: on its own thread, on a port of 127.0.0.1 or a Unix socket, over TLS if asked. It
 * records each request and answers as a function of the test says.
 *
 *   start → … → stop
 *
 * The functions below may be called from any thread but the server's. Failures to set it up fail the test.
 */
#ifndef SCD_TESTS_SUPPORT_HTTP_SERVER_H
#define SCD_TESTS_SUPPORT_HTTP_SERVER_H

#include <stdbool.h>

#include "seccheckd/base/buf.h"

struct http_server;

struct http_request {
	char method[8];
	char path[128];
	char content_type[64];
	char user_agent[64];
	struct scd_buf body;
};

struct http_reply {
	unsigned status;
	struct scd_buf body;     /* filled by the function, freed by the server */
	const char *retry_after; /* header values; NULL: not sent */
	const char *location;
	bool hold; /* answered only after http_server_release */
	bool drop; /* the connection is closed without an answer */
};

/* Runs on the server's thread. index counts requests from 0; the reply is initialised: status 200, no body. */
typedef void http_respond_fn(void *user, const struct http_request *request, unsigned index, struct http_reply *reply);

struct http_server_options {
	int listen_fd;                  /* bound to a port (http_server_reserve); -1: a new one */
	const char *socket_path;        /* a Unix socket in place of a port */
	const char *tls_cert, *tls_key; /* PEM; NULL: no TLS */
	http_respond_fn *respond;
	void *user;
};

struct http_server *http_server_start(const struct http_server_options *options);
void http_server_stop(struct http_server *server);

/* A port where nobody listens yet, kept for a server that starts later. */
int http_server_reserve(unsigned *ret_port);
unsigned http_server_port(const struct http_server *server);

unsigned http_server_request_count(struct http_server *server);

/* The request as it was recorded; stays valid until stop. */
const struct http_request *http_server_request(struct http_server *server, unsigned index);

/* Answers what is held, and what will be. */
void http_server_release(struct http_server *server);

#endif
