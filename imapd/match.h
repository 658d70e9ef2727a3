/*
 * match - finds a string in bytes that arrive in pieces, letters of ASCII in
 * either case (Knuth, Morris, Pratt: one pass, no byte is kept).  Pure.
 */
#ifndef IMAPD_MATCH_H
#define IMAPD_MATCH_H

#include "common/core/str.h"

struct match {
	char		*pat;		/* in lower case */
	uint32_t	*fail;
	size_t		 n;
	size_t		 at;		/* bytes that match so far */
	bool		 found;
};

void	match_init(struct match *, struct str);
void	match_clear(struct match *);
void	match_reset(struct match *);		/* a new text begins */
void	match_feed(struct match *, struct str);

#endif
