/*
 * Messages as a sandbox would send them, for tests: frame header and protobuf, made with protobuf-c.
 *
 * Each function writes one message into the caller's struct (freed with message_done, or overwritten by the next use
 * after that). Failure to allocate aborts the test program.
 */
#ifndef SCD_TESTS_SUPPORT_MESSAGES_H
#define SCD_TESTS_SUPPORT_MESSAGES_H

#include "gvisor/common.pb-c.h"
#include "seccheckd/base/str.h"
#include "seccheckd/event/event.h"

struct message {
	uint8_t *data;
	size_t len;
};

struct scd_str message_str(const struct message *message);
void message_done(struct message *message);

/* Any packed protobuf as a frame of this type. */
void message_frame(struct message *message, unsigned type, uint32_t dropped_count, const ProtobufCMessage *payload);

/* Who does it. Zero and NULL are left out of the message; uid is sent when has_uid. */
struct actor {
	int32_t tid, tgid, parent_tgid;
	int64_t time_ns, start_ns;
	const char *container, *cwd, *name;
	bool has_uid;
	uint32_t uid;
	uint32_t dropped_count;
};

/* args and the like: NULL-terminated. */
void message_start(struct message *message, const struct actor *actor, const char *id, const char *const *args);
void message_clone(struct message *message, const struct actor *actor, int32_t child_tid, int32_t child_tgid,
                   int64_t child_start_ns);
void message_exec(struct message *message, const struct actor *actor, const char *path, const char *const *argv);
void message_exit(struct message *message, const struct actor *actor, int32_t status);
void message_exit_notify(struct message *message, const struct actor *actor);

/* The execve system call: entry (no exit), or exit with an errno (0: success as gVisor reports it). */
void message_execve_enter(struct message *message, const struct actor *actor, const char *path);
void message_execve_exit(struct message *message, const struct actor *actor, const char *path, int64_t errorno);

/* openat: the exit, with the new fd or an errno. */
void message_open(struct message *message, const struct actor *actor, const char *path, uint32_t flags, int64_t fd,
                  int64_t errorno);

/* connect: the exit; address as "1.2.3.4" or "::1". */
void message_connect(struct message *message, const struct actor *actor, const char *address, uint16_t port,
                     int64_t errorno);

/* The exit of a system call whose message has nothing but context and result: any of the syscall points but raw. */
void message_syscall(struct message *message, enum scd_point point, const struct actor *actor);

#endif
