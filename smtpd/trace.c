/*
 * trace - see trace.h.  Pure.
 */
#include "smtpd/trace.h"

#include "common/core/id.h"
#include "common/mail/addr.h"
#include "common/mail/date.h"

#include <string.h>

/* The bytes of host names and address literals, nothing else. */
static void
add_host(struct buf *out, struct str s)
{
	size_t i;

	s = str_sub(s, 0, ADDR_DOMAIN_MAX);
	if (s.n == 0)
		buf_addz(out, "unknown");
	for (i = 0; i < s.n; i++) {
		if (ascii_isalnum(s.p[i]) ||
		    (s.p[i] != '\0' && strchr(".-_:[]", s.p[i]) != NULL))
			buf_addc(out, s.p[i]);
		else
			buf_addc(out, '?');
	}
}

/* RFC 3848 */
static const char *
protocol(const struct smtp_trace *t)
{
	if (!t->esmtp)
		return "SMTP";
	if (t->tls)
		return t->authed ? "ESMTPSA" : "ESMTPS";
	return t->authed ? "ESMTPA" : "ESMTP";
}

void
smtp_trace(struct buf *out, const struct smtp_trace *t)
{
	struct id_text		qid = id_text(t->qid);
	struct date_text	date = date_mail(t->time, t->zone);

	buf_addz(out, "Received: from ");
	add_host(out, t->helo);
	buf_addz(out, " ([");
	add_host(out, t->ip);
	buf_addz(out, "])\r\n\tby ");
	add_host(out, t->hostname);
	buf_addz(out, " (Postern) with ");
	buf_addz(out, protocol(t));
	buf_addz(out, " id ");
	buf_addz(out, qid.s);
	/* Canonical text of an address: it holds nothing but the grammar. */
	if (t->rcpt.n > 0 && t->rcpt.n <= ADDR_TEXT_MAX &&
	    str_is_print(t->rcpt)) {
		buf_addz(out, "\r\n\tfor <");
		buf_add(out, t->rcpt);
		buf_addc(out, '>');
	}
	buf_addz(out, ";\r\n\t");
	buf_addz(out, date.s);
	buf_addz(out, "\r\n");
}
