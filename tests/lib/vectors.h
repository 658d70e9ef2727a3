/*
 * vectors - reads test data: a JSON array of flat objects whose values are
 * strings, numbers, true, false or null.
 */
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H

#include "common/core/buf.h"

enum { VECTOR_FIELDS = 16 };

struct vector {
	unsigned	n;
	struct {
		struct str	key;
		struct str	value;	/* unescaped; UTF-8 */
		bool		null;
	} field[VECTOR_FIELDS];
};

struct vectors {
	unsigned	n;
	struct vector	*v;
	struct buf	text;		/* the file */
	struct buf	pool;		/* unescaped strings */
};

/* Exits when it cannot. */
void		vectors_read(struct vectors *, const char *path);
void		vectors_clear(struct vectors *);

/* NULL: no such field, or null. */
const struct str *vector_get(const struct vector *, const char *key);
/* It is there and true. */
bool		vector_is(const struct vector *, const char *key);

#endif
