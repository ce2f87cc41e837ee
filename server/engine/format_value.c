/*
 * Values as outputs show them: Falco's forms.
 */
#include <inttypes.h>

#include "seccheckd/engine/format.h"

/* What cannot be printed is a dot. */
static void render_bytes(struct scd_str bytes, struct scd_buf *ret_text)
{
	for (size_t i = 0; i < bytes.len; i++) {
		bool printable = bytes.data[i] >= ' ' && bytes.data[i] <= '~';
		scd_buf_append_char(ret_text, printable ? bytes.data[i] : '.');
	}
}

static void render_ip(const struct scd_ip *ip, struct scd_buf *ret_text)
{
	char text[SCD_IP_TEXT_BYTES];
	scd_buf_append(ret_text, text, scd_ip_format(ip, text));
}

static void render_single(const struct scd_value *value, struct scd_buf *ret_text)
{
	switch (value->type) {
	case SCD_TYPE_BOOL: scd_buf_append_str(ret_text, value->boolean ? SCD_STR("true") : SCD_STR("false")); break;
	case SCD_TYPE_DOUBLE: scd_buf_printf(ret_text, "%.1f", value->real); break;
	case SCD_TYPE_STRING:
	case SCD_TYPE_PATH: scd_buf_append_str(ret_text, value->text); break;
	case SCD_TYPE_BYTES: render_bytes(value->text, ret_text); break;
	case SCD_TYPE_IPADDR:
	case SCD_TYPE_IPNET: render_ip(&value->ip, ret_text); break;
	default:
		if (scd_type_is_signed(value->type))
			scd_buf_printf(ret_text, "%" PRId64, value->i64);
		else
			scd_buf_printf(ret_text, "%" PRIu64, value->u64);
		break;
	}
}

void scd_format_value(const struct scd_value *value, struct scd_buf *ret_text)
{
	if (!value->is_list) {
		render_single(value, ret_text);
		return;
	}
	scd_buf_append_char(ret_text, '(');
	for (size_t i = 0; i < value->list.count; i++) {
		if (i > 0)
			scd_buf_append_char(ret_text, ',');
		render_single(&value->list.items[i], ret_text);
	}
	scd_buf_append_char(ret_text, ')');
}
