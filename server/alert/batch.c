/*
 * Batches, without unpacking where that is possible: a SecurityEventBatch in protobuf is its packed events, each with
 * the tag of the field `events` and a length in front.
 */
#include "seccheckd/alert/batch.h"

#include <errno.h>

#include "json.h"
#include "message.h"
#include "seccheckd/base/pbjson.h"

#define EVENTS_TAG      ((1 << 3) | 2) /* field 1, length-delimited */
#define MAX_VARINT_SIZE 10

const char *scd_batch_content_type(enum scd_batch_encoding encoding)
{
	return encoding == SCD_BATCH_PROTOBUF ? "application/x-protobuf" : "application/json";
}

static void append_varint(struct scd_buf *buf, uint64_t value)
{
	char bytes[MAX_VARINT_SIZE];
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (char)(value | 0x80);
	bytes[len++] = (char)value;
	scd_buf_append(buf, bytes, len);
}

static int append_protobuf(const struct scd_alert *alert, struct scd_buf *buf)
{
	struct scd_str packed = scd_alert_protobuf(alert);

	scd_buf_append_char(buf, EVENTS_TAG);
	append_varint(buf, packed.len);
	scd_buf_append_str(buf, packed);
	return buf->failed ? -ENOMEM : 0;
}

static int append_json(const struct scd_alert *alert, struct scd_buf *buf)
{
	struct scd_str packed = scd_alert_protobuf(alert);
	Seccheckd__V1__SecurityEvent *event = seccheckd__v1__security_event__unpack(NULL, packed.len,
	                                                                            (const uint8_t *)packed.data);
	json_t *json;
	int r;

	if (!event)
		return -ENOMEM;
	r = scd_pbjson_encode(&event->base, &json);
	seccheckd__v1__security_event__free_unpacked(event, NULL);
	if (r < 0)
		return r;
	r = scd__json_write(json, JSON_COMPACT, buf);
	json_decref(json);
	return r;
}

static int encode_json(struct scd_alert *const *alerts, size_t count, struct scd_buf *ret_body)
{
	scd_buf_append_str(ret_body, SCD_STR("{\"events\":["));
	for (size_t i = 0; i < count; i++) {
		int r;

		if (i)
			scd_buf_append_char(ret_body, ',');
		r = append_json(alerts[i], ret_body);
		if (r < 0)
			return r;
	}
	scd_buf_append_str(ret_body, SCD_STR("]}"));
	return ret_body->failed ? -ENOMEM : 0;
}

int scd_batch_encode(enum scd_batch_encoding encoding, struct scd_alert *const *alerts, size_t count,
                     struct scd_buf *ret_body)
{
	if (encoding == SCD_BATCH_JSON)
		return encode_json(alerts, count, ret_body);
	for (size_t i = 0; i < count; i++) {
		int r = append_protobuf(alerts[i], ret_body);

		if (r < 0)
			return r;
	}
	return 0;
}
