/*
 * store - see store.h: what every implementation and every user of a store
 * does the same way.  Pure.
 */
#include "common/mail/store.h"

uint64_t
store_combine(enum store_how how, uint64_t have, uint64_t arg)
{
	switch (how) {
	case STORE_SET:
		return arg;
	case STORE_ADD:
		return have | arg;
	case STORE_REMOVE:
		return have & ~arg;
	}
	return have;
}

size_t
store_place(const struct store_msg *msgs, size_t n, uint32_t uid)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (msgs[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
