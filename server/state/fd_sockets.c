/*
 * What system calls do to sockets. A socket is an open file as others are, but a call can change what it is: an address
 * is bound, a peer found and lost.
 */
#include <errno.h>
#include <sys/socket.h>

#include "seccheckd/event/address.h"
#include "state/fd_call.h"

#define LINUX_SOCK_TYPE 0xfu /* the rest of socket's type are flags */

bool scd__fd_is_socket(const struct scd_fd *fd)
{
	return fd->domain != 0 || fd->role != SCD_FD_ROLE_NONE;
}

static struct scd__file *new_socket(const struct scd__fd_call *call)
{
	struct scd__file *file = scd__file_new(call->pool, 0);
	if (!file)
		return NULL;
	file->pub.type = scd_fd_type_of_family(call->event->u.socket.domain);
	file->pub.domain = call->event->u.socket.domain;
	file->pub.socket_type = (int32_t)((uint32_t)call->event->u.socket.type & LINUX_SOCK_TYPE);
	file->pub.protocol = call->event->u.socket.protocol;
	return file;
}

int scd__fd_apply_socket(const struct scd__fd_call *call)
{
	return scd__fd_call_put(call, call->event->exit_result, new_socket(call),
	                        scd__cloexec_of((uint32_t)call->event->u.socket.type));
}

static int put_connected(const struct scd__fd_call *call, int32_t number)
{
	struct scd__file *file = new_socket(call);
	if (file)
		file->pub.connected = true;
	return scd__fd_call_put(call, number, file, scd__cloexec_of((uint32_t)call->event->u.socket.type));
}

int scd__fd_apply_socketpair(const struct scd__fd_call *call)
{
	int32_t first = call->event->u.socket.socket1, second = call->event->u.socket.socket2;
	if (first == second) /* not told */
		return 0;
	int result = put_connected(call, first);
	return put_connected(call, second) < 0 ? -ENOMEM : result;
}

struct scd__file *scd__fd_socket_at(const struct scd__fd_call *call, int64_t number, int32_t domain)
{
	struct scd__file *file = scd__fd_call_get(call, number);
	if (file && scd__fd_is_socket(&file->pub))
		return file;
	file = domain == AF_UNSPEC ? NULL : scd__file_new(call->pool, 0);
	if (!file)
		return NULL;
	file->pub.type = scd_fd_type_of_family(domain);
	file->pub.domain = domain;
	return scd__fd_call_put(call, number, file, SCD__CLOEXEC_UNKNOWN) == 0 ? scd__fd_call_get(call, number) : NULL;
}

/* False, and AF_UNSPEC, when the message does not tell it. */
static bool parse_address(struct scd_str sockaddr, struct scd_address *ret_address)
{
	*ret_address = (struct scd_address){ .family = AF_UNSPEC };
	return scd_address_parse(sockaddr, ret_address) != -EBADMSG;
}

/* An IPv6 socket that talks to an IPv4 address is shown as what it talks. */
static void note_address(struct scd__file *file, const struct scd_address *address, struct scd_fd_endpoint *end)
{
	switch (address->family) {
	case AF_UNIX:
		file->pub.type = SCD_FD_UNIX;
		if (address->path.len)
			scd__file_set_path(file, address->path);
		break;
	case AF_INET:
	case AF_INET6:
		(void)scd_fd_endpoint_set(end, address->ip, address->family == AF_INET ? 4 : 16, address->port);
		file->pub.type = end->ip.family == 4 ? SCD_FD_IPV4 : SCD_FD_IPV6;
		break;
	default: break;
	}
}

static void note_connect(struct scd__file *file, const struct scd_event *event, bool dissolved)
{
	file->pub.remote = (struct scd_fd_endpoint){ .port = 0 };
	file->pub.role = dissolved ? SCD_FD_ROLE_NONE : SCD_FD_ROLE_CLIENT;
	file->pub.connected = event->exit_errorno == 0 && !dissolved;
	file->pub.connecting = event->exit_errorno == EINPROGRESS;
}

static bool connects(const struct scd_event *event)
{
	return event->has_exit && (event->exit_errorno == 0 || event->exit_errorno == EINPROGRESS);
}

/* To AF_UNSPEC means to nobody any more. */
int scd__fd_apply_connect(const struct scd__fd_call *call)
{
	struct scd_address address;
	bool told = parse_address(call->event->u.connect.address, &address);
	struct scd__file *file = connects(call->event) ? scd__fd_socket_at(call, call->event->fd, address.family)
	                                               : NULL;
	if (!file)
		return 0;
	note_connect(file, call->event, told && address.family == AF_UNSPEC);
	note_address(file, &address, &file->pub.remote);
	return 0;
}

int scd__fd_apply_hidden_connect(const struct scd__fd_call *call)
{
	struct scd__file *file = scd__fd_call_get(call, (int32_t)call->event->u.raw.args[0]);
	if (file && scd__fd_is_socket(&file->pub) && connects(call->event))
		note_connect(file, call->event, false);
	return 0;
}

int scd__fd_apply_bind(const struct scd__fd_call *call)
{
	struct scd_address address;
	(void)parse_address(call->event->u.connect.address, &address);
	struct scd__file *file = scd__fd_socket_at(call, call->event->fd, address.family);
	if (!file)
		return 0;
	note_address(file, &address, &file->pub.local);
	if (file->pub.role == SCD_FD_ROLE_NONE)
		file->pub.role = SCD_FD_ROLE_LISTENER;
	return 0;
}

int scd__fd_apply_listen(const struct scd__fd_call *call)
{
	const struct scd_event *event = call->event;
	struct scd_address address;
	(void)parse_address(event->u.listen.address, &address);
	int32_t family = address.family != AF_UNSPEC ? address.family : event->u.listen.socket_family;
	struct scd__file *file = scd__fd_socket_at(call, event->fd, family);
	if (!file)
		return 0;
	note_address(file, &address, &file->pub.local);
	if (file->pub.socket_type == 0)
		file->pub.socket_type = (int32_t)((uint32_t)event->u.listen.socket_type & LINUX_SOCK_TYPE);
	file->pub.role = SCD_FD_ROLE_LISTENER;
	return 0;
}

/* What is accepted is a stream, where the listener is not known. The address tells the family, if it was asked for. */
int scd__fd_apply_accept(const struct scd__fd_call *call)
{
	struct scd_address address;
	(void)parse_address(call->event->u.connect.address, &address);
	const struct scd__file *listener = scd__fd_call_get(call, call->event->fd);
	struct scd_fd fd = { .domain = address.family, .socket_type = SOCK_STREAM };
	if (listener && scd__fd_is_socket(&listener->pub))
		fd = listener->pub;
	struct scd__file *file = scd__file_like(call->pool, &fd, fd.path);
	if (file) {
		note_address(file, &address, &file->pub.remote);
		file->pub.role = SCD_FD_ROLE_SERVER;
		file->pub.connected = true;
	}
	return scd__fd_call_put(call, call->event->exit_result, file,
	                        scd__cloexec_of((uint32_t)call->event->u.connect.flags));
}
