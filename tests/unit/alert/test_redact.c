/* The redactor: what it takes out, what it leaves, and what it costs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/alert/redact.h"
#include "seccheckd/base/clock.h"

#define MASK         "<redacted>"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct text_case {
	const char *name, *text, *expected; /* expected NULL: unchanged */
};

static const struct text_case taken_out[] = {
	{ "option with =", "mysql --password=hunter2 -h db", "mysql --password=" MASK " -h db" },
	{ "option and word", "tool --token abc.def run", "tool --token " MASK " run" },
	{ "option with one dash", "openssl -password hunter2", "openssl -password " MASK },
	{ "option in capitals", "--PASSWORD=x", "--PASSWORD=" MASK },
	{ "option with a quoted value", "--password 'two words' -v", "--password '" MASK "' -v" },
	{ "option = quoted value", "--secret=\"a b\" -v", "--secret=\"" MASK "\" -v" },
	{ "escaped quote in a quoted value", "--token \"a\\\"b c\" -v", "--token \"" MASK "\" -v" },
	{ "quote that is never closed", "--token 'a b c", "--token '" MASK },
	{ "assignment", "API_KEY=abc ./run", "API_KEY=" MASK " ./run" },
	{ "assignment behind words", "MYSQL_ROOT_PASSWORD=abc", "MYSQL_ROOT_PASSWORD=" MASK },
	{ "one word", "PGPASSWORD=abc psql", "PGPASSWORD=" MASK " psql" },
	{ "short last word", "MYSQL_PWD=abc", "MYSQL_PWD=" MASK },
	{ "camel case", "clientSecret=abc dbPass=def", "clientSecret=" MASK " dbPass=" MASK },
	{ "number behind the name", "password2=abc", "password2=" MASK },
	{ "blanks around =", "password = abc def", "password = " MASK " def" },
	{ "colon", "password: abc", "password: " MASK },
	{ "source of openssl", "-passin pass:abc -in k", "-passin pass:" MASK " -in k" },
	{ "JSON", "{\"user\":\"me\",\"password\":\"a b\",\"x\":1}",
	  "{\"user\":\"me\",\"password\":\"" MASK "\",\"x\":1}" },
	{ "JSON with blanks", "{ \"apiKey\" : \"abc\" }", "{ \"apiKey\" : \"" MASK "\" }" },
	{ "JSON in a quoted text", "-d \"{\\\"token\\\":\\\"a b\\\",\\\"x\\\":1}\"",
	  "-d \"{\\\"token\\\":\\\"" MASK "\",\\\"x\\\":1}\"" },
	{ "query", "GET /?token=abc&pool=x HTTP", "GET /?token=" MASK "&pool=x HTTP" },
	{ "second of a query", "http://h/p?a=1&api_key=abc#frag", "http://h/p?a=1&api_key=" MASK "#frag" },
	{ "user info", "https://me:hunter2@host/path", "https://me:" MASK "@host/path" },
	{ "user info with an empty user", "redis://:hunter2@host", "redis://:" MASK "@host" },
	{ "@ in a password", "ftp://me:p@ss@host/", "ftp://me:" MASK "@host/" },
	{ "colon in a password", "ftp://me:a:b@host/", "ftp://me:" MASK "@host/" },
	{ "pool with user info", "stratum+tcp://48edf.rig:x@pool:3333", "stratum+tcp://48edf.rig:" MASK "@pool:3333" },
	{ "user info cut before its end", "see http://me:hunt", "see http://me:" MASK },
	{ "two URLs", "http://a:b@c http://d:e@f", "http://a:" MASK "@c http://d:" MASK "@f" },
	{ "bearer", "curl -H Authorization: Bearer abc http://h", "curl -H Authorization: Bearer " MASK " http://h" },
	{ "basic in quotes", "curl -H 'authorization: Basic abc' -v", "curl -H 'authorization: Basic " MASK " -v" },
	{ "header without a scheme", "Authorization: abc -v", "Authorization: " MASK " -v" },
	{ "header in JSON", "{\"Authorization\":\"Bearer a b\",\"x\":1}",
	  "{\"Authorization\":\"Bearer " MASK "\",\"x\":1}" },
	{ "proxy header", "Proxy-Authorization: Digest abc", "Proxy-Authorization: Digest " MASK },
	{ "token header", "-H X-Auth-Token: abc -v", "-H X-Auth-Token: " MASK " -v" },
	{ "mysql's -p", "mysql -u root -phunter2 db", "mysql -u root -p" MASK " db" },
	{ "mysqldump's -p in quotes", "/usr/bin/mysqldump -p'a b' db", "/usr/bin/mysqldump -p'" MASK "' db" },
	{ "in a shell's argument", "sh -c mysql -px ; ls -pq", "sh -c mysql -p" MASK " ; ls -pq" },
	{ "sshpass", "sshpass -p hunter2 ssh -p 22 h", "sshpass -p " MASK " ssh -p " MASK " h" },
	{ "sshpass without a blank", "sh -c 'sshpass -phunter2 ssh h'", "sh -c 'sshpass -p" MASK " ssh h'" },
	{ "key of AWS", "x AKIAIOSFODNN7EXAMPLE y", "x " MASK " y" },
	{ "temporary key of AWS", "id=ASIAIOSFODNN7EXAMPLE,x", "id=" MASK ",x" },
	{ "token of GitHub", "git clone https://ghp_0123456789abcdefghij@h", "git clone https://" MASK "@h" },
	{ "token of GitHub behind an option", "-tgithub_pat_11ABCDEFG0abcdefghij_x", "-t" MASK },
	{ "token of GitHub alone", "github_pat_11ABCDEFG0abcdefghij_x", MASK },
	{ "token of Slack", "xoxb-123456789012-abc", MASK },
	{ "token of GitLab", "a=glpat-abcdefghij0123456789", "a=" MASK },
	{ "key of OpenAI", "curl -k sk-proj-abcDEF0123456789abcdef h", "curl -k " MASK " h" },
	{ "JWT", "-H X: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc -v", "-H X: " MASK " -v" },
	{ "several", "--password a --token=b c", "--password " MASK " --token=" MASK " c" },
	{ "too much rather than half", "PASSWORD=x;./miner -o pool", "PASSWORD=" MASK " -o pool" },
};

static const struct text_case left_alone[] = {
	{ "empty", "", NULL },
	{ "miner's user and password", "xmrig -o pool:3333 -u 48edfHu7V9 -p x -k", NULL },
	{ "wallet as option", "--user 48edfHu7V9 --rig-id a", NULL },
	{ "wallet as user info", "stratum+ssl://48edfHu7V9@pool:443", NULL },
	{ "no value", "--password", NULL },
	{ "option follows", "mysql --password -u root", NULL },
	{ "empty value", "PASSWORD= ./run", NULL },
	{ "empty quoted value", "--password '' -v", NULL },
	{ "name goes on", "--password-file=/x --token-ttl 5 --secretary Jane", NULL },
	{ "plural of counting", "--max-tokens 100 --tokenizer bert", NULL },
	{ "words that end like one", "--bypass x --compass=y", NULL },
	{ "working directory", "PWD=/root OLDPWD=/tmp", NULL },
	{ "announces no value", "pg_dump --no-password db", NULL },
	{ "prose", "kubectl get secret foo", NULL },
	{ "port of a URL", "http://host:8080/a@b", NULL },
	{ "port at the end", "http://host:8080", NULL },
	{ "IPv6 at the end", "http://[::1]:8080", NULL },
	{ "no user info", "http://host/?q=a:b@c", NULL },
	{ "scheme that sounds like one", "vault-token://path x", NULL },
	{ "authorization without a value", "the authorization failed", NULL },
	{ "ends in a scheme", "Authorization: Bearer", NULL },
	{ "ends in ://", "see http://", NULL },
	{ "-p of others", "mkdir -p x; ls -pq; xmrig -p3333", NULL },
	{ "-p of mysql alone", "mysql -p db -P3306 --port=1", NULL },
	{ "-p of the next command", "mysql x; mkdir -pv y", NULL },
	{ "words like tokens", "sk-learn-is-a-machine-learning-thing task-0123456789012345678A eyJ AKIAshort ghp_",
	  NULL },
};

static struct scd_str redact(struct scd_arena *arena, const char *text)
{
	return scd_redact_text(scd_str_from(text), arena);
}

static void assert_text(const char *name, struct scd_str got, const char *expected)
{
	if (!scd_str_is(got, expected))
		fail_msg("%s: got '" SCD_STR_FMT "', expected '%s'", name, SCD_STR_ARG(got), expected);
}

static void test_text__secrets_are_masked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(taken_out); i++) {
		struct scd_arena arena;

		scd_arena_init(&arena, 1024, 0);
		assert_text(taken_out[i].name, redact(&arena, taken_out[i].text), taken_out[i].expected);
		scd_arena_done(&arena);
	}
}

static void test_text__what_is_no_secret_comes_back_uncopied(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(left_alone); i++) {
		struct scd_arena arena;
		struct scd_str got;

		scd_arena_init(&arena, 1024, 0);
		got = redact(&arena, left_alone[i].text);
		assert_text(left_alone[i].name, got, left_alone[i].text);
		assert_ptr_equal(got.data, left_alone[i].text);
		assert_int_equal(arena.used_bytes, 0);
		scd_arena_done(&arena);
	}
}

static void test_text__masking_twice_changes_nothing_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(taken_out); i++) {
		struct scd_arena arena;

		scd_arena_init(&arena, 1024, 0);
		assert_text(taken_out[i].name, redact(&arena, taken_out[i].expected), taken_out[i].expected);
		scd_arena_done(&arena);
	}
}

static void test_text__a_nul_ends_a_value(void **state)
{
	struct scd_arena arena;

	(void)state;
	scd_arena_init(&arena, 1024, 0);
	assert_true(scd_str_eq(scd_redact_text(SCD_STR("A=1\0TOKEN=abc\0B=2"), &arena),
	                       SCD_STR("A=1\0TOKEN=" MASK "\0B=2")));
	scd_arena_done(&arena);
}

static void test_text__an_exhausted_arena_tells_nothing(void **state)
{
	struct scd_arena arena;
	struct scd_str got;

	(void)state;
	scd_arena_init(&arena, 16, 8);
	got = redact(&arena, "--password=hunter2");
	assert_int_equal(got.len, 0);
	scd_arena_done(&arena);
}

struct argument_case {
	const char *name, *previous, *argument, *expected, *program;
};

static const struct argument_case arguments[] = {
	{ "the first", "", "mysql", "mysql", NULL },
	{ "behind a secret option", "--password", "hunter2", MASK, NULL },
	{ "behind a secret option, with blanks", "-password", "a b c", MASK, NULL },
	{ "option behind a secret option", "--password", "-u", "-u", NULL },
	{ "behind an option with its value", "--password=x", "host", "host", NULL },
	{ "behind an option that announces none", "--no-password", "db", "db", NULL },
	{ "behind a word", "password", "host", "host", NULL },
	{ "behind -p", "-p", "x", "x", NULL },
	{ "its own value, with blanks", "", "--password=a b; c", "--password=" MASK, NULL },
	{ "its own empty value", "", "--password=", "--password=", NULL },
	{ "script", "-c", "TOKEN=abc ./miner -o pool", "TOKEN=" MASK " ./miner -o pool", NULL },
	{ "header", "-H", "Authorization: Bearer abc", "Authorization: Bearer " MASK, NULL },
	{ "URL", "--url", "http://a:b@c", "http://a:" MASK "@c", NULL },
	{ "empty behind a secret option", "--password", "", "", NULL },
	{ "mysql's -p", "-u", "-phunter2; x", "-p" MASK, "/usr/bin/mysql" },
	{ "mysql's -p alone", "-p", "db", "db", "mysql" },
	{ "sshpass's -p", "-p", "a b", MASK, "sshpass" },
	{ "sshpass's -pX", "x", "-pa b", "-p" MASK, "sshpass" },
	{ "a script's", "-c", "sshpass -p a b", "sshpass -p " MASK " b", "sh" },
	{ "-p of others", "-u", "-p3333", "-p3333", "xmrig" },
};

static void test_argument__is_masked_by_itself_and_by_the_one_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(arguments); i++) {
		const struct argument_case *row = &arguments[i];
		struct scd_arena arena;

		scd_arena_init(&arena, 1024, 0);
		assert_text(row->name,
		            scd_redact_argument(scd_str_from(row->program), scd_str_from(row->previous),
		                                scd_str_from(row->argument), &arena),
		            row->expected);
		scd_arena_done(&arena);
	}
}

static void test_names_secret__options_whose_value_follows(void **state)
{
	(void)state;
	assert_true(scd_redact_names_secret(SCD_STR("--password")));
	assert_true(scd_redact_names_secret(SCD_STR("-password")));
	assert_true(scd_redact_names_secret(SCD_STR("--Api-Key")));
	assert_false(scd_redact_names_secret(SCD_STR("--password=x")));
	assert_false(scd_redact_names_secret(SCD_STR("password")));
	assert_false(scd_redact_names_secret(SCD_STR("-p")));
	assert_false(scd_redact_names_secret(SCD_STR("-")));
	assert_false(scd_redact_names_secret((struct scd_str){ NULL, 0 }));
}

/* A text of `bytes` bytes made of the unit, over and over. */
static struct scd_str repeat(const char *unit, size_t bytes)
{
	size_t unit_bytes = strlen(unit);
	char *data = malloc(bytes);

	assert_non_null(data);
	for (size_t i = 0; i < bytes; i++)
		data[i] = unit[i % unit_bytes];
	return (struct scd_str){ data, bytes };
}

static int64_t measure_ns(const char *unit, size_t bytes)
{
	struct scd_str text = repeat(unit, bytes);
	struct scd_arena arena;
	int64_t start;

	scd_arena_init(&arena, 4096, 0);
	start = scd_clock_mono_ns();
	scd_redact_text(text, &arena);
	start = scd_clock_mono_ns() - start;
	scd_arena_done(&arena);
	free((char *)(uintptr_t)text.data);
	return start;
}

/*
 * Texts that would take the square of their length if a step looked again at what another had looked at. 1 MiB of
 * them, quadratic, is minutes; the bound is a generous ten seconds.
 */
static void test_text__hostile_texts_take_linear_time(void **state)
{
	static const char *const units[] = { "a",
		                             "-",
		                             "password",
		                             "password=",
		                             "--token ",
		                             "://",
		                             "://a:",
		                             "@",
		                             "://a:b@",
		                             "\\",
		                             "\"",
		                             "token'",
		                             "token ",
		                             "token\\",
		                             "token:",
		                             "a_",
		                             "1",
		                             "Authorization: Bearer ",
		                             "sk-",
		                             "ghp_",
		                             "AKIA",
		                             "mysql -p",
		                             "mysql -p'",
		                             "sshpass -p ",
		                             "sk-aaaaaaaaaaaaaaaa." };

	(void)state;
	for (size_t i = 0; i < COUNT(units); i++) {
		int64_t ns = measure_ns(units[i], (size_t)1 << 20);

		if (ns > INT64_C(10000000000))
			fail_msg("'%s': %lld ms", units[i], (long long)(ns / 1000000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text__secrets_are_masked),
		cmocka_unit_test(test_text__what_is_no_secret_comes_back_uncopied),
		cmocka_unit_test(test_text__masking_twice_changes_nothing_more),
		cmocka_unit_test(test_text__a_nul_ends_a_value),
		cmocka_unit_test(test_text__an_exhausted_arena_tells_nothing),
		cmocka_unit_test(test_argument__is_masked_by_itself_and_by_the_one_before),
		cmocka_unit_test(test_names_secret__options_whose_value_follows),
		cmocka_unit_test(test_text__hostile_texts_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
