/*
 * place - see place.h.  Nothing here follows a symbolic link.
 */
#include "mailboxd/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/conf.h"
#include "common/disk/epoch.h"

enum { NAME_LEN = 24 };

int
place_ids(struct place *p)
{
	if (p->mailbox == 0 || p->mailbox >= conf_num(C_MAILBOX_UID_COUNT) ||
	    p->tenant >= conf_num(C_TENANT_GID_COUNT))
		return -1;
	p->uid = (uid_t)(conf_num(C_MAILBOX_UID_BASE) + p->mailbox);
	p->gid = (gid_t)(conf_num(C_TENANT_GID_BASE) + p->tenant);
	return 0;
}

static int
open_level(int dir, uint64_t number, mode_t mode, int how)
{
	char name[NAME_LEN];

	snprintf(name, sizeof(name), "%llu", (unsigned long long)number);
	if (mkdirat(dir, name, mode) == -1 && errno != EEXIST)
		return -1;
	return openat(dir, name, how | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * A directory that is still ours was made by us just now, or by a zygote
 * that died before it could give it away.
 */
static int
give(int dir, const struct place *p)
{
	struct stat	st;
	int		fd, rc;

	if (fstat(dir, &st) == -1)
		return -1;
	if (st.st_uid == p->uid && st.st_gid == p->gid)
		return 0;
	if (st.st_uid != geteuid()) {
		errno = EPERM;
		return -1;
	}
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	rc = fchown(fd, p->uid, p->gid);
	close(fd);
	return rc;
}

int
place_open(int store, struct place *p, int change_owner)
{
	int shard, tenant = -1, dir = -1, saved;

	shard = open_level(store, p->shard, 0711, O_RDONLY);
	p->epoch = shard == -1 ? 0 : epoch_read(shard);
	if (p->epoch != 0)
		tenant = open_level(shard, p->tenant, 0711, O_RDONLY);
	if (tenant != -1)
		dir = open_level(tenant, p->mailbox, 0700, O_PATH);
	if (dir != -1 && change_owner && give(dir, p) == -1) {
		saved = errno;
		close(dir);
		dir = -1;
		errno = saved;
	}
	saved = errno;
	if (shard != -1)
		close(shard);
	if (tenant != -1)
		close(tenant);
	errno = saved;
	return dir;
}
