/*
 * conf_value - checks one value against its row in the table.  Pure.
 */
#ifndef CORE_CONF_VALUE_H
#define CORE_CONF_VALUE_H

#include "common/core/conf.h"

/* NULL if it is right, else what is wrong.  *num is 0 for texts, and the
 * number of the word for CONF_WORD. */
const char	*conf_value(const struct conf_info *, struct str,
		    uint64_t *num);
/* How a right value would look, for the operator. */
void		 conf_remedy(const struct conf_info *, struct buf *);

/* Splits "127.0.0.1:25" or "[::1]:25"; 0 or -1. */
int		 conf_addr(struct str, struct str *host, uint16_t *port);

#endif
