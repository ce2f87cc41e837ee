/*
 * Messages for tests, packed with protobuf-c: the encoder that is not ours.
 */
#include "tests/support/messages.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "gvisor/container.pb-c.h"
#include "gvisor/sentry.pb-c.h"
#include "gvisor/syscall.pb-c.h"
#include "seccheckd/wire/frame.h"

#define SYS_OPENAT     257
#define SYS_EXECVE     59
#define SYS_CONNECT    42
#define AT_FDCWD_VALUE (-100)

struct scd_str message_str(const struct message *message)
{
	return (struct scd_str){ (const char *)message->data, message->len };
}

void message_done(struct message *message)
{
	free(message->data);
	memset(message, 0, sizeof(*message));
}

void message_frame(struct message *message, unsigned type, uint32_t dropped_count, const ProtobufCMessage *payload)
{
	size_t len = protobuf_c_message_get_packed_size(payload);
	message_done(message);
	message->data = malloc(SCD_FRAME_HEADER_BYTES + len);
	if (!message->data)
		abort();
	uint16_t header_bytes = SCD_FRAME_HEADER_BYTES, message_type = (uint16_t)type;
	memcpy(message->data, &header_bytes, 2);
	memcpy(message->data + 2, &message_type, 2);
	memcpy(message->data + 4, &dropped_count, 4);
	protobuf_c_message_pack(payload, message->data + SCD_FRAME_HEADER_BYTES);
	message->len = SCD_FRAME_HEADER_BYTES + len;
}

/* protobuf-c's strings are not const. */
static char *text(const char *value)
{
	union {
		const char *in;
		char *out;
	} cast = { value ? value : "" };
	return cast.out;
}

static size_t count(const char *const *items)
{
	size_t n = 0;
	while (items && items[n])
		n++;
	return n;
}

static char **texts(const char *const *items)
{
	union {
		const char *const *in;
		char **out;
	} cast = { items };
	return cast.out;
}

/* An actor as ContextData, with the credentials it may need beside it. */
struct context {
	Gvisor__Common__ContextData data;
	Gvisor__Common__Credentials credentials;
};

static void context_init(struct context *context, const struct actor *actor)
{
	gvisor__common__context_data__init(&context->data);
	gvisor__common__credentials__init(&context->credentials);
	context->data.time_ns = actor->time_ns;
	context->data.thread_id = actor->tid;
	context->data.thread_group_id = actor->tgid;
	context->data.parent_thread_group_id = actor->parent_tgid;
	context->data.thread_group_start_time_ns = actor->start_ns;
	context->data.container_id = text(actor->container);
	context->data.cwd = text(actor->cwd);
	context->data.process_name = text(actor->name);
	if (!actor->has_uid)
		return;
	context->credentials.real_uid = context->credentials.effective_uid = actor->uid;
	context->data.credentials = &context->credentials;
}

void message_start(struct message *message, const struct actor *actor, const char *id, const char *const *args)
{
	struct context context;
	Gvisor__Container__Start start;
	gvisor__container__start__init(&start);
	context_init(&context, actor);
	start.context_data = &context.data;
	start.id = text(id);
	start.cwd = text(actor->cwd);
	start.n_args = count(args);
	start.args = texts(args);
	message_frame(message, SCD_POINT_CONTAINER_START, actor->dropped_count, &start.base);
}

void message_clone(struct message *message, const struct actor *actor, int32_t child_tid, int32_t child_tgid,
                   int64_t child_start_ns)
{
	struct context context;
	Gvisor__Sentry__CloneInfo clone;
	gvisor__sentry__clone_info__init(&clone);
	context_init(&context, actor);
	clone.context_data = &context.data;
	clone.created_thread_id = child_tid;
	clone.created_thread_group_id = child_tgid;
	clone.created_thread_start_time_ns = child_start_ns;
	message_frame(message, SCD_POINT_SENTRY_CLONE, actor->dropped_count, &clone.base);
}

void message_exec(struct message *message, const struct actor *actor, const char *path, const char *const *argv)
{
	struct context context;
	Gvisor__Sentry__ExecveInfo exec;
	gvisor__sentry__execve_info__init(&exec);
	context_init(&context, actor);
	exec.context_data = &context.data;
	exec.binary_path = text(path);
	exec.n_argv = count(argv);
	exec.argv = texts(argv);
	message_frame(message, SCD_POINT_SENTRY_EXEC, actor->dropped_count, &exec.base);
}

void message_exit(struct message *message, const struct actor *actor, int32_t status)
{
	struct context context;
	Gvisor__Sentry__TaskExit task_exit;
	gvisor__sentry__task_exit__init(&task_exit);
	context_init(&context, actor);
	task_exit.context_data = &context.data;
	task_exit.exit_status = status;
	message_frame(message, SCD_POINT_SENTRY_TASK_EXIT, actor->dropped_count, &task_exit.base);
}

void message_exit_notify(struct message *message, const struct actor *actor)
{
	struct context context;
	Gvisor__Sentry__ExitNotifyParentInfo notify;
	gvisor__sentry__exit_notify_parent_info__init(&notify);
	context_init(&context, actor);
	notify.context_data = &context.data;
	message_frame(message, SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT, actor->dropped_count, &notify.base);
}

static void execve_call(struct message *message, const struct actor *actor, const char *path,
                        Gvisor__Syscall__Exit *result)
{
	struct context context;
	Gvisor__Syscall__Execve execve;
	gvisor__syscall__execve__init(&execve);
	context_init(&context, actor);
	execve.context_data = &context.data;
	execve.exit = result;
	execve.sysno = SYS_EXECVE;
	execve.pathname = text(path);
	message_frame(message, SCD_POINT_SYSCALL_EXECVE, actor->dropped_count, &execve.base);
}

void message_execve_enter(struct message *message, const struct actor *actor, const char *path)
{
	execve_call(message, actor, path, NULL);
}

void message_execve_exit(struct message *message, const struct actor *actor, const char *path, int64_t errorno)
{
	Gvisor__Syscall__Exit result;
	gvisor__syscall__exit__init(&result);
	result.errorno = errorno;
	execve_call(message, actor, path, &result);
}

void message_open(struct message *message, const struct actor *actor, const char *path, uint32_t flags, int64_t fd,
                  int64_t errorno)
{
	struct context context;
	Gvisor__Syscall__Open open;
	Gvisor__Syscall__Exit result;
	gvisor__syscall__open__init(&open);
	gvisor__syscall__exit__init(&result);
	context_init(&context, actor);
	result.result = fd;
	result.errorno = errorno;
	open.context_data = &context.data;
	open.exit = &result;
	open.sysno = SYS_OPENAT;
	open.fd = AT_FDCWD_VALUE;
	open.pathname = text(path);
	open.flags = flags;
	message_frame(message, SCD_POINT_SYSCALL_OPEN, actor->dropped_count, &open.base);
}

/* A sockaddr of the address's family; returns its length. */
static size_t fill_address(struct sockaddr_storage *storage, const char *address, uint16_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;
	memset(storage, 0, sizeof(*storage));
	if (strchr(address, ':')) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
			abort();
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	if (inet_pton(AF_INET, address, &v4->sin_addr) != 1)
		abort();
	return sizeof(*v4);
}

void message_connect(struct message *message, const struct actor *actor, const char *address, uint16_t port,
                     int64_t errorno)
{
	struct context context;
	struct sockaddr_storage storage;
	Gvisor__Syscall__Connect connect;
	Gvisor__Syscall__Exit result;
	gvisor__syscall__connect__init(&connect);
	gvisor__syscall__exit__init(&result);
	context_init(&context, actor);
	result.errorno = errorno;
	connect.context_data = &context.data;
	connect.exit = &result;
	connect.sysno = SYS_CONNECT;
	connect.fd = 3;
	connect.address.len = fill_address(&storage, address, port);
	connect.address.data = (uint8_t *)&storage;
	message_frame(message, SCD_POINT_SYSCALL_CONNECT, actor->dropped_count, &connect.base);
}

/* context_data is field 1 and exit field 2 of every system call's message. */
void message_syscall(struct message *message, enum scd_point point, const struct actor *actor)
{
	struct context context;
	Gvisor__Syscall__Fork fork;
	Gvisor__Syscall__Exit result;
	gvisor__syscall__fork__init(&fork);
	gvisor__syscall__exit__init(&result);
	context_init(&context, actor);
	fork.context_data = &context.data;
	fork.exit = &result;
	message_frame(message, point, actor->dropped_count, &fork.base);
}
