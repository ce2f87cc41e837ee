/*
 * Raw socket addresses of Linux on x86-64: the family in host order (little endian), what follows in network order.
 *
 *    AF_UNIX    family 2 | path, NUL-terminated or not; abstract names begin with a NUL
 *    AF_INET    family 2 | port 2 | address 4  | (zeros 8)
 *    AF_INET6   family 2 | port 2 | flow 4     | address 16 | (scope 4)
 *
 * What is in brackets is not needed: a program that leaves it out is an event all the same.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "seccheckd/event/address.h"

enum {
	AT_PORT = 2,
	AT_IPV4 = 4,
	IPV4_BYTES = 4,
	AT_IPV6 = 8,
	IPV6_BYTES = 16,
	AT_PATH = 2,
};

static struct scd_str unix_path(struct scd_str path)
{
	const char *nul = path.len > 0 && path.data[0] != 0 ? memchr(path.data, 0, path.len) : NULL;

	return (struct scd_str){ path.data, nul ? (size_t)(nul - path.data) : path.len };
}

static int parse_ip(struct scd_str sockaddr, size_t at, size_t bytes, struct scd_address *ret_address)
{
	const uint8_t *data = (const uint8_t *)sockaddr.data;

	if (sockaddr.len < at + bytes)
		return -EBADMSG;
	ret_address->port = (uint16_t)(data[AT_PORT] << 8 | data[AT_PORT + 1]);
	memcpy(ret_address->ip, data + at, bytes);
	return 0;
}

int scd_address_parse(struct scd_str sockaddr, struct scd_address *ret_address)
{
	const uint8_t *data = (const uint8_t *)sockaddr.data;
	struct scd_address address = { 0 };
	int rc = 0;

	if (sockaddr.len < AT_PATH)
		return -EBADMSG;
	address.family = (uint16_t)(data[0] | data[1] << 8);
	switch (address.family) {
	case AF_INET: rc = parse_ip(sockaddr, AT_IPV4, IPV4_BYTES, &address); break;
	case AF_INET6: rc = parse_ip(sockaddr, AT_IPV6, IPV6_BYTES, &address); break;
	case AF_UNIX:
		address.path = unix_path((struct scd_str){ sockaddr.data + AT_PATH, sockaddr.len - AT_PATH });
		break;
	default: rc = -EAFNOSUPPORT; break;
	}
	if (rc == 0 || rc == -EAFNOSUPPORT)
		*ret_address = address;
	return rc;
}
