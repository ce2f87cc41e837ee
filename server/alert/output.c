/*
 * The output text of an alert and the fields that it names, with their types.
 *
 * Both are shares of one limit: with n fields each may have an n-th of SCD_LIMIT_OUTPUT_BYTES, so that an argument of
 * a megabyte cuts itself and not the address that stands behind it. All text passes the redactor.
 */
#include <string.h>

#include "message.h"
#include "seccheckd/alert/redact.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/format.h"

/* Falco tells these as the integer behind the text: nanoseconds since the epoch. */
static const char *const time_fields[] = { "evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime",
	                                   "evt.datetime.s" };

struct output_maker {
	struct scd__maker *maker;
	const struct scd_view *view;
	size_t share; /* bytes that one field may have */
	bool cut;     /* the filter took something off a text */
};

/* The head of a text that fits the share, not cut inside a character. */
static struct scd_str cut_to_share(struct output_maker *output, struct scd_str text)
{
	size_t len = output->share;

	if (text.len <= len)
		return text;
	output->cut = true;
	while (len && ((unsigned char)text.data[len] & 0xc0) == 0x80 && output->share - len < 3)
		len--;
	return (struct scd_str){ text.data, len };
}

/* A scd_format_filter_fn. */
static struct scd_str filter_text(void *user, const struct scd_field *field, struct scd_str value,
                                  struct scd_arena *scratch)
{
	struct output_maker *output = user;

	(void)field;
	return scd_redact_text(cut_to_share(output, value), scratch);
}

/* `TIME: Priority `, which a message follows. */
static void begin_line(const struct scd_rule *rule, const struct scd_view *view, struct scd_buf *line)
{
	char time[SCD_CLOCK_TEXT_BYTES];

	scd_buf_init(line, SCD_LIMIT_OUTPUT_BYTES);
	scd_clock_format_time(view->time_ns, time);
	scd_buf_printf(line, "%s: %s ", time, scd_priority_name(rule->priority));
}

static void end_line(struct scd__maker *maker, struct scd_buf *line, Seccheckd__V1__SecurityEvent *ret_event)
{
	ret_event->output_truncated = ret_event->output_truncated || line->failed || line->len == line->max_bytes;
	ret_event->output = scd__make_text(maker, scd_buf_str(line), SCD_LIMIT_OUTPUT_BYTES,
	                                   &ret_event->output_truncated);
	scd_buf_done(line);
}

static void make_line(struct output_maker *output, const struct scd_rule *rule, Seccheckd__V1__SecurityEvent *ret_event)
{
	struct scd_buf line;

	output->cut = false;
	begin_line(rule, output->view, &line);
	scd_format_render(rule->output, output->view, filter_text, output, &line);
	ret_event->output_truncated = output->cut;
	end_line(output->maker, &line, ret_event);
}

static char *make_field_text(struct output_maker *output, struct scd_str text, Seccheckd__V1__OutputField *ret_field)
{
	struct scd_str head;

	output->cut = false;
	head = cut_to_share(output, text);
	if (output->cut)
		ret_field->truncated = true;
	return scd__make_text(output->maker, scd__make_redacted(output->maker, head), output->share,
	                      &ret_field->truncated);
}

/* A value that has no scalar of its own (an address, a buffer), as outputs show it. */
static void set_rendered(struct output_maker *output, const struct scd_value *value,
                         Seccheckd__V1__OutputField *ret_field)
{
	struct scd_buf text;

	scd_buf_init(&text, output->share);
	scd_format_value(value, &text);
	ret_field->value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_TEXT;
	ret_field->text = make_field_text(output, scd_buf_str(&text), ret_field);
	if (text.failed)
		ret_field->truncated = true;
	scd_buf_done(&text);
}

static void set_list(struct output_maker *output, const struct scd_value *value, Seccheckd__V1__OutputField *ret_field)
{
	Seccheckd__V1__TextList *list = scd__make_message(output->maker, &seccheckd__v1__text_list__descriptor);
	size_t left = output->share, count = value->list.count < left ? value->list.count : left;

	if (!list)
		return;
	list->items = scd__make(output->maker, count, sizeof(*list->items));
	for (size_t i = 0; i < count && left && !output->maker->failed; i++) {
		Seccheckd__V1__OutputField item;

		seccheckd__v1__output_field__init(&item);
		set_rendered(output, &value->list.items[i], &item);
		ret_field->truncated |= item.truncated;
		list->items[list->n_items++] = item.text;
		left -= strlen(item.text) + 1 < left ? strlen(item.text) + 1 : left;
	}
	if (list->n_items < value->list.count)
		ret_field->truncated = true;
	ret_field->value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_LIST;
	ret_field->list = list;
}

static void set_value(struct output_maker *output, const struct scd_value *value, Seccheckd__V1__OutputField *ret_field)
{
	if (value->is_list) {
		set_list(output, value, ret_field);
	} else if (value->type == SCD_TYPE_BOOL) {
		ret_field->value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_BOOLEAN;
		ret_field->boolean = value->boolean;
	} else if (scd_type_is_signed(value->type)) {
		ret_field->value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_SIGNED_INTEGER;
		ret_field->signed_integer = value->i64;
	} else if (scd_type_is_unsigned(value->type)) {
		ret_field->value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_UNSIGNED_INTEGER;
		ret_field->unsigned_integer = value->u64;
	} else if (value->type == SCD_TYPE_DOUBLE) {
		ret_field->value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_REAL;
		ret_field->real = value->real;
	} else if (scd_type_is_text(value->type)) {
		ret_field->value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_TEXT;
		ret_field->text = make_field_text(output, value->text, ret_field);
	} else {
		set_rendered(output, value, ret_field);
	}
}

static void set_time(const struct scd_view *view, Seccheckd__V1__OutputField *ret_field)
{
	ret_field->value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_SIGNED_INTEGER;
	ret_field->signed_integer = view->time_ns;
}

static bool is_time_field(struct scd_str name)
{
	for (size_t i = 0; i < sizeof(time_fields) / sizeof(time_fields[0]); i++)
		if (scd_str_is(name, time_fields[i]))
			return true;
	return false;
}

/* Adds a field without a value; NULL when the maker failed. */
static Seccheckd__V1__OutputField *add_field(struct output_maker *output, struct scd_str name,
                                             Seccheckd__V1__SecurityEvent *ret_event)
{
	Seccheckd__V1__OutputField *field = scd__make_message(output->maker, &seccheckd__v1__output_field__descriptor);

	if (!field)
		return NULL;
	field->name = scd__make_text(output->maker, name, SCD_LIMIT_ALERT_TEXT_BYTES, NULL);
	ret_event->output_fields[ret_event->n_output_fields++] = field;
	return field;
}

static void add_time(struct output_maker *output, Seccheckd__V1__SecurityEvent *ret_event)
{
	Seccheckd__V1__OutputField *field = add_field(output, scd_str_from(time_fields[0]), ret_event);

	if (field)
		set_time(output->view, field);
}

static void make_field(struct output_maker *output, const struct scd_format *format, size_t index,
                       Seccheckd__V1__SecurityEvent *ret_event)
{
	struct scd_str name = scd_format_field_name(format, index);
	Seccheckd__V1__OutputField *field = add_field(output, name, ret_event);
	struct scd_value value;

	if (!field)
		return;
	if (is_time_field(name))
		set_time(output->view, field);
	else if (scd_format_field_value(format, index, output->view, &value))
		set_value(output, &value, field);
}

static bool names_time(const struct scd_format *format)
{
	for (size_t i = 0; i < scd_format_field_count(format); i++)
		if (scd_str_is(scd_format_field_name(format, i), time_fields[0]))
			return true;
	return false;
}

void scd__make_output(struct scd__maker *maker, const struct scd_rule *rule, const struct scd_view *view,
                      Seccheckd__V1__SecurityEvent *ret_event)
{
	size_t count = scd_format_field_count(rule->output);
	struct output_maker output = { maker, view, SCD_LIMIT_OUTPUT_BYTES / (count + 1), false };

	make_line(&output, rule, ret_event);
	ret_event->output_fields = scd__make(maker, count + 1, sizeof(Seccheckd__V1__OutputField *));
	if (!names_time(rule->output) && !maker->failed)
		add_time(&output, ret_event);
	for (size_t i = 0; i < count && !maker->failed; i++)
		make_field(&output, rule->output, i, ret_event);
}

void scd__make_notice(struct scd__maker *maker, const struct scd_rule *rule, const struct scd_view *view,
                      struct scd_str text, Seccheckd__V1__SecurityEvent *ret_event)
{
	struct output_maker output = { maker, view, SCD_LIMIT_OUTPUT_BYTES, false };
	struct scd_buf line;

	begin_line(rule, view, &line);
	scd_buf_append(&line, text.data, text.len);
	end_line(maker, &line, ret_event);
	ret_event->output_fields = scd__make(maker, 1, sizeof(Seccheckd__V1__OutputField *));
	if (!maker->failed)
		add_time(&output, ret_event);
}
