/*
 * password - reads one from the terminal, twice and unseen, or as one line of
 * standard input.  Never from an argument.
 */
#ifndef MAILCTL_PASSWORD_H
#define MAILCTL_PASSWORD_H

#include "common/core/buf.h"

/* Onto *out, which the caller wipes; -1 and a message when there is none. */
int	password_read(struct buf *out);

#endif
