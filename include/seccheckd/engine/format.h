/*
 * Output strings: `text %field more %field[arg]`, compiled once, rendered per alert.
 */
#ifndef SECCHECKD_ENGINE_FORMAT_H
#define SECCHECKD_ENGINE_FORMAT_H

#include "seccheckd/base/buf.h"
#include "seccheckd/base/error.h"
#include "seccheckd/engine/field.h"

struct scd_format;

/*
 * Compiles. The longest text after a % that is a field or a transformer is it; a leading `*` says that missing values
 * do not matter. Lives in the arena. With err (what, and as column the byte of the text, from 1, where it is wrong):
 * -ENOENT a field that does not exist, -EINVAL everything else. -ENOMEM.
 */
int scd_format_new(struct scd_str text, struct scd_arena *arena, const struct scd_format **ret_format,
                   struct scd_error *err);

/* The same over the fields of a table, which lives as long; NULL: the catalogue. */
int scd_format_new_over(struct scd_str text, const struct scd_field_table *table, struct scd_arena *arena,
                        const struct scd_format **ret_format, struct scd_error *err);

/*
 * May change a text value before it is rendered or reported (redaction): returns the text to use, itself or one from
 * the scratch arena. field is the one that the value comes from, through transformers the first of them; NULL where
 * it is made from constants.
 */
typedef struct scd_str scd_format_filter_fn(void *user, const struct scd_field *field, struct scd_str value,
                                            struct scd_arena *scratch);

/*
 * Appends the text, cut where the buffer's cap is, with <NA> for missing values, as Falco has it for rules;
 * ret_text->failed only tells that memory is exhausted. filter may be NULL.
 */
void scd_format_render(const struct scd_format *format, const struct scd_view *view, scd_format_filter_fn *filter,
                       void *user, struct scd_buf *ret_text);

/* The same; but without a leading `*` it stops at the first value that is missing, and returns false. */
bool scd_format_render_present(const struct scd_format *format, const struct scd_view *view,
                               scd_format_filter_fn *filter, void *user, struct scd_buf *ret_text);

/*
 * The fields of a format, each once, in order of first use: canonical name (`proc.aname[2]`, `toupper(proc.name)`) and
 * value (false: missing). What a transformer is made from stands before it. A field that gives all ancestors gives them
 * as one text here.
 */
size_t scd_format_field_count(const struct scd_format *format);
struct scd_str scd_format_field_name(const struct scd_format *format, size_t index);
bool scd_format_field_value(const struct scd_format *format, size_t index, const struct scd_view *view,
                            struct scd_value *ret_value);

/* Whether it is a transformer, and no field. */
bool scd_format_field_is_transformed(const struct scd_format *format, size_t index);

/* A value as outputs show it: `true`, lists as `(a,b)`, `%.1f`, addresses as text, a dot for a byte beyond ASCII. */
void scd_format_value(const struct scd_value *value, struct scd_buf *ret_text);

#endif
