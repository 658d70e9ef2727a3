/*
 * header - the header of one stored message, in memory; read from the store
 * when it is first asked for.  Pure.
 */
#ifndef IMAPD_HEADER_H
#define IMAPD_HEADER_H

#include "common/mail/store.h"

/* A header that does not end before this ends here. */
enum { HEADER_MAX = 2 * 1024 * 1024 };

struct header {
	struct buf	text;		/* its empty line included */
	uint32_t	uid;		/* of which message; 0: none */
};

void	header_init(struct header *);
void	header_clear(struct header *);
/* STORE_OK, and text is filled; *work falls by the bytes read. */
enum store_result header_load(struct header *, const struct store *,
	    struct store_body *, const struct store_msg *, int64_t *work);

#endif
