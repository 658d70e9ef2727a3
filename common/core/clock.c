/*
 * clock - see clock.h.
 */
#include "common/core/clock.h"

#include <stdbool.h>
#include <time.h>

static struct {
	int64_t	now, wall;
	bool	read, held;
} ck;

static int64_t
read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
clock_tick(void)
{
	if (ck.held)
		return;
	ck.now = read_ms(CLOCK_MONOTONIC);
	ck.wall = read_ms(CLOCK_REALTIME);
	ck.read = true;
}

int64_t
clock_now(void)
{
	if (!ck.read)
		clock_tick();
	return ck.now;
}

int64_t
clock_wall(void)
{
	if (!ck.read)
		clock_tick();
	return ck.wall;
}

void
clock_set(int64_t now, int64_t wall)
{
	ck.now = now;
	ck.wall = wall;
	ck.read = true;
	ck.held = true;
}

void
clock_release(void)
{
	ck.held = false;
	clock_tick();
}
