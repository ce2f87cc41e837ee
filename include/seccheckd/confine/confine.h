/*
 * Taking from a process what it does not need, before it reads its first hostile byte.
 *
 * The worker parses everything that sandboxes send, so a mistake in it is what they look for. What a worker that was
 * taken over can still do is what this leaves to it, in five layers, each of which holds without the others:
 *
 *   user           another user and group, no further groups, and no way back
 *   capabilities   none, in any set, and no program that it might start gets any (no_new_privs)
 *   dumps          no core file, no other process of the same user that looks into its memory
 *   Landlock       which files, which TCP ports, nobody else's signals and abstract sockets
 *   seccomp        which system calls (seccomp.c has the list)
 *
 * It also offers itself to the kernel for when memory runs out, before the process that started it.
 *
 * docs/threat-model.md says what each of them stops, and what none of them does.
 *
 * Descriptors that are open stay as they are: whatever is needed later and is not allowed later is opened before. A
 * build with a sanitizer, whose run-time library reads and starts what the list does not have, keeps its dumps and has
 * no seccomp, and says so.
 */
#ifndef SECCHECKD_CONFINE_CONFINE_H
#define SECCHECKD_CONFINE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "seccheckd/base/error.h"

/* Everything is only read, and not kept. */
struct scd_confinement {
	/*
	 * The user to become, which needs CAP_SETUID and CAP_SETGID. user_name NULL: it stays who it is.
	 * same_user_because is then said among what is missing; NULL: nothing is.
	 */
	const char *user_name;
	uid_t uid;
	gid_t gid;
	const char *same_user_because;

	/*
	 * Folders below which files may be made, read, written and removed. Each is there. None: what is open can be
	 * written to, at its end if it was opened for appending, and neither cut nor filled up otherwise.
	 */
	const char *const *write_folders;
	size_t write_folder_count;

	/*
	 * Ports that TCP may connect to. Any at all: names are looked up, which adds port 53 and the files of the name
	 * service and of TLS.
	 */
	const uint16_t *connect_ports;
	size_t connect_port_count;
};

enum scd_confine_layer {
	SCD_CONFINE_USER,
	SCD_CONFINE_CAPABILITIES,
	SCD_CONFINE_DUMPS,
	SCD_CONFINE_LANDLOCK,
	SCD_CONFINE_SECCOMP,
	SCD_CONFINE_LAYERS
};

/* Both may be said of one layer: of Landlock on an older kernel, for one. Empty: there is nothing to say. */
struct scd_confined_layer {
	char done[96];     /* "user seccheckd (997)", "Landlock 7" */
	char missing[160]; /* "Landlock (the kernel has none)" */
};

struct scd_confined {
	struct scd_confined_layer layers[SCD_CONFINE_LAYERS];
};

/*
 * Confines the calling process for good, with what the kernel has. What it has not is no failure: it stands in ret_done
 * as missing. A failure is what was asked for and could not be done: another user, a folder, letting go of
 * capabilities; and what the kernel has and refuses, for want of memory, say. The process is then half confined, and
 * ends.
 *
 * The process must have one thread, since most of this is a thread's own and is handed on to those that it makes later:
 * -EBUSY otherwise. 0 or negative errno with err.
 */
int scd_confine(const struct scd_confinement *wanted, struct scd_confined *ret_done, struct scd_error *err);

/* All that is done, or all that is missing, with a comma between: "user seccheckd (997), no capability". May be "". */
void scd_confined_describe(const struct scd_confined *confined, bool missing, char *text, size_t room);

#endif
