/*
 * buf - a byte buffer that grows up to a fixed limit.
 *
 * Appending past the limit, or running out of memory, marks the buffer bad
 * and drops the bytes; later appends do nothing.  So a caller may append a
 * whole reply and test buf_ok() once, before sending it.  Bytes are taken off
 * the front at no cost, which makes a buf a queue as well.
 *
 * Does no I/O.  Secrets are wiped with buf_wipe().
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdarg.h>

#include "common/core/str.h"

struct buf {
	char	*p;		/* storage */
	size_t	 at;		/* first byte in use */
	size_t	 n;		/* bytes in use */
	size_t	 cap;		/* bytes of storage */
	size_t	 max;		/* limit of n */
	bool	 bad;
};

/* Any max will do: one that no memory could hold is as good as none. */
void		 buf_init(struct buf *, size_t max);
void		 buf_clear(struct buf *);	/* frees; usable again */
void		 buf_reset(struct buf *);	/* empties, keeps the storage */
void		 buf_wipe(struct buf *);	/* zeroes, then frees */

void		 buf_add(struct buf *, struct str);
void		 buf_addc(struct buf *, char);
void		 buf_addz(struct buf *, const char *);	/* a C string */
void		 buf_addu(struct buf *, uint64_t);	/* decimal */
void		 buf_addf(struct buf *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

/*
 * Room for n more bytes to write into, or NULL (then the buffer is bad).
 * buf_grow says how many were written.
 */
char		*buf_room(struct buf *, size_t n);
void		 buf_grow(struct buf *, size_t n);

/* Takes n bytes (at most what is there) off the front, or off the end. */
void		 buf_drop(struct buf *, size_t n);
void		 buf_trunc(struct buf *, size_t n);	/* keep n bytes */

bool		 buf_ok(const struct buf *);
size_t		 buf_left(const struct buf *);		/* until the limit */

/* Borrowed: valid until the next call that changes the buffer. */
struct str	 buf_str(const struct buf *);
/* The same, NUL-terminated; "" when the buffer is bad. */
const char	*buf_cstr(struct buf *);

#endif
