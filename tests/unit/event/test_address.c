/*
 * Raw socket addresses: every family, every length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "seccheckd/event/address.h"

static struct scd_str span(const void *data, size_t len)
{
	return (struct scd_str){ data, len };
}

static void test_address_parse__reads_ipv4(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(3333) };
	struct scd_address address;

	(void)state;
	inet_pton(AF_INET, "198.51.100.7", &in.sin_addr);
	assert_int_equal(scd_address_parse(span(&in, sizeof(in)), &address), 0);
	assert_int_equal(address.family, AF_INET);
	assert_int_equal(address.port, 3333);
	assert_memory_equal(address.ip, "\xc6\x33\x64\x07", 4);
	assert_int_equal(address.path.len, 0);
}

static void test_address_parse__reads_ipv6(void **state)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(443), .sin6_scope_id = 2 };
	struct scd_address address;

	(void)state;
	inet_pton(AF_INET6, "2001:db8::9", &in6.sin6_addr);
	assert_int_equal(scd_address_parse(span(&in6, sizeof(in6)), &address), 0);
	assert_int_equal(address.family, AF_INET6);
	assert_int_equal(address.port, 443);
	assert_memory_equal(address.ip, &in6.sin6_addr, 16);
}

static void test_address_parse__reads_paths(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		const char *path;
		size_t path_len;
	} rows[] = {
		{ "a path with its NUL", "\x01\0/run/x\0", 9, "/run/x", 6 },
		{ "a path without its NUL", "\x01\0/run/x", 8, "/run/x", 6 },
		{ "what is behind the NUL is not the path", "\x01\0/a\0/b", 7, "/a", 2 },
		{ "an abstract name", "\x01\0\0name", 7, "\0name", 5 },
		{ "an abstract name with a NUL inside", "\x01\0\0n\0m", 6, "\0n\0m", 4 },
		{ "no name", "\x01\0", 2, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_address address;

		assert_int_equal(scd_address_parse(span(rows[i].bytes, rows[i].len), &address), 0);
		assert_int_equal(address.family, AF_UNIX);
		if (!scd_str_eq(address.path, span(rows[i].path, rows[i].path_len)))
			fail_msg("%s", rows[i].name);
	}
}

/* What the address does not need may be missing; what it needs may not. */
static void test_address_parse__demands_the_length_of_its_family(void **state)
{
	static const struct {
		uint16_t family;
		size_t shortest;
	} rows[] = { { AF_INET, 8 }, { AF_INET6, 24 }, { AF_UNIX, 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_storage storage = { .ss_family = rows[i].family };

		for (size_t len = 0; len <= 28; len++) {
			struct scd_address address = { .port = 77 };
			int rc = scd_address_parse(span(&storage, len), &address);

			assert_int_equal(rc, len < rows[i].shortest ? -EBADMSG : 0);
			assert_int_equal(address.port, rc == 0 ? 0 : 77);
		}
	}
}

static void test_address_parse__names_other_families(void **state)
{
	static const uint8_t netlink[] = { 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct scd_address address;

	(void)state;
	assert_int_equal(scd_address_parse(span(netlink, sizeof(netlink)), &address), -EAFNOSUPPORT);
	assert_int_equal(address.family, AF_NETLINK);
	assert_int_equal(scd_address_parse(span("\0\0", 2), &address), -EAFNOSUPPORT);
	assert_int_equal(address.family, AF_UNSPEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_parse__reads_ipv4),
		cmocka_unit_test(test_address_parse__reads_ipv6),
		cmocka_unit_test(test_address_parse__reads_paths),
		cmocka_unit_test(test_address_parse__demands_the_length_of_its_family),
		cmocka_unit_test(test_address_parse__names_other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
