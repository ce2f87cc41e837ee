/*
 * From a message to its descriptor.
 *
 *     message             number           what is known
 *     open, openat, creat the result       a file, or a folder if O_DIRECTORY was asked for; its path
 *     connect             fd               the server's address
 *     accept              the result       the client's address
 *     bind, listen        fd               its own address
 *     socket              the result       family and protocol
 *     eventfd, …          the result       the type, by the system call
 *     others              fd               the path, if the session asks for fd_path
 *
 * There is no table of descriptors here: what an earlier message said of a number is not known to a later one.
 * Addresses of the form ::ffff:a.b.c.d are IPv4, so that rules see one address of a host whatever socket was used.
 */
#include "engine/fd_view.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "engine/text.h"
#include "seccheckd/base/path.h"
#include "seccheckd/event/address.h"

#define LINUX_AT_FDCWD    (-100)
#define LINUX_O_DIRECTORY 0200000u
#define LINUX_SOCK_TYPE   0xfu /* the rest of socket's type are flags */
#define NOT_KNOWN         "<NA>"

static bool succeeded(const struct scd_event *event)
{
	return event->has_exit && event->exit_errorno == 0;
}

static int64_t result_number(const struct scd_event *event)
{
	return succeeded(event) ? event->exit_result : -1;
}

static void set_type(struct scd__fd *fd, enum scd__fd_type type)
{
	fd->type = type;
	fd->letter = scd__fd_type_letter(type);
}

static enum scd__fd_type type_of_family(unsigned family)
{
	switch (family) {
	case AF_INET: return SCD__FD_IPV4;
	case AF_INET6: return SCD__FD_IPV6;
	case AF_UNIX: return SCD__FD_UNIX;
	case AF_NETLINK: return SCD__FD_NETLINK;
	default: return SCD__FD_UNKNOWN;
	}
}

/* A failed open still is about a file, of which no type is known. */
static void describe_open(const struct scd_event *event, struct scd__fd *fd)
{
	fd->number = result_number(event);
	if (!succeeded(event))
		fd->letter = scd__fd_type_letter(SCD__FD_FILE);
	else
		set_type(fd, event->u.open.flags & LINUX_O_DIRECTORY ? SCD__FD_DIRECTORY : SCD__FD_FILE);
}

static bool set_endpoint(struct scd__endpoint *endpoint, const uint8_t *ip, size_t len, uint16_t port)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	*endpoint = (struct scd__endpoint){ .port = port };
	if (len == 16 && memcmp(ip, mapped, sizeof(mapped)) == 0) {
		ip += sizeof(mapped);
		len = 4;
	}
	if (len != 4 && len != 16)
		return false;
	endpoint->ip.family = len == 4 ? 4 : 6;
	memcpy(endpoint->ip.bytes, ip, len);
	return true;
}

static void describe_address(struct scd_str sockaddr, enum scd__fd_side side, struct scd__fd *fd)
{
	struct scd_address address = { .family = AF_UNSPEC };
	int result = scd_address_parse(sockaddr, &address);
	if (result < 0 && address.family != AF_NETLINK)
		return;
	set_type(fd, type_of_family(address.family));
	fd->side = fd->type == SCD__FD_NETLINK ? SCD__SIDE_NONE : side;
	if (address.family == AF_UNIX)
		fd->unix_path = address.path;
	if (address.family != AF_INET && address.family != AF_INET6)
		return;
	fd->has_endpoint = set_endpoint(&fd->endpoint, address.ip, address.family == AF_INET ? 4 : 16, address.port);
	set_type(fd, fd->endpoint.ip.family == 4 ? SCD__FD_IPV4 : SCD__FD_IPV6);
}

static void describe_connect(const struct scd_event *event, struct scd__fd *fd)
{
	fd->number = event->fd;
	describe_address(event->u.connect.address, SCD__SIDE_CLIENT, fd);
	fd->connected = succeeded(event);
}

/* Falco takes what was accepted for TCP; a Unix socket has no such protocol. */
static void describe_accept(const struct scd_event *event, struct scd__fd *fd)
{
	fd->number = result_number(event);
	describe_address(event->u.connect.address, SCD__SIDE_SERVER, fd);
	fd->connected = succeeded(event);
	if (fd->has_endpoint)
		fd->l4proto = "tcp";
}

static void describe_listener(const struct scd_event *event, struct scd_str address, struct scd__fd *fd)
{
	fd->number = event->fd;
	describe_address(address, SCD__SIDE_LISTENER, fd);
}

static const char *l4proto_of(int32_t type, int32_t protocol)
{
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		return "icmp";
	switch ((unsigned)type & LINUX_SOCK_TYPE) {
	case SOCK_STREAM: return "tcp";
	case SOCK_DGRAM: return "udp";
	case SOCK_RAW: return "raw";
	default: return NOT_KNOWN;
	}
}

static void describe_socket(const struct scd_event *event, struct scd__fd *fd)
{
	fd->number = result_number(event);
	set_type(fd, type_of_family((unsigned)event->u.socket.domain));
	if (fd->type == SCD__FD_IPV4 || fd->type == SCD__FD_IPV6)
		fd->l4proto = l4proto_of(event->u.socket.type, event->u.socket.protocol);
}

static void describe_other(const struct scd_event *event, const struct scd__event_info *info, struct scd__fd *fd)
{
	if (info->creates == SCD__FD_UNKNOWN) {
		fd->number = event->fd;
		return;
	}
	fd->number = result_number(event);
	set_type(fd, info->creates);
}

bool scd__fd_of(const struct scd_view *view, struct scd__fd *ret_fd)
{
	const struct scd_event *event = view->event;
	const struct scd__event_info *info = scd__event_info(event->kind);
	if (!(info->flags & SCD__EVENT_FD))
		return false;
	*ret_fd = (struct scd__fd){ .number = -1, .l4proto = NOT_KNOWN };
	set_type(ret_fd, SCD__FD_UNKNOWN);
	switch (event->point) {
	case SCD_POINT_SYSCALL_OPEN: describe_open(event, ret_fd); break;
	case SCD_POINT_SYSCALL_CONNECT: describe_connect(event, ret_fd); break;
	case SCD_POINT_SYSCALL_ACCEPT: describe_accept(event, ret_fd); break;
	case SCD_POINT_SYSCALL_BIND: describe_listener(event, event->u.connect.address, ret_fd); break;
	case SCD_POINT_SYSCALL_LISTEN: describe_listener(event, event->u.listen.address, ret_fd); break;
	case SCD_POINT_SYSCALL_SOCKET: describe_socket(event, ret_fd); break;
	case SCD_POINT_SYSCALL_DUP: ret_fd->number = result_number(event); break;
	default: describe_other(event, info, ret_fd); break;
	}
	return true;
}

/* Names. */

bool scd__joined_path(const struct scd_view *view, struct scd_str base, struct scd_str path, struct scd_str *ret_path)
{
	return scd__text_cut(view, &base) && scd__text_cut(view, &path) &&
	       scd_path_join(base, path, view->scratch, ret_path);
}

bool scd__opened_path(const struct scd_view *view, struct scd_str *ret_path)
{
	const struct scd_event *event = view->event;
	if (event->point != SCD_POINT_SYSCALL_OPEN)
		return false;
	struct scd_str base = event->context.cwd;
	if (event->kind == SCD_KIND_OPENAT && event->fd != LINUX_AT_FDCWD)
		base = event->fd_path;
	else if (base.len == 0 && view->process)
		base = view->process->cwd;
	return scd__joined_path(view, base, event->u.open.pathname, ret_path);
}

struct scd_str scd__endpoint_text(const struct scd__endpoint *endpoint, struct scd_arena *arena)
{
	char ip[SCD_IP_TEXT_BYTES];
	scd_ip_format(&endpoint->ip, ip);
	return scd_arena_printf(arena, "%s:%u", ip, endpoint->port);
}

static bool tuple_name(const struct scd__endpoint *from, const struct scd__endpoint *to, struct scd_arena *arena,
                       struct scd_str *ret_name)
{
	char from_ip[SCD_IP_TEXT_BYTES], to_ip[SCD_IP_TEXT_BYTES];
	scd_ip_format(&from->ip, from_ip);
	scd_ip_format(&to->ip, to_ip);
	*ret_name = scd_arena_printf(arena, "%s:%u->%s:%u", from_ip, from->port, to_ip, to->port);
	return ret_name->data != NULL;
}

static bool endpoint_name(const struct scd__fd *fd, struct scd_arena *arena, struct scd_str *ret_name)
{
	struct scd__endpoint untold = { .ip.family = fd->endpoint.ip.family };
	if (fd->side == SCD__SIDE_CLIENT)
		return tuple_name(&untold, &fd->endpoint, arena, ret_name);
	if (fd->side == SCD__SIDE_SERVER)
		return tuple_name(&fd->endpoint, &untold, arena, ret_name);
	*ret_name = scd__endpoint_text(&fd->endpoint, arena);
	return ret_name->data != NULL;
}

/* An abstract name begins with a NUL, and may be padded with more of them. */
static bool unix_name(const struct scd_view *view, struct scd_str path, struct scd_str *ret_name)
{
	if (path.len == 0 || !scd__text_cut(view, &path))
		return false;
	if (path.data[0] != '\0') {
		*ret_name = (struct scd_str){ path.data, strnlen(path.data, path.len) };
		return true;
	}
	while (path.len > 1 && path.data[path.len - 1] == '\0')
		path.len--;
	char *name = scd_arena_alloc(view->scratch, path.len);
	if (!name)
		return false;
	memcpy(name, path.data, path.len);
	name[0] = '@';
	*ret_name = (struct scd_str){ name, path.len };
	return true;
}

bool scd__fd_name(const struct scd_view *view, const struct scd__fd *fd, struct scd_str *ret_name)
{
	if (fd->has_endpoint)
		return endpoint_name(fd, view->scratch, ret_name);
	if (fd->type == SCD__FD_UNIX)
		return unix_name(view, fd->unix_path, ret_name);
	if (view->event->point != SCD_POINT_SYSCALL_OPEN) {
		*ret_name = view->event->fd_path;
		return ret_name->len > 0;
	}
	if (!scd__opened_path(view, ret_name))
		*ret_name = view->event->u.open.pathname;
	return ret_name->len > 0;
}

/* Standard descriptors at an exec. */

enum scd__fd_type scd__fd_info_type(const struct scd_fd_info *info)
{
	switch (info->mode & S_IFMT) {
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK: return SCD__FD_FILE;
	case S_IFDIR: return SCD__FD_DIRECTORY;
	case S_IFIFO: return SCD__FD_PIPE;
	case S_IFSOCK: return info->has_socket ? type_of_family(info->socket_family) : SCD__FD_UNKNOWN;
	default: return SCD__FD_UNKNOWN;
	}
}

static bool socket_end(const struct scd_socket_ip *end, struct scd__endpoint *ret_endpoint)
{
	return set_endpoint(ret_endpoint, (const uint8_t *)end->ip.data, end->ip.len, (uint16_t)end->port);
}

bool scd__fd_info_name(const struct scd_fd_info *info, struct scd_arena *arena, struct scd_str *ret_name)
{
	struct scd__endpoint local, remote;
	if (info->has_socket && socket_end(&info->local, &local)) {
		if (socket_end(&info->remote, &remote))
			return tuple_name(&local, &remote, arena, ret_name);
		*ret_name = scd__endpoint_text(&local, arena);
		return ret_name->data != NULL;
	}
	*ret_name = info->path;
	return info->path.len > 0;
}
