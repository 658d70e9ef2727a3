/*
 * feed - gives an input to an engine whole, byte by byte and in odd pieces,
 * as a caller with a buffer would.
 */
#ifndef TESTS_FEED_H
#define TESTS_FEED_H

#include "common/core/buf.h"

/* Takes what it can off the front; says how many bytes. */
typedef size_t feed_fn(void *arg, struct str in);

enum { FEED_WAYS = 6 };		/* 0 is whole, 1 byte by byte */

void	feed(unsigned way, struct str in, feed_fn *, void *arg);

#endif
