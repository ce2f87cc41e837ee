/*
 * Runs a fuzz target over files instead of under a fuzzer: `fuzz_X PATH...`, each a file or a folder of files. So
 * what a fuzzer once found stays an ordinary test, with any compiler.
 *
 * Exit status 1, with a line that says why, when there is nothing to run.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void die(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(1);
}

/* The input is a heap block of its own size, so that AddressSanitizer sees a read past its end. */
static void run_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(size > 0 ? size : 1);

	if (!file)
		die(path, strerror(errno));
	if (!data || fread(data, 1, size, file) != size)
		die(path, "cannot be read");
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	fclose(file);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static size_t run_path(const char *path);

/* In the order of names, so that a failure is the same every time. */
static size_t run_folder(const char *folder)
{
	struct dirent **entries;
	int found = scandir(folder, &entries, is_visible, alphasort);
	size_t count = 0;

	if (found < 0)
		die(folder, strerror(errno));
	for (int i = 0; i < found; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		count += run_path(path);
		free(entries[i]);
	}
	free(entries);
	return count;
}

static size_t run_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		die(path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return run_folder(path);
	run_file(path, (size_t)st.st_size);
	return 1;
}

int main(int argc, char **argv)
{
	size_t total = 0;

	if (argc < 2)
		die(argv[0], "usage: PATH... (files, or folders of files)");
	for (int i = 1; i < argc; i++) {
		size_t count = run_path(argv[i]);

		if (count == 0)
			die(argv[i], "no inputs in this folder");
		total += count;
	}
	printf("%zu inputs\n", total);
	return 0;
}
