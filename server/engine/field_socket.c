/*
 * Getters of sockets: addresses and ports by role (client, server) and by side (local, remote), protocol, family.
 *
 *     the event      client    server   local    remote
 *     connect        -         told     -        the server
 *     accept         told      -        -        the client
 *     bind, listen   -         told     itself   -
 */
#include "engine/fd_view.h"
#include "engine/field_getters.h"

enum role { CLIENT, SERVER, LOCAL, REMOTE };

/* What the address in the message is to the process. */
static bool plays(const struct scd__fd *fd, enum role role)
{
	switch (role) {
	case CLIENT: return fd->side == SCD__SIDE_SERVER;
	case SERVER: return fd->side == SCD__SIDE_CLIENT || fd->side == SCD__SIDE_LISTENER;
	case LOCAL: return fd->side == SCD__SIDE_LISTENER;
	case REMOTE: return fd->side == SCD__SIDE_CLIENT || fd->side == SCD__SIDE_SERVER;
	}
	return false;
}

static bool endpoint_of(const struct scd_view *view, enum role role, struct scd__endpoint *ret_endpoint)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd) || !fd.has_endpoint || !plays(&fd, role))
		return false;
	*ret_endpoint = fd.endpoint;
	return true;
}

static bool give_ip(const struct scd_view *view, enum role role, enum scd_type type, struct scd_value *ret_value)
{
	struct scd__endpoint endpoint;
	if (!endpoint_of(view, role, &endpoint))
		return false;
	*ret_value = (struct scd_value){ .type = type, .ip = endpoint.ip };
	return true;
}

static bool give_port(const struct scd_view *view, enum role role, struct scd_value *ret_value)
{
	struct scd__endpoint endpoint;
	return endpoint_of(view, role, &endpoint) && scd__give_unsigned(SCD_TYPE_PORT, endpoint.port, ret_value);
}

/* Ports have names in services(5); Falco shows the number unless it is told to look them up. */
static bool give_port_text(const struct scd_view *view, enum role role, struct scd_value *ret_value)
{
	struct scd__endpoint endpoint;
	if (!endpoint_of(view, role, &endpoint))
		return false;
	return scd__give_told(scd_arena_printf(view->scratch, "%u", endpoint.port), ret_value);
}

/* Either end, as far as they are known: present and empty for a descriptor that is no IP socket, as Falco has it. */
static bool give_ends(const struct scd_view *view, struct scd_value end, struct scd_value *ret_value)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd))
		return false;
	*ret_value = (struct scd_value){ .type = end.type, .is_list = true };
	if (!fd.has_endpoint)
		return true;
	struct scd_value *item = scd_arena_alloc(view->scratch, sizeof(*item));
	if (!item)
		return false;
	*item = end;
	if (end.type == SCD_TYPE_PORT)
		item->u64 = fd.endpoint.port;
	else
		item->ip = fd.endpoint.ip;
	ret_value->list.items = item;
	ret_value->list.count = 1;
	return true;
}

SCD__GETTER(scd__get_fd_ip)
{
	return give_ends(view, (struct scd_value){ .type = SCD_TYPE_IPADDR }, ret_value);
}

SCD__GETTER(scd__get_fd_net)
{
	return give_ends(view, (struct scd_value){ .type = SCD_TYPE_IPNET }, ret_value);
}

SCD__GETTER(scd__get_fd_port)
{
	return give_ends(view, (struct scd_value){ .type = SCD_TYPE_PORT }, ret_value);
}

#define ROLE_GETTERS(letter, role)                                      \
	SCD__GETTER(scd__get_fd_##letter##ip)                           \
	{                                                               \
		return give_ip(view, role, SCD_TYPE_IPADDR, ret_value); \
	}                                                               \
	SCD__GETTER(scd__get_fd_##letter##net)                          \
	{                                                               \
		return give_ip(view, role, SCD_TYPE_IPNET, ret_value);  \
	}                                                               \
	SCD__GETTER(scd__get_fd_##letter##port)                         \
	{                                                               \
		return give_port(view, role, ret_value);                \
	}                                                               \
	SCD__GETTER(scd__get_fd_##letter##proto)                        \
	{                                                               \
		return give_port_text(view, role, ret_value);           \
	}

ROLE_GETTERS(c, CLIENT)
ROLE_GETTERS(s, SERVER)
ROLE_GETTERS(l, LOCAL)
ROLE_GETTERS(r, REMOTE)

SCD__GETTER(scd__get_fd_l4proto)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd) || fd.type == SCD__FD_UNKNOWN)
		return false;
	return scd__give_text(scd_str_from(fd.l4proto), ret_value);
}

SCD__GETTER(scd__get_fd_sockfamily)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd))
		return false;
	if (fd.type == SCD__FD_IPV4 || fd.type == SCD__FD_IPV6)
		return scd__give_text(SCD_STR("ip"), ret_value);
	return fd.type == SCD__FD_UNIX && scd__give_text(SCD_STR("unix"), ret_value);
}

SCD__GETTER(scd__get_fd_is_server)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd) || fd.type == SCD__FD_UNKNOWN)
		return false;
	bool listens_or_accepts = fd.side == SCD__SIDE_SERVER || fd.side == SCD__SIDE_LISTENER;
	return scd__give_bool(fd.has_endpoint && listens_or_accepts, ret_value);
}

SCD__GETTER(scd__get_fd_connected)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd) || fd.type == SCD__FD_UNKNOWN)
		return false;
	return scd__give_bool(fd.connected, ret_value);
}
