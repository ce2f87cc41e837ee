/*
 * Descriptions when memory fails at any point: whole, or not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "record/internal.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/tempdir.h"

static void test_meta_name__is_that_of_the_trace(void **state)
{
	char name[SCD__META_NAME_BYTES];

	(void)state;
	scd__meta_name("client-18446744073709551615", name);
	assert_string_equal(name, "client-18446744073709551615.meta.json");
}

static void test_meta_write__writes_nothing_without_memory(void **state)
{
#ifdef SCD_FAILING_ALLOC
	struct tempdir dir;
	struct scd_recorder recorder = { 0 };
	struct scd_recording recording = { .recorder = &recorder, .name = "client-0001", .how = "closed" };
	char listener[] = "/run/s", sandbox_id[] = "id";
	unsigned long n = 0;
	bool failed = true;
	int folder_fd;

	(void)state;
	assert_int_equal(tempdir_make(&dir), 0);
	folder_fd = open(dir.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	recorder.options.folder_fd = folder_fd;
	recording.listener = listener;
	recording.sandbox_id = sandbox_id;
	assert_int_equal(scd__meta_write(&recording), 0);
	recording.last = true;
	for (; failed; n++) {
		long live = scd_failing_alloc_live();
		json_t *meta;
		int r;

		scd_failing_alloc_arm(n);
		r = scd__meta_write(&recording);
		failed = scd_failing_alloc_disarm();
		assert_int_equal(r, failed ? -ENOMEM : 0);
		assert_int_equal(scd_failing_alloc_live(), live);
		meta = json_load_file(tempdir_join(&dir, "client-0001.meta.json"), 0, NULL);
		assert_int_equal(json_is_true(json_object_get(meta, "complete")), !failed);
		json_decref(meta);
	}
	assert_true(n > 20);
	close(folder_fd);
	tempdir_remove(&dir);
#else
	(void)state;
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meta_name__is_that_of_the_trace),
		cmocka_unit_test(test_meta_write__writes_nothing_without_memory),
	};

	return cmocka_run_group_tests_name("record/meta", tests, NULL, NULL);
}
