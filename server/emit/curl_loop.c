/*
 * The glue. libcurl calls on_socket and on_timeout from inside its own functions; nothing of it may be called there.
 * Ended transfers are therefore only looked for after curl_multi_socket_action, and a close that the user asks for
 * while they are looked for waits until that is over.
 */
#include "curl_loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct scd__curl_loop {
	uv_loop_t *loop;
	uv_timer_t timer;
	CURLM *multi;
	size_t open_count; /* the timer and the polls: what is not yet closed */
	bool in_action;
	void (*on_closed)(void *user); /* set: close was asked for */
	scd__curl_done_fn *on_done;
	void *user;
};

/* One socket that libcurl waits for. */
struct socket_poll {
	uv_poll_t handle;
	struct scd__curl_loop *curl;
	curl_socket_t socket;
};

static void handle_closed(struct scd__curl_loop *curl)
{
	if (--curl->open_count)
		return;
	curl->on_closed(curl->user);
	free(curl);
}

static void close_now(struct scd__curl_loop *curl);

static void tell_ended(struct scd__curl_loop *curl)
{
	CURLMsg *message;
	int left;

	while (!curl->on_closed && (message = curl_multi_info_read(curl->multi, &left))) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_multi_remove_handle(curl->multi, easy);
		curl->on_done(curl->user, easy, code);
	}
}

static void act(struct scd__curl_loop *curl, curl_socket_t socket, int events)
{
	int running;

	curl->in_action = true;
	curl_multi_socket_action(curl->multi, socket, events, &running);
	tell_ended(curl);
	curl->in_action = false;
	if (curl->on_closed)
		close_now(curl);
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct socket_poll *poll = handle->data;
	int curl_events = status < 0 ? CURL_CSELECT_ERR : 0;

	curl_events |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	curl_events |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	act(poll->curl, poll->socket, curl_events);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct socket_poll *poll = handle->data;
	struct scd__curl_loop *curl = poll->curl;

	free(poll);
	handle_closed(curl);
}

static struct socket_poll *new_poll(struct scd__curl_loop *curl, curl_socket_t socket)
{
	struct socket_poll *poll = calloc(1, sizeof(*poll));

	if (!poll)
		return NULL;
	if (uv_poll_init_socket(curl->loop, &poll->handle, socket) < 0) {
		free(poll);
		return NULL;
	}
	poll->handle.data = poll;
	poll->curl = curl;
	poll->socket = socket;
	curl->open_count++;
	curl_multi_assign(curl->multi, socket, poll);
	return poll;
}

/* A curl_socket_callback. A socket that cannot be watched runs into the transfer's time-out. */
static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *socket_user)
{
	struct scd__curl_loop *curl = user;
	struct socket_poll *poll = socket_user;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (poll)
			uv_close((uv_handle_t *)&poll->handle, on_poll_closed);
		curl_multi_assign(curl->multi, socket, NULL);
		return 0;
	}
	events |= what == CURL_POLL_IN || what == CURL_POLL_INOUT ? UV_READABLE : 0;
	events |= what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? UV_WRITABLE : 0;
	if (!poll)
		poll = new_poll(curl, socket);
	if (poll)
		uv_poll_start(&poll->handle, events, on_poll);
	return 0;
}

/*
 * A curl_multi_timer_callback. libuv's clock is cut to milliseconds, so a timer may fire up to one too early for
 * libcurl, which would do nothing and ask for no other: hence one more.
 */
static int on_timeout(CURLM *multi, long timeout_ms, void *user)
{
	struct scd__curl_loop *curl = user;

	(void)multi;
	if (timeout_ms < 0)
		return uv_timer_stop(&curl->timer);
	uv_update_time(curl->loop);
	return uv_timer_start(&curl->timer, on_timer, timeout_ms ? (uint64_t)timeout_ms + 1 : 0, 0);
}

struct scd__curl_loop *scd__curl_loop_new(uv_loop_t *loop, scd__curl_done_fn *on_done, void *user)
{
	struct scd__curl_loop *curl = calloc(1, sizeof(*curl));
	CURLM *multi = curl_multi_init();

	if (!curl || !multi) {
		free(curl);
		curl_multi_cleanup(multi);
		return NULL;
	}
	*curl = (struct scd__curl_loop){
		.loop = loop, .multi = multi, .open_count = 1, .on_done = on_done, .user = user
	};
	uv_timer_init(loop, &curl->timer);
	curl->timer.data = curl;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, curl);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, curl);
	return curl;
}

int scd__curl_loop_start(struct scd__curl_loop *curl, CURL *easy)
{
	return curl_multi_add_handle(curl->multi, easy) == CURLM_OK ? 0 : -ENOMEM;
}

void scd__curl_loop_cancel(struct scd__curl_loop *curl, CURL *easy)
{
	curl_multi_remove_handle(curl->multi, easy);
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static void close_now(struct scd__curl_loop *curl)
{
	curl_multi_cleanup(curl->multi);
	uv_close((uv_handle_t *)&curl->timer, on_timer_closed);
}

void scd__curl_loop_close(struct scd__curl_loop *curl, void (*on_closed)(void *user))
{
	curl->on_closed = on_closed;
	if (!curl->in_action)
		close_now(curl);
}
