/*
 * append - the part of the store that takes a message from a session.
 * Functions of struct store_ops; impl is the mbox.
 *
 * The file of a large message is made durable before anything in the log
 * names it, so that one whose file cannot be is refused and nothing else
 * happens.  Meanwhile the mailbox goes on.
 */
#ifndef MAILBOXD_APPEND_H
#define MAILBOXD_APPEND_H

#include "common/mail/store.h"

struct mbox;
struct state_folder;

enum store_result append_begin(void *, const struct store_new *,
		    struct store_append **);
enum store_result append_data(void *, struct store_append *, struct str);
void		 append_whole(void *, struct store_append *);
bool		 append_ready(void *, const struct store_append *);
/* Without a helper append_whole may be left out. */
enum store_result append_end(void *, struct store_append *,
		    uint32_t *uidvalidity, uint32_t *uid);
void		 append_abort(void *, struct store_append *);

/* What append.c wants of store.c.  What there is to say of such a name. */
enum store_result store_no_folder(struct str name);
bool		 store_word_ok(struct str word);
void		 store_add_keyword(struct mbox *, struct state_folder *,
		    struct str word);

#endif
