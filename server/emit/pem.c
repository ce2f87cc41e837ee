/*
 * Files to memory, and memory to CURLOPT_…_BLOB.
 *
 * The memory is a mapping of its own, as large as a file may be: what was not written of it costs nothing, and the
 * kernel leaves it out of cores.
 */
#include "pem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"

/* One byte more than may be, which tells that there is too much. */
#define MAP_BYTES (SCD_LIMIT_PEM_BYTES + (size_t)1)

static int refuse(const char *path, int error, struct scd_error *err)
{
	return scd_error_set(err, -error, "%s: %s", path, strerror(error));
}

/* The length, or negative errno. */
static ssize_t read_all(int fd, char *data)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len < MAP_BYTES) {
		n = read(fd, data + len, MAP_BYTES - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	return n < 0 ? -errno : (ssize_t)len;
}

/* The length, or negative errno with err. */
static ssize_t read_file(const char *path, char *data, struct scd_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len;

	if (fd < 0)
		return refuse(path, errno, err);
	len = read_all(fd, data);
	close(fd);
	if (len < 0)
		return refuse(path, (int)-len, err);
	if (len == 0)
		return scd_error_set(err, -EINVAL, "%s: the file is empty", path);
	if (len > SCD_LIMIT_PEM_BYTES)
		return scd_error_set(err, -EFBIG, "%s: more than %u bytes", path, SCD_LIMIT_PEM_BYTES);
	return len;
}

int scd_pem_read(const char *path, struct scd_pem *ret_pem, struct scd_error *err)
{
	char *data = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t len;

	if (data == MAP_FAILED)
		return scd_error_set(err, -ENOMEM, "out of memory");
	(void)madvise(data, MAP_BYTES, MADV_DONTDUMP);
	len = read_file(path, data, err);
	if (len < 0) {
		munmap(data, MAP_BYTES);
		return (int)len;
	}
	*ret_pem = (struct scd_pem){ data, (size_t)len };
	return 0;
}

void scd_pem_done(struct scd_pem *pem)
{
	if (pem->data)
		munmap(pem->data, MAP_BYTES);
	*pem = (struct scd_pem){ NULL, 0 };
}

static CURLcode set_blob(CURL *easy, CURLoption option, const struct scd_pem *pem)
{
	struct curl_blob blob = { .data = pem->data, .len = pem->len, .flags = CURL_BLOB_COPY };

	return pem->len ? curl_easy_setopt(easy, option, &blob) : CURLE_OK;
}

int scd__pem_set(CURL *easy, const struct scd_http_options *options, struct scd_error *err)
{
	const struct {
		CURLoption option;
		const struct scd_pem *pem;
	} texts[] = {
		{ CURLOPT_CAINFO_BLOB, &options->ca_cert },
		{ CURLOPT_SSLCERT_BLOB, &options->client_cert },
		{ CURLOPT_SSLKEY_BLOB, &options->client_key },
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; code == CURLE_OK && i < SCD_COUNT(texts); i++)
		code = set_blob(easy, texts[i].option, texts[i].pem);
	if (code != CURLE_OK)
		return scd_error_set(err, code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL, "certificates and keys: %s",
		                     curl_easy_strerror(code));
	/* Debian's libcurl also trusts what is in a folder of the system. */
	if (options->ca_cert.len && curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) != CURLE_OK)
		return scd_error_set(err, -EINVAL, "ca_cert: this libcurl trusts others, too");
	return 0;
}
