/*
 * identity - see identity.h.
 */
#include "common/core/identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/core/log.h"

static void
set_caps(uint32_t permitted, uint32_t effective, uint32_t inheritable)
{
	struct __user_cap_header_struct	h = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct	d[2] = { { 0 } };

	d[0].permitted = permitted;
	d[0].effective = effective;
	d[0].inheritable = inheritable;
	if (syscall(SYS_capset, &h, d) == -1)
		fatal("capset");
}

/* What may ever be had again, by whatever is executed later. */
static void
bound_caps(uint32_t caps)
{
	unsigned long c;

	for (c = 0; c < 64; c++) {
		if (c < 32 && (caps & 1u << c) != 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == -1 &&
		    errno != EINVAL && errno != EPERM)
			fatal("capability bounding set");
	}
}

static void
keep_caps(uint32_t caps)
{
	unsigned long c;

	set_caps(caps, caps, caps);
	for (c = 0; c < 32; c++) {
		if ((caps & 1u << c) != 0 && prctl(PR_CAP_AMBIENT,
		    PR_CAP_AMBIENT_RAISE, c, 0, 0) == -1)
			fatal("ambient capability");
	}
}

static void
prove_changed(uid_t uid, gid_t gid)
{
	uid_t	r, e, s;
	gid_t	rg, eg, sg;

	if (getresuid(&r, &e, &s) == -1 || getresgid(&rg, &eg, &sg) == -1)
		fatal("identity");
	if (r != uid || e != uid || s != uid || rg != gid || eg != gid ||
	    sg != gid)
		fatalx("identity: it did not change");
}

/*
 * With no capability in effect, the old ids must be refused.  Under the
 * zygote's filter the mere attempt would be the end: there the filter, which
 * knows only the mailboxes' ranges, is the proof.
 */
static void
prove_no_way_back(uid_t old_uid, gid_t old_gid, uid_t uid, gid_t gid)
{
	if (prctl(PR_GET_SECCOMP) != 0)
		return;
	if (old_uid != uid && setresuid(old_uid, old_uid, old_uid) != -1)
		fatalx("identity: the old user came back");
	if (old_gid != gid && setresgid(old_gid, old_gid, old_gid) != -1)
		fatalx("identity: the old group came back");
}

void
identity_become(uid_t uid, gid_t gid, uint32_t caps)
{
	uid_t old_uid = getuid();
	gid_t old_gid = getgid();

	bound_caps(caps);
	if (caps != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1)
		fatal("keep capabilities");
	if (setgroups(0, NULL) == -1)
		fatal("drop groups");
	if (setresgid(gid, gid, gid) == -1)
		fatal("become group %u", gid);
	if (setresuid(uid, uid, uid) == -1)
		fatal("become user %u", uid);
	prove_changed(uid, gid);
	/* Proven without any capability, then those that stay come back. */
	set_caps(caps, 0, caps);
	prove_no_way_back(old_uid, old_gid, uid, gid);
	keep_caps(caps);
}
