/*
 * The order of the layers, and what belongs to none of them.
 *
 * seccomp comes last, as it takes away the calls that the others are made with. The name service is loaded first: what
 * /etc/nsswitch.conf names are libraries, which glibc maps when the first name is looked up, and mapping a library is
 * not allowed any more behind seccomp.
 */
#include "seccheckd/confine/confine.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "confine/layers.h"

#define NSSWITCH_PATH "/etc/nsswitch.conf"

/* In thousandths of the memory that there is. */
#define OOM_SCORE_STEP 100
#define OOM_SCORE_MOST 1000

void scd__confine_did(struct scd_confined *done, enum scd_confine_layer layer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(done->layers[layer].done, sizeof(done->layers[layer].done), format, args);
	va_end(args);
}

void scd__confine_lacks(struct scd_confined *done, enum scd_confine_layer layer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(done->layers[layer].missing, sizeof(done->layers[layer].missing), format, args);
	va_end(args);
}

/* The thread sanitizer has a thread of its own from the start. */
static int check_one_thread(struct scd_error *err)
{
	DIR *folder = opendir("/proc/self/task");
	struct dirent *entry;
	size_t count = 0;

	if (!folder)
		return scd_error_set(err, -errno, "cannot count the threads in /proc/self/task: %s", strerror(errno));
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	if (count <= 1 || SCD__CONFINE_SANITIZED)
		return 0;
	return scd_error_set(err, -EBUSY, "a process with %zu threads cannot be confined", count);
}

/* One word of the line, if it names a service: actions stand in brackets. Never unloaded. */
static void load_service(const char *word)
{
	char library[64];
	int len = snprintf(library, sizeof(library), "libnss_%s.so.2", word);

	if (word[0] != '[' && !strchr(word, '=') && !strchr(word, '/') && len < (int)sizeof(library))
		(void)dlopen(library, RTLD_NOW);
}

/* Looking up a name would do it too, and wait for a name server that may not answer. */
static void load_name_services(void)
{
	FILE *file = fopen(NSSWITCH_PATH, "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		char *rest = line, *word;

		line[strcspn(line, "#\n")] = '\0';
		word = strtok_r(line, " \t", &rest);
		if (!word || strcmp(word, "hosts:") != 0)
			continue;
		while ((word = strtok_r(NULL, " \t", &rest)))
			load_service(word);
	}
	if (file)
		fclose(file);
}

/*
 * A core would hold events, keys and tokens. Where cores go to a program, RLIMIT_CORE is not asked; what is not
 * dumpable is not dumped anywhere. Its /proc/self then belongs to root, so it cannot read its own, and who has the same
 * user can neither trace it nor read its memory.
 */
void scd__confine_dumps(struct scd_confined *done)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		scd__confine_lacks(done, SCD_CONFINE_DUMPS, "a limit on core files (%s)", strerror(errno));
	if (SCD__CONFINE_SANITIZED)
		prctl(PR_SET_DUMPABLE, 1); /* becoming another user took it away */
	else if (prctl(PR_SET_DUMPABLE, 0) < 0)
		scd__confine_lacks(done, SCD_CONFINE_DUMPS, "memory that nobody reads (%s)", strerror(errno));
}

/*
 * When memory runs out, this process goes before the one that started it, which can start another. Not before others
 * by more than that: who eats up the memory must not be able to choose whom it costs. That it cannot be done is no
 * harm.
 */
static void go_before_parent(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "r+e");
	char text[16];

	if (file && fgets(text, sizeof(text), file)) {
		long score = strtol(text, NULL, 10) + OOM_SCORE_STEP;

		rewind(file);
		fprintf(file, "%ld", score < OOM_SCORE_MOST ? score : OOM_SCORE_MOST);
	}
	if (file)
		fclose(file);
}

int scd_confine(const struct scd_confinement *wanted, struct scd_confined *ret_done, struct scd_error *err)
{
	struct scd_confined done = { 0 };
	int r = check_one_thread(err);

	if (r < 0)
		return r;
	go_before_parent();
	if (wanted->connect_port_count)
		load_name_services();
	r = scd__confine_privileges(wanted, &done, err);
	if (r < 0)
		return r;
	scd__confine_dumps(&done);
	r = scd__confine_landlock(wanted, &done, err);
	if (r < 0)
		return r;
	r = scd__confine_seccomp(wanted, &done, err);
	if (r < 0)
		return r;
	*ret_done = done;
	return 0;
}

void scd_confined_describe(const struct scd_confined *confined, bool missing, char *text, size_t room)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < SCD_CONFINE_LAYERS; i++) {
		const struct scd_confined_layer *layer = &confined->layers[i];
		const char *part = missing ? layer->missing : layer->done;

		if (part[0] && used < room)
			used += (size_t)snprintf(text + used, room - used, "%s%s", used ? ", " : "", part);
	}
}
