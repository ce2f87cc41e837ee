/*
 * A folder of its own for a test, short enough for socket paths, and gone afterwards with all that is in it.
 */
#ifndef SCD_TESTS_SUPPORT_TEMPDIR_H
#define SCD_TESTS_SUPPORT_TEMPDIR_H

struct tempdir {
	char path[64];
	char joined[4][128]; /* of the last four calls of tempdir_join */
	unsigned next;
};

/* 0 or negative errno. */
int tempdir_make(struct tempdir *dir);
void tempdir_remove(struct tempdir *dir);

/* PATH/NAME; lives until the fourth call after this one. */
const char *tempdir_join(struct tempdir *dir, const char *name);

#endif
