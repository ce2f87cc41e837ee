/*
 * The form of a bundle. Writer and reader are the same binary on the same host, so integers are in host order.
 *
 *    0         8       12       16
 *    +---------+-------+--------+-- for each file: ----------+------------+------+-----+------+
 *    | magic   | count | 0      | length of name, u32        | of text,   | name | NUL | text |
 *    | 8 bytes | u32   | u32    |                            | u64        |      |     |      |
 *    +---------+-------+--------+----------------------------+------------+------+-----+------+
 *
 * The reader checks every length all the same: what is not whole is refused, and nothing is read behind the end.
 */
#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

static const char magic[8] = { 's', 'c', 'd', 'r', 'u', 'l', 'e', 's' };

struct head {
	char magic[sizeof(magic)];
	uint32_t count, zero;
};

/* The lengths in front of a file. */
enum { AT_NAME_LEN = 0, AT_TEXT_LEN = 4, LENGTHS_BYTES = 12 };

static int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t written = write(fd, at, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		len -= (size_t)written;
	}
	return 0;
}

static int write_file(int fd, const char *name, struct scd_str text)
{
	uint32_t name_len = (uint32_t)strlen(name);
	uint64_t text_len = text.len;
	uint8_t lengths[LENGTHS_BYTES];
	int r;

	memcpy(lengths + AT_NAME_LEN, &name_len, sizeof(name_len));
	memcpy(lengths + AT_TEXT_LEN, &text_len, sizeof(text_len));
	r = write_all(fd, lengths, sizeof(lengths));
	if (r == 0)
		r = write_all(fd, name, name_len + (size_t)1);
	return r < 0 ? r : write_all(fd, text.data, text.len);
}

static size_t bytes_of(const struct scd_loader *loader)
{
	size_t bytes = sizeof(struct head);

	for (size_t i = 0; i < scd_loader_file_count(loader); i++)
		bytes += LENGTHS_BYTES + strlen(scd_loader_file_name(loader, i)) + 1 +
		         scd_loader_file_text(loader, i).len;
	return bytes;
}

int scd__bundle_write(const struct scd_loader *loader, int fd)
{
	struct head head = { .count = (uint32_t)scd_loader_file_count(loader) };
	int r;

	if (bytes_of(loader) > SCD_LIMIT_BUNDLE_BYTES)
		return -EFBIG;
	memcpy(head.magic, magic, sizeof(magic));
	r = write_all(fd, &head, sizeof(head));
	for (uint32_t i = 0; i < head.count && r == 0; i++)
		r = write_file(fd, scd_loader_file_name(loader, i), scd_loader_file_text(loader, i));
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		r = -errno;
	return r;
}

/* Takes one file off the front of what is left. */
static int take_file(struct scd_str *rest, const char **ret_name, struct scd_str *ret_text)
{
	uint32_t name_len;
	uint64_t text_len;
	const char *name;
	size_t left;

	if (rest->len < LENGTHS_BYTES)
		return -EBADMSG;
	memcpy(&name_len, rest->data + AT_NAME_LEN, sizeof(name_len));
	memcpy(&text_len, rest->data + AT_TEXT_LEN, sizeof(text_len));
	name = rest->data + LENGTHS_BYTES;
	left = rest->len - LENGTHS_BYTES;
	if (name_len >= left || memchr(name, '\0', name_len + (size_t)1) != name + name_len)
		return -EBADMSG;
	left -= name_len + (size_t)1;
	if (text_len > left)
		return -EBADMSG;
	*ret_name = name;
	*ret_text = (struct scd_str){ name + name_len + 1, (size_t)text_len };
	*rest = (struct scd_str){ ret_text->data + text_len, left - (size_t)text_len };
	return 0;
}

static int add_files(struct scd_str bundle, struct scd_loader *loader)
{
	struct head head;
	struct scd_str rest = { bundle.data + sizeof(head), bundle.len - sizeof(head) }, text;
	const char *name;
	int r = 0;

	memcpy(&head, bundle.data, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 || head.zero != 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < head.count && r == 0; i++) {
		r = take_file(&rest, &name, &text);
		if (r == 0)
			r = scd_loader_add_text(loader, text, name);
	}
	return r == 0 && rest.len > 0 ? -EBADMSG : r;
}

int scd__bundle_read(int fd, struct scd_loader *loader)
{
	struct stat status;
	void *data;
	int r;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size < (off_t)sizeof(struct head) || status.st_size > (off_t)SCD_LIMIT_BUNDLE_BYTES)
		return -EBADMSG;
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	r = add_files((struct scd_str){ data, (size_t)status.st_size }, loader);
	munmap(data, (size_t)status.st_size);
	return r;
}
