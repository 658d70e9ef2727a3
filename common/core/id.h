/*
 * id - sid, qid and other 64-bit names as text: 13 characters of the alphabet
 * 0-9 a-z without i, l, o, u (case is folded when read), never more, never
 * less.  So they sort as numbers do and can be read over the telephone.
 */
#ifndef CORE_ID_H
#define CORE_ID_H

#include "common/core/str.h"

enum { ID_LEN = 13 };

struct id_text {
	char	s[ID_LEN + 1];
};

struct id_text	id_text(uint64_t);
int		id_parse(struct str, uint64_t *);	/* 0 or -1 */

/* An unpredictable, practically unique one; for sids and nonces. */
uint64_t	id_random(void);

#endif
