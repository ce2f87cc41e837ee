/*
 * User and capabilities.
 *
 * The order is the kernel's: leaving the bounding set needs CAP_SETPCAP and becoming somebody else needs CAP_SETUID, so
 * both come before capabilities are let go. Root without a capability is still the owner of root's files; that is why
 * there is another user.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/layers.h"

/* Version 3 has its 64 bits in two parts. */
#define PARTS 2

/*
 * As far as CAP_SETPCAP allows. Without it that is no loss: who has no capability and gets no new privileges finds
 * nothing in a bounding set. A kernel answers EINVAL behind its last capability.
 */
static void leave_bounding_set(void)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		int r = prctl(PR_CAPBSET_READ, cap);

		if (r < 0)
			break;
		if (r > 0)
			(void)prctl(PR_CAPBSET_DROP, cap);
	}
}

static int become(const struct scd_confinement *wanted, struct scd_error *err)
{
	if (setgroups(0, NULL) == 0 && setresgid(wanted->gid, wanted->gid, wanted->gid) == 0 &&
	    setresuid(wanted->uid, wanted->uid, wanted->uid) == 0)
		return 0;
	scd_error_set(err, -errno, "the worker cannot become user %s (%u, group %u): %s", wanted->user_name,
	              (unsigned)wanted->uid, (unsigned)wanted->gid, strerror(errno));
	scd_error_hint(err, "it takes CAP_SETUID and CAP_SETGID; `user: root` does without");
	return err->code;
}

/* The ambient set follows the permitted one. */
static int drop_capabilities(struct scd_error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[PARTS], left[PARTS];

	memset(none, 0, sizeof(none));
	memset(left, 0xff, sizeof(left));
	if (syscall(SYS_capset, &header, none) < 0 || syscall(SYS_capget, &header, left) < 0)
		return scd_error_set(err, -errno, "the worker cannot let go of its capabilities: %s", strerror(errno));
	if (memcmp(none, left, sizeof(none)) != 0)
		return scd_error_set(err, -EPERM, "the worker has kept capabilities");
	return 0;
}

static bool is_all(const struct scd_confinement *wanted)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 || getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (uids[i] != wanted->uid || gids[i] != wanted->gid)
			return false;
	return getgroups(0, NULL) == 0;
}

/* Asks the kernel instead of reasoning about saved ids. */
static int check_no_way_back(const struct scd_confinement *wanted, struct scd_error *err)
{
	const uid_t same_uid = (uid_t)-1;
	const gid_t same_gid = (gid_t)-1;

	if (is_all(wanted) && (wanted->uid == 0 || setresuid(same_uid, 0, same_uid) < 0) &&
	    (wanted->gid == 0 || setresgid(same_gid, 0, same_gid) < 0))
		return 0;
	return scd_error_set(err, -EPERM, "the worker did not become user %s for good", wanted->user_name);
}

static int settle_user(const struct scd_confinement *wanted, struct scd_confined *done, struct scd_error *err)
{
	int r;

	if (!wanted->user_name) {
		if (wanted->same_user_because)
			scd__confine_lacks(done, SCD_CONFINE_USER, "a user of its own (%s)", wanted->same_user_because);
		scd__confine_did(done, SCD_CONFINE_USER, geteuid() == 0 ? "user root (%u)" : "user %u",
		                 (unsigned)geteuid());
		return drop_capabilities(err);
	}
	r = become(wanted, err);
	if (r == 0)
		r = drop_capabilities(err);
	if (r == 0)
		r = check_no_way_back(wanted, err);
	if (r == 0)
		scd__confine_did(done, SCD_CONFINE_USER, "user %s (%u)", wanted->user_name, (unsigned)wanted->uid);
	return r;
}

int scd__confine_privileges(const struct scd_confinement *wanted, struct scd_confined *done, struct scd_error *err)
{
	int r;

	leave_bounding_set();
	r = settle_user(wanted, done, err);
	if (r < 0)
		return r;
	scd__confine_did(done, SCD_CONFINE_CAPABILITIES, "no capability");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return scd_error_set(err, -errno, "the worker cannot give up new privileges: %s", strerror(errno));
	return 0;
}
