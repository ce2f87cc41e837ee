/*
 * From a message, and what state remembers, to a descriptor.
 *
 *     message             number           what the message tells
 *     open, openat, creat the result       a file, or a folder if O_DIRECTORY was asked for; its path
 *     connect             fd               the server's address
 *     accept              the result       the client's address
 *     bind, listen        fd               its own address
 *     socket              the result       family and protocol
 *     eventfd, …          the result       the type, by the system call
 *     others              fd               the path, if the session asks for fd_path
 *     raw points          an argument      nothing
 *
 * State has seen the event before any rule does, so what a call made is in it already.
 *
 * Addresses of the form ::ffff:a.b.c.d are IPv4, so that rules see one address of a host whatever socket was used.
 */
#include "engine/fd_view.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/text.h"
#include "seccheckd/base/path.h"
#include "seccheckd/event/address.h"

#define LINUX_AT_FDCWD    (-100)
#define LINUX_O_DIRECTORY 0200000u
#define LINUX_O_TMPFILE   020000000u /* without the O_DIRECTORY that it comes with */
#define LINUX_SOCK_TYPE   0xfu       /* the rest of socket's type are flags */
#define NOT_KNOWN         "<NA>"

static bool succeeded(const struct scd_event *event)
{
	return event->has_exit && event->exit_errorno == 0;
}

/* Numbers. */

static int64_t result_number(const struct scd_event *event)
{
	return succeeded(event) ? event->exit_result : -1;
}

/* Which argument of a raw point is the descriptor: nearly always the first. */
static int64_t raw_number(const struct scd_event *event)
{
	enum raw_kind {
		MMAP = 9,
		PIPE = 22,
		DUP = 32,
		DUP2 = 33,
		SOCKET = 41,
		ACCEPT = 43,
		SOCKETPAIR = 53,
		SYMLINKAT = 266,
		ACCEPT4 = 288,
		DUP3 = 292,
		PIPE2 = 293,
		BPF = 321,
		PIDFD_GETFD = 438,
	};
	switch (event->kind) {
	case MMAP: return (int32_t)event->u.raw.args[4];
	case SYMLINKAT: return (int32_t)event->u.raw.args[1];
	case PIPE:
	case PIPE2:
	case SOCKETPAIR: return -1;
	case DUP:
	case DUP2:
	case DUP3:
	case SOCKET:
	case ACCEPT:
	case ACCEPT4:
	case BPF:
	case PIDFD_GETFD: return result_number(event);
	default: return (int32_t)event->u.raw.args[0];
	}
}

static int64_t number_of(const struct scd_event *event)
{
	switch (event->point) {
	case SCD_POINT_SYSCALL_OPEN:
	case SCD_POINT_SYSCALL_ACCEPT:
	case SCD_POINT_SYSCALL_SOCKET:
	case SCD_POINT_SYSCALL_DUP: return result_number(event);
	default: break;
	}
	if (scd__event_info(event->kind)->creates != SCD_FD_UNKNOWN)
		return result_number(event);
	return event->point == SCD_POINT_SYSCALL_RAW ? raw_number(event) : event->fd;
}

/* What messages tell. */

static void set_type(struct scd__fd *fd, enum scd_fd_type type)
{
	fd->what.type = type;
	fd->letter = scd__fd_type_letter(type);
}

/* A failed open still is about a file, of which no type is known. */
static void describe_open(const struct scd_event *event, struct scd__fd *fd)
{
	bool folder = (event->u.open.flags & LINUX_O_DIRECTORY) && !(event->u.open.flags & LINUX_O_TMPFILE);
	fd->is_opened = true;
	if (succeeded(event))
		set_type(fd, folder ? SCD_FD_DIRECTORY : SCD_FD_FILE);
	else
		fd->letter = scd__fd_type_letter(SCD_FD_FILE);
}

/* False when it is no address with an end: not told, or of another family. */
static bool describe_address(struct scd_str sockaddr, struct scd_fd_endpoint *end, struct scd__fd *fd)
{
	struct scd_address address = { .family = AF_UNSPEC };
	(void)scd_address_parse(sockaddr, &address);
	switch (address.family) {
	case AF_INET:
	case AF_INET6:
		(void)scd_fd_endpoint_set(end, address.ip, address.family == AF_INET ? 4 : 16, address.port);
		set_type(fd, end->ip.family == 4 ? SCD_FD_IPV4 : SCD_FD_IPV6);
		return true;
	case AF_UNIX:
		set_type(fd, SCD_FD_UNIX);
		fd->what.path = address.path;
		return true;
	case AF_NETLINK: set_type(fd, SCD_FD_NETLINK); return false;
	default: return false;
	}
}

/* Whatever became of it, the event is about the server that was asked for. */
static void describe_connect(const struct scd_event *event, struct scd__fd *fd)
{
	if (describe_address(event->u.connect.address, &fd->what.remote, fd))
		fd->what.role = SCD_FD_ROLE_CLIENT;
	fd->what.connected = fd->what.connected || (succeeded(event) && fd->what.role == SCD_FD_ROLE_CLIENT);
}

/* Falco takes what was accepted for TCP. */
static void describe_accept(const struct scd_event *event, struct scd__fd *fd)
{
	if (describe_address(event->u.connect.address, &fd->what.remote, fd))
		fd->what.role = SCD_FD_ROLE_SERVER;
	fd->what.connected = succeeded(event);
	if (fd->what.socket_type == 0)
		fd->what.socket_type = SOCK_STREAM;
}

static void describe_listener(struct scd_str address, struct scd__fd *fd)
{
	if (describe_address(address, &fd->what.local, fd) && fd->what.role == SCD_FD_ROLE_NONE)
		fd->what.role = SCD_FD_ROLE_LISTENER;
}

static void describe_socket(const struct scd_event *event, struct scd__fd *fd)
{
	set_type(fd, scd_fd_type_of_family(event->u.socket.domain));
	fd->what.domain = event->u.socket.domain;
	fd->what.socket_type = (int32_t)((uint32_t)event->u.socket.type & LINUX_SOCK_TYPE);
	fd->what.protocol = event->u.socket.protocol;
}

static bool is_socket(const struct scd_fd *what)
{
	switch (what->type) {
	case SCD_FD_IPV4:
	case SCD_FD_IPV6:
	case SCD_FD_UNIX:
	case SCD_FD_NETLINK: return true;
	default: return what->domain != 0;
	}
}

/* Whether a descriptor that is remembered so can have the path that a message tells. */
static bool can_be(const struct scd_fd *what, struct scd_str told)
{
	enum scd_fd_type type = scd_fd_type_of_path(told);
	if (scd_str_starts_with(told, SCD_STR("socket:[")))
		return is_socket(what);
	if (type != SCD_FD_UNKNOWN)
		return what->type == type;
	return what->type == SCD_FD_FILE || what->type == SCD_FD_DIRECTORY;
}

/*
 * The path that the message tells of the descriptor. Where it contradicts what is remembered, a change was missed, and
 * nothing is known but the path. Sockets have none ("socket:[7]"), and what is known of one is more than that. What
 * reads or writes at an absolute path is a file.
 */
static void describe_path(const struct scd_event *event, struct scd__fd *fd)
{
	struct scd_str told = scd_fd_told_path(event);
	bool moves_data = scd__event_info(event->kind)->flags & (SCD__EVENT_READS | SCD__EVENT_WRITES);
	if (told.len == 0 || fd->number != event->fd)
		return;
	if (!can_be(&fd->what, told))
		fd->what = (struct scd_fd){ .type = scd_fd_type_of_path(told) };
	if (is_socket(&fd->what))
		return;
	fd->what.path = told;
	if (fd->what.type == SCD_FD_UNKNOWN && told.data[0] == '/' && moves_data && succeeded(event))
		fd->what.type = SCD_FD_FILE;
}

static void describe(const struct scd_event *event, struct scd__fd *fd)
{
	enum scd_fd_type made = scd__event_info(event->kind)->creates;
	switch (event->point) {
	case SCD_POINT_SYSCALL_OPEN: describe_open(event, fd); break;
	case SCD_POINT_SYSCALL_CONNECT: describe_connect(event, fd); break;
	case SCD_POINT_SYSCALL_ACCEPT: describe_accept(event, fd); break;
	case SCD_POINT_SYSCALL_BIND: describe_listener(event->u.connect.address, fd); break;
	case SCD_POINT_SYSCALL_LISTEN: describe_listener(event->u.listen.address, fd); break;
	case SCD_POINT_SYSCALL_SOCKET: describe_socket(event, fd); break;
	default:
		if (made != SCD_FD_UNKNOWN)
			set_type(fd, made);
		break;
	}
}

bool scd__fd_known(const struct scd_view *view, int64_t number, struct scd__fd *ret_fd)
{
	const struct scd_fd *known = scd_sandbox_fd(view->sandbox, view->process, number);
	if (!known)
		return false;
	*ret_fd = (struct scd__fd){ .number = number, .what = *known };
	ret_fd->letter = scd__fd_type_letter(known->type);
	return true;
}

bool scd__fd_of(const struct scd_view *view, struct scd__fd *ret_fd)
{
	const struct scd_event *event = view->event;
	if (!(scd__event_info(event->kind)->flags & SCD__EVENT_FD))
		return false;
	int64_t number = number_of(event);
	if (!scd__fd_known(view, number, ret_fd))
		*ret_fd = (struct scd__fd){ .number = number };
	describe_path(event, ret_fd);
	set_type(ret_fd, ret_fd->what.type);
	describe(event, ret_fd);
	return true;
}

/* Ends. */

static bool is_connection(const struct scd_fd *what)
{
	return what->role == SCD_FD_ROLE_CLIENT || what->role == SCD_FD_ROLE_SERVER;
}

/* NULL when it has no such end. */
static const struct scd_fd_endpoint *find_end(const struct scd_fd *what, enum scd__fd_end end)
{
	switch (end) {
	case SCD__END_CLIENT:
		if (!is_connection(what))
			return NULL;
		return what->role == SCD_FD_ROLE_CLIENT ? &what->local : &what->remote;
	case SCD__END_SERVER:
		if (what->role == SCD_FD_ROLE_NONE)
			return NULL;
		return what->role == SCD_FD_ROLE_CLIENT ? &what->remote : &what->local;
	case SCD__END_LOCAL: return &what->local;
	case SCD__END_REMOTE: return &what->remote;
	}
	return NULL;
}

static bool is_any(const struct scd_ip *ip)
{
	static const uint8_t zeros[sizeof(ip->bytes)] = { 0 };
	return memcmp(ip->bytes, zeros, ip->family == 4 ? 4 : 16) == 0;
}

bool scd__fd_ip(const struct scd__fd *fd, enum scd__fd_end end, struct scd_ip *ret_ip)
{
	const struct scd_fd_endpoint *found = find_end(&fd->what, end);
	if (!found || !found->ip.family)
		return false;
	if (found == &fd->what.local && is_connection(&fd->what) && is_any(&found->ip))
		return false;
	*ret_ip = found->ip;
	return true;
}

bool scd__fd_port(const struct scd__fd *fd, enum scd__fd_end end, uint16_t *ret_port)
{
	const struct scd_fd_endpoint *found = find_end(&fd->what, end);
	if (!found || !found->ip.family)
		return false;
	if (found == &fd->what.local && is_connection(&fd->what) && found->port == 0)
		return false;
	*ret_port = found->port;
	return true;
}

const char *scd__fd_l4proto(const struct scd__fd *fd)
{
	int32_t protocol = fd->what.protocol;
	if (fd->what.type != SCD_FD_IPV4 && fd->what.type != SCD_FD_IPV6)
		return NOT_KNOWN;
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		return "icmp";
	switch (fd->what.socket_type) {
	case SOCK_STREAM: return "tcp";
	case SOCK_DGRAM: return "udp";
	case SOCK_RAW: return "raw";
	default: return NOT_KNOWN;
	}
}

/* Names. */

bool scd__joined_path(const struct scd_view *view, struct scd_str base, struct scd_str path, struct scd_str *ret_path)
{
	return scd__text_cut(view, &base) && scd__text_cut(view, &path) &&
	       scd_path_join(base, path, view->scratch, ret_path);
}

/* Of openat's descriptor: empty when neither the message nor state knows it. */
static struct scd_str folder_of(const struct scd_view *view)
{
	struct scd_str told = scd_fd_told_path(view->event);
	const struct scd_fd *known = scd_sandbox_fd(view->sandbox, view->process, view->event->fd);
	return told.len == 0 && known ? known->path : told;
}

bool scd__opened_path(const struct scd_view *view, struct scd_str *ret_path)
{
	const struct scd_event *event = view->event;
	if (event->point != SCD_POINT_SYSCALL_OPEN)
		return false;
	struct scd_str base = event->context.cwd;
	if (event->kind == SCD_KIND_OPENAT && event->fd != LINUX_AT_FDCWD)
		base = folder_of(view);
	else if (base.len == 0 && view->process)
		base = view->process->cwd;
	return scd__joined_path(view, base, event->u.open.pathname, ret_path);
}

struct scd_str scd__endpoint_text(const struct scd_fd_endpoint *endpoint, struct scd_arena *arena)
{
	char ip[SCD_IP_TEXT_BYTES];
	scd_ip_format(&endpoint->ip, ip);
	return scd_arena_printf(arena, "%s:%u", ip, endpoint->port);
}

static bool tuple_name(const struct scd_fd_endpoint *from, const struct scd_fd_endpoint *to, struct scd_arena *arena,
                       struct scd_str *ret_name)
{
	char from_ip[SCD_IP_TEXT_BYTES], to_ip[SCD_IP_TEXT_BYTES];
	scd_ip_format(&from->ip, from_ip);
	scd_ip_format(&to->ip, to_ip);
	*ret_name = scd_arena_printf(arena, "%s:%u->%s:%u", from_ip, from->port, to_ip, to->port);
	return ret_name->data != NULL;
}

/* An address that is not known has zeros of the other one's family. */
static struct scd_fd_endpoint shown_end(const struct scd_fd_endpoint *end, const struct scd_fd_endpoint *other)
{
	struct scd_fd_endpoint shown = *end;
	if (other->ip.family && (!end->ip.family || is_any(&end->ip)))
		shown.ip = (struct scd_ip){ .family = other->ip.family };
	return shown;
}

static bool endpoint_name(const struct scd_fd *what, struct scd_arena *arena, struct scd_str *ret_name)
{
	struct scd_fd_endpoint local = shown_end(&what->local, &what->remote),
	                       remote = shown_end(&what->remote, &what->local);
	if (what->role == SCD_FD_ROLE_SERVER)
		return tuple_name(&remote, &local, arena, ret_name);
	if (is_connection(what) || what->remote.ip.family)
		return tuple_name(&local, &remote, arena, ret_name);
	*ret_name = scd__endpoint_text(&local, arena);
	return ret_name->data != NULL;
}

/* An abstract name begins with a NUL, and may be padded with more of them. */
bool scd__unix_name(const struct scd_view *view, struct scd_str path, struct scd_str *ret_name)
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
	if (fd->what.local.ip.family || fd->what.remote.ip.family)
		return endpoint_name(&fd->what, view->scratch, ret_name);
	if (fd->what.type == SCD_FD_UNIX)
		return scd__unix_name(view, fd->what.path, ret_name);
	if (!fd->is_opened)
		*ret_name = fd->what.path;
	else if (!scd__opened_path(view, ret_name))
		*ret_name = view->event->u.open.pathname;
	return ret_name->len > 0;
}

/* Standard descriptors at an exec. */

enum scd_fd_type scd__fd_info_type(const struct scd_fd_info *info)
{
	return info->has_socket ? scd_fd_type_of_family((int32_t)info->socket_family) : scd_fd_type_of_mode(info->mode);
}

static bool socket_end(const struct scd_socket_ip *end, struct scd_fd_endpoint *ret_endpoint)
{
	return scd_fd_endpoint_set(ret_endpoint, (const uint8_t *)end->ip.data, end->ip.len, (uint16_t)end->port);
}

bool scd__fd_info_name(const struct scd_fd_info *info, struct scd_arena *arena, struct scd_str *ret_name)
{
	struct scd_fd_endpoint local, remote;
	if (info->has_socket && socket_end(&info->local, &local)) {
		if (socket_end(&info->remote, &remote))
			return tuple_name(&local, &remote, arena, ret_name);
		*ret_name = scd__endpoint_text(&local, arena);
		return ret_name->data != NULL;
	}
	*ret_name = info->path;
	return info->path.len > 0;
}
