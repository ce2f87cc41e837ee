/*
 * Targets. libcurl has no URL for a Unix socket: it takes the socket's path beside an ordinary URL, whose host is then
 * only what the Host header says.
 */
#include "target.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "seccheckd/base/array.h"
#include "seccheckd/emit/emitter.h"

#define UNIX_SCHEME "http+unix://"
#define HINT        "write http://HOST[:PORT]/PATH, https://HOST[:PORT]/PATH or http+unix:///SOCKET/PATH:/REQUEST/PATH"

/* Of proxies that name none, as libcurl has it. */
#define PROXY_PORT       1080u
#define HTTPS_PROXY_PORT 443u

const char *scd__target_show(const char *url, char text[SCD__TARGET_SHOWN_BYTES])
{
	const char *at = strrchr(url, '@'), *scheme_end = strstr(url, "://");

	if (!at)
		snprintf(text, SCD__TARGET_SHOWN_BYTES, "%s", url);
	else
		snprintf(text, SCD__TARGET_SHOWN_BYTES, "%.*s<redacted>%s",
		         scheme_end && scheme_end < at ? (int)(scheme_end + 3 - url) : 0, url, at);
	return text;
}

static int refuse(const char *url, const char *why, struct scd_error *err)
{
	char shown[SCD__TARGET_SHOWN_BYTES];

	scd_error_set(err, -EINVAL, "'%s' cannot be sent to: %s", scd__target_show(url, shown), why);
	scd_error_hint(err, HINT);
	return -EINVAL;
}

/* Whether libcurl finds a host in it, and http or https in front. */
static const char *why_not_http(const char *url)
{
	CURLU *parts = curl_url();
	char *scheme = NULL, *host = NULL;
	const char *why = NULL;

	if (!parts)
		return "out of memory";
	if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK)
		why = "it is no URL";
	else if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	         (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		why = "it is neither http nor https";
	else if (curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK || !host[0])
		why = "it names no host";
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(parts);
	return why;
}

static int give(char *url, char *socket_path, struct scd__target *ret_target, struct scd_error *err)
{
	if (!url || !socket_path) {
		free(url);
		free(socket_path);
		return scd_error_set(err, -ENOMEM, "out of memory");
	}
	*ret_target = (struct scd__target){ url, socket_path };
	return 0;
}

static int parse_unix(const char *url, struct scd__target *ret_target, struct scd_error *err)
{
	const char *path = url + strlen(UNIX_SCHEME);
	const char *colon = strstr(path, ":/");
	size_t path_len = colon ? (size_t)(colon - path) : strlen(path);
	const char *why;
	char *own_url;

	if (path[0] != '/' || path_len < 2)
		return refuse(url, "the path of the socket is not absolute", err);
	if (!colon)
		return refuse(url, "there is no `:/REQUEST/PATH` behind the socket", err);
	if (path_len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return refuse(url, "the path of the socket is too long", err);
	if (asprintf(&own_url, "http://localhost%s", colon + 1) < 0)
		own_url = NULL;
	why = own_url ? why_not_http(own_url) : NULL;
	if (why) {
		free(own_url);
		return refuse(url, why, err);
	}
	return give(own_url, strndup(path, path_len), ret_target, err);
}

int scd__target_parse(const char *url, struct scd__target *ret_target, struct scd_error *err)
{
	const char *why;
	char *own_url;

	if (strncmp(url, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0)
		return parse_unix(url, ret_target, err);
	why = why_not_http(url);
	if (why)
		return refuse(url, why, err);
	own_url = strdup(url);
	if (!own_url)
		return scd_error_set(err, -ENOMEM, "out of memory");
	*ret_target = (struct scd__target){ own_url, NULL };
	return 0;
}

void scd__target_done(struct scd__target *target)
{
	free(target->url);
	free(target->socket_path);
	*target = (struct scd__target){ NULL, NULL };
}

int scd_emitter_check_url(const char *url, struct scd_error *err)
{
	struct scd__target target = { NULL, NULL };
	int r = scd__target_parse(url, &target, err);

	scd__target_done(&target);
	return r;
}

/* ---- routes ---- */

/* The port of a URL; `otherwise` if it has none, 0: that of its scheme. 0 when there is no telling. */
static uint16_t port_of(const char *url, unsigned flags, uint16_t otherwise)
{
	CURLU *parts = curl_url();
	char *port = NULL;
	unsigned long number = 0;

	if (parts && curl_url_set(parts, CURLUPART_URL, url, flags) == CURLUE_OK) {
		number = otherwise;
		if (curl_url_get(parts, CURLUPART_PORT, &port, otherwise ? 0 : CURLU_DEFAULT_PORT) == CURLUE_OK)
			number = strtoul(port, NULL, 10);
	}
	curl_free(port);
	curl_url_cleanup(parts);
	return number <= UINT16_MAX ? (uint16_t)number : 0;
}

/* Where libcurl looks. It leaves HTTP_PROXY alone, which a CGI program gets from its client. */
static const char *proxy_for(const char *url)
{
	static const char *const http[] = { "http_proxy", "all_proxy", "ALL_PROXY" };
	static const char *const https[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
	const bool secure = strncasecmp(url, "https:", strlen("https:")) == 0;
	const char *const *names = secure ? https : http;

	for (size_t i = 0; i < (secure ? SCD_COUNT(https) : SCD_COUNT(http)); i++) {
		const char *proxy = getenv(names[i]);

		if (proxy && *proxy)
			return proxy;
	}
	return NULL;
}

static uint16_t proxy_port(const char *proxy)
{
	const bool secure = strncasecmp(proxy, "https:", strlen("https:")) == 0;

	return port_of(proxy, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME, secure ? HTTPS_PROXY_PORT : PROXY_PORT);
}

static void add_port(struct scd_emitter_route *route, uint16_t port)
{
	if (port)
		route->ports[route->port_count++] = port;
}

int scd_emitter_route_of(const char *url, struct scd_emitter_route *ret_route)
{
	struct scd_emitter_route route = { .port_count = 0 };
	struct scd__target target = { NULL, NULL };
	const char *proxy;
	int r = scd__target_parse(url, &target, NULL);

	if (r < 0 || !target.url)
		return r;
	if (target.socket_path) {
		snprintf(route.socket_path, sizeof(route.socket_path), "%s", target.socket_path);
	} else {
		add_port(&route, port_of(target.url, 0, 0));
		proxy = proxy_for(target.url);
		if (proxy)
			add_port(&route, proxy_port(proxy));
	}
	scd__target_done(&target);
	*ret_route = route;
	return 0;
}
