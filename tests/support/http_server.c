/*
 * The server is libmicrohttpd with one polling thread of its own. A reply that is held suspends its connection; the
 * library asks for it again after the resume.
 */
#include "tests/support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_REQUESTS 4096
#define MAX_HELD     64
#define MAX_BODY     (64u << 20)

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_server_options options;
	pthread_mutex_t mutex; /* for all that follows */
	struct http_request *requests[MAX_REQUESTS];
	unsigned request_count;
	struct MHD_Connection *held[MAX_HELD];
	size_t held_count;
	bool released;
};

/* One request while it is received and answered. */
struct exchange {
	struct http_request *request;
	struct http_reply reply;
	bool answered; /* reply is filled */
};

static void copy_header(struct MHD_Connection *connection, const char *name, char *ret_value, size_t room)
{
	const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

	snprintf(ret_value, room, "%s", value ? value : "");
}

static struct exchange *begin(struct MHD_Connection *connection, const char *url, const char *method)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	exchange->request = calloc(1, sizeof(*exchange->request));
	snprintf(exchange->request->method, sizeof(exchange->request->method), "%s", method);
	snprintf(exchange->request->path, sizeof(exchange->request->path), "%s", url);
	copy_header(connection, "Content-Type", exchange->request->content_type,
	            sizeof(exchange->request->content_type));
	copy_header(connection, "User-Agent", exchange->request->user_agent, sizeof(exchange->request->user_agent));
	scd_buf_init(&exchange->request->body, MAX_BODY);
	scd_buf_init(&exchange->reply.body, MAX_BODY);
	exchange->reply.status = MHD_HTTP_OK;
	return exchange;
}

/* Records the request, asks the test, and says whether the answer is to be held. */
static bool respond(struct http_server *server, struct exchange *exchange, struct MHD_Connection *connection)
{
	struct http_request *request = exchange->request;
	unsigned index;
	bool hold;

	pthread_mutex_lock(&server->mutex);
	index = server->request_count;
	if (index < MAX_REQUESTS)
		server->requests[index] = request;
	pthread_mutex_unlock(&server->mutex);
	exchange->answered = true;
	if (server->options.respond)
		server->options.respond(server->options.user, request, index, &exchange->reply);
	pthread_mutex_lock(&server->mutex);
	server->request_count++;
	hold = exchange->reply.hold && !server->released && server->held_count < MAX_HELD;
	if (hold) {
		server->held[server->held_count++] = connection;
		MHD_suspend_connection(connection);
	}
	pthread_mutex_unlock(&server->mutex);
	return hold;
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct http_reply *reply)
{
	struct scd_str body = scd_buf_str(&reply->body);
	struct MHD_Response *response;
	enum MHD_Result result;
	char *copy;

	if (reply->drop)
		return MHD_NO;
	copy = malloc(body.len + 1);
	if (body.len)
		memcpy(copy, body.data, body.len);
	response = MHD_create_response_from_buffer(body.len, copy, MHD_RESPMEM_MUST_FREE);
	if (reply->retry_after)
		MHD_add_response_header(response, "Retry-After", reply->retry_after);
	if (reply->location)
		MHD_add_response_header(response, "Location", reply->location);
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_len, void **state)
{
	struct exchange *exchange = *state;

	(void)version;
	if (!exchange) {
		*state = begin(connection, url, method);
		return MHD_YES;
	}
	if (*data_len) {
		scd_buf_append(&exchange->request->body, data, *data_len);
		*data_len = 0;
		return MHD_YES;
	}
	if (!exchange->answered && respond(user, exchange, connection))
		return MHD_YES;
	return send_reply(connection, &exchange->reply);
}

static void free_request(struct http_request *request)
{
	if (!request)
		return;
	scd_buf_done(&request->body);
	free(request);
}

/* The request stays for the test when it was recorded. */
static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *state;

	(void)user;
	(void)connection;
	(void)code;
	if (!exchange)
		return;
	if (!exchange->answered)
		free_request(exchange->request);
	scd_buf_done(&exchange->reply.body);
	free(exchange);
	*state = NULL;
}

static int bind_port(unsigned *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static int bind_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

int http_server_reserve(unsigned *ret_port)
{
	return bind_port(ret_port);
}

static int listen_socket(const struct http_server_options *options)
{
	unsigned port;
	int fd = options->socket_path      ? bind_path(options->socket_path)
	         : options->listen_fd >= 0 ? options->listen_fd
	                                   : bind_port(&port);

	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

struct http_server *http_server_start(const struct http_server_options *options)
{
	struct http_server *server = calloc(1, sizeof(*server));
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem tls[] = { { MHD_OPTION_HTTPS_MEM_CERT, 0, (char *)(uintptr_t)options->tls_cert },
		                        { MHD_OPTION_HTTPS_MEM_KEY, 0, (char *)(uintptr_t)options->tls_key },
		                        { MHD_OPTION_END, 0, NULL } };

	assert_non_null(server);
	server->options = *options;
	pthread_mutex_init(&server->mutex, NULL);
	if (options->tls_cert)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET,
	                                  listen_socket(options), MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
	                                  MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	assert_non_null(server->daemon);
	return server;
}

void http_server_stop(struct http_server *server)
{
	http_server_release(server);
	MHD_stop_daemon(server->daemon);
	for (unsigned i = 0; i < server->request_count && i < MAX_REQUESTS; i++)
		free_request(server->requests[i]);
	pthread_mutex_destroy(&server->mutex);
	free(server);
}

unsigned http_server_port(const struct http_server *server)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_LISTEN_FD);

	assert_int_equal(getsockname(info->listen_fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

unsigned http_server_request_count(struct http_server *server)
{
	unsigned count;

	pthread_mutex_lock(&server->mutex);
	count = server->request_count;
	pthread_mutex_unlock(&server->mutex);
	return count;
}

const struct http_request *http_server_request(struct http_server *server, unsigned index)
{
	const struct http_request *request;

	pthread_mutex_lock(&server->mutex);
	assert_true(index < server->request_count && index < MAX_REQUESTS);
	request = server->requests[index];
	pthread_mutex_unlock(&server->mutex);
	return request;
}

void http_server_release(struct http_server *server)
{
	pthread_mutex_lock(&server->mutex);
	server->released = true;
	while (server->held_count)
		MHD_resume_connection(server->held[--server->held_count]);
	pthread_mutex_unlock(&server->mutex);
}
