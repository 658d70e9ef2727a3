/*
 * trace - the Received field that every message gets here.  RFC 5321 4.4.
 * Pure: names, addresses and the time are the caller's.
 */
#ifndef SMTPD_TRACE_H
#define SMTPD_TRACE_H

#include "common/core/buf.h"

enum { SMTP_TRACE_MAX = 1280 };	/* bytes of the field, at most */

struct smtp_trace {
	struct str	helo;		/* as the client said it */
	struct str	ip;		/* as listen.h writes it */
	struct str	hostname;	/* ours */
	bool		esmtp;
	bool		tls;
	bool		authed;
	uint64_t	qid;
	struct str	rcpt;		/* the only recipient, else empty */
	int64_t		time;		/* s since 1970 UTC */
	int		zone;		/* min east of UTC */
};

/*
 * Appends one folded field with its last CRLF.  A byte of foreign text that
 * could be read as syntax becomes "?"; lines stay under 998 bytes.
 */
void		smtp_trace(struct buf *, const struct smtp_trace *);

#endif
