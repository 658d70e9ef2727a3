/*
 * cmd_quota - GETQUOTA and GETQUOTAROOT, RFC 9208.
 *
 * A mailbox has one quota root, named "", over all its folders.  A limit that
 * there is not is not shown.  Pure.
 */
#include "imapd/session.h"

enum { UNIT = 1024 };		/* octets of a STORAGE, RFC 9208 5.1 */

static uint64_t
units(uint64_t octets)
{
	return octets / UNIT + (octets % UNIT != 0);
}

static void
tell_quota(struct imap *s)
{
	struct store_quota	 q;
	const char		*between = "";

	s->store->ops->quota(s->store->impl, &q);
	buf_addz(&s->out, "* QUOTA \"\" (");
	if (q.size_max != 0) {
		buf_addf(&s->out, "STORAGE %llu %llu",
		    (unsigned long long)units(q.size),
		    (unsigned long long)units(q.size_max));
		between = " ";
	}
	if (q.messages_max != 0)
		buf_addf(&s->out, "%sMESSAGE %llu %llu", between,
		    (unsigned long long)q.messages,
		    (unsigned long long)q.messages_max);
	buf_addz(&s->out, ")\r\n");
}

void
cmd_getquota(struct imap *s)
{
	struct str root;

	if (parse_sp(&s->args) == -1 ||
	    parse_astring(&s->args, &root) == -1) {
		imap_bad_args(s);
		return;
	}
	if (imap_arg_end(s) == -1)
		return;
	if (root.n > 0) {
		imap_no(s, "[NONEXISTENT] no such quota root");
		return;
	}
	tell_quota(s);
	imap_ok(s, "that is all");
}

/* Also of a folder that is yet to be made. */
void
cmd_getquotaroot(struct imap *s)
{
	if (imap_arg_folder(s, &s->name) == -1 || imap_arg_end(s) == -1)
		return;
	buf_addz(&s->out, "* QUOTAROOT ");
	imap_put_folder(s, buf_str(&s->name));
	buf_addz(&s->out, " \"\"\r\n");
	tell_quota(s);
	imap_ok(s, "that is all");
}
