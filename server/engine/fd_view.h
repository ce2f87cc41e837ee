/*
 * The descriptor of an event, as far as the one message tells: which number, what it is, which addresses. Inside
 * server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_FD_VIEW_H
#define SCD_SERVER_ENGINE_FD_VIEW_H

#include "engine/event_info.h"
#include "seccheckd/engine/field.h"

/* Whose end of a connection the process is. */
enum scd__fd_side {
	SCD__SIDE_NONE,     /* no socket, or one without addresses so far */
	SCD__SIDE_CLIENT,   /* connect: the server's address is known */
	SCD__SIDE_SERVER,   /* accept: the client's address is known */
	SCD__SIDE_LISTENER, /* bind, listen: its own address, which is the server's */
};

struct scd__endpoint {
	struct scd_ip ip;
	uint16_t port;
};

struct scd__fd {
	int64_t number; /* -1: not known, or there is none */
	enum scd__fd_type type;
	const char *letter;     /* fd.typechar */
	enum scd__fd_side side; /* NONE unless type is IPV4, IPV6 or UNIX */
	bool has_endpoint;      /* IPV4, IPV6 */
	struct scd__endpoint endpoint;
	struct scd_str unix_path; /* of a Unix socket: as in the sockaddr; empty: none */
	const char *l4proto;      /* "<NA>" when the message does not say */
	bool connected;
};

/* False when the event has to do with no descriptor. */
bool scd__fd_of(const struct scd_view *view, struct scd__fd *ret_fd);

/*
 * fd.name: a file's absolute path (as given when it cannot be told), `client:port->server:port` where the end that no
 * message tells is zero, `address:port` of a listener, a Unix socket's path (`@name` if abstract). False: ABSENT.
 */
bool scd__fd_name(const struct scd_view *view, const struct scd__fd *fd, struct scd_str *ret_name);

/* scd_path_join in the scratch arena, of texts that are not longer than fields may be. */
bool scd__joined_path(const struct scd_view *view, struct scd_str base, struct scd_str path, struct scd_str *ret_path);

/* The absolute path that open, openat or creat asked for. False for other events, and when it cannot be told. */
bool scd__opened_path(const struct scd_view *view, struct scd_str *ret_path);

/* `address:port` in the arena; data NULL when it is exhausted. */
struct scd_str scd__endpoint_text(const struct scd__endpoint *endpoint, struct scd_arena *arena);

/* What a standard descriptor was at an exec. */
enum scd__fd_type scd__fd_info_type(const struct scd_fd_info *info);
bool scd__fd_info_name(const struct scd_fd_info *info, struct scd_arena *arena, struct scd_str *ret_name);

#endif
