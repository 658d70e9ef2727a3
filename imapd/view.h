/*
 * view - how one session numbers the messages of the folder that it has
 * selected, RFC 3501 2.3.1.2 and 7.4.1.
 *
 * The store changes at once for everybody; a client learns of it only where
 * the protocol allows.  A view is what its client has been told: it moves by
 * the view_take functions alone, each in small portions, and each portion is
 * told to the client at once.  Indexes count from 0, numbers from 1.  Pure.
 */
#ifndef IMAPD_VIEW_H
#define IMAPD_VIEW_H

#include "common/mail/store.h"

struct view_msg {
	uint64_t	modseq;		/* of the flags the client knows */
	uint32_t	uid;
	bool		recent;		/* in this session */
};

struct view {
	struct store_folder	*folder;
	struct view_msg		*m;
	size_t			 n, cap;
	size_t			 nrecent;
	uint64_t		 flags_at;	/* folder's modseq when equal */
	uint64_t		 gone_at;
	bool			 readonly;
};

/* The folder is open already; view_close closes it. */
void	view_open(struct view *, const struct store *, struct store_folder *,
	    bool readonly);
void	view_close(struct view *, const struct store *);

/* The message as the store has it now; NULL when it is gone. */
const struct store_msg *view_msg(const struct view *, size_t i);
/* The least index whose UID is not below. */
size_t	view_from_uid(const struct view *, uint32_t uid);
uint32_t view_last_uid(const struct view *);	/* 0 when empty */
/* The client knows the flags as they are now. */
void	view_told(struct view *, size_t i, uint64_t modseq);

/* Whether there is anything to tell; expunges count only if `gone`. */
bool	view_is_stale(const struct view *, bool gone);

/*
 * Takes up to max gone messages out.  Their numbers, as EXPUNGE announces
 * them one after the other.  Fewer than max: that was all.
 */
size_t	view_take_gone(struct view *, uint32_t *numbers, size_t max);
/* New messages join; true if there were any. */
bool	view_take_new(struct view *, const struct store *);
/* Indexes of up to max messages whose flags have changed. */
size_t	view_take_changed(struct view *, size_t *indexes, size_t max);

#endif
