/*
 * Answers of a control plane: a SecurityEventAck in either encoding, flattened to one list of ids. Verdicts are parsed
 * with the rest of the message, so that a wrong one makes the answer a wrong one, and are not looked at.
 *
 * Two bytes of a body can become an object of hundreds (`12 00` is a rejection, `{}` an object), so what it may become
 * is bounded by how many alerts it is about, before anything is made of it: the memory that protobuf-c may allocate,
 * and the number of JSON's values.
 */
#include <errno.h>
#include <stdlib.h>

#include "message.h"
#include "seccheckd/alert/batch.h"
#include "seccheckd/base/pbjson.h"

struct scd_ack {
	Seccheckd__V1__SecurityEventAck *message; /* NULL: the body was empty */
	size_t count;
	struct scd_ack_entry entries[]; /* the accepted ids, then the rejected ones */
};

/* What unpacking allocates besides the texts: a rejection with its two texts, and a verdict, take less than half. */
#define BYTES_PER_ENTRY 512u

/* Values and brackets for one id: a rejection and a verdict have seven each. */
#define JSON_MARKS_PER_ENTRY 16u

/* For an answer about nothing, keys of the object, and what a later version may add. */
#define SPARE_ENTRIES 16u

static void *allocate(void *user, size_t bytes)
{
	size_t *left_bytes = user;

	if (bytes > *left_bytes)
		return NULL;
	*left_bytes -= bytes;
	return malloc(bytes);
}

static void release(void *user, void *block)
{
	(void)user;
	free(block);
}

static int parse_protobuf(struct scd_str body, size_t max_count, Seccheckd__V1__SecurityEventAck **ret_message)
{
	size_t left_bytes = 2 * body.len + BYTES_PER_ENTRY * (max_count + SPARE_ENTRIES);
	ProtobufCAllocator allocator = { allocate, release, &left_bytes };

	*ret_message = seccheckd__v1__security_event_ack__unpack(&allocator, body.len, (const uint8_t *)body.data);
	return *ret_message ? 0 : -EBADMSG;
}

/* Brackets and commas outside of texts: there are no more values than these, and one. */
static size_t count_json_marks(struct scd_str body)
{
	bool in_text = false;
	size_t count = 0;

	for (size_t i = 0; i < body.len; i++) {
		char byte = body.data[i];

		if (byte == '"')
			in_text = !in_text;
		else if (in_text)
			i += byte == '\\';
		else
			count += byte == '{' || byte == '[' || byte == ',';
	}
	return count;
}

static int parse_json(struct scd_str body, size_t max_count, Seccheckd__V1__SecurityEventAck **ret_message)
{
	ProtobufCMessage *message;
	json_t *json;
	int r;

	if (count_json_marks(body) > JSON_MARKS_PER_ENTRY * (max_count + SPARE_ENTRIES))
		return -EBADMSG;
	json = json_loadb(body.data, body.len, 0, NULL);
	if (!json)
		return -EBADMSG;
	r = scd_pbjson_decode(&seccheckd__v1__security_event_ack__descriptor, json, &message);
	json_decref(json);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	*ret_message = (Seccheckd__V1__SecurityEventAck *)message;
	return 0;
}

static void free_message(Seccheckd__V1__SecurityEventAck *message)
{
	if (message)
		seccheckd__v1__security_event_ack__free_unpacked(message, NULL);
}

/* Takes over the message, also on failure. */
static int new_ack(Seccheckd__V1__SecurityEventAck *message, size_t max_count, struct scd_ack **ret_ack)
{
	size_t count = message ? message->n_accepted_ids + message->n_rejected : 0;
	struct scd_ack *ack = count > max_count ? NULL : malloc(sizeof(*ack) + count * sizeof(ack->entries[0]));
	struct scd_ack_entry *entry;

	if (!ack) {
		free_message(message);
		return count > max_count ? -EBADMSG : -ENOMEM;
	}
	ack->message = message;
	ack->count = count;
	entry = ack->entries;
	for (size_t i = 0; message && i < message->n_accepted_ids; i++)
		*entry++ = (struct scd_ack_entry){ .id = scd_str_from(message->accepted_ids[i]), .accepted = true };
	for (size_t i = 0; message && i < message->n_rejected; i++)
		*entry++ = (struct scd_ack_entry){ .id = scd_str_from(message->rejected[i]->id),
			                           .reason = scd_str_from(message->rejected[i]->reason) };
	*ret_ack = ack;
	return 0;
}

int scd_ack_parse(enum scd_batch_encoding encoding, struct scd_str body, size_t max_count, struct scd_ack **ret_ack)
{
	Seccheckd__V1__SecurityEventAck *message = NULL;
	int r = 0;

	if (encoding == SCD_BATCH_JSON)
		body = scd_str_trim(body);
	if (body.len && encoding == SCD_BATCH_JSON)
		r = parse_json(body, max_count, &message);
	else if (body.len)
		r = parse_protobuf(body, max_count, &message);
	return r < 0 ? r : new_ack(message, max_count, ret_ack);
}

void scd_ack_free(struct scd_ack **ack)
{
	if (*ack)
		free_message((*ack)->message);
	free(*ack);
	*ack = NULL;
}

size_t scd_ack_count(const struct scd_ack *ack)
{
	return ack->count;
}

const struct scd_ack_entry *scd_ack_entry(const struct scd_ack *ack, size_t index)
{
	return &ack->entries[index];
}
