/*
 * Host name and boot id, read once.
 */
#include "host.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOT_ID_PATH  "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_BYTES 64

static struct scd_str read_hostname(void)
{
	static char name[HOST_NAME_MAX + 1];
	const char *given = getenv("FALCO_HOSTNAME");

	if (given && *given)
		return scd_str_from(given);
	if (gethostname(name, sizeof(name)) < 0)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	return scd_str_from(name);
}

static struct scd_str read_boot_id(void)
{
	static char id[BOOT_ID_BYTES];
	int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, id, sizeof(id));

	if (fd >= 0)
		close(fd);
	return scd_str_trim((struct scd_str){ id, len > 0 ? (size_t)len : 0 });
}

const struct scd_host *scd__host_get(void)
{
	static struct scd_host host;
	static bool known;

	if (!known)
		host = (struct scd_host){ read_hostname(), read_boot_id() };
	known = true;
	return &host;
}
