/*
 * Errors for people. An error is put together aside and copied in at the end, so that its old text may be an argument
 * of the new one.
 */
#include "seccheckd/base/error.h"

#include <string.h>

int scd_error_vset(struct scd_error *err, int code, const char *format, va_list args)
{
	struct scd_error fresh = { .code = code };

	if (!err)
		return code;
	vsnprintf(fresh.what, sizeof(fresh.what), format, args);
	*err = fresh;
	return code;
}

int scd_error_set(struct scd_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	scd_error_vset(err, code, format, args);
	va_end(args);
	return code;
}

void scd_error_at(struct scd_error *err, const char *file, unsigned line, unsigned column)
{
	if (!err)
		return;
	if (file)
		snprintf(err->file, sizeof(err->file), "%s", file);
	err->line = line;
	err->column = column;
}

void scd_error_hint(struct scd_error *err, const char *format, ...)
{
	char hint[sizeof(err->hint)];
	va_list args;

	if (!err)
		return;
	va_start(args, format);
	vsnprintf(hint, sizeof(hint), format, args);
	va_end(args);
	memcpy(err->hint, hint, sizeof(hint));
}

void scd_error_print_text(struct scd_str text, FILE *stream)
{
	while (text.len > 0) {
		size_t len = scd_str_utf8_length(text);
		bool shown = len &&
		             !scd_str_steers_display(scd_str_utf8_code_point((struct scd_str){ text.data, len }));

		if (shown)
			fwrite(text.data, 1, len, stream);
		else
			fprintf(stream, "\\x%02x", (unsigned)(unsigned char)*text.data);
		len = shown ? len : 1;
		text = (struct scd_str){ text.data + len, text.len - len };
	}
}

void scd_error_print(const struct scd_error *err, FILE *stream)
{
	scd_error_print_text(scd_str_from(err->file), stream);
	if (err->file[0])
		fputc(':', stream);
	if (err->line)
		fprintf(stream, "%u:", err->line);
	if (err->line && err->column)
		fprintf(stream, "%u:", err->column);
	if (err->file[0] || err->line)
		fputc(' ', stream);
	scd_error_print_text(scd_str_from(err->what), stream);
	fputc('\n', stream);
	if (!err->hint[0])
		return;
	fputs("  hint: ", stream);
	scd_error_print_text(scd_str_from(err->hint), stream);
	fputc('\n', stream);
}
