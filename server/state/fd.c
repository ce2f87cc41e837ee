/*
 * What others ask of descriptors: what is known of one, and what a mode, a family, an address or a name tells.
 */
#include "seccheckd/state/fd.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "seccheckd/base/array.h"
#include "state/process_table.h"

bool scd_fd_endpoint_set(struct scd_fd_endpoint *endpoint, const uint8_t *ip, size_t len, uint16_t port)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	*endpoint = (struct scd_fd_endpoint){ .port = port };
	if (len == 16 && memcmp(ip, mapped, sizeof(mapped)) == 0) {
		ip += sizeof(mapped);
		len = 4;
	}
	if (len != 4 && len != 16)
		return false;
	endpoint->ip.family = len == 4 ? 4 : 6;
	memcpy(endpoint->ip.bytes, ip, len);
	return true;
}

enum scd_fd_type scd_fd_type_of_family(int32_t family)
{
	switch (family) {
	case AF_INET: return SCD_FD_IPV4;
	case AF_INET6: return SCD_FD_IPV6;
	case AF_UNIX: return SCD_FD_UNIX;
	case AF_NETLINK: return SCD_FD_NETLINK;
	default: return SCD_FD_UNKNOWN;
	}
}

enum scd_fd_type scd_fd_type_of_mode(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK: return SCD_FD_FILE;
	case S_IFDIR: return SCD_FD_DIRECTORY;
	case S_IFIFO: return SCD_FD_PIPE;
	default: return SCD_FD_UNKNOWN;
	}
}

enum scd_fd_type scd_fd_type_of_path(struct scd_str path)
{
	static const struct {
		struct scd_str start;
		enum scd_fd_type type;
	} names[] = {
		{ SCD_STR_INIT("pipe:["), SCD_FD_PIPE },
		{ SCD_STR_INIT("/memfd:"), SCD_FD_MEMFD },
		{ SCD_STR_INIT("anon_inode:[eventfd]"), SCD_FD_EVENT },
		{ SCD_STR_INIT("anon_inode:[eventpoll]"), SCD_FD_EVENTPOLL },
		{ SCD_STR_INIT("anon_inode:[signalfd]"), SCD_FD_SIGNALFD },
		{ SCD_STR_INIT("anon_inode:[timerfd]"), SCD_FD_TIMERFD },
		{ SCD_STR_INIT("anon_inode:[inotify]"), SCD_FD_INOTIFY },
		{ SCD_STR_INIT("anon_inode:[io_uring]"), SCD_FD_IO_URING },
		{ SCD_STR_INIT("anon_inode:[pidfd]"), SCD_FD_PIDFD },
	};

	if (path.len == 0)
		return SCD_FD_UNKNOWN;
	for (size_t i = 0; i < SCD_COUNT(names); i++)
		if (path.data[0] == names[i].start.data[0] && scd_str_starts_with(path, names[i].start))
			return names[i].type;
	return SCD_FD_UNKNOWN;
}

struct scd_str scd_fd_told_path(const struct scd_event *event)
{
	bool is_error = event->fd_path.len && event->fd_path.data[0] == '[' &&
	                scd_str_starts_with(event->fd_path, SCD_STR("[err: "));

	return is_error ? (struct scd_str){ NULL, 0 } : event->fd_path;
}

static const struct scd__fd_table *fds_of(const struct scd_process *process)
{
	return process ? ((const struct scd__process *)process)->fds : NULL; /* pub is its first member */
}

const struct scd_fd *scd_sandbox_fd(const struct scd_sandbox *sandbox, const struct scd_process *process,
                                    int64_t number)
{
	const struct scd__file *file = scd__fd_table_get(fds_of(process), number);
	(void)sandbox;
	return file ? &file->pub : NULL;
}

bool scd_sandbox_fd_maybe_closed(const struct scd_sandbox *sandbox, const struct scd_process *process, int64_t number)
{
	(void)sandbox;
	return scd__fd_table_maybe_closed(fds_of(process), number);
}

size_t scd_sandbox_fd_count(const struct scd_sandbox *sandbox, const struct scd_process *process)
{
	(void)sandbox;
	return scd__fd_table_count(fds_of(process));
}

uint32_t scd_sandbox_fd_types(const struct scd_sandbox *sandbox, const struct scd_process *process)
{
	(void)sandbox;
	return scd__fd_table_types(fds_of(process));
}
