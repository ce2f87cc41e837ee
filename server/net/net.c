/*
 * The net's life: new, stop, free.
 *
 * libuv gives memory of a handle back in a callback of a later turn of the loop, so freeing has two halves: handles
 * are closed at once, and the struct goes when the last of them has said so.
 */
#include "seccheckd/net/net.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/internal.h"
#include "seccheckd/base/limits.h"

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

void scd__net_close_handle(uv_handle_t *handle)
{
	uv_close(handle, on_closed);
}

int scd_net_new(uv_loop_t *loop, int control_fd, struct scd_pulse *pulse, const struct scd_net_sink *sink,
                const struct scd_net_ops *ops, void *user, struct scd_net **ret_net)
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
		                 .pulse = pulse,
		                 .control_fd = control_fd,
		                 .tick_fd = -1,
		                 .buffer = buffer };
	TAILQ_INIT(&net->waiting);
	TAILQ_INIT(&net->ready);
	for (size_t i = 0; i < SCD__RHYTHMS; i++)
		TAILQ_INIT(&net->rhythms[i].resting);
	TAILQ_INIT(&net->ended);
	TAILQ_INIT(&net->unheard);
	r = scd__watch_start(net);
	if (!r)
		r = scd__tick_start(net);
	if (!r)
		r = scd__control_start(net);
	if (r < 0) {
		scd_net_free(&net);
		return r;
	}
	*ret_net = net;
	return 0;
}

void scd_net_free(struct scd_net **net)
{
	struct scd_net *n = net ? *net : NULL;
	struct scd__session *session;

	if (!n)
		return;
	scd__control_close(n);
	scd__tick_close(n);
	scd__watch_close(n);
	scd__tick_add_all(n);
	while ((session = TAILQ_FIRST(&n->ready)))
		scd__session_end(session, SCD__DRAINED_MORE);
	scd__control_flush(n);
	n->freed = true;
	try_free(n);
	*net = NULL;
}

size_t scd_net_session_count(const struct scd_net *net)
{
	return net->session_count;
}

const struct scd_net_counters *scd_net_counters(const struct scd_net *net)
{
	return &net->counters;
}
