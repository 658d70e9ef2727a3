/*
 * deliver - see deliver.h.
 */
#include "mailboxd/deliver.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/mbox.h"

enum { ADDRESS_MAX = 320 };

enum stage {
	ARRIVING,
	SYNCING,		/* the file of a large one */
	READY
};

struct deliver {
	struct mbox	*m;
	struct intake	 in;
	struct buf	 trace;
	uint64_t	 qid;
	int64_t		 date;
	enum stage	 stage;
	int		 error;		/* of the sync */
};

/* An address becomes a header field: it must not begin another. */
static bool
address_ok(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	}
	return s.n <= ADDRESS_MAX;
}

static enum deliver_result
result_of(enum store_result r)
{
	switch (r) {
	case STORE_OK:
		return DELIVER_OK;
	case STORE_FULL:
		return DELIVER_FULL;
	case STORE_QUOTA:
		return DELIVER_QUOTA;
	case STORE_LIMIT:
		return DELIVER_LARGE;
	case STORE_NO_SUCH:
	case STORE_EXISTS:
	case STORE_BAD_NAME:
	case STORE_FORBIDDEN:
	case STORE_ERROR:
		return DELIVER_ERROR;
	}
	return DELIVER_ERROR;
}

static enum deliver_result
failed(uint64_t qid, const char *what)
{
	if (errno == EMSGSIZE)
		return DELIVER_BAD;
	log_error("delivery_failed", L_QID(qid), L_Z("call", what), L_ERRNO);
	return errno == ENOSPC || errno == EDQUOT ? DELIVER_FULL :
	    DELIVER_ERROR;
}

/* DELIVER_OK: it is new here. */
static enum deliver_result
check_new(struct mbox *m, uint64_t qid)
{
	switch (mbox_is_delivered(m, qid)) {
	case 0:
		return DELIVER_OK;
	case 1:
		return DELIVER_AGAIN;
	}
	return DELIVER_ERROR;
}

static enum deliver_result
admit(struct mbox *m, const struct deliver_new *new)
{
	enum deliver_result	known;
	enum store_result	r;

	if (!address_ok(new->sender) || !address_ok(new->rcpt) ||
	    new->rcpt.n == 0)
		return DELIVER_BAD;
	if (m->dead)
		return DELIVER_ERROR;
	known = check_new(m, new->qid);
	if (known != DELIVER_OK)
		return known;
	if (new->size > UINT32_MAX - RECORD_TRACE_MAX)
		return DELIVER_LARGE;
	r = mbox_admit(m, new->size, 1);
	if (r == STORE_OK)
		r = mbox_room(m, new->size, NEED_GROW);
	return result_of(r);
}

enum deliver_result
deliver_begin(struct mbox *m, const struct deliver_new *new,
    struct deliver **out)
{
	enum deliver_result	 r = admit(m, new);
	struct deliver		*d;

	if (r != DELIVER_OK)
		return r;
	d = xcalloc(1, sizeof(*d));
	if (mbox_intake(m, &d->in, new->size) == -1) {
		free(d);
		return failed(new->qid, "open");
	}
	d->m = m;
	d->qid = new->qid;
	d->date = new->date;
	buf_init(&d->trace, RECORD_TRACE_MAX);
	buf_addz(&d->trace, "Return-Path: <");
	buf_add(&d->trace, new->sender);
	buf_addz(&d->trace, ">\r\nDelivered-To: ");
	buf_add(&d->trace, new->rcpt);
	buf_addz(&d->trace, "\r\n");
	*out = d;
	return DELIVER_OK;
}

enum deliver_result
deliver_data(struct deliver *d, struct str s)
{
	return intake_data(&d->in, s) == 0 ? DELIVER_OK :
	    failed(d->qid, "write");
}

enum deliver_result
deliver_fd(struct deliver *d, int fd, const unsigned char hash[HASH_LEN])
{
	return intake_copy(&d->in, fd, hash) == 0 ? DELIVER_OK :
	    failed(d->qid, "copy");
}

bool
deliver_is_whole(const struct deliver *d)
{
	return d->in.got == d->in.size;
}

static void
on_durable(void *arg, uint64_t id, int error)
{
	struct deliver *d = arg;

	(void)id;
	d->stage = READY;
	d->error = error;
}

enum deliver_result
deliver_whole(struct deliver *d)
{
	struct large *l = &d->m->large;

	if (intake_end(&d->in) == -1)
		return failed(d->qid, "end");
	d->stage = READY;
	if (d->in.place == BODY_INLINE)
		return DELIVER_OK;
	if (l->bulk == NULL)
		return bodyfile_sync(&l->files, d->in.id) == 0 ? DELIVER_OK :
		    failed(d->qid, "sync");
	d->stage = SYNCING;
	bulk_ask(l->bulk, &(struct bulk_ask){ .op = BULK_SYNC,
	    .id = d->in.id }, on_durable, d);
	return DELIVER_OK;
}

bool
deliver_is_ready(const struct deliver *d)
{
	return d->stage == READY;
}

static void
deliver_free(struct deliver *d)
{
	buf_clear(&d->trace);
	free(d);
}

void
deliver_abort(struct deliver *d)
{
	if (d->m->large.bulk != NULL)
		bulk_forget(d->m->large.bulk, d);
	intake_abort(&d->in);
	deliver_free(d);
}

/* Another channel may have brought the same message meanwhile. */
static enum deliver_result
settle(struct deliver *d, const struct state_folder *inbox)
{
	enum deliver_result r = check_new(d->m, d->qid);

	if (r != DELIVER_OK)
		return r;
	if (inbox == NULL || inbox->uidnext >= UINT32_MAX - 1)
		return DELIVER_ERROR;
	if (mbox_admit(d->m, d->in.size + d->trace.n, 1) != STORE_OK)
		return DELIVER_QUOTA;
	errno = d->error;
	if (d->error != 0)
		return failed(d->qid, "sync");
	return result_of(mbox_room(d->m, d->in.place == BODY_INLINE ?
	    d->in.size : 0, NEED_GROW));
}

enum deliver_result
deliver_end(struct deliver *d)
{
	struct mbox		*m = d->m;
	struct state_folder	*inbox = state_named(&m->st, S("INBOX"));
	/* Now, not when it was received: it may have been held for long. */
	struct record		 r = { .type = REC_DELIVERED, .delivered = {
		.qid = d->qid, .date = (uint64_t)clock_wall() / 1000
	} };
	enum deliver_result	 x = m->dead ? DELIVER_ERROR : DELIVER_OK;

	if (x == DELIVER_OK && d->stage == ARRIVING)
		x = deliver_whole(d);
	assert(d->stage != SYNCING);
	if (x == DELIVER_OK)
		x = settle(d, inbox);
	if (x != DELIVER_OK) {
		deliver_abort(d);
		return x;
	}
	(void)mbox_add_message(m, &(struct mbox_message){
		.folder = inbox, .in = &d->in, .trace = buf_str(&d->trace),
		.date = d->date
	});
	mbox_add(m, &r, m->st.next_id, str_of(NULL, 0));
	deliver_free(d);
	return m->dead ? DELIVER_ERROR : DELIVER_OK;
}
