/*
 * reclog - the record log: append-only segments of frames, one durable write
 * for everything that a turn of the loop gathered.  Queue and mailboxes are
 * made of it.  One process writes a log; the caller holds the lock.
 *
 * A segment is a file of one directory.  A frame is what one commit wrote:
 * it is recovered whole or not at all.  A record is {type, id, metadata,
 * payload}.  Metadata is small, always replayed at open, and repeated in the
 * footer of a sealed segment, so that a cold start reads footers and hops
 * through the last segment only.  Payload stays on the disk until read.
 * formats(5) describes the bytes.
 *
 * Order of use: reclog_open replays; then any number of turns of reclog_add
 * and one reclog_commit.  After RECLOG_DEAD the log takes nothing more: the
 * process answers nothing that depended on it and starts again.
 */
#ifndef DISK_RECLOG_H
#define DISK_RECLOG_H

#include "common/core/buf.h"

enum {
	RECLOG_META_MAX = 512 * 1024,		/* bytes of one metadata */
	RECLOG_PAYLOAD_MAX = 16 * 1024 * 1024,	/* bytes of one payload */
	RECLOG_FRAME_MAX = 64 * 1024 * 1024	/* bytes of one frame */
};

enum reclog_result {
	RECLOG_OK,
	RECLOG_FULL,	/* no space: nothing of this commit is stored; the
			   log stands as before and may be tried again */
	RECLOG_DEAD	/* a sync or write failed otherwise; see errno */
};

/* Where a record is.  Not a name: compaction moves records. */
struct recpos {
	uint64_t	segment;
	uint64_t	offset;		/* of the record's header */
};

struct rec {
	uint8_t		type;		/* the caller's; 1 to 239 */
	uint64_t	id;		/* the caller's */
	struct str	meta;
	struct str	payload;	/* at replay: p is NULL, n is right */
};

struct reclog_conf {
	int		 dirfd;		/* borrowed for the log's life */
	uint64_t	 epoch;		/* open refuses one below the log's */
	uint64_t	 segment_max;	/* seal when it has grown past this */
	unsigned	 recycle;	/* retired segments kept for reuse */
};

/* What open found; on a healthy log all but the first two are 0. */
struct reclog_report {
	uint64_t	segments;
	uint64_t	records;
	uint64_t	quarantined;	/* records that were damaged */
	uint64_t	damaged;	/* frames whose head was damaged */
	uint64_t	torn_bytes;	/* of an unproven last frame, kept */
	uint64_t	footers_rebuilt;
};

/*
 * Called for each record in log order, borrowed for the call.  Other than 0
 * ends the open, which then fails with errno EINVAL: the caller found the
 * record to be none of its own.
 */
typedef int reclog_replay_fn(void *arg, const struct rec *, struct recpos);

/*
 * NULL with errno; EPERM for a lower epoch, EINVAL for a foreign format.
 * Without a function nothing is replayed, and of sealed segments only the
 * ends are looked at: for a caller whose index has them (reclog_replay_from
 * gives the rest).
 */
struct reclog	*reclog_open(const struct reclog_conf *, reclog_replay_fn *,
		    void *arg, struct reclog_report *);
/* Syncs nothing; NULL is fine. */
void		 reclog_close(struct reclog *);

/*
 * Adds a record to the frame of this turn.  Metadata is copied; the payload
 * is borrowed until reclog_commit returns.  *pos is where it will be, valid
 * only if the commit says OK.  -1 when a cap above would be passed: then the
 * frame is as before the call.
 */
int		 reclog_add(struct reclog *, const struct rec *,
		    struct recpos *pos);
/* Forgets what was added since the last commit. */
void		 reclog_drop(struct reclog *);
/* Bytes that the frame of this turn has now; 0 if nothing was added. */
size_t		 reclog_pending(const struct reclog *);

/*
 * One pwritev and, with `sync`, one fdatasync that also makes durable what
 * earlier commits without sync wrote.  With nothing pending and nothing
 * unsynced it does nothing.  Sealing happens here when the segment is full.
 */
enum reclog_result reclog_commit(struct reclog *, bool sync);
bool		 reclog_is_synced(const struct reclog *);

/*
 * Reads the payload of a record into *out (appended), from byte `from` of
 * the payload, at most n bytes.  CRC-32C is checked each time when the whole
 * is read, BLAKE2b at the first read of it by this process.  -1 with errno;
 * EBADMSG for damage.
 */
int		 reclog_read(struct reclog *, struct recpos, uint64_t from,
		    size_t n, struct buf *out);
/*
 * The whole record, metadata into *meta and payload into *payload; a NULL
 * payload is not read, only its size is told.
 */
int		 reclog_read_rec(struct reclog *, struct recpos, struct rec *,
		    struct buf *meta, struct buf *payload);

/*
 * The caller no longer needs any record of this sealed segment: it is kept
 * for reuse or removed, durably.  -1 with errno.  The segment that is being
 * written cannot be retired (EBUSY).
 */
int		 reclog_retire(struct reclog *, uint64_t segment);
uint64_t	 reclog_segment(const struct reclog *);	/* being written */
/* The lowest sealed segment above `after`; 0 when there is none. */
uint64_t	 reclog_sealed(const struct reclog *, uint64_t after);
/* True if every segment from this one on is there. */
bool		 reclog_is_whole(const struct reclog *, uint64_t from);
/*
 * Calls fn for each record of one segment; -1 when fn or a read failed.
 * *lost is how many of its records and frames are damaged.
 */
int		 reclog_walk(struct reclog *l, uint64_t segment,
		    reclog_replay_fn *fn, void *arg, uint64_t *lost);
/* Ends the segment being written now; the next commit starts another. */
enum reclog_result reclog_seal(struct reclog *);

/* For an index that says up to where it was applied: the last frame. */
struct recmark {
	uint64_t	segment;
	uint64_t	sequence;
	uint32_t	checksum;	/* of that frame's header */
};
struct recmark	 reclog_mark(const struct reclog *);
/*
 * True if the log has just this frame.  reclog_replay_from calls fn for each
 * record behind it (all, for a zero mark); -1 when fn or a read failed.
 */
bool		 reclog_has(struct reclog *, struct recmark);
int		 reclog_replay_from(struct reclog *, struct recmark,
		    reclog_replay_fn *, void *arg);

#endif
