/*
 * flags - the flags of messages as IMAP writes them, RFC 3501 2.3.2.  Pure.
 */
#ifndef IMAPD_FLAGS_H
#define IMAPD_FLAGS_H

#include "common/mail/store.h"
#include "imapd/parse.h"

/* As a client gave them.  The words are borrowed from the command. */
struct flag_list {
	struct str	words[STORE_KEYWORDS_MAX];
	unsigned	nwords;
	uint8_t		flags;
	bool		limit;		/* a keyword too many or too long */
};

/* "(\Seen $x)"; where `bare`, also without the parentheses. */
int	flags_parse(struct parse *, bool bare, struct flag_list *);

/* "(\Seen $x \Recent)". */
void	flags_format(struct buf *, const struct store_folder *,
	    const struct store_msg *, bool recent);
/* "(\Answered ... $x", of a folder; the parenthesis stays open. */
void	flags_format_all(struct buf *, const struct store_folder *);

#endif
