/*
 * Getters of sockets: addresses and ports by role (client, server) and by side (local, remote), protocol, family.
 *
 *     the process    client    server   local     remote
 *     connects       itself    told     itself    the server
 *     accepts        told      itself   itself    the client
 *     listens        -         itself   itself    -
 *
 * An end of its own is known where a bind told it, or an exec that was asked for its descriptors.
 */
#include "engine/fd_view.h"
#include "engine/field_getters.h"

static bool give_ip(const struct scd_view *view, enum scd__fd_end end, enum scd_type type, struct scd_value *ret_value)
{
	struct scd__fd fd;
	struct scd_ip ip;
	if (!scd__fd_of(view, &fd) || !scd__fd_ip(&fd, end, &ip))
		return false;
	*ret_value = (struct scd_value){ .type = type, .ip = ip };
	return true;
}

static bool port_of(const struct scd_view *view, enum scd__fd_end end, uint16_t *ret_port)
{
	struct scd__fd fd;
	return scd__fd_of(view, &fd) && scd__fd_port(&fd, end, ret_port);
}

static bool give_port(const struct scd_view *view, enum scd__fd_end end, struct scd_value *ret_value)
{
	uint16_t port;
	return port_of(view, end, &port) && scd__give_unsigned(SCD_TYPE_PORT, port, ret_value);
}

/* Ports have names in services(5); Falco shows the number unless it is told to look them up. */
static bool give_port_text(const struct scd_view *view, enum scd__fd_end end, struct scd_value *ret_value)
{
	uint16_t port;
	return port_of(view, end, &port) && scd__give_told(scd_arena_printf(view->scratch, "%u", port), ret_value);
}

/* One end as an item of fd.ip, fd.net or fd.port. */
static bool end_item(const struct scd__fd *fd, enum scd__fd_end end, enum scd_type type, struct scd_value *ret_item)
{
	uint16_t port = 0;
	*ret_item = (struct scd_value){ .type = type };
	if (type != SCD_TYPE_PORT)
		return scd__fd_ip(fd, end, &ret_item->ip);
	bool known = scd__fd_port(fd, end, &port);
	ret_item->u64 = port;
	return known;
}

/* Either end, as far as they are known: present and empty for a descriptor that is no IP socket, as Falco has it. */
static bool give_ends(const struct scd_view *view, enum scd_type type, struct scd_value *ret_value)
{
	struct scd__fd fd;
	struct scd_value *items;
	size_t count = 0;
	if (!scd__fd_of(view, &fd))
		return false;
	items = scd_arena_alloc(view->scratch, 2 * sizeof(*items));
	if (!items)
		return false;
	count += end_item(&fd, SCD__END_LOCAL, type, &items[count]);
	count += end_item(&fd, SCD__END_REMOTE, type, &items[count]);
	*ret_value = (struct scd_value){ .type = type, .is_list = true };
	ret_value->list.items = items;
	ret_value->list.count = count;
	return true;
}

SCD__GETTER(scd__get_fd_ip)
{
	return give_ends(view, SCD_TYPE_IPADDR, ret_value);
}

SCD__GETTER(scd__get_fd_net)
{
	return give_ends(view, SCD_TYPE_IPNET, ret_value);
}

SCD__GETTER(scd__get_fd_port)
{
	return give_ends(view, SCD_TYPE_PORT, ret_value);
}

#define END_GETTERS(letter, end)                                       \
	SCD__GETTER(scd__get_fd_##letter##ip)                          \
	{                                                              \
		return give_ip(view, end, SCD_TYPE_IPADDR, ret_value); \
	}                                                              \
	SCD__GETTER(scd__get_fd_##letter##net)                         \
	{                                                              \
		return give_ip(view, end, SCD_TYPE_IPNET, ret_value);  \
	}                                                              \
	SCD__GETTER(scd__get_fd_##letter##port)                        \
	{                                                              \
		return give_port(view, end, ret_value);                \
	}                                                              \
	SCD__GETTER(scd__get_fd_##letter##proto)                       \
	{                                                              \
		return give_port_text(view, end, ret_value);           \
	}

END_GETTERS(c, SCD__END_CLIENT)
END_GETTERS(s, SCD__END_SERVER)
END_GETTERS(l, SCD__END_LOCAL)
END_GETTERS(r, SCD__END_REMOTE)

SCD__GETTER(scd__get_fd_l4proto)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd) || fd.what.type == SCD_FD_UNKNOWN)
		return false;
	return scd__give_text(scd_str_from(scd__fd_l4proto(&fd)), ret_value);
}

SCD__GETTER(scd__get_fd_sockfamily)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd))
		return false;
	if (fd.what.type == SCD_FD_IPV4 || fd.what.type == SCD_FD_IPV6)
		return scd__give_text(SCD_STR("ip"), ret_value);
	return fd.what.type == SCD_FD_UNIX && scd__give_text(SCD_STR("unix"), ret_value);
}

SCD__GETTER(scd__get_fd_is_server)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd) || fd.what.type == SCD_FD_UNKNOWN)
		return false;
	bool listens_or_accepts = fd.what.role == SCD_FD_ROLE_SERVER || fd.what.role == SCD_FD_ROLE_LISTENER;
	bool is_ip = fd.what.type == SCD_FD_IPV4 || fd.what.type == SCD_FD_IPV6;
	return scd__give_bool(is_ip && listens_or_accepts, ret_value);
}

SCD__GETTER(scd__get_fd_connected)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd) || fd.what.type == SCD_FD_UNKNOWN)
		return false;
	return scd__give_bool(fd.what.connected, ret_value);
}
