/*
 * The process of a match and its ancestors.
 *
 * State keeps up to 16 KiB of arguments of each process, and paths as long as a sandbox cares to make them. All of
 * it, thirty-two times over, would let one tenant fill the queues of the outputs with a handful of alerts: so an
 * ancestor tells less than the process itself. Packed once, it serves all alerts of an event: ten rules that match one
 * cost little more than one does.
 */
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "seccheckd/alert/redact.h"
#include "seccheckd/base/limits.h"

/* How much is told of who did it. When memory does not suffice for all, the process alone is tried. */
enum detail { DETAIL_PROCESS, DETAIL_ALL };

/* How much of one process is told, in bytes. */
struct extent {
	size_t text; /* each of its paths and names */
	size_t args; /* all arguments together */
};

static const struct extent own_extent = { SCD_LIMIT_ALERT_TEXT_BYTES, SCD_LIMIT_PROCESS_ARGS_BYTES };
static const struct extent ancestor_extent = { SCD_LIMIT_ANCESTOR_TEXT_BYTES, SCD_LIMIT_ANCESTOR_ARGS_BYTES };

/* Takes the next argument off a text of arguments that each end with a NUL. */
static struct scd_str take_argument(struct scd_str *args)
{
	const char *end = memchr(args->data, '\0', args->len);
	size_t len = end ? (size_t)(end - args->data) : args->len;
	struct scd_str argument = { args->data, len };

	len += end != NULL;
	args->data += len;
	args->len -= len;
	return argument;
}

/* At most as many as can be told: each costs a byte at least. A tenant may have thousands of empty ones. */
static size_t count_arguments(struct scd_str args, size_t most)
{
	size_t count = 0;

	for (; args.len && count < most; count++)
		take_argument(&args);
	return count;
}

/* argv[1..], redacted, until max_bytes are told, the end of each argument counted as one. */
static void make_args(struct scd__maker *maker, struct scd_str exe, struct scd_str args, size_t max_bytes,
                      Seccheckd__V1__Process *ret_process)
{
	struct scd_str previous = { NULL, 0 };

	if (args.len)
		ret_process->args = scd__make(maker, count_arguments(args, max_bytes), sizeof(*ret_process->args));
	while (args.len && max_bytes && !maker->failed) {
		struct scd_str argument = take_argument(&args);
		struct scd_str told = scd_redact_argument(exe, previous, argument, maker->arena);
		char *text = scd__make_text(maker, told, max_bytes - 1, &ret_process->args_truncated);

		if (argument.len && !told.len)
			maker->failed = true;
		max_bytes -= strlen(text) + 1;
		ret_process->args[ret_process->n_args++] = text;
		previous = argument;
	}
	if (args.len)
		ret_process->args_truncated = true;
}

static void make_image(struct scd__maker *maker, const struct scd_image *image, const struct extent *extent,
                       Seccheckd__V1__Process *ret_process)
{
	struct scd_str args = image->args;
	struct scd_str exe = args.len ? take_argument(&args) : args;

	ret_process->exe = scd__make_text(maker, scd__make_redacted(maker, exe), extent->text,
	                                  &ret_process->text_truncated);
	ret_process->exe_path = scd__make_text(maker, image->exe_path, extent->text, &ret_process->text_truncated);
	ret_process->text_truncated = ret_process->text_truncated || image->exe_path_cut;
	ret_process->exe_upper_layer = image->upper_layer;
	ret_process->exe_from_memfd = image->from_memfd;
	ret_process->args_truncated = image->args_cut;
	make_args(maker, exe, args, extent->args, ret_process);
}

static void make_credentials(const struct scd_process *process, Seccheckd__V1__Process *ret_process)
{
	if (!process->has_credentials)
		return;
	ret_process->optional_uid_case = SECCHECKD__V1__PROCESS__OPTIONAL_UID_UID;
	ret_process->uid = process->credentials.effective_uid;
	ret_process->optional_gid_case = SECCHECKD__V1__PROCESS__OPTIONAL_GID_GID;
	ret_process->gid = process->credentials.effective_gid;
}

static Seccheckd__V1__Process *make_process(struct scd__maker *maker, const struct scd_process *process,
                                            const struct extent *extent)
{
	Seccheckd__V1__Process *out = scd__make_message(maker, &seccheckd__v1__process__descriptor);

	if (!out)
		return NULL;
	out->pid = process->tgid;
	out->start_time_ns = process->start_time_ns;
	out->parent_pid = process->parent_tgid;
	out->name = scd__make_text(maker, process->name, extent->text, &out->text_truncated);
	out->cwd = scd__make_text(maker, process->cwd, extent->text, &out->text_truncated);
	out->container_id = scd__make_text(maker, process->container_id, extent->text, &out->text_truncated);
	out->text_truncated = out->text_truncated || process->texts_cut;
	out->hidden_exec = process->hidden_exec;
	out->exited = process->exited;
	make_credentials(process, out);
	make_image(maker, process->image, extent, out);
	return out;
}

static bool has_parent(const struct scd_process *process)
{
	return process->parent.slot || process->parent.generation || process->parent_tgid;
}

static void make_lineage(struct scd__maker *maker, const struct scd_view *view, Seccheckd__V1__SecurityEvent *ret_event)
{
	const struct scd_process *process = view->process;

	ret_event->lineage = scd__make(maker, SCD_LIMIT_LINEAGE_DEPTH, sizeof(Seccheckd__V1__Process *));
	while (!maker->failed && has_parent(process)) {
		process = scd_sandbox_process(view->sandbox, process->parent);
		ret_event->lineage_truncated = !process || ret_event->n_lineage == SCD_LIMIT_LINEAGE_DEPTH;
		if (ret_event->lineage_truncated)
			return;
		ret_event->lineage[ret_event->n_lineage++] = make_process(maker, process, &ancestor_extent);
	}
}

static void make_processes(struct scd__maker *maker, enum detail detail, const struct scd_view *view,
                           Seccheckd__V1__SecurityEvent *ret_event)
{
	ret_event->process = make_process(maker, view->process, &own_extent);
	if (detail == DETAIL_ALL)
		make_lineage(maker, view, ret_event);
	else
		ret_event->lineage_truncated = true;
}

/* False when there was no memory for so much. */
static bool pack_who(const struct scd_view *view, enum detail detail, struct scd_alert_who *who)
{
	Seccheckd__V1__SecurityEvent event;
	struct scd_arena arena;
	struct scd__maker maker = { &arena, false };

	scd_arena_init(&arena, SCD__ARENA_CHUNK_BYTES, SCD_LIMIT_ALERT_ARENA_BYTES);
	seccheckd__v1__security_event__init(&event);
	make_processes(&maker, detail, view, &event);
	if (!maker.failed) {
		who->len = seccheckd__v1__security_event__get_packed_size(&event);
		who->packed = malloc(who->len);
	}
	if (who->packed)
		seccheckd__v1__security_event__pack(&event, (uint8_t *)who->packed);
	scd_arena_done(&arena);
	return who->packed;
}

struct scd_str scd__alert_who(const struct scd_view *view, struct scd_alert_who *who)
{
	static const struct scd_str nobody = { NULL, 0 };

	if (!view->process)
		return nobody;
	if (!who->packed && !pack_who(view, DETAIL_ALL, who) && !pack_who(view, DETAIL_PROCESS, who))
		return nobody;
	return (struct scd_str){ who->packed, who->len };
}

void scd_alert_who_done(struct scd_alert_who *who)
{
	free(who->packed);
	*who = (struct scd_alert_who){ NULL, 0 };
}
