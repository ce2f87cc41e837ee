/*
 * An alert as Falco's JSON object, with all that Falco has no key for under `seccheckd`. Made from the packed event,
 * so that both encodings tell the same. docs/security-event.md lists the keys.
 */
#include "json.h"

#include <errno.h>
#include <math.h>

#include "message.h"
#include "seccheckd/base/clock.h"

/* Takes over the value. NULL (no memory) and a failed insertion set *failed, which is checked once, at the end. */
static void put(json_t *object, const char *key, json_t *value, bool *failed)
{
	if (json_object_set_new(object, key, value) < 0)
		*failed = true;
}

static void append(json_t *array, json_t *value, bool *failed)
{
	if (json_array_append_new(array, value) < 0)
		*failed = true;
}

static json_t *texts(char *const *items, size_t count, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		append(array, json_string(items[i]), failed);
	return array;
}

/* Jansson has no unsigned integers; what does not fit is told as text, as protobuf's JSON does with all of them. */
static json_t *unsigned_integer(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) : json_sprintf("%llu", (unsigned long long)value);
}

/* JSON has no infinities; protobuf's JSON has their names as text. */
static json_t *real(double value)
{
	if (isnan(value))
		return json_string("NaN");
	if (isinf(value))
		return json_string(value > 0 ? "Infinity" : "-Infinity");
	return json_real(value);
}

static json_t *field_value(const Seccheckd__V1__OutputField *field, bool *failed)
{
	switch (field->value_case) {
	case SECCHECKD__V1__OUTPUT_FIELD__VALUE_TEXT: return json_string(field->text);
	case SECCHECKD__V1__OUTPUT_FIELD__VALUE_SIGNED_INTEGER: return json_integer(field->signed_integer);
	case SECCHECKD__V1__OUTPUT_FIELD__VALUE_UNSIGNED_INTEGER: return unsigned_integer(field->unsigned_integer);
	case SECCHECKD__V1__OUTPUT_FIELD__VALUE_REAL: return real(field->real);
	case SECCHECKD__V1__OUTPUT_FIELD__VALUE_BOOLEAN: return json_boolean(field->boolean);
	case SECCHECKD__V1__OUTPUT_FIELD__VALUE_LIST: return texts(field->list->items, field->list->n_items, failed);
	default: return json_null();
	}
}

static json_t *output_fields(const Seccheckd__V1__SecurityEvent *event, bool *failed)
{
	json_t *object = json_object();

	for (size_t i = 0; i < event->n_output_fields; i++)
		put(object, event->output_fields[i]->name, field_value(event->output_fields[i], failed), failed);
	return object;
}

static json_t *labels(const Seccheckd__V1__SecurityEvent *event, bool *failed)
{
	json_t *object = json_object();

	for (size_t i = 0; i < event->n_labels; i++)
		put(object, event->labels[i]->key, json_string(event->labels[i]->value), failed);
	return object;
}

static json_t *process_object(const Seccheckd__V1__Process *process, bool *failed)
{
	json_t *object = json_object();

	put(object, "pid", json_integer(process->pid), failed);
	put(object, "start_time_ns", json_integer(process->start_time_ns), failed);
	put(object, "parent_pid", json_integer(process->parent_pid), failed);
	put(object, "name", json_string(process->name), failed);
	put(object, "exe", json_string(process->exe), failed);
	put(object, "exe_path", json_string(process->exe_path), failed);
	put(object, "args", texts(process->args, process->n_args, failed), failed);
	put(object, "args_truncated", json_boolean(process->args_truncated), failed);
	put(object, "cwd", json_string(process->cwd), failed);
	if (process->optional_uid_case == SECCHECKD__V1__PROCESS__OPTIONAL_UID_UID)
		put(object, "uid", json_integer(process->uid), failed);
	if (process->optional_gid_case == SECCHECKD__V1__PROCESS__OPTIONAL_GID_GID)
		put(object, "gid", json_integer(process->gid), failed);
	put(object, "container_id", json_string(process->container_id), failed);
	put(object, "exe_upper_layer", json_boolean(process->exe_upper_layer), failed);
	put(object, "exe_from_memfd", json_boolean(process->exe_from_memfd), failed);
	put(object, "hidden_exec", json_boolean(process->hidden_exec), failed);
	put(object, "exited", json_boolean(process->exited), failed);
	put(object, "text_truncated", json_boolean(process->text_truncated), failed);
	return object;
}

static json_t *lineage(const Seccheckd__V1__SecurityEvent *event, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < event->n_lineage; i++)
		append(array, process_object(event->lineage[i], failed), failed);
	return array;
}

static const char *identity_word(Seccheckd__V1__Identity identity)
{
	switch (identity) {
	case SECCHECKD__V1__IDENTITY__IDENTITY_CLAIMED: return "claimed";
	case SECCHECKD__V1__IDENTITY__IDENTITY_VERIFIED: return "verified";
	default: return "unknown";
	}
}

static const char *watched_word(Seccheckd__V1__Watched watched)
{
	switch (watched) {
	case SECCHECKD__V1__WATCHED__WATCHED_WAITING: return "waiting";
	case SECCHECKD__V1__WATCHED__WATCHED_COVERED: return "covered";
	case SECCHECKD__V1__WATCHED__WATCHED_MUTE: return "mute";
	case SECCHECKD__V1__WATCHED__WATCHED_TAINTED: return "tainted";
	default: return "";
	}
}

static json_t *taint_reasons(const Seccheckd__V1__Coverage *coverage, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < coverage->n_taint_reasons; i++)
		append(array, json_string(scd_taint_word((enum scd_taint)coverage->taint_reasons[i])), failed);
	return array;
}

static json_t *own_object(const Seccheckd__V1__SecurityEvent *event, bool *failed)
{
	json_t *object = json_object();

	put(object, "event_id", json_string(event->id), failed);
	put(object, "boot_id", json_string(event->boot_id), failed);
	if (event->received_ns)
		put(object, "received_ns", json_integer(event->received_ns), failed);
	put(object, "sandbox_id", json_string(event->sandbox->id), failed);
	put(object, "identity", json_string(identity_word(event->sandbox->identity)), failed);
	put(object, "container_id", json_string(event->container_id), failed);
	put(object, "labels", labels(event, failed), failed);
	put(object, "rules_generation", json_string(event->rule->generation), failed);
	put(object, "output_truncated", json_boolean(event->output_truncated), failed);
	if (event->process)
		put(object, "process", process_object(event->process, failed), failed);
	put(object, "lineage", lineage(event, failed), failed);
	put(object, "lineage_truncated", json_boolean(event->lineage_truncated), failed);
	put(object, "dropped", unsigned_integer(event->coverage->dropped_count), failed);
	put(object, "tainted", json_boolean(event->coverage->tainted), failed);
	put(object, "watched", json_string(watched_word(event->coverage->watched)), failed);
	put(object, "taint_reasons", taint_reasons(event->coverage, failed), failed);
	put(object, "tainted_since_ns", json_integer(event->coverage->tainted_since_ns), failed);
	put(object, "event_type", json_string(event->event->type), failed);
	put(object, "event_point", json_string(event->event->point), failed);
	put(object, "event_truncated", json_boolean(event->event->truncated), failed);
	put(object, "sequence", unsigned_integer(event->event->sequence), failed);
	put(object, "thread_id", json_integer(event->event->thread_id), failed);
	return object;
}

static json_t *alert_object(const Seccheckd__V1__SecurityEvent *event, enum scd_priority priority, bool *failed)
{
	char time[SCD_CLOCK_TEXT_BYTES];
	json_t *object = json_object();

	scd_clock_format_iso8601(event->time_ns, "Z", time);
	put(object, "hostname", json_string(event->hostname), failed);
	put(object, "output", json_string(event->output), failed);
	put(object, "output_fields", output_fields(event, failed), failed);
	put(object, "priority", json_string(scd_priority_name(priority)), failed);
	put(object, "rule", json_string(event->rule->name), failed);
	put(object, "source", json_string(event->rule->source), failed);
	put(object, "tags", texts(event->rule->tags, event->rule->n_tags, failed), failed);
	put(object, "time", json_string(time), failed);
	put(object, "seccheckd", own_object(event, failed), failed);
	return object;
}

/*
 * The length of a character that a terminal obeys and jansson leaves as it is, or 0. C0 is not looked for: in strings
 * it is escaped already, and between them it is layout.
 */
static size_t raw_control_length(struct scd_str text)
{
	size_t len = (unsigned char)text.data[0] < 0x7f ? 0 : scd_str_utf8_length(text);

	return len && scd_str_steers_display(scd_str_utf8_code_point((struct scd_str){ text.data, len })) ? len : 0;
}

/*
 * Appends what jansson wrote, with those escaped: an alert is full of a tenant's text. Pieces begin and end with
 * whole characters, and a control's first byte is no other character's second one.
 */
static void append_shown(struct scd_buf *text, struct scd_str piece)
{
	size_t copied = 0;

	for (size_t at = 0; at < piece.len; at++) {
		struct scd_str rest = { piece.data + at, piece.len - at };
		size_t len = raw_control_length(rest);

		if (!len)
			continue;
		scd_buf_append(text, piece.data + copied, at - copied);
		scd_buf_printf(text, "\\u%04X", scd_str_utf8_code_point((struct scd_str){ rest.data, len }));
		copied = at + len;
		at += len - 1;
	}
	scd_buf_append(text, piece.data + copied, piece.len - copied);
}

/* A json_dump_callback_t. */
static int append_piece(const char *piece, size_t len, void *user)
{
	append_shown(user, (struct scd_str){ piece, len });
	return 0;
}

int scd__json_write(const json_t *json, size_t flags, struct scd_buf *ret_text)
{
	return json_dump_callback(json, append_piece, ret_text, flags) < 0 || ret_text->failed ? -ENOMEM : 0;
}

int scd_alert_json(const struct scd_alert *alert, struct scd_buf *ret_json)
{
	struct scd_str packed = scd_alert_protobuf(alert);
	Seccheckd__V1__SecurityEvent *event = seccheckd__v1__security_event__unpack(NULL, packed.len,
	                                                                            (const uint8_t *)packed.data);
	bool failed = false;
	json_t *object;

	if (!event)
		return -ENOMEM;
	object = alert_object(event, scd_alert_priority(alert), &failed);
	if (scd__json_write(object, JSON_COMPACT | JSON_SORT_KEYS, ret_json) < 0)
		failed = true;
	json_decref(object);
	seccheckd__v1__security_event__free_unpacked(event, NULL);
	return failed ? -ENOMEM : 0;
}
