/*
 * smtp_reply - see smtp_reply.h.  Pure.
 */
#include "smtpd/smtp_reply.h"

#include <assert.h>

static const struct {
	int		 code;
	const char	*status;
	const char	*text;
} replies[] = {
#define R(tag, code, status, text)	[SMTP_##tag] = { code, status, text },
	SMTP_REPLIES(R)
#undef R
};

int
smtp_code(enum smtp_reply r)
{
	assert(r < SMTP_REPLY_COUNT);
	return replies[r].code;
}

const char *
smtp_status(enum smtp_reply r)
{
	assert(r < SMTP_REPLY_COUNT);
	return replies[r].status;
}

const char *
smtp_text(enum smtp_reply r)
{
	assert(r < SMTP_REPLY_COUNT);
	return replies[r].text;
}

void
smtp_reply_add(struct buf *out, enum smtp_reply r, struct str more)
{
	assert(r > SMTP_NONE && r < SMTP_REPLY_COUNT);
	buf_addu(out, (uint64_t)replies[r].code);
	buf_addc(out, ' ');
	if (replies[r].status[0] != '\0') {
		buf_addz(out, replies[r].status);
		buf_addc(out, ' ');
	}
	buf_addz(out, replies[r].text);
	buf_add(out, more);
	buf_addz(out, "\r\n");
}
