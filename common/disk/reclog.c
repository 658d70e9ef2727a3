/*
 * reclog - see reclog.h.  Adding, committing, sealing, retiring.  recover.c
 * opens, logread.c reads; reclog_int.h says what the other files are.
 *
 * The rule for errors: no space before the sync is undone and told (FULL);
 * anything else ends the log for this process (DEAD), because nobody knows
 * what the disk has, and the kernel does not say it twice.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/core/xalloc.h"
#include "common/disk/crc32c.h"
#include "common/disk/io.h"
#include "common/disk/reclog_int.h"

static enum reclog_result
die(struct reclog *l)
{
	l->dead = true;
	return RECLOG_DEAD;
}

void
reclog_close(struct reclog *l)
{
	size_t i;

	if (l == NULL)
		return;
	/* Says that all before it is durable: the next open need not ask. */
	if (!l->dead && !l->unsynced && !l->marked && l->cur.fd != -1 &&
	    l->cur.end > 0)
		reclog_put_mark(l);
	if (l->cur.fd != -1)
		disk_io->close(l->cur.fd);
	for (i = 0; i < SEG_FDS; i++)
		seg_fd_close(l, l->fds[i].id);
	buf_clear(&l->ctl);
	buf_clear(&l->table);
	free(l->segs);
	free(l->spares);
	free(l->pieces);
	free(l->iov);
	free(l->seen.slots);
	free(l);
}

static size_t
frame_start(const struct reclog *l)
{
	return l->cur.end == 0 ? SEG_HEAD : l->cur.end;
}

/* The head of a record at `offset`, with its metadata, into l->ctl. */
static int
put_record(struct reclog *l, const struct rec *r, uint64_t offset)
{
	struct rec_head	 h = {
		.type = r->type, .id = r->id,
		.meta_n = (uint32_t)r->meta.n,
		.payload_n = (uint32_t)r->payload.n,
		.payload_crc = crc32c(0, r->payload.p, r->payload.n),
	};
	char		*p = buf_room(&l->ctl, REC_HEAD + r->meta.n);
	char		 sum[4];

	if (p == NULL || buf_room(&l->table, FRAME_SLOT) == NULL) {
		l->ctl.bad = l->table.bad = false;
		errno = ENOMEM;
		return -1;
	}
	if (r->payload.n > 0)
		crypto_generichash(h.hash, HASH_LEN,
		    (const unsigned char *)r->payload.p, r->payload.n,
		    NULL, 0);
	rec_head_put(p, &h);
	if (r->meta.n > 0)
		memcpy(p + REC_HEAD, r->meta.p, r->meta.n);
	h.checksum = rec_sum(p, r->meta, l->cur.key, offset);
	rec_head_put(p, &h);
	buf_grow(&l->ctl, REC_HEAD + r->meta.n);
	put_u32(sum, h.checksum);
	l->body = crc32c(l->body, sum, sizeof(sum));
	pack_u32(&l->table, (uint32_t)(offset - frame_start(l)));
	return 0;
}

/* Bytes just put into ctl, and a payload behind them. */
static void
put_piece(struct reclog *l, size_t from, struct str payload)
{
	struct piece *last;

	if (l->npieces > 0) {
		last = &l->pieces[l->npieces - 1];
		if (last->payload.n == 0) {
			last->n += l->ctl.n - from;
			last->payload = payload;
			return;
		}
	}
	if (l->npieces == l->pieces_cap) {
		l->pieces_cap = l->pieces_cap == 0 ? 16 : l->pieces_cap * 2;
		l->pieces = xrealloc(l->pieces, l->pieces_cap,
		    sizeof(*l->pieces));
	}
	l->pieces[l->npieces++] = (struct piece){
		from, l->ctl.n - from, payload,
	};
}

int
reclog_add(struct reclog *l, const struct rec *r, struct recpos *pos)
{
	uint64_t	offset;
	size_t		from = l->ctl.n, n;

	assert(r->type >= 1 && r->type <= REC_TYPE_MAX);
	if (r->meta.n > RECLOG_META_MAX || r->payload.n > RECLOG_PAYLOAD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	n = REC_HEAD + r->meta.n + r->payload.n;
	if (FRAME_HEAD + l->size + n + FRAME_SLOT + FRAME_TAIL >
	    RECLOG_FRAME_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	/* The table goes behind the records, so it is no part of this. */
	offset = frame_start(l) + FRAME_HEAD + l->size - l->table.n;
	if (put_record(l, r, offset) == -1)
		return -1;
	put_piece(l, from, r->payload);
	l->size += n + FRAME_SLOT;
	l->records++;
	*pos = (struct recpos){ l->cur.id, offset };
	return 0;
}

void
reclog_drop(struct reclog *l)
{
	buf_reset(&l->ctl);
	buf_reset(&l->table);
	l->npieces = 0;
	l->size = 0;
	l->records = 0;
	l->body = 0;
}

size_t
reclog_pending(const struct reclog *l)
{
	return l->records == 0 ? 0 : FRAME_HEAD + l->size + FRAME_TAIL;
}

bool
reclog_is_synced(const struct reclog *l)
{
	return !l->unsynced && !l->dead;
}

uint64_t
reclog_segment(const struct reclog *l)
{
	return l->cur.id;
}

struct recmark
reclog_mark(const struct reclog *l)
{
	return l->last;
}

/* Heads of the segment and the frame, and the end of the trailer. */
struct frame_parts {
	char	seg[SEG_HEAD];
	char	head[FRAME_HEAD];
	char	tail[FRAME_TAIL];
};

static void
put_heads(struct reclog *l, struct frame_parts *p, struct frame_head *h)
{
	struct seg_head s = {
		.id = l->cur.id, .key = l->cur.key, .epoch = l->conf.epoch,
		.sequence = l->last.sequence + 1,
		.recycled = l->cur.recycled,
	};

	if (l->cur.end == 0) {
		seg_head_put(p->seg, &s);
		memcpy(p->seg + SEG_COPY, p->seg, SEG_COPY);
	}
	*h = (struct frame_head){
		.kind = FRAME_DATA, .key = l->cur.key, .segment = l->cur.id,
		.offset = frame_start(l), .sequence = l->last.sequence + 1,
		.epoch = l->conf.epoch, .durable = l->cur.durable,
		.length = (uint32_t)reclog_pending(l),
		.records = l->records, .body = l->body,
	};
	frame_head_put(p->head, h);
	put_u32(p->tail, l->records);
	put_u32(p->tail + 4, trailer_sum(l->table.p + l->table.at,
	    l->records, l->cur.key, h->offset));
}

/* The whole frame as a vector; payloads stay where they are. */
static size_t
gather(struct reclog *l, struct frame_parts *p)
{
	size_t		 i, n = 0, need = 2 * l->npieces + 4;
	struct iovec	*v;

	if (need > l->iov_cap) {
		l->iov = xrealloc(l->iov, need, sizeof(*l->iov));
		l->iov_cap = need;
	}
	v = l->iov;
	if (l->cur.end == 0)
		v[n++] = (struct iovec){ p->seg, SEG_HEAD };
	v[n++] = (struct iovec){ p->head, FRAME_HEAD };
	for (i = 0; i < l->npieces; i++) {
		v[n++] = (struct iovec){
			l->ctl.p + l->ctl.at + l->pieces[i].from,
			l->pieces[i].n,
		};
		if (l->pieces[i].payload.n > 0)
			v[n++] = (struct iovec){
				(char *)(uintptr_t)l->pieces[i].payload.p,
				l->pieces[i].payload.n,
			};
	}
	v[n++] = (struct iovec){ l->table.p + l->table.at, l->table.n };
	v[n++] = (struct iovec){ p->tail, FRAME_TAIL };
	return n;
}

int
reclog_put_mark(struct reclog *l)
{
	char			p[FRAME_HEAD];
	struct iovec		v = { p, sizeof(p) };
	struct frame_head	h = {
		.kind = FRAME_END, .key = l->cur.key, .segment = l->cur.id,
		.offset = l->cur.end, .sequence = l->last.sequence,
		.epoch = l->conf.epoch, .durable = l->cur.durable,
		.length = FRAME_HEAD,
	};

	frame_head_put(p, &h);
	if (disk_write(l->cur.fd, &v, 1, l->cur.end) == -1)
		return errno_is_full() ? 0 : -1;
	l->marked = true;
	if (l->cur.size < l->cur.end + FRAME_HEAD)
		l->cur.size = l->cur.end + FRAME_HEAD;
	return 0;
}

/* The disk took only a part: as if nothing had been written. */
static enum reclog_result
undo(struct reclog *l)
{
	int64_t	size;

	if (!l->cur.recycled) {
		if (disk_io->truncate(l->cur.fd, (off_t)l->cur.end) == -1)
			return die(l);
		l->cur.size = l->cur.end;
		return RECLOG_FULL;
	}
	/* Its blocks stay.  A spare without a frame has nothing to mark. */
	size = disk_io->size(l->cur.fd);
	if (size == -1)
		return die(l);
	l->cur.size = (uint64_t)size;
	if (l->cur.end > 0 && (reclog_put_mark(l) == -1 || !l->marked))
		return die(l);
	return RECLOG_FULL;
}

static enum reclog_result
write_frame(struct reclog *l)
{
	struct frame_parts	p;
	struct frame_head	h;
	size_t			n;

	if (l->cur.fd == -1 && seg_create(l) == -1)
		return errno_is_full() && l->cur.fd == -1 ? RECLOG_FULL :
		    die(l);
	put_heads(l, &p, &h);
	n = gather(l, &p);
	l->marked = false;
	if (disk_write(l->cur.fd, l->iov, n, l->cur.end == 0 ? 0 :
	    l->cur.end) == -1)
		return errno_is_full() ? undo(l) : die(l);
	l->cur.end = h.offset + h.length;
	if (l->cur.size < l->cur.end)
		l->cur.size = l->cur.end;
	l->last = (struct recmark){ l->cur.id, h.sequence, h.checksum };
	l->unsynced = true;
	return RECLOG_OK;
}

static enum reclog_result
sync_all(struct reclog *l)
{
	if (!l->unsynced)
		return RECLOG_OK;
	if (disk_io->datasync(l->cur.fd) == -1)
		return die(l);
	if (l->dir_unsynced && disk_io->sync(l->conf.dirfd) == -1)
		return die(l);
	l->dir_unsynced = false;
	l->unsynced = false;
	l->cur.durable = l->cur.end;
	return RECLOG_OK;
}

/* The current segment becomes a sealed one; all of it is durable. */
static enum reclog_result
seal(struct reclog *l)
{
	struct segment	seg = { l->cur.id, l->cur.key, true };
	struct scan	s;
	int		r;

	r = scan_open(&s, l->cur.fd, l->cur.id, l->cur.end);
	if (r == 0)
		r = scan_frames(&s);
	if (r == 0) {
		scan_trust(&s, l->last.sequence + 1);
		l->marked = false;
		r = footer_write(&s, l->cur.fd, l->cur.size);
	}
	scan_close(&s);
	if (r == -1)
		return errno_is_full() ? undo(l) : die(l);
	if (disk_io->datasync(l->cur.fd) == -1)
		return die(l);
	disk_io->close(l->cur.fd);
	seg_add(l, &seg);
	seg_next(l, seg.id);
	return RECLOG_OK;
}

enum reclog_result
reclog_commit(struct reclog *l, bool sync)
{
	enum reclog_result r = RECLOG_OK;

	if (l->dead)
		r = RECLOG_DEAD;
	else if (l->records > 0)
		r = write_frame(l);
	reclog_drop(l);
	if (r != RECLOG_OK)
		return r;
	if (sync || l->cur.end > l->conf.segment_max)
		r = sync_all(l);
	/* What was asked for is done; a seal that fails shows next time. */
	if (r == RECLOG_OK && l->cur.end > l->conf.segment_max)
		(void)seal(l);
	return r;
}

enum reclog_result
reclog_seal(struct reclog *l)
{
	enum reclog_result r = reclog_commit(l, true);

	if (r != RECLOG_OK || l->cur.end == 0)
		return r;
	return l->dead ? RECLOG_DEAD : seal(l);
}

int
reclog_retire(struct reclog *l, uint64_t id)
{
	struct segment *seg = seg_find(l, id);

	if (l->dead) {
		errno = EIO;
		return -1;
	}
	/* What it is retired for may be in the frames not yet synced. */
	if (sync_all(l) != RECLOG_OK)
		return -1;
	/* The newest file says which ids and sequences were used. */
	if (id == l->cur.id || (l->cur.durable == 0 && l->n > 0 &&
	    id == l->segs[l->n - 1].id)) {
		errno = EBUSY;
		return -1;
	}
	if (seg == NULL) {
		errno = ENOENT;
		return -1;
	}
	seg_fd_close(l, id);
	if (seg_discard(l, id) == -1)
		return -1;
	seg_forget(l, (size_t)(seg - l->segs));
	if (disk_io->sync(l->conf.dirfd) == -1) {
		die(l);
		return -1;
	}
	l->dir_unsynced = false;
	return 0;
}
