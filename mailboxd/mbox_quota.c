/*
 * mbox_quota - what a mailbox holds and may hold; quota.h decides.
 */
#include "mailboxd/mbox.h"

enum store_result
mbox_admit(const struct mbox *m, uint64_t size, uint64_t messages)
{
	return quota_has_room(m->limit, m->st.usage,
	    (struct quota){ size, messages }) ? STORE_OK : STORE_QUOTA;
}

struct quota
mbox_usage(const struct mbox *m)
{
	return m->st.usage;
}

void
mbox_quota(void *impl, struct store_quota *out)
{
	const struct mbox *m = impl;

	*out = (struct store_quota){
		.size = m->st.usage.size, .messages = m->st.usage.messages,
		.size_max = m->limit.size, .messages_max = m->limit.messages
	};
}

void
mbox_limit(struct mbox *m, struct quota limit)
{
	m->limit = limit;
}
