/*
 * The texts that a worker keeps for the next one: the same rules come out, nobody changes them, and what is not whole
 * is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/bundle.h"
#include "cli/rules.h"
#include "tests/support/tempdir.h"

#define RULE(name) "- rule: " name "\n  desc: d\n  priority: WARNING\n  output: o\n  condition: evt.type = execve\n"

struct fixture {
	struct scd_diags diags;
	struct scd_loader *loader;
	int fd;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture)
		return -1;
	scd_diags_init(&fixture->diags);
	fixture->loader = scd_loader_new(&fixture->diags);
	fixture->fd = memfd_create("bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fixture->loader && fixture->fd >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	scd_loader_free(&fixture->loader);
	scd_diags_done(&fixture->diags);
	close(fixture->fd);
	free(fixture);
	return 0;
}

static void add(struct fixture *fixture, const char *name, const char *text)
{
	assert_int_equal(scd_loader_add_text(fixture->loader, scd_str_from(text), name), 0);
}

static struct scd_ruleset *build(struct scd_loader *loader)
{
	const struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG };
	struct scd_ruleset *set = NULL;

	assert_int_equal(scd_loader_build(loader, &options, &set), 0);
	return set;
}

/* What a bundle holds, as a loader of its own; the result of reading it. */
static int read_back(int fd, struct scd_diags *diags, struct scd_loader **ret_loader)
{
	scd_diags_init(diags);
	*ret_loader = scd_loader_new(diags);
	assert_non_null(*ret_loader);
	return scd__bundle_read(fd, *ret_loader);
}

static void test_bundle__comes_to_the_same_generation(void **state)
{
	struct fixture *fixture = *state;
	struct scd_ruleset *before, *after;
	struct scd_loader *copy;
	struct scd_diags diags;

	add(fixture, "/etc/rules/a.yaml", RULE("A"));
	add(fixture, "/etc/rules/empty.yaml", "# nothing\n");
	add(fixture, "b", RULE("B") RULE("C"));
	before = build(fixture->loader);
	assert_int_equal(scd__bundle_write(fixture->loader, fixture->fd), 0);

	assert_int_equal(read_back(fixture->fd, &diags, &copy), 0);
	assert_int_equal(scd_loader_file_count(copy), 3);
	assert_string_equal(scd_loader_file_name(copy, 0), "/etc/rules/a.yaml");
	assert_true(scd_str_is(scd_loader_file_text(copy, 1), "# nothing\n"));
	after = build(copy);
	assert_int_equal(scd_ruleset_rule_count(after), 3);
	assert_string_equal(scd_ruleset_generation(after), scd_ruleset_generation(before));
	scd_ruleset_unref(&before);
	scd_ruleset_unref(&after);
	scd_loader_free(&copy);
	scd_diags_done(&diags);
}

static void test_bundle__cannot_be_changed(void **state)
{
	struct fixture *fixture = *state;

	add(fixture, "a", RULE("A"));
	assert_int_equal(scd__bundle_write(fixture->loader, fixture->fd), 0);
	assert_int_equal(pwrite(fixture->fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fixture->fd, 0), -1);
}

/* Cut anywhere, or with something behind its end. */
static void test_bundle__that_is_not_whole_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct scd_loader *copy;
	struct scd_diags diags;
	off_t len;
	char *bytes;

	add(fixture, "a", RULE("A"));
	add(fixture, "b", RULE("B"));
	assert_int_equal(scd__bundle_write(fixture->loader, fixture->fd), 0);
	len = lseek(fixture->fd, 0, SEEK_END);
	bytes = malloc((size_t)len + 1);
	assert_non_null(bytes);
	assert_int_equal(pread(fixture->fd, bytes, (size_t)len, 0), len);
	bytes[len] = 'x';
	for (off_t cut = 0; cut <= len + 1; cut++) {
		int fd = memfd_create("part", MFD_CLOEXEC);

		assert_int_equal(write(fd, bytes, (size_t)cut), cut);
		assert_int_equal(read_back(fd, &diags, &copy), cut == len ? 0 : -EBADMSG);
		scd_loader_free(&copy);
		scd_diags_done(&diags);
		close(fd);
	}
	free(bytes);
}

static void test_bundle__lengths_that_lie_are_refused(void **state)
{
	const struct {
		const char *name;
		off_t at;
		uint64_t value;
		size_t len;
	} rows[] = {
		{ "another magic", 0, 0, 8 },
		{ "more files than there are", 8, UINT32_MAX, 4 },
		{ "a file fewer", 8, 0, 4 },
		{ "a long name", 16, UINT32_MAX, 4 },
		{ "a name that is shorter", 16, 0, 4 },
		{ "a long text", 20, UINT64_MAX, 8 },
	};
	struct fixture *fixture = *state;
	char bytes[1024];
	ssize_t len;

	add(fixture, "a", RULE("A"));
	assert_int_equal(scd__bundle_write(fixture->loader, fixture->fd), 0);
	len = pread(fixture->fd, bytes, sizeof(bytes), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = memfd_create(rows[i].name, MFD_CLOEXEC);
		struct scd_loader *copy;
		struct scd_diags diags;

		assert_int_equal(write(fd, bytes, (size_t)len), len);
		assert_int_equal(pwrite(fd, &rows[i].value, rows[i].len, rows[i].at), rows[i].len);
		assert_int_equal(read_back(fd, &diags, &copy), -EBADMSG);
		scd_loader_free(&copy);
		scd_diags_done(&diags);
		close(fd);
	}
}

static const char *write_rules(struct tempdir *dir, const char *text)
{
	const char *path = tempdir_join(dir, "rules.yaml");
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return path;
}

/* As two workers do it: the second one finds the files broken, and does not look. */
static void test_rules_load_worker__does_not_need_the_files_again(void **state)
{
	struct fixture *fixture = *state;
	struct scd_worker_seat first = { .good_fd = -1, .keep_fd = dup(fixture->fd) };
	struct scd_worker_seat second = { .good_fd = dup(fixture->fd), .keep_fd = -1 };
	struct scd_ruleset *before = NULL, *after = NULL;
	struct scd_config config;
	struct tempdir dir;
	const char *path;

	assert_int_equal(tempdir_make(&dir), 0);
	path = write_rules(&dir, RULE("A"));
	scd_config_init(&config);
	config.rules_files = (struct scd_config_texts){ .items = &path, .count = 1 };
	assert_int_equal(scd__rules_load_worker(&config, &first, &before), 0);
	write_rules(&dir, "- rule: broken\n");
	assert_int_equal(scd__rules_load_worker(&config, &second, &after), 0);
	assert_string_equal(scd_ruleset_generation(after), scd_ruleset_generation(before));
	assert_int_equal(fcntl(first.keep_fd, F_GETFD), -1);
	assert_int_equal(fcntl(second.good_fd, F_GETFD), -1);
	scd_ruleset_unref(&before);
	scd_ruleset_unref(&after);
	config.rules_files = (struct scd_config_texts){ .count = 0 };
	scd_config_done(&config);
	tempdir_remove(&dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_bundle__comes_to_the_same_generation),
		TEST(test_bundle__cannot_be_changed),
		TEST(test_bundle__that_is_not_whole_is_refused),
		TEST(test_bundle__lengths_that_lie_are_refused),
		TEST(test_rules_load_worker__does_not_need_the_files_again),
	};
#undef TEST

	return cmocka_run_group_tests_name("cli/bundle", tests, NULL, NULL);
}
