/*
 * The folder is made in /tmp, since TMPDIR may be longer than a socket path can be.
 */
#include "tests/support/tempdir.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tempdir_make(struct tempdir *dir)
{
	*dir = (struct tempdir){ .path = "/tmp/scd-test-XXXXXX" };
	return mkdtemp(dir->path) ? 0 : -errno;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

void tempdir_remove(struct tempdir *dir)
{
	if (dir->path[0])
		nftw(dir->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	dir->path[0] = '\0';
}

const char *tempdir_join(struct tempdir *dir, const char *name)
{
	char *joined = dir->joined[dir->next++ % 4];
	char path[sizeof(dir->path)];

	memcpy(path, dir->path, sizeof(path));
	snprintf(joined, sizeof(dir->joined[0]), "%s/%s", path, name);
	return joined;
}
