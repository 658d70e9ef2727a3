/*
 * mbox - opens and closes a mailbox, and ends its turns: log, sync, then
 * index.  store.c and deliver.c do what is in between.
 *
 * The index may be missing, behind, foreign or damaged: then it is thrown
 * away and made from the log.  If it cannot be made (a full disk), all of it
 * stays in memory and mail can still be read.
 */
#include "mailboxd/mbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/compact.h"
#include "mailboxd/derived.h"
#include "mailboxd/rebuild.h"

enum {
	TURN_MAX = 8 * 1024 * 1024,	/* bytes of a frame; then it is
					   committed early */
	SMALL_FREE = 256 * 1024		/* free bytes that a small operation
					   wants */
};

/* -- space ------------------------------------------------------------ */

static bool
has_space(const struct mbox *m, uint64_t bytes, enum mbox_need need)
{
	struct statvfs	v;
	uint64_t	free_bytes, keep = SMALL_FREE;

	if (fstatvfs(m->logfd, &v) == -1)
		return false;
	free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	bytes += reclog_pending(m->log);
	if (need == NEED_GROW && m->conf.reserve > keep)
		keep = m->conf.reserve;
	return free_bytes >= keep && free_bytes - keep >= bytes;
}

static void
drop_held(struct mbox *m)
{
	size_t i;

	for (i = 0; i < m->nheld; i++) {
		buf_clear(m->held[i]);
		free(m->held[i]);
	}
	m->nheld = 0;
}

/* What was added goes to the disk, once. */
static int
commit(struct mbox *m, bool sync)
{
	switch (reclog_commit(m->log, sync)) {
	case RECLOG_OK:
		state_committed(&m->st);
		drop_held(m);
		return 0;
	case RECLOG_FULL:
		log_error("mailbox_full");
		break;
	case RECLOG_DEAD:
		log_error("mailbox_log_failed", L_ERRNO);
		break;
	}
	/* Memory is ahead of the log: only the next process knows better. */
	m->dead = true;
	return -1;
}

enum store_result
mbox_room(struct mbox *m, uint64_t bytes, enum mbox_need need)
{
	if (m->dead)
		return STORE_ERROR;
	if (!has_space(m, bytes, need))
		return STORE_FULL;
	if (reclog_pending(m->log) + bytes > TURN_MAX &&
	    reclog_pending(m->log) > 0 && commit(m, true) == -1)
		return STORE_ERROR;
	return STORE_OK;
}

/* -- adding ----------------------------------------------------------- */

void
mbox_index_failed(struct mbox *m)
{
	index_close(m->ix);
	m->ix = NULL;
	m->st.load = NULL;
	(void)index_wipe(m->indexfd);
	m->dead = true;
}

void
mbox_add(struct mbox *m, const struct record *r, uint64_t id,
    struct str payload)
{
	struct recpos	pos;
	struct rec	rec;

	if (m->dead)
		return;
	buf_reset(&m->meta);
	record_encode(&m->meta, r);
	assert(buf_ok(&m->meta));
	rec = (struct rec){
		.type = (uint8_t)r->type, .id = id,
		.meta = buf_str(&m->meta), .payload = payload
	};
	if (reclog_add(m->log, &rec, &pos) == -1) {
		log_error("mailbox_log_failed", L_ERRNO);
		m->dead = true;
		return;
	}
	if (state_apply(&m->st, &rec, pos) == -1) {
		/* Loading the folder failed: the index is damaged. */
		log_error("mailbox_state", L_Z("record",
		    record_name(rec.type)));
		mbox_index_failed(m);
		return;
	}
	m->changed = true;
}

enum store_result
mbox_want(struct mbox *m, struct state_folder *f)
{
	if (!m->dead && state_want(&m->st, f) == 0)
		return STORE_OK;
	if (!m->dead) {
		log_error("mailbox_index", L_ID("folder", f->id));
		mbox_index_failed(m);
	}
	return STORE_ERROR;
}

int
mbox_intake(struct mbox *m, struct intake *in, uint64_t size)
{
	int r;

	/* A file whose record is damaged may have been kept. */
	do {
		r = intake_begin(in, &m->large.files, m->st.next_id++, size,
		    m->conf.inline_max);
	} while (r == -1 && errno == EEXIST);
	return r;
}

static void
hold(struct mbox *m, struct buf *b)
{
	if (m->nheld == m->held_cap) {
		m->held_cap = m->held_cap == 0 ? 16 : m->held_cap * 2;
		m->held = xrealloc(m->held, m->held_cap,
		    sizeof(struct buf *));
	}
	m->held[m->nheld++] = b;
}

uint32_t
mbox_add_message(struct mbox *m, const struct mbox_message *g)
{
	struct state_folder	*f = g->folder;
	struct intake		*in = g->in;
	struct str		 payload = { NULL, 0 };
	uint64_t		 id = in->id;
	struct record		 r = { .type = REC_MESSAGE, .message = {
		.folder = f->id, .uid = f->uidnext, .modseq = f->modseq + 1,
		.date = (uint64_t)g->date, .zone = (uint16_t)g->zone,
		.flags = g->flags, .keywords = g->keywords,
		.size = (uint32_t)(in->size + g->trace.n),
		.place = (uint8_t)in->place, .length = in->size,
		.trace = g->trace
	} };

	if (in->place == BODY_FILE)
		r.message.hash = str_of(in->hash, HASH_LEN);
	if (in->buf != NULL) {
		id = m->st.next_id;
		if (in->size > 0)
			payload = buf_str(in->buf);
		hold(m, in->buf);
		in->buf = NULL;
	}
	mbox_add(m, &r, id, payload);
	if (in->place == BODY_INLINE && !m->dead)
		derived_of(m, id, g->trace, payload);
	m->urgent = true;
	return r.message.uid;
}

/* -- looking up ------------------------------------------------------- */

int
mbox_body(struct mbox *m, uint64_t source, struct buf *scratch,
    struct state_body *body)
{
	const struct state_body	*b = state_body(&m->st, source);
	int			 r;

	if (b != NULL) {
		*body = *b;
		return 1;
	}
	if (m->ix == NULL)
		return 0;
	r = rows_body(m->ix, source, scratch, body);
	if (r == -1)
		mbox_index_failed(m);
	return r;
}

int
mbox_is_delivered(struct mbox *m, uint64_t qid)
{
	int r;

	if (state_is_delivered(&m->st, qid))
		return 1;
	if (m->ix == NULL)
		return 0;
	r = rows_is_delivered(m->ix, qid);
	if (r == -1)
		mbox_index_failed(m);
	return r;
}

/* -- the end of a turn ------------------------------------------------ */

static int
load_folder(void *arg, struct state_folder *f)
{
	struct mbox *m = arg;

	return rows_load_folder(&m->st, m->ix, f);
}

static int
save_index(struct mbox *m)
{
	if (!m->changed)
		return 0;
	if (m->ix != NULL && rows_save(&m->st, m->ix, reclog_mark(m->log),
	    m->fresh) == -1)
		return -1;
	m->fresh = false;
	m->changed = false;
	if (m->ix != NULL) {
		m->st.load = load_folder;
		m->st.load_arg = m;
	}
	state_settled(&m->st, m->ix == NULL);
	return 0;
}

enum mbox_result
mbox_turn(struct mbox *m)
{
	if (m->dead)
		return MBOX_DEAD;
	unpacked_age(m);
	if (reclog_pending(m->log) == 0 && !m->changed)
		return MBOX_OK;
	if (commit(m, m->urgent || m->conf.flags_sync) == -1)
		return MBOX_DEAD;
	m->urgent = false;
	if (!reclog_is_synced(m->log))
		return MBOX_LATER;
	if (save_index(m) == -1) {
		mbox_index_failed(m);
		return MBOX_DEAD;
	}
	return MBOX_OK;
}

enum mbox_result
mbox_sync(struct mbox *m)
{
	m->urgent = true;
	return mbox_turn(m);
}

bool
mbox_is_urgent(const struct mbox *m)
{
	return m->urgent || (m->conf.flags_sync && m->changed);
}

/* -- open ------------------------------------------------------------- */

static int
open_dir(int dirfd, const char *name)
{
	const int	flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	int		fd = openat(dirfd, name, flags);

	if (fd != -1 || errno != ENOENT)
		return fd;
	if (mkdirat(dirfd, name, 0700) == -1 || fsync(dirfd) == -1)
		return -1;
	return openat(dirfd, name, flags);
}

static int
open_files(struct mbox *m)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	m->lockfd = openat(m->conf.dirfd, "lock", O_RDWR | O_CREAT |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->lockfd == -1)
		return -1;
	if (fcntl(m->lockfd, F_OFD_SETLK, &l) == -1) {
		if (errno == EACCES)
			errno = EAGAIN;
		return -1;
	}
	m->logfd = open_dir(m->conf.dirfd, "log");
	if (m->logfd == -1)
		return -1;
	m->large.files.dir = m->logfd;
	m->indexfd = open_dir(m->conf.dirfd, "index");
	return m->indexfd == -1 ? -1 : 0;
}

static int
replay(void *arg, const struct rec *rec, struct recpos pos)
{
	return rebuild_apply(arg, rec, pos);
}

/* How the state may be had, in the order in which it is tried. */
enum source {
	FROM_INDEX,		/* and what the log has behind its mark */
	FROM_LOG,		/* into a new index */
	FROM_LOG_ONLY,		/* no index can be had */
	SOURCES
};

static bool
load(struct mbox *m, struct mbox_report *report)
{
	struct rebuild	r = { .m = m, .report = report };
	struct recmark	mark;

	/* Of an old index the log may not have all that came later. */
	m->ix = index_open(m->indexfd);
	if (m->ix == NULL || rows_mark(m->ix, &mark) != 1 ||
	    !reclog_has(m->log, mark) ||
	    !reclog_is_whole(m->log, mark.segment) ||
	    rows_load(&m->st, m->ix) == -1)
		return false;
	m->st.load = load_folder;
	m->st.load_arg = m;
	return reclog_replay_from(m->log, mark, replay, &r) == 0;
}

/* Looks at every record; they are applied later, by replay_from. */
static int
ignore(void *arg, const struct rec *rec, struct recpos pos)
{
	(void)arg;
	(void)rec;
	(void)pos;
	return 0;
}

/* Once when an index may have it all, and whole when it has not. */
static int
open_log(struct mbox *m, struct mbox_report *report, reclog_replay_fn *fn)
{
	const struct reclog_conf conf = {
		.dirfd = m->logfd, .epoch = m->conf.epoch,
		.segment_max = m->conf.segment_max, .recycle = 0
	};
	struct reclog_report	 r;

	reclog_close(m->log);
	m->log = reclog_open(&conf, fn, NULL, &r);
	if (m->log == NULL)
		return -1;
	/* What the first open repaired it does not find again. */
	r.torn_bytes += report->log.torn_bytes;
	r.footers_rebuilt += report->log.footers_rebuilt;
	report->log = r;
	return 0;
}

/* An empty state and, if it is wanted, an empty index; 0 or -1. */
static int
start_anew(struct mbox *m, struct mbox_report *report, bool want_index)
{
	index_close(m->ix);
	m->ix = NULL;
	state_clear(&m->st);
	m->fresh = true;
	m->changed = true;
	m->dead = false;
	report->replayed = 0;
	report->rebuilt = true;
	if (index_wipe(m->indexfd) == 0 && want_index)
		m->ix = index_open(m->indexfd);
	return want_index && m->ix == NULL ? -1 : 0;
}

/* 1; 0 when the index failed; -1 when the log did. */
static int
rebuild(struct mbox *m, struct mbox_report *report, bool want_index)
{
	enum rebuild_result	r = REBUILD_NO_LOG;
	struct rebuild		b;

	if (open_log(m, report, ignore) == -1)
		return -1;
	if (rebuild_init(&b, m, report) == 0) {
		do {
			r = start_anew(m, report, want_index) == -1 ?
			    REBUILD_NO_INDEX : rebuild_run(&b);
		} while (r == REBUILD_AGAIN);
	}
	rebuild_clear(&b);
	if (r == REBUILD_OK)
		return 1;
	return r == REBUILD_NO_INDEX ? 0 : -1;
}

static void
make_inbox(struct mbox *m)
{
	struct record r = { .type = REC_FOLDER, .folder = {
		.folder = m->st.next_folder,
		.uidvalidity = m->st.next_uidvalidity, .name = S("INBOX")
	} };

	if (state_named(&m->st, S("INBOX")) != NULL)
		return;
	mbox_add(m, &r, m->st.next_id, str_of(NULL, 0));
	m->urgent = true;
}

/* 1; 0 when the index failed; -1 with errno when the log did. */
static int
try_source(struct mbox *m, struct mbox_report *report, enum source source)
{
	int r = 1;

	switch (source) {
	case FROM_INDEX:
		r = load(m, report) && !mbox_has_strangers(m, report);
		break;
	case FROM_LOG:
	case FROM_LOG_ONLY:
		r = rebuild(m, report, source == FROM_LOG);
		break;
	case SOURCES:
		break;
	}
	if (r != 1)
		return r;
	make_inbox(m);
	if (commit(m, true) == -1)
		return -1;
	m->urgent = false;
	if (save_index(m) == -1)
		return 0;
	/* There was nothing to sweep, or an index would not do. */
	if (source != FROM_INDEX)
		mbox_sweep(m, report);
	return !m->dead;
}

static int
open_all(struct mbox *m, struct mbox_report *report)
{
	enum source	source;
	int		r = 0;

	if (open_files(m) == -1 || open_log(m, report, NULL) == -1)
		return -1;
	for (source = FROM_INDEX; r == 0 && source < SOURCES; source++) {
		errno = EINVAL;
		r = try_source(m, report, source);
	}
	report->no_index = m->ix == NULL;
	return r == 1 ? 0 : -1;
}

static void
close_fd(int fd)
{
	if (fd != -1)
		(void)close(fd);
}

static void
mbox_free(struct mbox *m)
{
	index_close(m->ix);
	reclog_close(m->log);
	compact_free(m->compact);
	buf_clear(&m->unpacked.body);
	state_clear(&m->st);
	large_clear(&m->large);
	drop_held(m);
	free(m->held);
	buf_clear(&m->meta);
	close_fd(m->indexfd);
	close_fd(m->logfd);
	close_fd(m->lockfd);
	free(m);
}

int
mbox_open(const struct mbox_conf *conf, struct mbox **out,
    struct mbox_report *report)
{
	struct mbox	*m = xcalloc(1, sizeof(*m));
	int		 saved;

	*report = (struct mbox_report){ 0 };
	m->conf = *conf;
	m->lockfd = -1;
	m->logfd = -1;
	m->indexfd = -1;
	buf_init(&m->meta, RECORD_META_MAX);
	state_init(&m->st);
	large_init(&m->large, conf->bulk);
	if (open_all(m, report) == -1) {
		saved = errno;
		mbox_free(m);
		errno = saved;
		return -1;
	}
	*out = m;
	return 0;
}

void
mbox_close(struct mbox *m)
{
	if (m == NULL)
		return;
	if (!m->dead)
		(void)mbox_sync(m);
	mbox_free(m);
}
