/*
 * One easy handle of libcurl, configured once and used for every POST, so that its connection is kept.
 */
#include "post.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "curl_loop.h"
#include "pem.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/defaults.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"
#include "target.h"

#define DEFAULT_USER_AGENT "seccheckd"

struct scd__post {
	struct scd__curl_loop *curl;
	CURL *easy;
	struct curl_slist *headers;
	char *socket_path; /* NULL: TCP */
	char error[CURL_ERROR_SIZE];
	struct scd_buf answer;
	bool under_way;
	scd__answer_fn *on_answer;
	void (*on_closed)(void *user);
	void *user;
};

/* A curl_write_callback. Less than all ends the transfer. */
static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct scd__post *post = user;

	scd_buf_append(&post->answer, data, size * count);
	return post->answer.failed ? 0 : size * count;
}

/*
 * Non-blocking from the start: libcurl would make it so with F_SETFL, which a confined worker may not call, as that
 * would let it take O_APPEND from the file of past alerts.
 */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)user;
	(void)purpose;
	return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
}

/* libcurl would name the host and the port of the URL, which mean nothing for a Unix socket. */
static const char *why_no_answer(struct scd__post *post, CURLcode code)
{
	if (post->answer.failed)
		return "the answer is too long";
	if (post->socket_path && code == CURLE_COULDNT_CONNECT) {
		snprintf(post->error, sizeof(post->error), "cannot connect to the Unix socket %s", post->socket_path);
		return post->error;
	}
	return post->error[0] ? post->error : curl_easy_strerror(code);
}

static void on_transfer_done(void *user, CURL *easy, CURLcode code)
{
	struct scd__post *post = user;
	struct scd__answer answer = { .body = scd_buf_str(&post->answer) };
	curl_off_t retry_after_s = 0, sent_bytes = 0;
	char status_text[32];

	post->under_way = false;
	curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &sent_bytes);
	answer.was_sent = sent_bytes > 0;
	if (code == CURLE_OK) {
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
		curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
		answer.retry_after_s = retry_after_s > UINT32_MAX ? UINT32_MAX : (unsigned)retry_after_s;
		snprintf(status_text, sizeof(status_text), "HTTP status %ld", answer.status);
		answer.why = status_text;
	} else {
		answer.why = why_no_answer(post, code);
	}
	post->on_answer(post->user, &answer);
}

/* Options that are the same for all: what libcurl may do at all. */
static CURLcode set_manners(struct scd__post *post)
{
	struct {
		CURLoption option;
		long value;
	} const numbers[] = {
		{ CURLOPT_POST, 1 },           { CURLOPT_NOSIGNAL, 1 }, /* no SIGALRM for time-outs */
		{ CURLOPT_FOLLOWLOCATION, 0 }, { CURLOPT_TCP_KEEPALIVE, 1 },
		{ CURLOPT_QUICK_EXIT, 1 }, /* a look-up that hangs is left to its thread, not waited for */
	};
	CURLcode code = curl_easy_setopt(post->easy, CURLOPT_PROTOCOLS_STR, "http,https");

	for (size_t i = 0; code == CURLE_OK && i < SCD_COUNT(numbers); i++)
		code = curl_easy_setopt(post->easy, numbers[i].option, numbers[i].value);
	if (code == CURLE_OK)
		code = curl_easy_setopt(post->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	if (code == CURLE_OK)
		code = curl_easy_setopt(post->easy, CURLOPT_ERRORBUFFER, post->error);
	if (code == CURLE_OK)
		code = curl_easy_setopt(post->easy, CURLOPT_WRITEFUNCTION, on_body);
	if (code == CURLE_OK)
		code = curl_easy_setopt(post->easy, CURLOPT_WRITEDATA, post);
	if (code == CURLE_OK)
		code = curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, post->headers);
	return code;
}

/* A Unix socket has no proxy, whatever the environment says. */
static CURLcode set_target(struct scd__post *post, const struct scd__target *target)
{
	CURLcode code = curl_easy_setopt(post->easy, CURLOPT_URL, target->url);

	if (code != CURLE_OK || !target->socket_path)
		return code;
	post->socket_path = strdup(target->socket_path);
	if (!post->socket_path)
		return CURLE_OUT_OF_MEMORY;
	code = curl_easy_setopt(post->easy, CURLOPT_UNIX_SOCKET_PATH, target->socket_path);
	return code != CURLE_OK ? code : curl_easy_setopt(post->easy, CURLOPT_PROXY, "");
}

static CURLcode set_options(struct scd__post *post, const struct scd_http_options *options)
{
	const char *user_agent = options->user_agent ? options->user_agent : DEFAULT_USER_AGENT;
	long timeout_ms = options->timeout_ms ? (long)options->timeout_ms : SCD_DEFAULT_TIMEOUT_MS;
	CURLcode code = curl_easy_setopt(post->easy, CURLOPT_TIMEOUT_MS, timeout_ms);

	if (code == CURLE_OK)
		code = curl_easy_setopt(post->easy, CURLOPT_USERAGENT, user_agent);
	if (code == CURLE_OK && options->insecure)
		code = curl_easy_setopt(post->easy, CURLOPT_SSL_VERIFYPEER, 0L);
	if (code == CURLE_OK && options->insecure)
		code = curl_easy_setopt(post->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	return code;
}

/* Adds a line `NAME: VALUE`. */
static bool add_header(struct scd__post *post, const char *name, const char *value)
{
	struct curl_slist *headers = NULL;
	char *line;

	if (asprintf(&line, "%s: %s", name, value) < 0)
		return false;
	headers = curl_slist_append(post->headers, line);
	free(line);
	if (headers)
		post->headers = headers;
	return headers != NULL;
}

/* `Expect:` without a value keeps libcurl from asking for leave (100-continue) before a large body. */
static bool add_headers(struct scd__post *post, const char *content_type)
{
	struct curl_slist *headers;

	if (!add_header(post, "Content-Type", content_type) || !add_header(post, "Accept", content_type))
		return false;
	headers = curl_slist_append(post->headers, "Expect:");
	if (headers)
		post->headers = headers;
	return headers != NULL;
}

static int configure(struct scd__post *post, const struct scd_http_options *options, const char *content_type,
                     struct scd_error *err)
{
	char shown[SCD__TARGET_SHOWN_BYTES];
	struct scd__target target;
	CURLcode code;
	int r = scd__target_parse(options->url, &target, err);

	if (r < 0)
		return r;
	if (!add_headers(post, content_type))
		code = CURLE_OUT_OF_MEMORY;
	else
		code = set_manners(post);
	if (code == CURLE_OK)
		code = set_target(post, &target);
	if (code == CURLE_OK)
		code = set_options(post, options);
	scd__target_done(&target);
	if (code == CURLE_OK)
		return scd__pem_set(post->easy, options, err);
	r = code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
	return scd_error_set(err, r, "output %s: %s", scd__target_show(options->url, shown), curl_easy_strerror(code));
}

bool scd_emitter_may_wait_for_names(void)
{
	return !(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS);
}

static void warn_of_slow_names(void)
{
	if (scd_emitter_may_wait_for_names())
		scd_log(SCD_LOG_WARNING, "this libcurl looks up names on the daemon's own thread");
}

static void free_post(struct scd__post *post)
{
	curl_easy_cleanup(post->easy);
	curl_slist_free_all(post->headers);
	free(post->socket_path);
	scd_buf_done(&post->answer);
	free(post);
}

int scd__post_new(uv_loop_t *loop, const struct scd_http_options *options, const char *content_type,
                  scd__answer_fn *on_answer, void *user, struct scd__post **ret_post, struct scd_error *err)
{
	struct scd__post *post = calloc(1, sizeof(*post));
	int r;

	if (!post)
		return scd_error_set(err, -ENOMEM, "out of memory");
	scd_buf_init(&post->answer, SCD_LIMIT_HTTP_ANSWER_BYTES);
	post->on_answer = on_answer;
	post->user = user;
	post->easy = curl_easy_init();
	r = post->easy ? configure(post, options, content_type, err) : scd_error_set(err, -ENOMEM, "out of memory");
	if (r == 0) {
		post->curl = scd__curl_loop_new(loop, on_transfer_done, post);
		if (!post->curl)
			r = scd_error_set(err, -ENOMEM, "out of memory");
	}
	if (r < 0) {
		free_post(post);
		return r;
	}
	warn_of_slow_names();
	*ret_post = post;
	return 0;
}

int scd__post_start(struct scd__post *post, struct scd_str body)
{
	scd_buf_reset(&post->answer);
	post->error[0] = '\0';
	if (curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, body.data) != CURLE_OK ||
	    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) != CURLE_OK ||
	    scd__curl_loop_start(post->curl, post->easy) < 0)
		return -ENOMEM;
	post->under_way = true;
	return 0;
}

void scd__post_cancel(struct scd__post *post)
{
	if (post->under_way)
		scd__curl_loop_cancel(post->curl, post->easy);
	post->under_way = false;
}

static void on_loop_closed(void *user)
{
	struct scd__post *post = user;
	void (*on_closed)(void *) = post->on_closed;
	void *closed_user = post->user;

	free_post(post);
	on_closed(closed_user);
}

void scd__post_close(struct scd__post *post, void (*on_closed)(void *user))
{
	post->on_closed = on_closed;
	scd__curl_loop_close(post->curl, on_loop_closed);
}
