/*
 * Limits are documented: what happens at each of them stands in docs/threat-model.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "SCD_LIMIT_"

static char *read_source(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

/* Names may begin alike: the next character tells them apart. */
static int has_name(const char *text, const char *name, size_t len)
{
	for (const char *at = text; (at = strstr(at, PREFIX)); at += strlen(PREFIX)) {
		if (strncmp(at, name, len) == 0 && at[len] == '`')
			return 1;
	}
	return 0;
}

static void test_limits__are_all_in_the_threat_model(void **state)
{
	static const char definition[] = "#define " PREFIX;
	char *limits = read_source(SCD_SOURCE_DIR "/include/seccheckd/base/limits.h");
	char *model = read_source(SCD_SOURCE_DIR "/docs/threat-model.md");
	unsigned count = 0;

	(void)state;
	for (const char *at = limits; (at = strstr(at, definition)); count++) {
		size_t len;

		at += strlen("#define ");
		len = strcspn(at, " ");
		if (!has_name(model, at, len))
			fail_msg("docs/threat-model.md does not say what happens at %.*s", (int)len, at);
	}
	assert_true(count > 20);
	free(limits);
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits__are_all_in_the_threat_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
