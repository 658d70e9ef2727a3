/*
 * state - the folders and messages of a mailbox in memory.
 *
 * state_apply takes one record and is the only way in which anything here
 * changes: a live operation, a replay of the log and a load from the index
 * all use it.  Beside the state it keeps what is not in the index yet: the
 * rows that changed, bodies, delivered queue ids.  rows.h writes those and
 * then calls state_settled.
 *
 * A folder that nobody has open is a row of counts.  Messages that arrive in
 * it meanwhile are kept as its tail until they are in the index.  A record
 * that needs the others asks for them with the load function.
 *
 * Does no I/O and knows no file.
 */
#ifndef MAILBOXD_STATE_H
#define MAILBOXD_STATE_H

#include "common/disk/reclog.h"
#include "mailboxd/idmap.h"
#include "mailboxd/name.h"
#include "mailboxd/quota.h"
#include "mailboxd/record.h"
#include "mailboxd/snaps.h"

struct state_folder {
	uint64_t	 id;
	uint64_t	 modseq;
	struct name	*name;		/* NULL: gone */
	uint32_t	 uidvalidity;
	uint32_t	 uidnext;
	uint32_t	 recent;
	uint32_t	 exists;
	uint32_t	 unseen;
	uint64_t	 size;		/* octets of all its messages */
	unsigned	 nkeywords;
	struct str	*keywords;
	struct store_msg *msgs;		/* all, or the tail */
	uint64_t	*sources;	/* parallel: whose body it has */
	size_t		 n, cap;
	unsigned	 opens;
	bool		 loaded;	/* msgs are all */
	bool		 dirty;
	struct state_pub *pub;		/* from the first open on */
	struct state_folder *next_gone;
};

/* What sessions hold. */
struct state_pub {
	struct store_folder	 pub;	/* first: cast back and forth */
	struct state_folder	*folder;
};

/* Where a body is. */
struct state_body {
	uint64_t	 source;
	uint64_t	 length;
	struct recpos	 pos;
	struct str	 trace;		/* owned */
	struct str	 hash;		/* of a file; owned */
	struct str	 bytes;		/* borrowed until the commit */
	enum body_place	 place;
	enum coding	 coding;
};

struct state_delivered {
	uint64_t	qid;
	uint64_t	date;
};

/* Made of a body's octets (store.h); a cache, in the index alone. */
struct state_derived {
	uint64_t	source;
	uint8_t		what;		/* enum store_derived */
	struct str	text;		/* owned */
};

/* UIDs lo to hi, each of which is or was there. */
struct state_range {
	uint64_t	folder;
	uint32_t	lo, hi;
};

/* Fills f->msgs with row_message records; 0, or -1. */
typedef int state_load_fn(void *arg, struct state_folder *);

struct state {
	uint64_t	 next_id;	/* of records and messages */
	uint64_t	 next_folder;
	uint32_t	 next_uidvalidity;
	bool		 lenient;	/* damaged log: keep what there is */
	uint64_t	 skipped;	/* records that made no sense */
	struct quota	 usage;		/* a copy counts as its source does */
	uint64_t	 freed;		/* octets of messages that went */
	uint64_t	 judged;	/* see compact.h */
	struct snaps	 snaps;

	struct names	 names;
	struct state_folder **folders;	/* by id */
	size_t		 nfolders, folders_cap;

	struct state_folder *gone;	/* deleted, but open somewhere */

	state_load_fn	*load;		/* NULL: all is here */
	void		*load_arg;

	/* Not in the index yet. */
	struct state_body *bodies;
	size_t		 nbodies, bodies_cap;
	size_t		 ncommitted;	/* of these */
	struct idmap	 body_at;
	struct state_delivered *delivered;
	size_t		 ndelivered, delivered_cap;
	struct idmap	 delivered_at;
	struct state_derived *derived;
	size_t		 nderived, derived_cap;
	struct state_range *ranges;
	size_t		 nranges, ranges_cap;
	uint64_t	*dirty;		/* folders whose row changed */
	size_t		 ndirty, dirty_cap;
	uint64_t	*dropped;	/* folders that went */
	size_t		 ndropped, dropped_cap;
	struct str	*subs;		/* names; owned */
	size_t		 nsubs, subs_cap;
};

void		 state_init(struct state *);
void		 state_clear(struct state *);

/*
 * -1 when the record does not fit what is there; in a lenient state it is
 * counted then, and 0.  After -1 from a replay the state is of no use.
 */
int		 state_apply(struct state *, const struct rec *,
		    struct recpos);

/* The same, for a MESSAGE of which only the body counts, and for BODY. */
int		 state_apply_body(struct state *, const struct rec *,
		    struct recpos);

/* Everything is in the index (or, with `keep`, there is none). */
void		 state_settled(struct state *, bool keep);
/* Bodies and queue ids are in the index, the rest is not. */
void		 state_spilled(struct state *);
/* The payloads that bodies borrow are in the log now. */
void		 state_committed(struct state *);

struct state_folder *state_folder(const struct state *, uint64_t id);
struct state_folder *state_named(const struct state *, struct str name);
/* The place of the first message whose UID is not less. */
size_t		 state_place(const struct state_folder *, uint32_t uid);
bool		 state_has(const struct state_folder *, uint32_t uid,
		    size_t *at);
int		 state_keyword(const struct state_folder *, struct str);
const struct state_body *state_body(const struct state *, uint64_t source);
bool		 state_is_delivered(const struct state *, uint64_t qid);

/* Counted.  -1 when loading failed. */
int		 state_open(struct state *, struct state_folder *);
/* May free the folder. */
void		 state_close(struct state *, struct state_folder *);
/* Brings the messages into memory; 0 or -1. */
int		 state_want(struct state *, struct state_folder *);

/* Its row, for the index or a snapshot; words is scratch. */
struct record	 state_row(const struct state_folder *, struct buf *words);
struct record	 state_row_message(const struct state_folder *, size_t at);

/* For apply.c. */
void		 state_count(struct state *, struct state_folder *,
		    uint64_t size, uint32_t messages);
void		 state_uncount(struct state *, struct state_folder *,
		    uint64_t size, uint32_t messages);
struct state_folder *state_folder_new(struct state *, uint64_t id,
		    struct str name);
void		 state_folder_remove(struct state *, struct state_folder *);
void		 state_msg_add(struct state *, struct state_folder *,
		    const struct store_msg *, uint64_t source);
void		 state_body_add(struct state *, const struct state_body *);
/* It is elsewhere now. */
void		 state_body_move(struct state *, const struct state_body *);
void		 state_keyword_add(struct state_folder *, struct str);
void		 state_publish(struct state_folder *);
void		 state_touch(struct state *, struct state_folder *);
void		 state_touch_uids(struct state *, struct state_folder *,
		    uint32_t lo, uint32_t hi);
void		 state_touch_sub(struct state *, struct str name);
void		 state_add_delivered(struct state *, uint64_t qid,
		    uint64_t date);

/* For the next save of the index; the text is copied. */
void		 state_add_derived(struct state *, uint64_t source,
		    enum store_derived, struct str text);

#endif
