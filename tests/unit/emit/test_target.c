/*
 * URLs of HTTP outputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emit/target.h"
#include "seccheckd/base/array.h"
#include "seccheckd/emit/emitter.h"

struct target_case {
	const char *url, *expected_url, *socket_path; /* expected_url NULL: refused */
};

static const struct target_case cases[] = {
	{ "http://host/path?q=1", "http://host/path?q=1", NULL },
	{ "https://host:8443", "https://host:8443", NULL },
	{ "http://[::1]:80/", "http://[::1]:80/", NULL },
	{ "http+unix:///run/plane.sock:/v1/events", "http://localhost/v1/events", "/run/plane.sock" },
	{ "http+unix:///run/plane.sock:/", "http://localhost/", "/run/plane.sock" },
	{ "http+unix:///run/a:b.sock:/v1", "http://localhost/v1", "/run/a:b.sock" },
	{ "http+unix:///run/plane.sock", NULL, NULL },
	{ "http+unix:///run/plane.sock/v1", NULL, NULL },
	{ "http+unix:///run/plane.sock:v1", NULL, NULL },
	{ "http+unix:///run/plane.sock:/v 1", NULL, NULL },
	{ "HTTP+UNIX:///run/plane.sock:/v1", NULL, NULL },
	{ "http+unix://run/plane.sock:/v1", NULL, NULL },
	{ "http+unix://", NULL, NULL },
	{ "http+unix:///", NULL, NULL },
	{ "http+unix:///"
	  "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
	  "7890123456789:/v1",
	  NULL, NULL },
	{ "ftp://host/", NULL, NULL },
	{ "file:///etc/passwd", NULL, NULL },
	{ "host:80/path", NULL, NULL },
	{ "http://", NULL, NULL },
	{ "http://host:port/", NULL, NULL },
	{ "", NULL, NULL },
};

static void test_target__is_taken_or_refused_with_what_would_be_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(cases); i++) {
		struct scd__target target = { NULL, NULL };
		struct scd_error err = { .code = 0 };
		int r = scd__target_parse(cases[i].url, &target, &err);

		if (r != (cases[i].expected_url ? 0 : -EINVAL))
			fail_msg("'%s': %d", cases[i].url, r);
		assert_int_equal(scd_emitter_check_url(cases[i].url, NULL), r);
		if (r == 0) {
			assert_string_equal(target.url, cases[i].expected_url);
			if (cases[i].socket_path)
				assert_string_equal(target.socket_path, cases[i].socket_path);
			else
				assert_null(target.socket_path);
		} else {
			assert_null(target.url);
			assert_int_equal(err.code, -EINVAL);
			assert_non_null(strstr(err.hint, "http+unix:///SOCKET"));
		}
		scd__target_done(&target);
	}
}

static void test_target__is_shown_without_its_secrets(void **state)
{
	static const char *const urls[][2] = {
		{ "https://host:8443/v1?a=b", "https://host:8443/v1?a=b" },
		{ "https://me:hunter2@host/v1", "https://<redacted>@host/v1" },
		{ "https://me:hunter/2@host/v1", "https://<redacted>@host/v1" },
		{ "me:hunter2@host", "<redacted>@host" },
		{ "me:hunter2@host://", "<redacted>@host://" },
		{ "", "" },
	};
	char text[SCD__TARGET_SHOWN_BYTES];
	struct scd_error err;

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(urls); i++)
		assert_string_equal(scd__target_show(urls[i][0], text), urls[i][1]);
	assert_int_equal(scd_emitter_check_url("ftp://me:hunter2@host/", &err), -EINVAL);
	assert_null(strstr(err.what, "hunter2"));
}

struct route_case {
	const char *url;
	const char *variable, *proxy; /* of the environment; NULL: none */
	uint16_t ports[2];
	const char *socket_path;
};

static const struct route_case routes[] = {
	{ "http://host/", NULL, NULL, { 80 }, "" },
	{ "https://host/", NULL, NULL, { 443 }, "" },
	{ "https://me:secret@host:8443/path?a=b", NULL, NULL, { 8443 }, "" },
	{ "http://[::1]:2801/", NULL, NULL, { 2801 }, "" },
	{ "http+unix:///run/plane.sock:/v1", "http_proxy", "http://proxy:3128", { 0 }, "/run/plane.sock" },
	{ "http://host/", "http_proxy", "http://proxy:3128/", { 80, 3128 }, "" },
	{ "http://host/", "http_proxy", "proxy", { 80, 1080 }, "" },
	{ "http://host/", "HTTP_PROXY", "proxy:3128", { 80 }, "" }, /* libcurl does not read it either */
	{ "http://host/", "https_proxy", "proxy:3128", { 80 }, "" },
	{ "https://host/", "HTTPS_PROXY", "https://proxy", { 443, 443 }, "" },
	{ "https://host/", "ALL_PROXY", "socks5h://me:secret@proxy", { 443, 1080 }, "" },
	{ "https://host/", "all_proxy", "socks5://proxy:9050", { 443, 9050 }, "" },
	{ "https://host/", "https_proxy", "no proxy at all", { 443 }, "" },
	{ "https://host/", "https_proxy", "", { 443 }, "" },
};

static void test_route__has_the_ports_of_host_and_proxy(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(routes); i++) {
		struct scd_emitter_route route;
		size_t count = (routes[i].ports[0] != 0) + (size_t)(routes[i].ports[1] != 0);

		if (routes[i].variable)
			setenv(routes[i].variable, routes[i].proxy, 1);
		assert_int_equal(scd_emitter_route_of(routes[i].url, &route), 0);
		if (routes[i].variable)
			unsetenv(routes[i].variable);
		assert_string_equal(route.socket_path, routes[i].socket_path);
		if (route.port_count != count || memcmp(route.ports, routes[i].ports, count * sizeof(uint16_t)) != 0)
			fail_msg("%s by %s: %zu ports, %u %u", routes[i].url, routes[i].proxy ? routes[i].proxy : "-",
			         route.port_count, route.ports[0], route.ports[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target__is_shown_without_its_secrets),
		cmocka_unit_test(test_target__is_taken_or_refused_with_what_would_be_right),
		cmocka_unit_test(test_route__has_the_ports_of_host_and_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
