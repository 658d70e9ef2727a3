/*
 * imap - an IMAP4rev1 session (RFC 3501) from behind its login to its end,
 * over the folders of one store.
 *
 * Run by the owner of a mailbox, one for each client.  Pure: bytes come by
 * imap_feed, replies collect in imap_out, and each call does a bounded piece
 * of work.  The owner's turn for a session:
 *
 *	while (imap_wants(s) == IMAP_WANT_INPUT && bytes are there)
 *		drop what imap_feed(s, bytes) took
 *	if (imap_wants(s) == IMAP_WANT_STEP)
 *		imap_step(s, clock), and again in the next turn
 *	send imap_out(s), drop from it what was sent
 *
 * After each change in the store every session of the mailbox is asked by
 * imap_changed.  Also here: RFC 2177 (IDLE), 2342 (NAMESPACE), 2971 (ID),
 * 3348 (CHILDREN), 3691 (UNSELECT), 4315 (UIDPLUS), 7888 (LITERAL+), 9208
 * (QUOTA, without SETQUOTA), and the response codes of 5530.
 */
#ifndef IMAPD_IMAP_H
#define IMAPD_IMAP_H

#include "common/mail/store.h"

enum {
	IMAP_OUT_SOFT = 64 * 1024,	/* unsent bytes: no more work */
	IMAP_OUT_MAX = 16 * 1024 * 1024,
	IMAP_ERRORS_MAX = 50,		/* BADs in a row: BYE */
	IMAP_STEP_WORK = 512 * 1024	/* about bytes read in a step */
};

enum imap_want {
	IMAP_WANT_INPUT,
	IMAP_WANT_STEP,
	IMAP_WANT_ROOM,		/* until imap_out is below IMAP_OUT_SOFT */
	IMAP_WANT_STORE,	/* until imap_changed: it has taken a message */
	IMAP_WANT_END		/* send what is left and close */
};

struct imap;

/*
 * The store is borrowed until imap_free.  append_max: octets of a message;
 * a larger one is refused before it is sent.
 */
struct imap	*imap_new(const struct store *, uint32_t append_max);
void		 imap_free(struct imap *);

/* How many bytes were taken; the rest is to be given again later. */
size_t		 imap_feed(struct imap *, struct str);
/* `now` is wall clock, in seconds since 1970. */
void		 imap_step(struct imap *, int64_t now);
enum imap_want	 imap_wants(const struct imap *);
struct buf	*imap_out(struct imap *);

/* The store has changed: true if the session now has something to do. */
bool		 imap_changed(const struct imap *);
/* The client was silent for too long: BYE. */
void		 imap_timeout(struct imap *);
/* The mailbox is closed for a reason of ours: BYE with this text. */
void		 imap_bye(struct imap *, const char *text);

#endif
