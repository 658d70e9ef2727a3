/*
 * pop3 - the POP3 session after login (RFC 1939 TRANSACTION and UPDATE; UIDL,
 * TOP, CAPA, RFC 2449).  Pure: bytes in, bytes out, over a store.
 *
 * It runs in the owner of the mailbox.  INBOX is numbered once, at the start;
 * what arrives later is for the next session, what another session removes
 * answers -ERR.  Deletions happen at QUIT, all in one change of the store;
 * a session that ends in any other way deletes nothing.
 *
 * An answer of any length leaves in pieces: nothing more is produced, and
 * no further command is looked at, while `out` holds POP3_OUT_SOFT bytes.
 */
#ifndef POP3D_POP3_H
#define POP3D_POP3_H

#include "common/mail/store.h"

enum { POP3_OUT_SOFT = 64 * 1024 };

struct pop3;

/* NULL when INBOX cannot be opened.  The store must outlive it. */
struct pop3	*pop3_new(const struct store *);
/* Ends the session as a lost connection does.  NULL is fine. */
void		 pop3_free(struct pop3 *);

/*
 * Takes commands off the front of the input and says how many bytes.  What
 * it leaves is an unfinished line, or waits until pop3_step has said false.
 */
size_t		 pop3_feed(struct pop3 *, struct str);
/* Goes on with a long answer; true while there is more of it to come. */
bool		 pop3_step(struct pop3 *);
/* For the client.  The caller takes bytes off with buf_drop. */
struct buf	*pop3_out(struct pop3 *);

/* The client was silent for too long: RFC 1939 section 3, no update. */
void		 pop3_timeout(struct pop3 *);
/* Nothing more will come once `out` is empty; close. */
bool		 pop3_done(const struct pop3 *);

#endif
