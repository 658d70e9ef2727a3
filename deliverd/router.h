/*
 * router - the role that answers where a recipient's mail goes.  It asks authd
 * and passes the answer on; it holds nothing and decides nothing.  While
 * authd is away questions wait for some time, then they fail for now.
 */
#ifndef DELIVERD_ROUTER_H
#define DELIVERD_ROUTER_H

#include <stdint.h>

enum {
	ROUTE_JOBS = 64,		/* at once */
	ROUTE_PATIENCE = 20 * 1000	/* ms to wait for authd */
};

/* Connects; after loop_init and chan_init. */
void	router_start(void);

#endif
