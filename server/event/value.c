/*
 * Names and classes of value types, and the text forms of addresses.
 */
#include "seccheckd/event/value.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

_Static_assert(SCD_IP_TEXT_BYTES == INET6_ADDRSTRLEN, "room for the longest address");

static const char *const type_names[SCD_TYPE_COUNT] = {
#define X(id, name) [SCD_TYPE_##id] = (name),
	SCD_TYPE_TABLE(X)
#undef X
};

const char *scd_type_name(enum scd_type type)
{
	assert((unsigned)type < SCD_TYPE_COUNT);
	return type_names[type];
}

bool scd_type_is_signed(enum scd_type type)
{
	return type == SCD_TYPE_INT16 || type == SCD_TYPE_INT32 || type == SCD_TYPE_INT64;
}

bool scd_type_is_unsigned(enum scd_type type)
{
	switch (type) {
	case SCD_TYPE_UINT32:
	case SCD_TYPE_UINT64:
	case SCD_TYPE_RELTIME:
	case SCD_TYPE_ABSTIME:
	case SCD_TYPE_PORT: return true;
	default: return false;
	}
}

bool scd_type_is_text(enum scd_type type)
{
	return type == SCD_TYPE_STRING || type == SCD_TYPE_PATH;
}

size_t scd_ip_format(const struct scd_ip *ip, char ret_text[SCD_IP_TEXT_BYTES])
{
	const char *text = inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, ret_text, SCD_IP_TEXT_BYTES);

	assert(text != NULL);
	return strlen(text);
}

int scd_ip_parse(struct scd_str text, struct scd_ip *ret_ip)
{
	char terminated[SCD_IP_TEXT_BYTES];
	struct scd_ip ip = { .family = 6 };

	if (text.len == 0 || text.len >= sizeof(terminated) || memchr(text.data, 0, text.len))
		return -EINVAL;
	memcpy(terminated, text.data, text.len);
	terminated[text.len] = 0;
	if (strchr(terminated, '.') && !strchr(terminated, ':'))
		ip.family = 4;
	if (inet_pton(ip.family == 4 ? AF_INET : AF_INET6, terminated, ip.bytes) != 1)
		return -EINVAL;
	*ret_ip = ip;
	return 0;
}
