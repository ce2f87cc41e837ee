/*
 * Paths and texts to a rule set: reads files, collects their items, has them compiled, names the generation.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "engine/compile.h"
#include "engine/program.h"
#include "seccheckd/base/array.h"

struct scd_loader {
	struct scd_diags *diags;
	struct scd__collection collection;
	struct scd_yaml **documents; /* open until the build, for the places of errors */
	size_t document_count, document_room;
	XXH3_state_t *hash;
	bool failed;
};

struct scd_loader *scd_loader_new(struct scd_diags *diags)
{
	struct scd_loader *loader = calloc(1, sizeof(*loader));
	if (!loader)
		return NULL;
	loader->diags = diags;
	loader->hash = XXH3_createState();
	if (!loader->hash || XXH3_64bits_reset(loader->hash) == XXH_ERROR) {
		XXH3_freeState(loader->hash);
		free(loader);
		return NULL;
	}
	scd__collection_init(&loader->collection, diags);
	return loader;
}

void scd_loader_free(struct scd_loader **loader)
{
	if (!*loader)
		return;
	for (size_t i = 0; i < (*loader)->document_count; i++)
		scd_yaml_free(&(*loader)->documents[i]);
	free((*loader)->documents);
	scd__collection_done(&(*loader)->collection);
	XXH3_freeState((*loader)->hash);
	free(*loader);
	*loader = NULL;
}

/* With its length, so that where one file ends is part of what the generation names. */
static void hash_file(struct scd_loader *loader, struct scd_str bytes)
{
	uint64_t len = htole64(bytes.len);
	XXH3_64bits_update(loader->hash, &len, sizeof(len));
	XXH3_64bits_update(loader->hash, bytes.data, bytes.len);
}

/* Keeps a document open (takes it over) and collects what is in it. */
static int add_document(struct scd_loader *loader, struct scd_yaml *yaml)
{
	struct scd_yaml **documents = scd_array_grow(loader->documents, loader->document_count, &loader->document_room,
	                                             sizeof(struct scd_yaml *));
	if (!documents) {
		scd_yaml_free(&yaml);
		return -ENOMEM;
	}
	loader->documents = documents;
	loader->documents[loader->document_count++] = yaml;
	hash_file(loader, scd_yaml_source(yaml));
	loader->collection.source_bytes += scd_yaml_source(yaml).len;
	return scd__collect(&loader->collection, yaml);
}

static int report_unread(struct scd_loader *loader, int result, const struct scd_error *err)
{
	bool syntax = err->line != 0;
	scd_diags_add(loader->diags, syntax ? SCD_DIAG_ERR_YAML_PARSE : SCD_DIAG_ERR_FILE_READ, err->file, err->line,
	              err->column, NULL, err->hint[0] ? err->hint : NULL, "%s", err->what);
	loader->failed = true;
	return result;
}

static int note_result(struct scd_loader *loader, int result)
{
	loader->failed = loader->failed || result < 0;
	return result;
}

static int add_file(struct scd_loader *loader, const char *path)
{
	struct scd_yaml *yaml;
	struct scd_error err = { 0 };
	int result = scd_yaml_read_file(path, &yaml, &err);
	if (result < 0)
		return report_unread(loader, result, &err);
	return note_result(loader, add_document(loader, yaml));
}

int scd_loader_add_text(struct scd_loader *loader, struct scd_str text, const char *name)
{
	struct scd_yaml *yaml;
	struct scd_error err = { 0 };
	int result = scd_yaml_read_text(text, name, &yaml, &err);
	if (result < 0)
		return report_unread(loader, result, &err);
	return note_result(loader, add_document(loader, yaml));
}

size_t scd_loader_file_count(const struct scd_loader *loader)
{
	return loader->document_count;
}

const char *scd_loader_file_name(const struct scd_loader *loader, size_t index)
{
	return scd_yaml_name(loader->documents[index]);
}

struct scd_str scd_loader_file_text(const struct scd_loader *loader, size_t index)
{
	return scd_yaml_source(loader->documents[index]);
}

static int is_rule_file(const struct dirent *entry)
{
	struct scd_str name = scd_str_from(entry->d_name);
	return name.data[0] != '.' &&
	       (scd_str_ends_with(name, SCD_STR(".yaml")) || scd_str_ends_with(name, SCD_STR(".yml")));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Reports a path that cannot be read, or a folder without rule files. */
static int report_path(struct scd_loader *loader, const char *path, int result, const char *hint, const char *what)
{
	scd_diags_add(loader->diags, SCD_DIAG_ERR_FILE_READ, path, 0, 0, NULL, hint, "%s", what);
	return note_result(loader, result);
}

static int add_folder(struct scd_loader *loader, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_rule_file, by_bytes);
	if (count < 0)
		return report_path(loader, path, -errno, NULL, strerror(errno));
	int result = 0;
	for (int i = 0; i < count; i++) {
		char *file;
		int one = asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0 ? -ENOMEM : 0;
		if (one == 0) {
			one = add_file(loader, file);
			free(file);
		}
		result = one < 0 ? one : result;
		free(entries[i]);
	}
	free(entries);
	if (count == 0)
		return report_path(loader, path, -ENOENT,
		                   "files are called *.yaml or *.yml; folders below are not read",
		                   "no rule file in this folder");
	return note_result(loader, result);
}

int scd_loader_add_path(struct scd_loader *loader, const char *path)
{
	struct stat info;
	if (stat(path, &info) < 0)
		return report_path(loader, path, -errno, NULL, strerror(errno));
	return S_ISDIR(info.st_mode) ? add_folder(loader, path) : add_file(loader, path);
}

int scd_loader_build(struct scd_loader *loader, const struct scd_ruleset_options *options, struct scd_ruleset **ret_set)
{
	struct scd_ruleset *set;
	int result = scd__compile(&loader->collection, options, &set);
	if (result == -ENOMEM)
		return report_path(loader, NULL, result, NULL,
		                   "out of memory: the rules need more than is allowed for a rule set of this size");
	if (result < 0)
		return result;
	if (loader->failed) {
		scd_ruleset_unref(&set);
		return -EINVAL;
	}
	snprintf(set->generation, sizeof(set->generation), "%016llx",
	         (unsigned long long)XXH3_64bits_digest(loader->hash));
	*ret_set = set;
	return 0;
}
