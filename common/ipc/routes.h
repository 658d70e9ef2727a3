/*
 * routes - the answer to a routing job while it is collected: rows of at most
 * ROUTES_TARGETS recipients, within what the message may still grow to.
 *
 * A recipient that stands for more than there is room for loses its rows and
 * gets one of kind ROUTE_FLOOD; the others are not touched.  Recipients are
 * judged in the order in which they come.  So what is kept is bounded by the
 * room, whatever the peer sends.
 *
 * Pure.
 */
#ifndef IPC_ROUTES_H
#define IPC_ROUTES_H

#include "common/core/buf.h"
#include "common/ipc/msg.h"

enum {
	ROUTES_TARGETS = 100,			/* of a job */
	ROUTES_BYTES_MAX = 16 * 1024 * 1024	/* of rows, encoded */
};

/* What one recipient brings. */
struct routes_of {
	uint32_t	target;
	uint32_t	rows;
	bool		is_alias;	/* its rows are further targets */
	bool		is_flood;
};

struct routes {
	struct buf	 b;		/* encoded */
	uint32_t	 n;		/* rows in b */
	uint32_t	 room, used;	/* further targets */
	uint32_t	 nof;
	struct routes_of *of;		/* ROUTES_TARGETS of them */
};

void	routes_init(struct routes *, uint32_t room);
void	routes_clear(struct routes *);		/* frees */
void	routes_reset(struct routes *);		/* no rows yet */
/*
 * -1: rows of more recipients than a job has, of an unknown kind, or without
 * what their kind has; the rows before that one are in.
 */
int	routes_add(struct routes *, struct msg_list);
struct msg_list	routes_list(const struct routes *);

#endif
