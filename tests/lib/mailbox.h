/*
 * mailbox - a mailbox in a directory of its own under the system's place for
 * temporary files, and the whole of what a store shows as text.
 */
#ifndef TESTS_MAILBOX_H
#define TESTS_MAILBOX_H

#include <sys/types.h>

#include "mailboxd/store.h"

struct mailbox {
	char			path[64];
	int			dirfd;
	struct mbox_conf	conf;
	struct mbox_report	report;	/* of the last open */
	struct mbox		*m;
	struct store		s;
};

/* Makes the directory; small segments, bodies over 8 KiB are files. */
void	mailbox_make(struct mailbox *);
/* Opens (asserts that it can), closes. */
void	mailbox_open(struct mailbox *);
void	mailbox_close(struct mailbox *);
/* A turn, which must be MBOX_OK. */
void	mailbox_turn(struct mailbox *);
/* Closes if open, and removes everything. */
void	mailbox_remove(struct mailbox *);

/* Copies a directory of the mailbox over another, which goes first. */
void	mailbox_copy_dir(const struct mailbox *, const char *from,
	    const char *to);
/* Removes a directory of the mailbox with all in it. */
void	mailbox_remove_dir(const struct mailbox *, const char *name);
/* Flips a bit of a segment of the log. */
void	mailbox_flip(const struct mailbox *, uint64_t segment, off_t at);

/*
 * Appends every name, folder, message and octet that the store shows.
 * `exact` adds what two implementations may do differently: ids and modseqs.
 */
void	store_dump(struct store, struct buf *out, bool exact);
/* Fails if two dumps differ; prints `what` and the first line that does. */
void	assert_same_dump(const struct buf *, const struct buf *,
	    const char *what);
/* Octets of a message, opened and closed for it. */
enum store_result store_octets(struct store, struct store_folder *,
	    uint32_t uid, uint32_t from, size_t n, struct buf *out);
/* Appends one message; its UID, or 0 and *r. */
uint32_t store_put(struct store, const char *folder, struct str text,
	    uint8_t flags, enum store_result *r);

#endif
