/*
 * What is behind a descriptor: what earlier messages said of it, for later ones that have its number only.
 *
 * "Not known" is a value: nothing is guessed. Descriptors can change without a message (SCM_RIGHTS, a point that the
 * session does not have), and a message that names the path behind a descriptor knows better than what is kept here.
 */
#ifndef SECCHECKD_STATE_FD_H
#define SECCHECKD_STATE_FD_H

#include "seccheckd/event/event.h"
#include "seccheckd/event/value.h"

/* X(ENUM, "fd.type", "fd.typechar"): the names are Falco's. */
#define SCD_FD_TYPE_TABLE(X)               \
	X(UNKNOWN, NULL, "o")              \
	X(FILE, "file", "f")               \
	X(DIRECTORY, "directory", "d")     \
	X(IPV4, "ipv4", "4")               \
	X(IPV6, "ipv6", "6")               \
	X(UNIX, "unix", "u")               \
	X(PIPE, "pipe", "p")               \
	X(EVENT, "event", "e")             \
	X(SIGNALFD, "signalfd", "s")       \
	X(EVENTPOLL, "eventpoll", "l")     \
	X(INOTIFY, "inotify", "i")         \
	X(TIMERFD, "timerfd", "t")         \
	X(NETLINK, "netlink", "n")         \
	X(USERFAULTFD, "userfaultfd", "u") \
	X(IO_URING, "io_uring", "r")       \
	X(MEMFD, "memfd", "m")             \
	X(PIDFD, "pidfd", "P")

enum scd_fd_type {
#define X(id, name, letter) SCD_FD_##id,
	SCD_FD_TYPE_TABLE(X) SCD_FD_TYPE_COUNT
};
#undef X

/* Whose end of a connection the process is. */
enum scd_fd_role {
	SCD_FD_ROLE_NONE,     /* no socket, or one that has done nothing so far */
	SCD_FD_ROLE_CLIENT,   /* connect */
	SCD_FD_ROLE_SERVER,   /* accept */
	SCD_FD_ROLE_LISTENER, /* bind, listen */
};

/* ip.family 0: not known. Addresses of the form ::ffff:a.b.c.d are IPv4. */
struct scd_fd_endpoint {
	struct scd_ip ip;
	uint16_t port;
};

/*
 * An open file, as far as messages told. Several descriptors may lead to the same one (dup, fork), and see what any of
 * them does to it.
 */
struct scd_fd {
	enum scd_fd_type type;
	enum scd_fd_role role;
	/*
	 * Absolute, or as the program gave it where that could not be told; "pipe:[7]" and the like are gVisor's names.
	 * Of a Unix socket its name, as in the sockaddr. Empty: not known, or longer than SCD_LIMIT_PROCESS_PATH_BYTES.
	 */
	struct scd_str path;
	struct scd_fd_endpoint local, remote;
	int32_t domain, socket_type, protocol; /* as socket(2) was given them; domain 0: no socket, or not known */
	bool connected;
	bool connecting;  /* a connect was begun (EINPROGRESS), and nothing told how it ended */
	bool for_writing; /* an open for writing made it */
};

/* From 4 or 16 bytes. False for any other length, and the endpoint is not known then. */
bool scd_fd_endpoint_set(struct scd_fd_endpoint *endpoint, const uint8_t *ip, size_t len, uint16_t port);

/* The type of a socket of this family (AF_*); UNKNOWN for families without one. */
enum scd_fd_type scd_fd_type_of_family(int32_t family);

/* The type that st_mode tells; UNKNOWN for sockets, whose family it does not tell. */
enum scd_fd_type scd_fd_type_of_mode(uint32_t mode);

/* The type that a name of gVisor's own tells ("pipe:[7]"); UNKNOWN for the paths of files and folders. */
enum scd_fd_type scd_fd_type_of_path(struct scd_str path);

/*
 * The path behind its descriptor (`fd`) that the message tells. Empty when it does not, also where gVisor wrote an
 * error in its place ("[err: FD not found]", as in every message of a close that succeeded).
 */
struct scd_str scd_fd_told_path(const struct scd_event *event);

#endif
