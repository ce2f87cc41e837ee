/*
 * Landlock: what the process may do to files, TCP ports and its neighbours, whoever it is.
 *
 * A ruleset names the rights that it handles; of those, only what a rule grants is left. Rights that the kernel does
 * not know may not be named, so each ABI has its own set. Debian 12 has kernel headers of ABI 2, hence
 * the numbers below; they are those of linux/landlock.h of Linux 6.18.
 *
 *   ABI 1, 2   files            5.13, 5.19
 *       3      + truncate       6.2
 *       4      + TCP ports      6.7
 *       5      + ioctl          6.10
 *       6      + scopes         6.12: signals and abstract Unix sockets stay inside
 *
 * Rights are checked when a file is opened: descriptors that are open, sockets that are connected, and Unix sockets
 * with a path are not its business.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/layers.h"
#include "seccheckd/base/array.h"

#define DNS_PORT 53u

#define FS_ABI_1     (((uint64_t)1 << 13) - 1) /* from EXECUTE to MAKE_SYM */
#define FS_REFER     ((uint64_t)1 << 13)
#define FS_TRUNCATE  ((uint64_t)1 << 14)
#define FS_IOCTL_DEV ((uint64_t)1 << 15)

#define NET_BIND_TCP    ((uint64_t)1 << 0)
#define NET_CONNECT_TCP ((uint64_t)1 << 1)

#define SCOPE_ABSTRACT_SOCKETS ((uint64_t)1 << 0)
#define SCOPE_SIGNALS          ((uint64_t)1 << 1)

#define RULE_NET_PORT 2

#define READ ((uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR))
#define WRITE                                                                               \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* struct landlock_ruleset_attr; an older kernel takes as much of it as it knows. */
struct ruleset {
	uint64_t fs, net, scoped;
};

struct port_rule {
	uint64_t allowed, port;
};

/*
 * What looking up a name and shaking hands over TLS reads. Folders, not files: what is renamed into place, as
 * resolv.conf often is, would be another file than the one that was allowed. They hold nothing that this user may read
 * and others may not.
 */
static const char *const name_folders[] = {
	"/etc",                 /* resolv.conf, hosts, nsswitch.conf, gai.conf; the certificates of ssl, pki */
	"/run/systemd/resolve", /* where resolv.conf often is in truth */
	"/run/NetworkManager",  /* likewise */
	"/run/resolvconf",      /* likewise */
	"/usr/lib/ssl",         /* OpenSSL's own folder: its configuration, certificates */
	"/usr/share",           /* ca-certificates, which those of ssl are links to */
	"/usr/local/share",     /* likewise */
};

/* jansson takes from it what keeps its hash tables from being attacked; OpenSSL asks the kernel itself. */
static const char *const always_readable[] = { "/dev/urandom" };

/* What the run-time library of a sanitizer reads to make its report. */
static const char *const sanitizer_folders[] = { "/" };

/* The rights of this ABI, and how much of the struct its kernels know. */
static size_t fill(struct ruleset *ruleset, int abi)
{
	*ruleset = (struct ruleset){ .fs = FS_ABI_1 };
	ruleset->fs |= abi >= 2 ? FS_REFER : 0;
	ruleset->fs |= abi >= 3 ? FS_TRUNCATE : 0;
	ruleset->fs |= abi >= 5 ? FS_IOCTL_DEV : 0;
	ruleset->net = abi >= 4 ? NET_BIND_TCP | NET_CONNECT_TCP : 0;
	ruleset->scoped = abi >= 6 ? SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS : 0;
	return abi >= 6   ? sizeof(*ruleset)
	       : abi >= 4 ? offsetof(struct ruleset, scoped)
	                  : offsetof(struct ruleset, net);
}

/* What is no folder has no rights of folders. */
static int add_path(int ruleset_fd, const struct ruleset *ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights & ruleset->fs };
	struct stat info;
	int r;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return -errno;
	if (fstat(rule.parent_fd, &info) == 0 && !S_ISDIR(info.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
	r = syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
	close(rule.parent_fd);
	return r;
}

/* What is not there, or that we may not enter, needs no rule. */
static int add_readable(int ruleset_fd, const struct ruleset *ruleset, const char *const *paths, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r = add_path(ruleset_fd, ruleset, paths[i], READ);

		if (r < 0 && r != -ENOENT && r != -ENOTDIR && r != -EACCES)
			return r;
	}
	return 0;
}

static int add_port(int ruleset_fd, const struct ruleset *ruleset, uint16_t port)
{
	const struct port_rule rule = { NET_CONNECT_TCP, port };

	if (!ruleset->net)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset_fd, RULE_NET_PORT, &rule, 0) < 0 ? -errno : 0;
}

static int add_network(int ruleset_fd, const struct ruleset *ruleset, const struct scd_confinement *wanted)
{
	int r;

	if (!wanted->connect_port_count)
		return 0;
	r = add_readable(ruleset_fd, ruleset, name_folders, SCD_COUNT(name_folders));
	for (size_t i = 0; r == 0 && i < wanted->connect_port_count; i++)
		r = add_port(ruleset_fd, ruleset, wanted->connect_ports[i]);
	return r == 0 ? add_port(ruleset_fd, ruleset, DNS_PORT) : r;
}

static int add_rules(int ruleset_fd, const struct ruleset *ruleset, const struct scd_confinement *wanted,
                     struct scd_error *err)
{
	int r = add_readable(ruleset_fd, ruleset, always_readable, SCD_COUNT(always_readable));

	if (r == 0)
		r = add_network(ruleset_fd, ruleset, wanted);
	if (r == 0 && SCD__CONFINE_SANITIZED)
		r = add_readable(ruleset_fd, ruleset, sanitizer_folders, SCD_COUNT(sanitizer_folders));
	if (r < 0)
		return scd_error_set(err, r, "Landlock takes no rule: %s", strerror(-r));
	for (size_t i = 0; i < wanted->write_folder_count; i++) {
		r = add_path(ruleset_fd, ruleset, wanted->write_folders[i], WRITE);
		if (r < 0)
			return scd_error_set(err, r, "Landlock cannot allow writing to %s: %s",
			                     wanted->write_folders[i], strerror(-r));
	}
	return 0;
}

static void describe(struct scd_confined *done, int abi)
{
	scd__confine_did(done, SCD_CONFINE_LANDLOCK, "Landlock %d", abi);
	if (abi < 4)
		scd__confine_lacks(done, SCD_CONFINE_LANDLOCK,
		                   "Landlock's rules for TCP ports, signals and abstract "
		                   "sockets (Linux 6.7 and 6.12)");
	else if (abi < 6)
		scd__confine_lacks(done, SCD_CONFINE_LANDLOCK,
		                   "Landlock's rules for signals and abstract sockets (Linux 6.12)");
}

static int restrict_self(int ruleset_fd, const struct ruleset *ruleset, const struct scd_confinement *wanted,
                         struct scd_error *err)
{
	int r = add_rules(ruleset_fd, ruleset, wanted, err);

	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0)
		r = scd_error_set(err, -errno, "Landlock does not restrict the worker: %s", strerror(errno));
	return r;
}

/* Not compiled in, not among the kernel's security modules, or hidden by somebody's seccomp filter. */
static void describe_absence(struct scd_confined *done, int error)
{
	const char *why = error == ENOSYS       ? "the kernel has none"
	                  : error == EOPNOTSUPP ? "the kernel has it off"
	                                        : NULL;

	scd__confine_lacks(done, SCD_CONFINE_LANDLOCK, "Landlock (%s)", why ? why : strerror(error));
}

int scd__confine_landlock(const struct scd_confinement *wanted, struct scd_confined *done, struct scd_error *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset ruleset;
	size_t size;
	int fd, r;

	if (abi <= 0) {
		describe_absence(done, errno);
		return 0;
	}
	size = fill(&ruleset, (int)abi);
	fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	if (fd < 0)
		return scd_error_set(err, -errno, "Landlock takes no ruleset: %s", strerror(errno));
	r = restrict_self(fd, &ruleset, wanted, err);
	close(fd);
	if (r == 0)
		describe(done, (int)abi);
	return r;
}
