/*
 * Addresses as programs hand them to the kernel: the raw sockaddr of connect, bind, accept and listen.
 */
#ifndef SECCHECKD_EVENT_ADDRESS_H
#define SECCHECKD_EVENT_ADDRESS_H

#include "seccheckd/base/str.h"

/*
 * An address out of a raw sockaddr (as connect's `address`): Linux x86-64 layout, checked against its length. family
 * AF_INET/AF_INET6: ip and port; AF_UNIX: path (borrowed; abstract names begin with NUL, shown as '@' by fields).
 * -EBADMSG: too short for its family; -EAFNOSUPPORT: another family (ret_address->family is set all the same).
 */
struct scd_address {
	uint16_t family;
	uint16_t port;
	uint8_t ip[16]; /* 4 or 16 bytes */
	struct scd_str path;
};
int scd_address_parse(struct scd_str sockaddr, struct scd_address *ret_address);

#endif
