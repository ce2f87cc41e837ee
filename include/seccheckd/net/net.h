/*
 * Sessions: the sockets that the keeper hands over, drained into the pipeline on one libuv loop.
 *
 * A socket is drained to EAGAIN, then left alone for a tick (timerfd: libuv's own timers are too coarse), then
 * drained again: a wake-up per message costs several times the CPU, for us and for the sandbox. A socket that stays
 * empty goes back to waiting for readability. A budget per tick keeps one flooding sandbox from starving the others.
 */
#ifndef SECCHECKD_NET_NET_H
#define SECCHECKD_NET_NET_H

#include <uv.h>

#include "seccheckd/pipeline/pipeline.h"

struct scd_net;

struct scd_net_ops {
	/*
	 * The keeper said stop, or is gone: every socket was drained once more and closed, nothing more will come.
	 * Called once.
	 */
	void (*stopped)(void *user);
};

/* control_fd: our end of the socket pair (wire/custody.h); taken over. 0 or negative errno. */
int scd_net_new(uv_loop_t *loop, int control_fd, struct scd_pipeline *pipeline, const struct scd_net_ops *ops,
                void *user, struct scd_net **ret_net);

/* After stopped(), or before anything ran. The loop must run once more to close handles. */
void scd_net_free(struct scd_net **net);

size_t scd_net_session_count(const struct scd_net *net);

#endif
