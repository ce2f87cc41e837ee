/*
 * falco_vectors FILE.jsonl: runs conformance vectors and prints a line for each that fails, then the totals.
 * Exit status 0, 1 when one failed or the file could not be read, 2 for wrong usage.
 */
#include <stdio.h>
#include <string.h>

#include "tests/support/vectors.h"

int main(int argc, char **argv)
{
	struct vectors_totals totals = { 0 };
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: falco_vectors FILE.jsonl\n");
		return 2;
	}
	r = vectors_run_file(argv[1], stdout, &totals);
	if (r < 0) {
		fprintf(stderr, "falco_vectors: %s: %s\n", argv[1], strerror(-r));
		return 1;
	}
	vectors_print_totals(&totals, stdout);
	return totals.failed ? 1 : 0;
}
