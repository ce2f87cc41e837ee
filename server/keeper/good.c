/*
 * Memory that is a file: written by one worker, sealed, read by those that follow it.
 */
#include "keeper/good.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/log.h"

#define WANTED_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

void scd__good_init(struct scd__good *good)
{
	*good = (struct scd__good){ .good_fd = -1, .keep_fd = -1 };
}

void scd__good_done(struct scd__good *good)
{
	scd__good_abandon(good);
	if (good->good_fd >= 0)
		close(good->good_fd);
	good->good_fd = -1;
}

void scd__good_prepare(struct scd__good *good)
{
	scd__good_abandon(good);
	if (good->good_fd >= 0)
		return;
	good->keep_fd = memfd_create("seccheckd-configuration", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (good->keep_fd < 0)
		scd_log(SCD_LOG_WARNING,
		        "no memory to keep the configuration in, so a later worker reads it from disk: %s",
		        strerror(errno));
}

static bool is_empty(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_size == 0;
}

void scd__good_accept(struct scd__good *good)
{
	int seals = good->keep_fd < 0 ? -1 : fcntl(good->keep_fd, F_GET_SEALS);

	if (good->keep_fd < 0)
		return;
	if (seals >= 0 && (seals & WANTED_SEALS) == WANTED_SEALS) {
		good->good_fd = good->keep_fd;
		good->keep_fd = -1;
		return;
	}
	if (is_empty(good->keep_fd)) /* one that has nothing to keep */
		scd_log(SCD_LOG_DEBUG, "the worker keeps no configuration for a later one");
	else
		scd_log(SCD_LOG_WARNING, "the worker did not seal its configuration: a later one reads it from disk");
	scd__good_abandon(good);
}

void scd__good_abandon(struct scd__good *good)
{
	if (good->keep_fd >= 0)
		close(good->keep_fd);
	good->keep_fd = -1;
}
