/*
 * What the two forms of a line have in common: the way from a payload to the writer of its form.
 */
#ifndef SCD_SERVER_DECODE_PRINT_H
#define SCD_SERVER_DECODE_PRINT_H

#include "seccheckd/base/arena.h"
#include "seccheckd/decode/print.h"
#include "view.h"

struct scd__print_form {
	/* Appends a message. 0 or -ENOMEM; that the line is full is seen from the line. */
	int (*write)(const struct scd__view *message, struct scd_arena *scratch, struct scd_buf *line);

	/* Appends what stands for a payload that was not written; name is that of its type, NULL if unknown. */
	void (*write_other)(unsigned message_type, const char *name, size_t payload_bytes, enum scd_printed why,
	                    struct scd_buf *line);
};

/* As scd_print_text. */
int scd__print(const struct scd__print_form *form, unsigned message_type, struct scd_str payload, struct scd_buf *line);

#endif
