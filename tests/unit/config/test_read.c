/*
 * Configuration files: what each key sets, and the exact place, message and hint of what is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/config/config.h"
#include "text_file.h"

static int read_text(struct scd_config *config, const char *text, struct scd_error *err)
{
	struct text_file file;
	int r;

	text_file_init(&file, text);
	r = scd_config_read_file(config, file.path, err);
	if (r < 0)
		assert_string_equal(err->file, file.path);
	text_file_done(&file);
	return r;
}

/* An init'ed configuration with a text read over it, which has to be right. */
static void read_good(struct scd_config *config, const char *text)
{
	struct scd_error err = { 0 };

	if (read_text(config, text, &err) < 0) {
		scd_error_print(&err, stderr);
		fail_msg("refused:\n%s", text);
	}
}

static void assert_texts(const struct scd_config_texts *texts, const char *const *expected, size_t count)
{
	assert_int_equal(texts->count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(texts->items[i], expected[i]);
}

static void test_read__sets_every_kind_of_key(void **state)
{
	struct scd_config config;

	(void)state;
	scd_config_init(&config);
	read_good(&config, "listen: [/run/a.sock, \"/run/b c.sock\"]\n"
	                   "rules_files:\n  - /etc/one.yaml\n  - /etc/two\n  - three\n"
	                   "priority: WARNING\n"
	                   "rule_matching: first\n"
	                   "log_level: Debug\n"
	                   "stdout_output: {enabled: No}\n"
	                   "file_output:\n  enabled: yes\n  filename: /var/log/alerts\n"
	                   "http_output:\n  enabled: on\n  url: http://127.0.0.1:2801/\n  user_agent: 'me'\n"
	                   "  insecure: true\n  ca_cert: /ca\n  mtls: true\n  client_cert: /cert\n  client_key: /key\n"
	                   "control_plane:\n  url: https://control/\n  format: json\n  ack: status\n"
	                   "  batch_max_count: 10000\n  timeout_ms: 1\n  backoff_min_ms: '20'\n  backoff_max_ms: 30\n");
	assert_texts(&config.listen, (const char *[]){ "/run/a.sock", "/run/b c.sock" }, 2);
	assert_texts(&config.rules_files, (const char *[]){ "/etc/one.yaml", "/etc/two", "three" }, 3);
	assert_string_equal(config.priority, "warning");
	assert_string_equal(config.rule_matching, "first");
	assert_string_equal(config.log_level, "debug");
	assert_false(config.stdout_output.enabled);
	assert_true(config.file_output.enabled);
	assert_string_equal(config.file_output.filename, "/var/log/alerts");
	assert_true(config.http_output.enabled);
	assert_string_equal(config.http_output.url, "http://127.0.0.1:2801/");
	assert_string_equal(config.http_output.user_agent, "me");
	assert_true(config.http_output.tls.insecure);
	assert_true(config.http_output.tls.mtls);
	assert_string_equal(config.http_output.tls.ca_cert, "/ca");
	assert_string_equal(config.http_output.tls.client_cert, "/cert");
	assert_string_equal(config.http_output.tls.client_key, "/key");
	assert_string_equal(config.control_plane.url, "https://control/");
	assert_string_equal(config.control_plane.format, "json");
	assert_string_equal(config.control_plane.ack, "status");
	assert_int_equal(config.control_plane.batch_max_count, 10000);
	assert_int_equal(config.control_plane.timeout_ms, 1);
	assert_int_equal(config.control_plane.backoff_min_ms, 20);
	assert_int_equal(config.control_plane.backoff_max_ms, 30);
	scd_config_done(&config);
}

static void test_read__leaves_what_a_file_does_not_have(void **state)
{
	struct scd_config config;

	(void)state;
	scd_config_init(&config);
	read_good(&config, "listen: [/a, /b]\ncontrol_plane: {timeout_ms: 7}\n");
	read_good(&config, "listen: [/c]\nlog_level: error\n");
	assert_texts(&config.listen, (const char *[]){ "/c" }, 1);
	assert_int_equal(config.control_plane.timeout_ms, 7);
	assert_int_equal(config.control_plane.batch_max_count, 256);
	assert_string_equal(config.priority, "debug");
	scd_config_done(&config);
}

static void test_read__accepts_files_that_set_nothing(void **state)
{
	static const char *const texts[] = { "",     "# nothing\n", "---\n",
		                             "{}\n", "~\n",         "file_output:\n  # enabled: true\n" };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(texts); i++) {
		struct scd_config config;

		scd_config_init(&config);
		read_good(&config, texts[i]);
		assert_int_equal(config.listen.count, 0);
		assert_string_equal(config.rule_matching, "all");
		scd_config_done(&config);
	}
}

static void test_read__takes_an_empty_text_as_not_set(void **state)
{
	struct scd_config config;

	(void)state;
	scd_config_init(&config);
	read_good(&config, "http_output: {url: \"\", ca_cert: \"\", user_agent: ''}\nlisten: []\n");
	assert_null(config.http_output.url);
	assert_null(config.http_output.tls.ca_cert);
	assert_null(config.http_output.user_agent);
	assert_int_equal(config.listen.count, 0);
	scd_config_done(&config);
}

static void test_read__does_not_expand_variables(void **state)
{
	struct scd_config config;

	(void)state;
	scd_config_init(&config);
	read_good(&config, "file_output: {filename: \"${HOME}/$HOME\"}\n");
	assert_string_equal(config.file_output.filename, "${HOME}/$HOME");
	scd_config_done(&config);
}

static void test_read__keeps_a_long_list_in_order(void **state)
{
	enum { COUNT = 1000 };
	struct scd_config config;
	struct scd_buf text;

	(void)state;
	scd_buf_init(&text, SCD_LIMIT_CONFIG_FILE_BYTES);
	scd_buf_printf(&text, "listen:\n");
	for (int i = 0; i < COUNT; i++)
		scd_buf_printf(&text, "- s%d\n", i);
	scd_config_init(&config);
	read_good(&config, text.data);
	assert_int_equal(config.listen.count, COUNT);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(strtol(config.listen.items[i] + 1, NULL, 10), i);
	scd_config_done(&config);
	scd_buf_done(&text);
}

/* Files with one fault. The place is that of the first character of what is wrong. */
static const struct bad {
	const char *name, *text;
	unsigned line, column;
	const char *what, *hint;
} bads[] = {
	{ "unknown key", "listen: [/a]\nrules_fles: [/b]\n", 2, 1, "unknown key 'rules_fles'",
	  "did you mean 'rules_files'?" },
	{ "unknown key, nothing near", "zebra: 1\n", 1, 1, "unknown key 'zebra'", "" },
	{ "unknown section", "http_ouput:\n  url: x\n", 1, 1, "unknown key 'http_ouput'",
	  "did you mean 'http_output'?" },
	{ "dash for underscore", "log-level: info\n", 1, 1, "unknown key 'log-level'", "did you mean 'log_level'?" },
	{ "unknown key in a section", "http_output:\n  enabled: true\n  ulr: http://x\n", 3, 3,
	  "unknown key 'ulr' in http_output", "did you mean 'url'?" },
	{ "key of another section", "file_output: {url: http://x}\n", 1, 15, "unknown key 'url' in file_output", "" },
	{ "near key in a section", "control_plane: {time_out_ms: 5}\n", 1, 17,
	  "unknown key 'time_out_ms' in control_plane", "did you mean 'timeout_ms'?" },
	{ "dotted key", "http_output.url: http://x\n", 1, 1, "unknown key 'http_output.url'",
	  "did you mean 'http_output'?" },
	{ "empty key", "\"\": 1\n", 1, 1, "unknown key ''", "" },
	{ "Falco's old name", "rules_file: [/b]\n", 1, 1, "unknown key 'rules_file'", "the key is called rules_files" },
	{ "Falco's key", "json_output: true\n", 1, 1, "unknown key 'json_output'", "alerts are always JSON" },
	{ "key twice", "priority: info\nlog_level: info\npriority: debug\n", 3, 1,
	  "key 'priority' is given twice; the first is in line 1", "" },
	{ "section twice", "file_output:\n  enabled: no\nfile_output:\n  enabled: no\n", 3, 1,
	  "key 'file_output' is given twice; the first is in line 1", "" },
	{ "key of a section twice", "file_output:\n  filename: a\n  filename: b\n", 3, 3,
	  "key 'filename' is given twice; the first is in line 2", "" },
	{ "scalar for a list", "rules_files: /etc/rules\n", 1, 14, "rules_files is not a list",
	  "write a list: `- VALUE` lines, or [VALUE, VALUE]" },
	{ "map for a list", "listen: {a: b}\n", 1, 9, "listen is not a list",
	  "write a list: `- VALUE` lines, or [VALUE, VALUE]" },
	{ "list in a list", "listen:\n  - /a\n  - [/b]\n", 3, 5, "listen has an item that is not a text",
	  "write a list: `- VALUE` lines, or [VALUE, VALUE]" },
	{ "empty item", "listen: [/a, '']\n", 1, 14, "listen has an empty item",
	  "write a list: `- VALUE` lines, or [VALUE, VALUE]" },
	{ "null item", "listen:\n  - /a\n  - ~\n", 3, 5, "listen has an empty item",
	  "write a list: `- VALUE` lines, or [VALUE, VALUE]" },
	{ "list for a text", "file_output:\n  filename: [a]\n", 2, 13, "file_output.filename is not a single value",
	  "write a text" },
	{ "null for a text", "file_output:\n  filename: ~\n", 2, 13, "file_output.filename has no value",
	  "write a text" },
	{ "NUL in a text", "file_output: {filename: \"a\\0b\"}\n", 1, 25,
	  "file_output.filename contains a NUL character", "write a text" },
	{ "no boolean", "stdout_output: {enabled: 2}\n", 1, 26, "stdout_output.enabled is not a boolean",
	  "write true or false" },
	{ "unknown word", "rule_matching: last\n", 1, 16, "rule_matching has an unknown value",
	  "write one of all, first" },
	{ "word cut short", "control_plane: {ack: id}\n", 1, 22, "control_plane.ack has an unknown value",
	  "write one of ids, status" },
	{ "unknown priority", "priority: fatal\n", 1, 11, "priority has an unknown value",
	  "write one of emergency, alert, critical, error, warning, notice, informational, info, debug" },
	{ "number with a unit", "control_plane: {timeout_ms: 10s}\n", 1, 29,
	  "control_plane.timeout_ms is not a whole number", "write a whole number from 1 to 600000" },
	{ "negative number", "control_plane: {timeout_ms: -1}\n", 1, 29,
	  "control_plane.timeout_ms is not a whole number", "write a whole number from 1 to 600000" },
	{ "number under its range", "control_plane: {batch_max_count: 0}\n", 1, 34,
	  "control_plane.batch_max_count is out of range", "write a whole number from 1 to 10000" },
	{ "number over its range", "control_plane: {batch_max_count: 10001}\n", 1, 34,
	  "control_plane.batch_max_count is out of range", "write a whole number from 1 to 10000" },
	{ "number over 64 bits", "control_plane: {timeout_ms: 99999999999999999999}\n", 1, 29,
	  "control_plane.timeout_ms is out of range", "write a whole number from 1 to 600000" },
	{ "no URL", "control_plane:\n  url: control.example\n", 2, 8,
	  "control_plane.url is not a URL that seccheckd can post to",
	  "write a URL: http://..., https://... or http+unix:///path/to/socket:/request/path" },
	{ "scheme alone", "http_output: {url: http://}\n", 1, 20,
	  "http_output.url is not a URL that seccheckd can post to",
	  "write a URL: http://..., https://... or http+unix:///path/to/socket:/request/path" },
	{ "scalar for a section", "http_output: true\n", 1, 14, "http_output is not a map of keys",
	  "write `KEY: VALUE` lines, indented below it" },
	{ "scalar for all", "seccheckd\n", 1, 1, "the configuration is not a map of keys", "write `KEY: VALUE` lines" },
	{ "list for all", "- listen\n", 1, 1, "the configuration is not a map of keys", "write `KEY: VALUE` lines" },
	{ "two documents", "listen: [/a]\n---\nlisten: [/b]\n", 3, 1,
	  "the configuration is more than one YAML document", "" },
};

static bool is_as_expected(const struct bad *bad, int r, const struct scd_error *err)
{
	return r == -EINVAL && err->code == -EINVAL && err->line == bad->line && err->column == bad->column &&
	       strcmp(err->what, bad->what) == 0 && strcmp(err->hint, bad->hint) == 0;
}

static void test_read__says_what_is_wrong_and_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(bads); i++) {
		struct scd_config config;
		struct scd_error err = { 0 };
		int r;

		scd_config_init(&config);
		r = read_text(&config, bads[i].text, &err);
		if (!is_as_expected(&bads[i], r, &err))
			fail_msg("%s: %d, %u:%u: %s (hint: %s)", bads[i].name, r, err.line, err.column, err.what,
			         err.hint);
		scd_config_done(&config);
	}
}

static void test_read__gives_the_place_of_a_syntax_error(void **state)
{
	struct scd_config config;
	struct scd_error err = { 0 };

	(void)state;
	scd_config_init(&config);
	assert_int_equal(read_text(&config, "listen: [/a]\npriority: [\n", &err), -EINVAL);
	assert_true(err.line >= 2);
	scd_config_done(&config);
}

static void assert_unreadable(const char *path, int code, const char *what)
{
	struct scd_config config;
	struct scd_error err = { 0 };

	scd_config_init(&config);
	assert_int_equal(scd_config_read_file(&config, path, &err), code);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.what, what));
	assert_non_null(strstr(err.what, path));
	scd_config_done(&config);
}

static void test_read__names_a_file_it_cannot_read(void **state)
{
	(void)state;
	assert_unreadable("/nonexistent/seccheckd.yaml", -ENOENT, "cannot open");
	assert_unreadable("/proc", -EISDIR, "cannot read");
}

static void test_read__stops_at_the_size_limit(void **state)
{
	(void)state;
	assert_unreadable("/dev/zero", -EFBIG, "over 1048576 bytes");
}

static void test_read__reads_a_pipe(void **state)
{
	struct scd_config config;
	struct scd_error err = { 0 };
	char path[32];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "log_level: notice\n", 18), 18);
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	scd_config_init(&config);
	assert_int_equal(scd_config_read_file(&config, path, &err), 0);
	assert_string_equal(config.log_level, "notice");
	scd_config_done(&config);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read__sets_every_kind_of_key),
		cmocka_unit_test(test_read__leaves_what_a_file_does_not_have),
		cmocka_unit_test(test_read__accepts_files_that_set_nothing),
		cmocka_unit_test(test_read__takes_an_empty_text_as_not_set),
		cmocka_unit_test(test_read__does_not_expand_variables),
		cmocka_unit_test(test_read__keeps_a_long_list_in_order),
		cmocka_unit_test(test_read__says_what_is_wrong_and_where),
		cmocka_unit_test(test_read__gives_the_place_of_a_syntax_error),
		cmocka_unit_test(test_read__names_a_file_it_cannot_read),
		cmocka_unit_test(test_read__stops_at_the_size_limit),
		cmocka_unit_test(test_read__reads_a_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
