/*
 * What is said to the control plane and what it answers: SecurityEventBatch and SecurityEventAck, as protobuf or as
 * protobuf's canonical JSON.
 */
#ifndef SECCHECKD_ALERT_BATCH_H
#define SECCHECKD_ALERT_BATCH_H

#include "seccheckd/alert/alert.h"

enum scd_batch_encoding { SCD_BATCH_PROTOBUF, SCD_BATCH_JSON };

/* "application/x-protobuf" or "application/json". */
const char *scd_batch_content_type(enum scd_batch_encoding encoding);

/* Appends a batch of alerts. -ENOMEM. */
int scd_batch_encode(enum scd_batch_encoding encoding, struct scd_alert *const *alerts, size_t count,
                     struct scd_buf *ret_body);

/* One id of an answer. Texts borrow from the ack. */
struct scd_ack_entry {
	struct scd_str id;
	bool accepted;
	struct scd_str reason; /* of a rejection */
};

struct scd_ack;

/*
 * Parses an answer's body. An empty one accepts nothing. -EBADMSG: neither empty nor a SecurityEventAck, or it names
 * more than max_count ids, or would take memory out of proportion to that. -ENOMEM.
 */
int scd_ack_parse(enum scd_batch_encoding encoding, struct scd_str body, size_t max_count, struct scd_ack **ret_ack);
void scd_ack_free(struct scd_ack **ack);
size_t scd_ack_count(const struct scd_ack *ack);
const struct scd_ack_entry *scd_ack_entry(const struct scd_ack *ack, size_t index);

#endif
