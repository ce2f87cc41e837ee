/*
 * What HTTP outputs connect to: Unix sockets, TLS servers that are trusted or not, URLs that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "tests/support/logged.h"
#include "tests/support/plane.h"

static void test_unix_socket__is_spoken_to_whatever_proxy_the_environment_names(void **state)
{
	struct http_server_options server_options = { .listen_fd = -1 };
	struct scd_control_plane_options options = { .ack_status = false };
	struct plane *plane = *state;
	char url[160];

	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("all_proxy", "http://127.0.0.1:1/", 1);
	server_options.socket_path = tempdir_join(&plane->dir, "plane.sock");
	plane_start(plane, server_options);
	snprintf(url, sizeof(url), "http+unix://%s:/v1/events", server_options.socket_path);
	plane_connect_with(plane, options, url);
	emit_submit(&plane->world, 0, 2);
	plane_assert_drained(plane, 0);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_string_equal(http_server_request(plane->server, 0)->path, "/v1/events");
	assert_int_equal(plane_status(plane).retries, 0);
}

/* What the log says of it names the socket, and not the host and port that libcurl was told. */
static void test_unix_socket__that_is_not_there_is_named(void **state)
{
	struct scd_control_plane_options options = { .ack_status = false };
	struct plane *plane = *state;
	struct logged logged;
	char *log;

	logged_start(&logged);
	plane_connect_with(plane, options, "http+unix:///nowhere/plane.sock:/v1/events");
	emit_submit(&plane->world, 0, 1);
	plane_run_until(plane, plane_has_retried, 1);
	log = logged_stop(&logged);
	assert_non_null(strstr(log, "cannot connect to the Unix socket /nowhere/plane.sock"));
	assert_null(strstr(log, "localhost"));
	free(log);
	assert_int_equal(emit_drain(&plane->world, 0), 1);
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

/* A certificate for 127.0.0.1 that signs itself. False without the openssl program. */
static bool make_certificate(struct plane *plane)
{
	char command[512];

	snprintf(
	        command, sizeof(command),
	        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 "
	        "-addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
	        plane->dir.path, plane->dir.path);
	return system(command) == 0;
}

static void serve_tls(struct plane *plane, struct scd_control_plane_options options)
{
	char *cert = read_text(tempdir_join(&plane->dir, "cert.pem"));
	char *key = read_text(tempdir_join(&plane->dir, "key.pem"));
	struct http_server_options server_options = { .listen_fd = -1, .tls_cert = cert, .tls_key = key };
	char url[64];

	plane_start(plane, server_options);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/v1/events", http_server_port(plane->server));
	plane_connect_with(plane, options, url);
	free(cert);
	free(key);
}

static struct scd_pem read_pem(const char *path)
{
	struct scd_pem pem = { NULL, 0 };
	struct scd_error err;

	assert_int_equal(scd_pem_read(path, &pem, &err), 0);
	return pem;
}

static void test_tls__a_server_of_the_configured_authority_is_trusted(void **state)
{
	struct scd_control_plane_options options = { .ack_status = false };
	struct plane *plane = *state;

	if (!make_certificate(plane)) {
		print_message("the program openssl is missing\n");
		skip();
	}
	options.http.ca_cert = read_pem(tempdir_join(&plane->dir, "cert.pem"));
	serve_tls(plane, options);
	scd_pem_done(&options.http.ca_cert);
	emit_submit(&plane->world, 0, 2);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).delivered, 2);
}

/* What the output has is copies of the files' content. */
static void test_tls__files_are_read_before_they_are_needed(void **state)
{
	struct plane *plane = *state;
	struct scd_control_plane_options options = { .ack_status = false };
	struct scd_pem cert, key;

	if (!make_certificate(plane)) {
		print_message("the program openssl is missing\n");
		skip();
	}
	cert = read_pem(tempdir_join(&plane->dir, "cert.pem"));
	key = read_pem(tempdir_join(&plane->dir, "key.pem"));
	options.http.ca_cert = options.http.client_cert = cert;
	options.http.client_key = key;
	serve_tls(plane, options);
	assert_int_equal(unlink(tempdir_join(&plane->dir, "cert.pem")), 0);
	assert_int_equal(unlink(tempdir_join(&plane->dir, "key.pem")), 0);
	scd_pem_done(&cert);
	scd_pem_done(&key);
	assert_null(key.data);
	emit_submit(&plane->world, 0, 2);
	plane_assert_drained(plane, 0);
	assert_int_equal(plane_status(plane).delivered, 2);
}

static void test_pem__files_that_hold_none_are_an_error(void **state)
{
	struct scd_pem pem = { NULL, 0 };
	struct plane *plane = *state;
	const char *path = tempdir_join(&plane->dir, "ca.pem");
	FILE *file = fopen(path, "we");
	struct scd_error err;

	assert_non_null(file);
	assert_int_equal(scd_pem_read(path, &pem, &err), -EINVAL);
	assert_non_null(strstr(err.what, "ca.pem: the file is empty"));
	assert_int_equal(ftruncate(fileno(file), SCD_LIMIT_PEM_BYTES + 1), 0);
	assert_int_equal(scd_pem_read(path, &pem, &err), -EFBIG);
	fclose(file);
	assert_int_equal(scd_pem_read(plane->dir.path, &pem, &err), -EISDIR);
	assert_int_equal(scd_pem_read("/nowhere/ca.pem", &pem, &err), -ENOENT);
	assert_non_null(strstr(err.what, "/nowhere/ca.pem"));
	assert_null(pem.data);
}

static void test_tls__another_server_gets_nothing_unless_asked_to_be_insecure(void **state)
{
	struct scd_control_plane_options options = { .ack_status = false };
	struct plane *plane = *state;

	if (!make_certificate(plane)) {
		print_message("the program openssl is missing\n");
		skip();
	}
	serve_tls(plane, options);
	emit_submit(&plane->world, 0, 2);
	plane_run_until(plane, plane_has_retried, 2);
	assert_int_equal(http_server_request_count(plane->server), 0);
	assert_int_equal(emit_drain(&plane->world, 0), 2);
}

static void test_tls__insecure_trusts_anybody(void **state)
{
	struct scd_control_plane_options options = { .http.insecure = true };
	struct plane *plane = *state;

	if (!make_certificate(plane)) {
		print_message("the program openssl is missing\n");
		skip();
	}
	serve_tls(plane, options);
	emit_submit(&plane->world, 0, 2);
	plane_assert_drained(plane, 0);
}

static void test_url__that_is_none_is_an_error_at_once(void **state)
{
	struct scd_http_options options = { .url = "ftp://host/" };
	struct plane *plane = *state;
	struct scd_error err;

	assert_int_equal(scd_emitter_add_http(plane->world.emitter, &options, &err), -EINVAL);
	assert_non_null(strstr(err.what, "ftp://host/"));
	assert_non_null(strstr(err.hint, "http+unix"));
	assert_int_equal(scd_emitter_output_count(plane->world.emitter), 0);
}

static void test_name__tells_no_password(void **state)
{
	struct scd_http_options options = { .url = "http://me:hunter2@127.0.0.1:1/x?token=abc" };
	struct plane *plane = *state;
	struct scd_error err;

	assert_int_equal(scd_emitter_add_http(plane->world.emitter, &options, &err), 0);
	assert_string_equal(plane_status(plane).name, "http http://me:<redacted>@127.0.0.1:1/x?token=<redacted>");
}

#define PLANE_TEST(name) cmocka_unit_test_setup_teardown(name, plane_open, plane_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLANE_TEST(test_unix_socket__is_spoken_to_whatever_proxy_the_environment_names),
		PLANE_TEST(test_unix_socket__that_is_not_there_is_named),
		PLANE_TEST(test_tls__a_server_of_the_configured_authority_is_trusted),
		PLANE_TEST(test_tls__files_are_read_before_they_are_needed),
		PLANE_TEST(test_pem__files_that_hold_none_are_an_error),
		PLANE_TEST(test_tls__another_server_gets_nothing_unless_asked_to_be_insecure),
		PLANE_TEST(test_tls__insecure_trusts_anybody),
		PLANE_TEST(test_url__that_is_none_is_an_error_at_once),
		PLANE_TEST(test_name__tells_no_password),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
