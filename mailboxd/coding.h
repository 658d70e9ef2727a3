/*
 * coding - how a payload of the log is stored: as it is, or by zstd, whose
 * library is seen nowhere else.  Pure.
 */
#ifndef MAILBOXD_CODING_H
#define MAILBOXD_CODING_H

#include "common/core/buf.h"
#include "mailboxd/record.h"

/* Appends s, coded if that makes it smaller; how it was done. */
enum coding	coding_pack(struct str s, struct buf *out);
/* Appends the n bytes that it was; -1 with errno, EBADMSG if it is not. */
int		coding_unpack(enum coding, struct str, size_t n,
		    struct buf *out);

#endif
