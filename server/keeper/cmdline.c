/*
 * runsc is a Go program: flags as package flag reads them, commands as package subcommands does.
 *
 *    runsc --root /run/runsc -debug --platform=systrap  create  --bundle B  ID
 *          └──────────── global flags ───────────────┘ └ command, then its own flags and arguments
 *
 * One dash or two, `=VALUE` or the next argument as the value, `--` as the end. Whether a flag without `=` takes the
 * next argument depends on the flag: only those with a value do, and they are listed here. A flag that runsc learns
 * one day and somebody writes with a blank instead of `=` makes its value look like the command, which is then none
 * that connects: that errs on the safe side.
 *
 * Source: runsc/config/flags.go, runsc/cmd/trace/create.go and runsc/container/state_file.go of gVisor, of December
 * 2022 and of August 2026.
 */
#include "keeper/cmdline.h"

#include <string.h>

/* The longest file name (NAME_MAX); the name of the lock file has the id in it twice for a pod's first container. */
#define ID_BYTES 255u

/* Global flags with a value. */
static const char *const global_values[] = {
	"EXPERIMENTAL-xdp",
	"TESTONLY-autosave-image-path",
	"TESTONLY-test-name-env",
	"character-device-policy",
	"control-rpc-stop-timeout",
	"coverage-fd",
	"coverage-report",
	"dcache",
	"debug-command",
	"debug-log",
	"debug-log-fd",
	"debug-log-format",
	"fdlimit",
	"file-access",
	"file-access-mounts",
	"final-metrics-log",
	"gofer-network-namespace",
	"gvisor-gro",
	"host-fifo",
	"host-settings",
	"host-uds",
	"log",
	"log-fd",
	"log-format",
	"metric-server",
	"network",
	"network-processors-per-channel",
	"num-network-channels",
	"nvproxy-allowed-driver-capabilities",
	"nvproxy-driver-version",
	"override-procs",
	"overlay2",
	"panic-log",
	"panic-log-fd",
	"panic-signal",
	"pcap-log",
	"platform",
	"platform_device_path",
	"pod-init-config",
	"profile-block",
	"profile-cpu",
	"profile-gc-interval",
	"profile-heap",
	"profile-mutex",
	"profiling-metrics",
	"profiling-metrics-log",
	"profiling-metrics-rate-us",
	"qdisc",
	"qdisc-tbf-burst",
	"qdisc-tbf-rate",
	"ref-leak-mode",
	"restore-spec-validation",
	"root",
	"shared-root",
	"sidecar-release-enforcement-policy",
	"strace-log-size",
	"strace-syscalls",
	"trace",
	"traceback",
	"watchdog-action",
	NULL,
};

/* Flags of `trace create` with a value. */
static const char *const trace_create_values[] = { "config", NULL };

/* Commands that create a sandbox, and with it the sink. */
static const char *const creators[] = { "create", "do", "restore", "run", NULL };

static bool is_one_of(struct scd_str text, const char *const *words)
{
	while (*words && !scd_str_is(text, *words))
		words++;
	return *words;
}

/* The first argument, without taking it; false at the end. */
static bool peek(struct scd_str rest, struct scd_str *ret_argument)
{
	const char *end = rest.len ? memchr(rest.data, '\0', rest.len) : NULL;

	if (!end)
		return false;
	*ret_argument = (struct scd_str){ rest.data, (size_t)(end - rest.data) };
	return true;
}

static bool take(struct scd_str *rest, struct scd_str *ret_argument)
{
	if (!peek(*rest, ret_argument))
		return false;
	rest->data += ret_argument->len + 1;
	rest->len -= ret_argument->len + 1;
	return true;
}

/*
 * Takes one flag off the front, and its value with it. False, and nothing taken, when there is none; `--` is taken,
 * and there are none behind it.
 */
static bool take_flag(struct scd_str *rest, const char *const *with_value, struct scd_str *ret_name,
                      struct scd_str *ret_value)
{
	struct scd_str name, value = { 0 };
	const char *equals;
	size_t dashes;

	if (!peek(*rest, &name) || name.len < 2 || name.data[0] != '-')
		return false;
	take(rest, &name);
	if (scd_str_is(name, "--"))
		return false;
	dashes = name.data[1] == '-' ? 2 : 1;
	name.data += dashes;
	name.len -= dashes;
	equals = memchr(name.data, '=', name.len);
	if (equals) {
		value = (struct scd_str){ equals + 1, name.len - (size_t)(equals + 1 - name.data) };
		name.len = (size_t)(equals - name.data);
	} else if (is_one_of(name, with_value)) {
		take(rest, &value);
	}
	*ret_name = name;
	*ret_value = value;
	return true;
}

/* Behind `trace`: the id, if this is `create` and names one. */
static struct scd_str parse_trace(struct scd_str rest)
{
	struct scd_str word, name, value, id;

	if (!take(&rest, &word) || !scd_str_is(word, "create"))
		return (struct scd_str){ 0 };
	while (take_flag(&rest, trace_create_values, &name, &value)) {
	}
	if (!take(&rest, &id) || rest.len || !scd__is_container_id(id))
		return (struct scd_str){ 0 };
	return id;
}

void scd__cmdline_parse(struct scd_str text, struct scd__cmdline *ret_cmdline)
{
	struct scd__cmdline cmdline = { .naming = SCD__NAMING_NONE };
	struct scd_str program, name, value;

	take(&text, &program);
	while (take_flag(&text, global_values, &name, &value)) {
		if (scd_str_is(name, "root")) /* as in Go, the last one counts */
			cmdline.root = value;
	}
	if (take(&text, &cmdline.subcommand)) {
		if (is_one_of(cmdline.subcommand, creators))
			cmdline.naming = SCD__NAMING_LOCK;
		else if (scd_str_is(cmdline.subcommand, "trace"))
			cmdline.container_id = parse_trace(text);
		if (cmdline.container_id.len)
			cmdline.naming = SCD__NAMING_ARGUMENT;
	}
	*ret_cmdline = cmdline;
}

static bool is_id_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_+-.", c));
}

bool scd__is_container_id(struct scd_str text)
{
	if (text.len == 0 || text.len > ID_BYTES)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_id_byte(text.data[i]))
			return false;
	}
	return true;
}

/* No id has a colon in it, so there is one place at most where a name can be parted. */
bool scd__lock_name_parse(struct scd_str path, struct scd__lock_name *ret_name)
{
	static const struct scd_str middle = SCD_STR_INIT("_sandbox:"), end = SCD_STR_INIT(".lock");
	struct scd_str file = scd_str_basename(path);
	struct scd__lock_name name;
	const char *at;

	if (!scd_str_starts_with(path, SCD_STR("/")) || scd_str_contains(path, SCD_STR("//")) ||
	    !scd_str_ends_with(file, end))
		return false;
	file.len -= end.len;
	at = memmem(file.data, file.len, middle.data, middle.len);
	if (!at)
		return false;
	name.container_id = (struct scd_str){ file.data, (size_t)(at - file.data) };
	name.sandbox_id.data = at + middle.len;
	name.sandbox_id.len = file.len - name.container_id.len - middle.len;
	name.root = (struct scd_str){ path.data, (size_t)(file.data - path.data) };
	if (name.root.len > 1)
		name.root.len--; /* the slash, unless it is the root of all */
	if (!scd__is_container_id(name.container_id) || !scd__is_container_id(name.sandbox_id))
		return false;
	*ret_name = name;
	return true;
}
