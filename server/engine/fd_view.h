/*
 * The descriptor of an event: which number, what it is, which addresses. What the message tells comes first, what state
 * remembers fills in the rest. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_FD_VIEW_H
#define SCD_SERVER_ENGINE_FD_VIEW_H

#include "engine/event_info.h"
#include "seccheckd/engine/field.h"

struct scd__fd {
	int64_t number; /* -1: not known, or there is none */
	const char *letter;
	bool is_opened; /* an open made it: the path is the message's to tell */
	struct scd_fd what;
};

/* Ends of a connection, by role and by side. */
enum scd__fd_end { SCD__END_CLIENT, SCD__END_SERVER, SCD__END_LOCAL, SCD__END_REMOTE };

/* False when the event has to do with no descriptor. */
bool scd__fd_of(const struct scd_view *view, struct scd__fd *ret_fd);

/* Any descriptor of the event's process, as state remembers it. False: not known. */
bool scd__fd_known(const struct scd_view *view, int64_t number, struct scd__fd *ret_fd);

/*
 * Address and port of an end. False: not known, or it has no such end. The local address of a connection is not known
 * when it was bound to any (0.0.0.0); that of a listener is what it was bound to.
 */
bool scd__fd_ip(const struct scd__fd *fd, enum scd__fd_end end, struct scd_ip *ret_ip);
bool scd__fd_port(const struct scd__fd *fd, enum scd__fd_end end, uint16_t *ret_port);

/* fd.l4proto; "<NA>" for what is no IP socket, or not known. */
const char *scd__fd_l4proto(const struct scd__fd *fd);

/*
 * fd.name: a file's absolute path (as given when it cannot be told), `client:port->server:port` where the end that is
 * not known is zero, `address:port` of a listener, a Unix socket's path (`@name` if abstract). False: ABSENT.
 */
bool scd__fd_name(const struct scd_view *view, const struct scd__fd *fd, struct scd_str *ret_name);

/* scd_path_join in the scratch arena, of texts that are not longer than fields may be. */
bool scd__joined_path(const struct scd_view *view, struct scd_str base, struct scd_str path, struct scd_str *ret_path);

/* The absolute path that open, openat or creat asked for. False for other events, and when it cannot be told. */
bool scd__opened_path(const struct scd_view *view, struct scd_str *ret_path);

/* A path out of a Unix socket's address, as fd.name has it. False when it is empty, or the arena exhausted. */
bool scd__unix_name(const struct scd_view *view, struct scd_str path, struct scd_str *ret_name);

/* `address:port` in the arena; data NULL when it is exhausted. */
struct scd_str scd__endpoint_text(const struct scd_fd_endpoint *endpoint, struct scd_arena *arena);

/* What a standard descriptor was at an exec. */
enum scd_fd_type scd__fd_info_type(const struct scd_fd_info *info);
bool scd__fd_info_name(const struct scd_fd_info *info, struct scd_arena *arena, struct scd_str *ret_name);

#endif
