/*
 * deliver - messages of the queue into INBOX, each queue id exactly once.
 *
 * That a queue id was delivered is a record in the frame of the message, so
 * both are there or neither is.  A queue id that is known is answered as the
 * first time, also when the user has deleted the message since.  DELIVER_OK
 * and DELIVER_AGAIN may be told when mbox_turn has said that this turn is
 * durable.
 */
#ifndef MAILBOXD_DELIVER_H
#define MAILBOXD_DELIVER_H

#include "common/disk/frame.h"
#include "mailboxd/store.h"

struct deliver;

struct deliver_new {
	uint64_t	qid;
	int64_t		date;		/* seconds since 1970 UTC */
	struct str	sender;		/* reverse path; may be empty */
	struct str	rcpt;
	uint64_t	size;		/* octets that will come */
};

enum deliver_result {
	DELIVER_OK,
	DELIVER_AGAIN,	/* it is there already */
	DELIVER_FULL,	/* the disk; may be tried again */
	DELIVER_QUOTA,	/* the mailbox; may be tried again */
	DELIVER_LARGE,	/* larger than a message may be */
	DELIVER_BAD,	/* sizes disagree, an address is none */
	DELIVER_ERROR	/* of ours; logged */
};

/* *out is set when it is DELIVER_OK, and only then is anything to end. */
enum deliver_result deliver_begin(struct mbox *, const struct deliver_new *,
		    struct deliver **out);
enum deliver_result deliver_data(struct deliver *, struct str);
/*
 * The whole content, from the start of a file with that hash; instead of
 * data.
 */
enum deliver_result deliver_fd(struct deliver *, int fd,
		    const unsigned char hash[HASH_LEN]);
/*
 * All octets have come: a large content is made durable from now on, while
 * the mailbox goes on.  Ready when that is over, well or not.
 */
enum deliver_result deliver_whole(struct deliver *);
bool		 deliver_is_ready(const struct deliver *);
/*
 * Into this turn's frame.  Ends it, however it ends.  It is ready; or there
 * is no helper, then deliver_whole may be left out.
 */
enum deliver_result deliver_end(struct deliver *);
void		 deliver_abort(struct deliver *);

/* As deliver_data: whether all octets that were announced have come. */
bool		 deliver_is_whole(const struct deliver *);

#endif
