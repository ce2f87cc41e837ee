/*
 * Answers of a control plane. The first byte chooses the encoding (even: protobuf, odd: JSON), the rest is the body:
 * it parses to entries that can be read to their ends, or is refused.
 */
#include <errno.h>
#include <stdlib.h>

#include "seccheckd/alert/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Looks at every byte: a text that is longer than it has memory for is found by the sanitizer. */
static void read_all(struct scd_str text)
{
	static volatile unsigned sum;

	for (size_t i = 0; i < text.len; i++)
		sum = sum + (unsigned char)text.data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_ack *ack = NULL;
	int r;

	if (size == 0)
		return 0;
	r = scd_ack_parse(data[0] & 1 ? SCD_BATCH_JSON : SCD_BATCH_PROTOBUF,
	                  (struct scd_str){ (const char *)data + 1, size - 1 }, size, &ack);
	if ((r == 0) != (ack != NULL) || (r < 0 && r != -EBADMSG))
		abort();
	for (size_t i = 0; ack && i < scd_ack_count(ack); i++) {
		const struct scd_ack_entry *entry = scd_ack_entry(ack, i);

		read_all(entry->id);
		read_all(entry->reason);
	}
	scd_ack_free(&ack);
	return 0;
}
