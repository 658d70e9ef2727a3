/*
 * quota - see quota.h.
 */
#include "authd/quota.h"

/* A mailbox that says that it holds more is not one. */
static const uint64_t size_max = (uint64_t)1 << 50;
static const uint64_t messages_max = (uint64_t)1 << 40;

bool
quota_meet(struct authd *a, struct chan *c)
{
	size_t i;

	for (i = 0; i < AUTHD_MONITORS_MAX; i++) {
		if (a->monitors[i] == NULL) {
			a->monitors[i] = c;
			return true;
		}
	}
	return false;
}

void
quota_forget(struct authd *a, const struct chan *c)
{
	size_t i;

	for (i = 0; i < AUTHD_MONITORS_MAX; i++) {
		if (a->monitors[i] == c)
			a->monitors[i] = NULL;
	}
}

static void
send(struct chan *c, uint64_t mailbox, struct dir_quota limit)
{
	chan_send_quota(c, &(struct msg_quota){ .mailbox = mailbox,
	    .size = limit.size, .messages = limit.messages }, -1);
}

/* A mailbox whose account was removed may still have its owner. */
int
quota_report(struct authd *a, struct chan *c, const struct msg_usage *m)
{
	struct dir_quota	limit = { 0, 0 };
	struct dir_account	account;

	if (m->size > size_max || m->messages > messages_max)
		return -1;
	if (dir_user_by_id(a->dir, m->mailbox, &account) == DIR_OK) {
		usage_report(a->usage, &account,
		    (struct dir_quota){ m->size, m->messages });
		limit = usage_limit(&account);
	}
	send(c, m->mailbox, limit);
	return 0;
}

void
quota_push(struct authd *a, const struct dir_account *account)
{
	size_t i;

	for (i = 0; i < AUTHD_MONITORS_MAX; i++) {
		if (a->monitors[i] != NULL)
			send(a->monitors[i], account->mailbox,
			    usage_limit(account));
	}
}
