/*
 * Time comes from the schedstat of each thread, which counts nanoseconds: the ticks of /proc/PID/stat are 10 ms.
 */
#include "tests/support/usage.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"

#define NS_PER_MS INT64_C(1000000)

#define REST_DEADLINE_NS (5000 * NS_PER_MS)
#define REST_STEP_MS     20
#define REST_CPU_NS      (1 * NS_PER_MS)

/* One of the numbers at the head of a file of /proc, counted from 0; 0 if it cannot be read: threads come and go. */
static int64_t read_number(const char *path, unsigned index)
{
	long long number = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		return 0;
	for (unsigned i = 0; i <= index; i++) {
		if (fscanf(file, "%lld", &number) != 1) {
			number = 0;
			break;
		}
	}
	fclose(file);
	return number;
}

static void add_process(pid_t pid, struct usage *usage);

static void add_children(const char *path, struct usage *usage)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return;
	for (int child; fscanf(file, "%d", &child) == 1;)
		add_process(child, usage);
	fclose(file);
}

static void add_thread(pid_t pid, const char *tid, struct usage *usage)
{
	char path[320];

	snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, tid);
	usage->cpu_ns += read_number(path, 0);
	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, tid);
	add_children(path, usage);
}

static void add_process(pid_t pid, struct usage *usage)
{
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return;
	for (struct dirent *task; (task = readdir(tasks));) {
		if (task->d_name[0] != '.')
			add_thread(pid, task->d_name, usage);
	}
	closedir(tasks);
	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	usage->rss_bytes += read_number(path, 1) * sysconf(_SC_PAGESIZE);
	usage->processes++;
}

struct usage usage_of(pid_t pid)
{
	struct usage usage = { 0 };

	add_process(pid, &usage);
	return usage;
}

struct usage usage_at_rest(pid_t pid)
{
	const struct timespec step = { .tv_nsec = REST_STEP_MS * NS_PER_MS };
	const int64_t deadline_ns = scd_clock_mono_ns() + REST_DEADLINE_NS;
	struct usage now = usage_of(pid);
	int64_t before_ns;

	do {
		before_ns = now.cpu_ns;
		nanosleep(&step, NULL);
		now = usage_of(pid);
	} while (now.cpu_ns - before_ns > REST_CPU_NS && scd_clock_mono_ns() < deadline_ns);
	return now;
}
