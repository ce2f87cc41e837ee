/*
 * Files to CURLOPT_…_BLOB. Nothing of a private key stays in memory of ours.
 */
#include "pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"

struct pem {
	char *data; /* SCD_LIMIT_PEM_BYTES and one more, which tells that there is too much */
	size_t len;
};

static int refuse(const char *path, int error, struct scd_error *err)
{
	return scd_error_set(err, -error, "%s: %s", path, strerror(error));
}

static int read_all(int fd, struct pem *pem)
{
	ssize_t n = 1;

	while (n > 0 && pem->len <= SCD_LIMIT_PEM_BYTES) {
		n = read(fd, pem->data + pem->len, SCD_LIMIT_PEM_BYTES + 1 - pem->len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			pem->len += (size_t)n;
	}
	return n < 0 ? -errno : 0;
}

static int read_file(const char *path, struct pem *pem, struct scd_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0)
		return refuse(path, errno, err);
	r = read_all(fd, pem);
	close(fd);
	if (r < 0)
		return refuse(path, -r, err);
	if (pem->len == 0)
		return scd_error_set(err, -EINVAL, "%s: the file is empty", path);
	if (pem->len > SCD_LIMIT_PEM_BYTES)
		return scd_error_set(err, -EFBIG, "%s: more than %u bytes", path, SCD_LIMIT_PEM_BYTES);
	return 0;
}

static int set_blob(CURL *easy, CURLoption option, const char *path, struct pem *pem, struct scd_error *err)
{
	struct curl_blob blob = { .flags = CURL_BLOB_COPY };
	CURLcode code;
	int r = read_file(path, pem, err);

	if (r == 0) {
		blob.data = pem->data;
		blob.len = pem->len;
		code = curl_easy_setopt(easy, option, &blob);
		if (code != CURLE_OK)
			r = scd_error_set(err, code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL, "%s: %s", path,
			                  curl_easy_strerror(code));
	}
	explicit_bzero(pem->data, pem->len);
	pem->len = 0;
	return r;
}

int scd__pem_set(CURL *easy, const struct scd_http_options *options, struct scd_error *err)
{
	const struct {
		CURLoption option;
		const char *path;
	} files[] = {
		{ CURLOPT_CAINFO_BLOB, options->ca_cert },
		{ CURLOPT_SSLCERT_BLOB, options->client_cert },
		{ CURLOPT_SSLKEY_BLOB, options->client_key },
	};
	struct pem pem = { .data = malloc(SCD_LIMIT_PEM_BYTES + 1) };
	int r = 0;

	if (!pem.data)
		return scd_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < SCD_COUNT(files); i++)
		if (files[i].path)
			r = set_blob(easy, files[i].option, files[i].path, &pem, err);
	free(pem.data);
	/* Debian's libcurl also trusts what is in a folder of the system. */
	if (r == 0 && options->ca_cert && curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) != CURLE_OK)
		r = scd_error_set(err, -EINVAL, "%s: this libcurl trusts others, too", options->ca_cert);
	return r;
}
