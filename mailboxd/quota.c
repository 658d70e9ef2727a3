/*
 * quota - see quota.h.
 */
#include "mailboxd/quota.h"

enum { SHARE = 100 };

static bool
fits(uint64_t limit, uint64_t used, uint64_t more)
{
	return limit == 0 || more == 0 ||
	    (used <= limit && more <= limit - used);
}

bool
quota_has_room(struct quota limit, struct quota used, struct quota more)
{
	return fits(limit.size, used.size, more.size) &&
	    fits(limit.messages, used.messages, more.messages);
}

bool
quota_is_equal(struct quota a, struct quota b)
{
	return a.size == b.size && a.messages == b.messages;
}

static bool
is_full(struct quota limit, struct quota used)
{
	return !quota_has_room(limit, used, (struct quota){ 1, 1 });
}

static uint64_t
distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* limit / SHARE, rounded up: also of a small limit not every change. */
static uint64_t
share(uint64_t limit)
{
	return limit / SHARE + (limit % SHARE != 0);
}

bool
quota_is_news(struct quota limit, struct quota told, struct quota used)
{
	uint64_t	size = distance(told.size, used.size);
	uint64_t	messages = distance(told.messages, used.messages);

	if (is_full(limit, told) != is_full(limit, used))
		return true;
	if (size >= QUOTA_STEP ||
	    (limit.size != 0 && size > 0 && size >= share(limit.size)))
		return true;
	return limit.messages != 0 && messages > 0 &&
	    messages >= share(limit.messages);
}
