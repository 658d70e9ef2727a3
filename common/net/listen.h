/*
 * listen - accepting connections on a listening socket that was inherited.
 *
 * Takes at most 64 a turn.  When descriptors run out it pauses for 100 ms
 * instead of spinning, and keeps one in reserve to refuse politely.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "common/core/str.h"

struct listener;

/* address is "192.0.2.1" or "IPv6:2001:db8::1", borrowed for the call. */
typedef void listen_fn(void *arg, int fd, struct str address);

struct listener	*listen_new(int fd, listen_fn *, void *arg);
/* Stops accepting; the descriptor stays open. */
void		 listen_pause(struct listener *, bool);
void		 listen_free(struct listener *);

#endif
