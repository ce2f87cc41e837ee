/*
 * From a configuration to a confinement.
 *
 * The user, when the daemon was started as root: the key `user`; else `seccheckd`, if there is one; else `nobody`, who
 * is better than root and shared with others. `user: root` is the one way to stay root, and has to be written down.
 */
#include "confinement.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "seccheckd/base/log.h"
#include "seccheckd/base/str.h"
#include "seccheckd/confine/confine.h"
#include "seccheckd/emit/emitter.h"

#define OWN_USER   "seccheckd"
#define OTHER_USER "nobody"

/* Of `nobody`, where there is no /etc/passwd: in an image with nothing but the program. */
#define OVERFLOW_ID 65534u

/* The texts of one line of /etc/passwd. */
#define ENTRY_BYTES 4096

#define ADVICE "useradd --system --no-create-home --shell /usr/sbin/nologin " OWN_USER

/* What the outputs connect to. */
struct routes {
	struct scd_emitter_route items[2];
	size_t count;
	uint16_t ports[4];
	size_t port_count;
};

static void set_user(struct scd__worker_user *user, const char *name, uid_t uid, gid_t gid)
{
	user->name = uid == 0 ? NULL : name;
	user->same_because = uid == 0 ? "user: root" : NULL;
	user->uid = uid;
	user->gid = gid;
}

/* False when there is none of this name. */
static bool set_user_by_name(struct scd__worker_user *user, const char *name)
{
	struct passwd entry, *found = NULL;
	char texts[ENTRY_BYTES];

	if (getpwnam_r(name, &entry, texts, sizeof(texts), &found) != 0 || !found)
		return false;
	set_user(user, name, found->pw_uid, found->pw_gid);
	return true;
}

/* Without an entry, the group has the same number. */
static bool set_user_by_number(struct scd__worker_user *user, const char *text)
{
	struct passwd entry, *found = NULL;
	char texts[ENTRY_BYTES];
	uint64_t number;

	if (!isdigit((unsigned char)text[0]) || scd_str_to_u64(scd_str_from(text), &number) < 0 || number >= UINT32_MAX)
		return false;
	(void)getpwuid_r((uid_t)number, &entry, texts, sizeof(texts), &found);
	set_user(user, text, (uid_t)number, found ? found->pw_gid : (gid_t)number);
	return true;
}

/* Where nobody has chosen. */
static void choose_user(struct scd__worker_user *user)
{
	if (!set_user_by_name(user, OWN_USER) && !set_user_by_name(user, OTHER_USER))
		set_user(user, OTHER_USER, OVERFLOW_ID, OVERFLOW_ID);
	if (user->name && strcmp(user->name, OTHER_USER) == 0)
		scd_log(SCD_LOG_NOTICE, "no user '" OWN_USER "': the worker runs as '" OTHER_USER
		                        "', which other services may use, too; make one: " ADVICE);
}

/* Of this process, which is to become the keeper. A kernel that does not tell does not keep it from it either. */
static bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct parts[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, parts) < 0 ||
	       parts[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

static void warn_of_another_user(const struct scd__worker_user *user)
{
	if (user->name && !has_capability(CAP_KILL))
		scd_log(SCD_LOG_WARNING,
		        "the worker gets another user (%s), and there is no CAP_KILL: one that hangs "
		        "cannot be killed, nor asked for its counters",
		        user->name);
}

int scd__confinement_find_user(const struct scd_config *config, struct scd__worker_user *ret_user,
                               struct scd_error *err)
{
	struct scd__worker_user user = { .same_because = "not started as root" };

	if (geteuid() == 0 && !config->user) {
		choose_user(&user);
	} else if (geteuid() == 0 && !set_user_by_name(&user, config->user) &&
	           !set_user_by_number(&user, config->user)) {
		scd_error_set(err, -EINVAL, "there is no user '%s'", config->user);
		scd_error_hint(err, "make that user, or name one that is there; without the key it is '" OWN_USER
		                    "', or '" OTHER_USER "' where that is missing");
		scd_config_place(config, "user", err);
		return -EINVAL;
	}
	warn_of_another_user(&user);
	*ret_user = user;
	return 0;
}

static int add_route(struct routes *routes, const char *url)
{
	struct scd_emitter_route *route = &routes->items[routes->count];
	int r = scd_emitter_route_of(url, route);

	if (r < 0)
		return r;
	routes->count++;
	for (size_t i = 0; i < route->port_count; i++)
		routes->ports[routes->port_count++] = route->ports[i];
	return 0;
}

static int find_routes(const struct scd_config *config, struct routes *ret_routes)
{
	int r = 0;

	*ret_routes = (struct routes){ .count = 0 };
	if (config->http_output.enabled)
		r = add_route(ret_routes, config->http_output.url);
	if (r == 0 && config->control_plane.url)
		r = add_route(ret_routes, config->control_plane.url);
	return r;
}

/*
 * A socket that the worker may not connect to is a mistake that only time would tell, alert by alert. One that is not
 * there yet may come.
 */
static int check_sockets(const struct routes *routes, struct scd_error *err)
{
	for (size_t i = 0; i < routes->count; i++) {
		const char *path = routes->items[i].socket_path;

		if (!path[0] || access(path, W_OK) == 0 || errno != EACCES)
			continue;
		scd_error_set(err, -EACCES, "user %u, as whom the worker runs, may not connect to the socket %s",
		              (unsigned)geteuid(), path);
		scd_error_hint(err, "let that user write to it and enter its folders, or set `user`");
		return -EACCES;
	}
	return 0;
}

static void log_layers(const struct scd_confined *done)
{
	char text[512];

	scd_confined_describe(done, false, text, sizeof(text));
	scd_log(SCD_LOG_INFO, "worker: %s", text);
	scd_confined_describe(done, true, text, sizeof(text));
	if (text[0])
		scd_log(SCD_LOG_WARNING, "the worker does without %s", text);
}

/* err is printed. */
static int confine(const struct scd_confinement *wanted, struct scd_error *err)
{
	struct scd_confined done;
	int r = scd_confine(wanted, &done, err);

	if (r < 0)
		scd_error_print(err, stderr);
	else
		log_layers(&done);
	return r;
}

int scd__confinement_enter(const struct scd_config *config, const struct scd__worker_user *user, bool is_later)
{
	struct scd_confinement wanted = {
		.user_name = user->name, .uid = user->uid, .gid = user->gid, .same_user_because = user->same_because
	};
	struct scd_error err = { 0 };
	struct routes routes;
	int r = find_routes(config, &routes);

	if (r < 0) {
		scd_log(SCD_LOG_ERROR, "out of memory");
		return r;
	}
	wanted.connect_ports = routes.ports;
	wanted.connect_port_count = routes.port_count;
	r = confine(&wanted, &err);
	if (r < 0 || check_sockets(&routes, &err) == 0)
		return r;
	if (is_later) {
		scd_log(SCD_LOG_ERROR, "%s", err.what);
		return 0;
	}
	scd_error_print(&err, stderr);
	return err.code;
}

/* Folders are found with the privileges of who started it, and written to without. */
static void refuse_folder(const char *folder, struct scd_error *err)
{
	scd_error_set(err, -EACCES, "cannot write into the folder %s: %s", folder, strerror(EACCES));
	if (geteuid() == 0)
		scd_error_hint(err, "the recorder drops root's privileges, so the folder, and all above it, must let "
		                    "root in like anybody: take a folder of root's own, or run it as the owner");
	else
		scd_error_hint(err, "run it as the owner of the folder");
}

int scd__confinement_enter_recorder(const char *folder)
{
	const struct scd_confinement wanted = { .write_folders = &folder, .write_folder_count = 1 };
	struct scd_error err = { 0 };
	struct scd_confined done;
	int r = scd_confine(&wanted, &done, &err);

	if (r == 0)
		log_layers(&done);
	if (r == 0 && access(folder, W_OK | X_OK) < 0)
		r = scd_error_set(&err, -errno, "cannot write into the folder %s: %s", folder, strerror(errno));
	if (r == -EACCES) /* of this or of Landlock */
		refuse_folder(folder, &err);
	if (r < 0)
		scd_error_print(&err, stderr);
	return r;
}
