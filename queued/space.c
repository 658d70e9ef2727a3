/*
 * space - see space.h.
 */
#include "queued/space.h"

#include <sys/statvfs.h>

enum queue_state
space_judge(const struct space_conf *c, const struct space *s,
    enum queue_state before)
{
	uint64_t reserve = s->total / 100 * c->percent;

	if (c->reserve < reserve)
		reserve = c->reserve;
	if (before == QUEUE_CLOSED)
		reserve += reserve / 8;
	if (s->free < reserve || s->messages >= c->messages_max)
		return QUEUE_CLOSED;
	return QUEUE_OPEN;
}

int
space_free(int dir, struct space *s)
{
	struct statvfs v;

	if (fstatvfs(dir, &v) == -1)
		return -1;
	s->free = (uint64_t)v.f_bavail * v.f_frsize;
	s->total = (uint64_t)v.f_blocks * v.f_frsize;
	return 0;
}
