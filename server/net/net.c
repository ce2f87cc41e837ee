/*
 * The net's life: new, stop, free.
 *
 * libuv gives memory of a handle back in a callback of a later turn of the loop, so freeing has two halves: handles
 * are closed at once, and the struct goes when the last of them has said so.
 *
 * The stop is one pass over every socket, so that what a sandbox did before the order came is seen. It ends for a
 * socket when it is empty, at its quota (a hostile sandbox may write as fast as we read), or when the time for all of
 * them is over.
 */
#include "seccheckd/net/net.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/internal.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"

/*
 * What one socket can hold when the order comes: its sender's buffer has at most 16 MiB, which hold 21,846 of the
 * smallest messages.
 */
#define STOP_MESSAGES 32768
#define STOP_BYTES    (24 << 20)

/* For all sockets together. The keeper gives the worker 10 s, of which outputs may need 5. */
#define STOP_PASS_NS (4 * INT64_C(1000000000))

static void try_free(struct scd_net *net)
{
	if (!net->freed || net->open_handles)
		return;
	free(net->buffer);
	free(net);
}

void scd__net_handle_closed(struct scd_net *net)
{
	net->open_handles--;
	try_free(net);
}

static void on_closed(uv_handle_t *handle)
{
	scd__net_handle_closed(handle->data);
}

static void close_control(struct scd_net *net)
{
	if (net->control_fd < 0)
		return;
	if (net->control.data)
		uv_close((uv_handle_t *)&net->control, on_closed);
	close(net->control_fd);
	net->control_fd = -1;
}

static void close_tick(struct scd_net *net)
{
	if (net->tick_fd < 0)
		return;
	if (net->tick.data)
		uv_close((uv_handle_t *)&net->tick, on_closed);
	close(net->tick_fd);
	net->tick_fd = -1;
}

int scd_net_new(uv_loop_t *loop, int control_fd, const struct scd_net_sink *sink, const struct scd_net_ops *ops,
                void *user, struct scd_net **ret_net)
{
	struct scd_net *net = calloc(1, sizeof(*net));
	uint8_t *buffer = malloc(SCD_LIMIT_MESSAGE_BYTES);
	int r;

	if (!net || !buffer) {
		free(net);
		free(buffer);
		close(control_fd);
		return -ENOMEM;
	}
	*net = (struct scd_net){ .loop = loop,
		                 .sink = *sink,
		                 .ops = ops,
		                 .user = user,
		                 .control_fd = control_fd,
		                 .tick_fd = -1,
		                 .buffer = buffer };
	TAILQ_INIT(&net->waiting);
	TAILQ_INIT(&net->active);
	TAILQ_INIT(&net->ended);
	r = scd__tick_start(net);
	if (!r)
		r = scd__control_start(net);
	if (r < 0) {
		scd_net_free(&net);
		return r;
	}
	scd__control_flush(net);
	*ret_net = net;
	return 0;
}

static struct scd__session *first_session(struct scd_net *net)
{
	struct scd__session *session = TAILQ_FIRST(&net->active);

	return session ? session : TAILQ_FIRST(&net->waiting);
}

void scd_net_free(struct scd_net **net)
{
	struct scd_net *n = net ? *net : NULL;
	struct scd__session *session;

	if (!n)
		return;
	close_control(n);
	close_tick(n);
	while ((session = first_session(n)))
		scd__session_end(session, true);
	scd__control_flush(n);
	n->freed = true;
	try_free(n);
	*net = NULL;
}

static void drain_last(struct scd__session *session, int64_t deadline_ns)
{
	struct scd__quota quota = { STOP_MESSAGES, STOP_BYTES, deadline_ns };
	enum scd__drained drained = SCD__DRAINED_MORE;

	if (scd_clock_mono_ns() < deadline_ns)
		drained = scd__session_drain(session, &quota);
	session->net->counters.stops_cut_short += drained == SCD__DRAINED_MORE;
	scd__session_end(session, drained != SCD__DRAINED_END);
}

void scd__net_stop(struct scd_net *net)
{
	int64_t deadline_ns = scd_clock_mono_ns() + STOP_PASS_NS;
	struct scd__session *session;

	close_control(net);
	close_tick(net);
	while ((session = first_session(net)))
		drain_last(session, deadline_ns);
	if (net->counters.stops_cut_short)
		scd_log(SCD_LOG_WARNING, "%llu connections still had messages when the daemon stopped",
		        (unsigned long long)net->counters.stops_cut_short);
	net->ops->stopped(net->user);
}

size_t scd_net_session_count(const struct scd_net *net)
{
	return net->session_count;
}

const struct scd_net_counters *scd_net_counters(const struct scd_net *net)
{
	return &net->counters;
}
