/*
 * Defaults, values from flags, and the checks that look at several keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/log.h"
#include "seccheckd/config/config.h"
#include "text_file.h"

static void test_init__gives_the_documented_defaults(void **state)
{
	struct scd_config config;

	(void)state;
	scd_config_init(&config);
	assert_int_equal(config.listen.count, 0);
	assert_int_equal(config.rules_files.count, 0);
	assert_string_equal(config.priority, "debug");
	assert_string_equal(config.rule_matching, "all");
	assert_true(config.coverage_alerts);
	assert_int_equal(config.worker_threads, 0);
	assert_string_equal(config.log_level, "info");
	assert_false(config.file_output.enabled);
	assert_false(config.http_output.enabled);
	assert_null(config.control_plane.url);
	assert_string_equal(config.control_plane.format, "protobuf");
	assert_string_equal(config.control_plane.ack, "ids");
	assert_int_equal(config.control_plane.batch_max_count, 256);
	assert_int_equal(config.control_plane.timeout_ms, 10000);
	assert_int_equal(config.control_plane.backoff_min_ms, 250);
	assert_int_equal(config.control_plane.backoff_max_ms, 30000);
	assert_int_equal(scd_config_check(&config, NULL), 0);
	assert_true(config.stdout_output.enabled);
	scd_config_done(&config);
}

static void test_set__replaces_a_value_and_adds_to_a_list(void **state)
{
	struct scd_config config;

	(void)state;
	scd_config_init(&config);
	assert_int_equal(scd_config_set(&config, "log_level", "warning", NULL), 0);
	assert_int_equal(scd_config_set(&config, "control_plane.url", "http://a/", NULL), 0);
	assert_int_equal(scd_config_set(&config, "control_plane.timeout_ms", "42", NULL), 0);
	assert_int_equal(scd_config_set(&config, "listen", "/a", NULL), 0);
	assert_int_equal(scd_config_set(&config, "listen", "~", NULL), 0);
	assert_string_equal(config.log_level, "warning");
	assert_string_equal(config.control_plane.url, "http://a/");
	assert_int_equal(config.control_plane.timeout_ms, 42);
	assert_int_equal(config.listen.count, 2);
	assert_string_equal(config.listen.items[1], "~");
	scd_config_clear(&config.listen);
	assert_int_equal(scd_config_set(&config, "listen", "/c", NULL), 0);
	assert_int_equal(config.listen.count, 1);
	assert_string_equal(config.listen.items[0], "/c");
	scd_config_done(&config);
}

static void test_set__refuses_an_impossible_value(void **state)
{
	struct scd_config config;
	struct scd_error err = { 0 };

	(void)state;
	scd_config_init(&config);
	assert_int_equal(scd_config_set(&config, "log_level", "loud", &err), -EINVAL);
	assert_string_equal(err.what, "log_level has an unknown value");
	assert_int_equal(err.line, 0);
	assert_string_equal(err.file, "");
	assert_int_equal(scd_config_set(&config, "control_plane.url", "control", &err), -EINVAL);
	assert_null(config.control_plane.url);
	scd_config_done(&config);
}

/* Files that are right key by key and make no sense as a whole. */
static const struct contradiction {
	const char *name, *text;
	unsigned line, column;
	const char *what;
} contradictions[] = {
	{ "file without a name", "file_output:\n  enabled: true\n", 2, 12,
	  "file_output is enabled and has no filename" },
	{ "file with an empty name", "file_output: {enabled: true, filename: ''}\n", 1, 24,
	  "file_output is enabled and has no filename" },
	{ "HTTP without a URL", "http_output:\n  enabled: true\n", 2, 12, "http_output is enabled and has no url" },
	{ "shortest wait over the longest",
	  "control_plane:\n  url: http://a/\n  backoff_min_ms: 500\n  backoff_max_ms: 400\n", 3, 19,
	  "control_plane.backoff_min_ms (500) is more than backoff_max_ms (400)" },
	{ "longest wait under the default", "control_plane:\n  url: http://a/\n  backoff_max_ms: 4\n", 3, 19,
	  "control_plane.backoff_min_ms (250) is more than backoff_max_ms (4)" },
	{ "certificate without its key", "control_plane:\n  url: https://a/\n  client_cert: /dev/null\n", 3, 16,
	  "control_plane: a client certificate needs client_cert and client_key" },
	{ "key without its certificate", "http_output:\n  enabled: y\n  url: https://a/\n  client_key: /dev/null\n", 4,
	  15, "http_output: a client certificate needs client_cert and client_key" },
	{ "mtls without anything", "control_plane:\n  url: https://a/\n  mtls: true\n", 3, 9,
	  "control_plane: a client certificate needs client_cert and client_key" },
	{ "no output at all", "stdout_output: {enabled: false}\n", 1, 26,
	  "no output is enabled: alerts would reach nobody" },
	{ "control plane without a URL", "control_plane:\n  format: json\n", 2, 11,
	  "control_plane.format is set, and control_plane.url is not" },
	{ "control plane with an empty URL", "control_plane: {url: '',\n mtls: false}\n", 2, 8,
	  "control_plane.mtls is set, and control_plane.url is not" },
	{ "one socket twice", "listen:\n- /a\n- /b\n- /a\n", 2, 1, "the socket /a is given twice" },
	{ "a runsc that is not there", "runsc_paths:\n- /dev/null\n- /nonexistent/runsc\n", 2, 1,
	  "cannot find /nonexistent/runsc: No such file or directory" },
	{ "nobody who may connect", "allowed_uids: []\n", 1, 15,
	  "allowed_uids names nobody; leave it out for root and the user of the daemon" },
	{ "a user who is not there", "allowed_uids: [0, nobody,\n no-such-user]\n", 1, 15,
	  "there is no user no-such-user" },
	{ "a number that is no user", "allowed_uids: [4294967295]\n", 1, 15, "4294967295 is not the number of a user" },
	{ "rules that are not there", "rules_files: [/etc, /nonexistent/rules]\n", 1, 14,
	  "cannot read /nonexistent/rules: No such file or directory" },
	{ "file in no folder", "file_output: {enabled: true, filename: /nonexistent/alerts}\n", 1, 40,
	  "cannot make /nonexistent/alerts: No such file or directory" },
	{ "file that is a folder", "file_output: {enabled: true, filename: /etc}\n", 1, 40, "/etc is a directory" },
	{ "unreadable authority", "control_plane:\n  url: https://a/\n  ca_cert: /nonexistent/ca\n", 3, 12,
	  "control_plane.ca_cert: cannot read /nonexistent/ca: No such file or directory" },
	{ "unreadable key",
	  "http_output: {enabled: y, url: 'https://a/', client_cert: /dev/null,\n client_key: /nonexistent/key}\n", 2,
	  14, "http_output.client_key: cannot read /nonexistent/key: No such file or directory" },
};

static void test_check__refuses_contradictions_at_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(contradictions); i++) {
		const struct contradiction *row = &contradictions[i];
		struct scd_error err = { 0 };
		struct scd_config config;
		struct text_file file;

		text_file_init(&file, row->text);
		scd_config_init(&config);
		assert_int_equal(scd_config_read_file(&config, file.path, &err), 0);
		if (scd_config_check(&config, &err) != -EINVAL || err.line != row->line || err.column != row->column ||
		    strcmp(err.what, row->what) != 0 || strcmp(err.file, file.path) != 0)
			fail_msg("%s: %s:%u:%u: %s", row->name, err.file, err.line, err.column, err.what);
		scd_config_done(&config);
		text_file_done(&file);
	}
}

/* A file, and what the check makes of it. */
static const struct settled {
	const char *name, *text;
	bool stdout_enabled, http_mtls, control_mtls;
} settled[] = {
	{ "nothing", "", true, false, false },
	{ "file output", "file_output: {enabled: true, filename: /dev/null}", false, false, false },
	{ "disabled file output", "file_output: {enabled: false, filename: /nonexistent/a}", true, false, false },
	{ "HTTP output", "http_output: {enabled: true, url: 'http://a'}", false, false, false },
	{ "control plane", "control_plane: {url: 'http://a'}", false, false, false },
	{ "control plane and standard output", "control_plane: {url: 'http://a'}\nstdout_output: {enabled: true}", true,
	  false, false },
	{ "client certificate",
	  "http_output: {enabled: true, url: 'https://a', client_cert: /dev/null, client_key: /dev/null}", false, true,
	  false },
	{ "client certificate for the control plane",
	  "control_plane: {url: 'https://a', mtls: true, client_cert: /dev/null, client_key: /dev/null}", false, false,
	  true },
	{ "Falco's unused certificate",
	  "http_output: {enabled: true, url: 'https://a', mtls: false, client_cert: /none,\n"
	  " client_key: /none}",
	  false, false, false },
	{ "certificates of a disabled output", "http_output: {url: 'https://a', ca_cert: /none}", true, false, false },
};

static void assert_settled(const struct settled *row, const struct scd_config *config)
{
	if (config->stdout_output.enabled != row->stdout_enabled || config->http_output.tls.mtls != row->http_mtls ||
	    config->control_plane.tls.mtls != row->control_mtls)
		fail_msg("%s: settled otherwise", row->name);
	assert_int_equal(config->http_output.enabled && config->http_output.tls.client_key, row->http_mtls);
	assert_int_equal(config->http_output.enabled && config->http_output.tls.client_cert, row->http_mtls);
	assert_int_equal(config->control_plane.tls.client_key != NULL, row->control_mtls);
}

static void test_check__settles_what_depends_on_other_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(settled); i++) {
		struct scd_error err = { 0 };
		struct scd_config config;
		struct text_file file;

		text_file_init(&file, settled[i].text);
		scd_config_init(&config);
		if (scd_config_read_file(&config, file.path, &err) < 0 || scd_config_check(&config, &err) < 0)
			fail_msg("%s: %s", settled[i].name, err.what);
		assert_settled(&settled[i], &config);
		scd_config_done(&config);
		text_file_done(&file);
	}
}

static void test_check__gives_no_place_to_what_a_flag_set(void **state)
{
	struct scd_config config;
	struct scd_error err = { 0 };

	(void)state;
	scd_config_init(&config);
	assert_int_equal(scd_config_set(&config, "file_output.enabled", "true", NULL), 0);
	assert_int_equal(scd_config_check(&config, &err), -EINVAL);
	assert_string_equal(err.file, "");
	assert_int_equal(err.line, 0);
	assert_string_equal(err.hint, "set file_output.filename");
	scd_config_done(&config);
}

static void test_options__every_row_is_whole(void **state)
{
	size_t count;
	const struct scd_config_option *options = scd_config_options(&count);

	(void)state;
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		char text[256];

		scd_config_describe(&options[i], text, sizeof(text));
		assert_true(strlen(text) > 0 && strlen(text) < sizeof(text) - 1);
		assert_ptr_equal(scd_config_option(options[i].path), &options[i]);
		assert_int_equal(options[i].doc[strlen(options[i].doc) - 1], '.');
		assert_int_equal(options[i].type == SCD_CONFIG_WORD, options[i].words != NULL);
		assert_true(options[i].min <= options[i].max);
	}
	assert_null(scd_config_option("http_output"));
}

static void test_options__every_log_level_is_one_of_the_log(void **state)
{
	const struct scd_config_option *option = scd_config_option("log_level");

	(void)state;
	for (size_t i = 0; option->words[i]; i++) {
		enum scd_log_level level;

		assert_int_equal(scd_log_level_parse(option->words[i], &level), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init__gives_the_documented_defaults),
		cmocka_unit_test(test_set__replaces_a_value_and_adds_to_a_list),
		cmocka_unit_test(test_set__refuses_an_impossible_value),
		cmocka_unit_test(test_check__refuses_contradictions_at_their_place),
		cmocka_unit_test(test_check__settles_what_depends_on_other_keys),
		cmocka_unit_test(test_check__gives_no_place_to_what_a_flag_set),
		cmocka_unit_test(test_options__every_row_is_whole),
		cmocka_unit_test(test_options__every_log_level_is_one_of_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
