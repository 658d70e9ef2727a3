/*
 * name - the grammar of folder names, and the sorted list of those that a
 * mailbox has.
 *
 * A name is UTF-8 in levels separated by '/'.  No level is empty, "." or
 * "..", none has a control character, '%' or '*'.  A first level that spells
 * INBOX in any case is written so.  Names never reach the file system.
 */
#ifndef MAILBOXD_NAME_H
#define MAILBOXD_NAME_H

#include "common/mail/store.h"

struct state_folder;

/* A name is listed while it has a folder, a subscription or children. */
struct name {
	struct str		 name;
	struct state_folder	*folder;
	bool			 subscribed;
};

struct names {
	struct name	**list;		/* by str_cmp; each stays in place */
	size_t		  n, cap;
};

/*
 * The name as the store writes it, without a '/' at the end, into *out.
 * STORE_OK or STORE_BAD_NAME.
 */
enum store_result name_canon(struct str, struct buf *out);
unsigned	 name_depth(struct str);
bool		 name_is_below(struct str, struct str top);
/*
 * Cuts the next level from above down: a/b/c gives a, a/b, and then false.
 * *at starts at 0.
 */
bool		 name_above(struct str, size_t *at, struct str *level);

void		 names_clear(struct names *);
struct name	*names_find(const struct names *, struct str);
/* The first greater than this, or NULL. */
struct name	*names_next(const struct names *, struct str after);
/* Finds or makes it, without levels above. */
struct name	*names_get(struct names *, struct str);
/* A folder of that name, which must have none yet; and the levels above. */
struct name	*names_attach(struct names *, struct str,
		    struct state_folder *);
/* The folder leaves; what says nothing any more is freed. */
void		 names_detach(struct names *, struct name *);
void		 names_prune(struct names *, struct str);
bool		 names_has_children(const struct names *, struct str);

#endif
