/*
 * append - see append.h.
 */
#include "mailboxd/append.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/mbox.h"
#include "mailboxd/reading.h"

enum stage {
	ARRIVING,
	SYNCING,		/* the file of a large one */
	READY
};

struct store_append {
	struct mbox	*m;
	struct intake	 in;
	enum stage	 stage;
	int		 error;		/* of the sync */
	struct str	 folder;
	int64_t		 date;
	int16_t		 zone;
	uint8_t		 flags;
	struct str	 keywords[STORE_KEYWORDS_MAX];
	unsigned	 nkeywords;
};

static enum store_result
failed(const char *what)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return STORE_FULL;
	log_error("mailbox_body", L_Z("call", what), L_ERRNO);
	return STORE_ERROR;
}

static void
append_free(struct store_append *a)
{
	unsigned i;

	for (i = 0; i < a->nkeywords; i++)
		xfree_str(&a->keywords[i]);
	xfree_str(&a->folder);
	free(a);
}

enum store_result
append_begin(void *impl, const struct store_new *new, struct store_append **out)
{
	struct mbox		*m = impl;
	enum store_result	 r;
	struct store_append	*a;
	unsigned		 i;

	if (store_named(m, new->folder) == NULL)
		return store_no_folder(new->folder);
	if (new->size > m->conf.message_max)
		return STORE_LIMIT;
	for (i = 0; i < new->nkeywords; i++) {
		if (!store_word_ok(new->keywords[i]))
			return STORE_LIMIT;
	}
	r = mbox_admit(m, new->size, 1);
	if (r == STORE_OK)
		r = mbox_room(m, new->size, NEED_GROW);
	if (r != STORE_OK)
		return r;
	assert(new->nkeywords <= STORE_KEYWORDS_MAX);
	a = xcalloc(1, sizeof(*a));
	if (mbox_intake(m, &a->in, new->size) == -1) {
		free(a);
		return failed("open");
	}
	a->m = m;
	a->folder = xdup(new->folder);
	a->date = new->date;
	a->zone = new->zone;
	a->flags = new->flags;
	for (i = 0; i < new->nkeywords; i++)
		a->keywords[i] = xdup(new->keywords[i]);
	a->nkeywords = new->nkeywords;
	*out = a;
	return STORE_OK;
}

enum store_result
append_data(void *impl, struct store_append *a, struct str s)
{
	(void)impl;
	if (intake_data(&a->in, s) == 0)
		return STORE_OK;
	return errno == EMSGSIZE ? STORE_ERROR : failed("write");
}

void
append_abort(void *impl, struct store_append *a)
{
	(void)impl;
	if (a->m->large.bulk != NULL)
		bulk_forget(a->m->large.bulk, a);
	intake_abort(&a->in);
	append_free(a);
}

static void
on_durable(void *arg, uint64_t id, int error)
{
	struct store_append *a = arg;

	(void)id;
	a->stage = READY;
	a->error = error;
}

/* What goes wrong is told at the end. */
void
append_whole(void *impl, struct store_append *a)
{
	struct large *l = &a->m->large;

	(void)impl;
	a->stage = READY;
	if (intake_end(&a->in) == -1) {
		a->error = errno;
		return;
	}
	if (a->in.place == BODY_INLINE)
		return;
	if (l->bulk == NULL) {
		if (bodyfile_sync(&l->files, a->in.id) == -1)
			a->error = errno;
		return;
	}
	a->stage = SYNCING;
	bulk_ask(l->bulk, &(struct bulk_ask){ .op = BULK_SYNC,
	    .id = a->in.id }, on_durable, a);
}

bool
append_ready(void *impl, const struct store_append *a)
{
	(void)impl;
	return a->stage == READY;
}

/* How many of the words the folder does not know. */
static unsigned
missing_keywords(const struct store_append *a, const struct state_folder *f)
{
	unsigned i, k, n = 0;

	for (i = 0; i < a->nkeywords; i++) {
		for (k = 0; k < i; k++) {
			if (str_ieq(a->keywords[k], a->keywords[i]))
				break;
		}
		n += k == i && state_keyword(f, a->keywords[i]) == -1;
	}
	return n;
}

static uint64_t
append_keywords(struct mbox *m, const struct store_append *a,
    struct state_folder *f)
{
	uint64_t	set = 0;
	unsigned	i;
	int		k;

	for (i = 0; i < a->nkeywords; i++) {
		if (state_keyword(f, a->keywords[i]) == -1)
			store_add_keyword(m, f, a->keywords[i]);
		k = state_keyword(f, a->keywords[i]);
		if (k != -1)
			set |= (uint64_t)1 << k;
	}
	return set;
}

static enum store_result
append_check(struct mbox *m, struct store_append *a,
    const struct state_folder *f)
{
	if (m->dead)
		return STORE_ERROR;
	if (f == NULL)
		return STORE_NO_SUCH;
	if (f->uidnext >= UINT32_MAX - 1 || missing_keywords(a, f) >
	    STORE_KEYWORDS_MAX - f->nkeywords)
		return STORE_LIMIT;
	if (mbox_admit(m, a->in.size, 1) != STORE_OK)
		return STORE_QUOTA;
	errno = a->error;
	if (a->error != 0)
		return a->error == EMSGSIZE ? STORE_ERROR : failed("sync");
	return mbox_room(m, a->in.place == BODY_INLINE ? a->in.size : 0,
	    NEED_GROW);
}

enum store_result
append_end(void *impl, struct store_append *a, uint32_t *uidvalidity,
    uint32_t *uid)
{
	struct mbox		*m = impl;
	struct state_folder	*f = store_named(m, a->folder);
	enum store_result	 r;

	if (a->stage == ARRIVING)
		append_whole(m, a);
	assert(a->stage != SYNCING);
	r = append_check(m, a, f);
	if (r != STORE_OK) {
		append_abort(m, a);
		return r;
	}
	*uidvalidity = f->uidvalidity;
	*uid = mbox_add_message(m, &(struct mbox_message){
		.folder = f, .in = &a->in, .date = a->date, .zone = a->zone,
		.flags = a->flags, .keywords = append_keywords(m, a, f)
	});
	append_free(a);
	return m->dead ? STORE_ERROR : STORE_OK;
}
