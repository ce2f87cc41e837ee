/*
 * Answers of a control plane: a SecurityEventAck in either encoding, flattened to one list of ids. Verdicts are parsed
 * with the rest of the message, so that a wrong one makes the answer a wrong one, and are not looked at.
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

static int parse_json(struct scd_str body, Seccheckd__V1__SecurityEventAck **ret_message)
{
	json_t *json = json_loadb(body.data, body.len, 0, NULL);
	ProtobufCMessage *message;
	int r;

	if (!json)
		return -EBADMSG;
	r = scd_pbjson_decode(&seccheckd__v1__security_event_ack__descriptor, json, &message);
	json_decref(json);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	*ret_message = (Seccheckd__V1__SecurityEventAck *)message;
	return 0;
}

static int parse_message(enum scd_batch_encoding encoding, struct scd_str body,
                         Seccheckd__V1__SecurityEventAck **ret_message)
{
	if (encoding == SCD_BATCH_JSON)
		return parse_json(body, ret_message);
	*ret_message = seccheckd__v1__security_event_ack__unpack(NULL, body.len, (const uint8_t *)body.data);
	return *ret_message ? 0 : -EBADMSG;
}

static void free_message(Seccheckd__V1__SecurityEventAck *message)
{
	if (message)
		seccheckd__v1__security_event_ack__free_unpacked(message, NULL);
}

/* Takes over the message, also on failure. */
static int new_ack(Seccheckd__V1__SecurityEventAck *message, struct scd_ack **ret_ack)
{
	size_t count = message ? message->n_accepted_ids + message->n_rejected : 0;
	struct scd_ack *ack = malloc(sizeof(*ack) + count * sizeof(ack->entries[0]));
	struct scd_ack_entry *entry;

	if (!ack) {
		free_message(message);
		return -ENOMEM;
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

int scd_ack_parse(enum scd_batch_encoding encoding, struct scd_str body, struct scd_ack **ret_ack)
{
	Seccheckd__V1__SecurityEventAck *message = NULL;
	int r;

	if (encoding == SCD_BATCH_JSON)
		body = scd_str_trim(body);
	if (body.len) {
		r = parse_message(encoding, body, &message);
		if (r < 0)
			return r;
	}
	return new_ack(message, ret_ack);
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
