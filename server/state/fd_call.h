/*
 * One message and the process whose descriptors it changes: what fd_calls.c and fd_sockets.c have in common. Inside
 * server/state only.
 */
#ifndef SCD_SERVER_STATE_FD_CALL_H
#define SCD_SERVER_STATE_FD_CALL_H

#include "state/process_table.h"

#define SCD__O_CLOEXEC 02000000u /* of Linux on x86-64; SOCK_, EFD_, SFD_, TFD_ and IN_CLOEXEC are the same */

struct scd__fd_call {
	struct scd__fd_pool *pool;
	struct scd__process *process;
	const struct scd_event *event;
};

static inline enum scd__cloexec scd__cloexec_if(bool cloexec)
{
	return cloexec ? SCD__CLOEXEC_YES : SCD__CLOEXEC_NO;
}

static inline enum scd__cloexec scd__cloexec_of(uint64_t flags)
{
	return scd__cloexec_if(flags & SCD__O_CLOEXEC);
}

/* The process's table, made if it has none. NULL on exhaustion. */
struct scd__fd_table *scd__fd_call_table(const struct scd__fd_call *call);

/* NULL: not known. */
struct scd__file *scd__fd_call_get(const struct scd__fd_call *call, int64_t number);

/* Takes over the file, also on failure; NULL is the failure to make one. */
int scd__fd_call_put(const struct scd__fd_call *call, int64_t number, struct scd__file *file,
                     enum scd__cloexec cloexec);

bool scd__fd_is_socket(const struct scd_fd *fd);

/*
 * The socket behind a number that a call showed to be one, made if nothing is known there. NULL when there is nothing
 * to make it of (domain AF_UNSPEC), and on exhaustion.
 */
struct scd__file *scd__fd_socket_at(const struct scd__fd_call *call, int64_t number, int32_t domain);

/* Calls that succeeded, but for connect, which looks itself. 0 or -ENOMEM. */
int scd__fd_apply_socket(const struct scd__fd_call *call);
int scd__fd_apply_socketpair(const struct scd__fd_call *call);
int scd__fd_apply_connect(const struct scd__fd_call *call);
int scd__fd_apply_bind(const struct scd__fd_call *call);
int scd__fd_apply_listen(const struct scd__fd_call *call);
int scd__fd_apply_accept(const struct scd__fd_call *call);

/* A connect of which only the raw point arrived: to whom is not known. */
int scd__fd_apply_hidden_connect(const struct scd__fd_call *call);

#endif
