/*
 * intake - the body of a message on its way in.
 *
 * A small body gathers in memory and becomes a record's payload.  A large
 * one is written while it arrives, into a file that bears the id of the
 * record to come.  Whether that is durable is for the caller to see to,
 * before a frame names it.
 */
#ifndef MAILBOXD_INTAKE_H
#define MAILBOXD_INTAKE_H

#include "common/disk/bodyfile.h"
#include "mailboxd/record.h"

struct intake {
	enum body_place	 place;
	const struct bodyfiles *files;	/* borrowed */
	struct bodyfile	*file;		/* BODY_FILE */
	uint64_t	 id;
	uint64_t	 size;		/* that was announced */
	uint64_t	 got;
	struct buf	*buf;		/* BODY_INLINE; owned */
	unsigned char	 hash[HASH_LEN];	/* BODY_FILE, at its end */
};

/* 0; -1 with errno: then there is nothing to abort. */
int	intake_begin(struct intake *, const struct bodyfiles *, uint64_t id,
	    uint64_t size, uint64_t inline_max);
/* 0; -1 with errno, EMSGSIZE when it is more than announced. */
int	intake_data(struct intake *, struct str);
/*
 * All of it, from the start of a regular file with that hash.  EBADMSG when
 * it is found to have another; a large one is not looked at.
 */
int	intake_copy(struct intake *, int fd,
	    const unsigned char hash[HASH_LEN]);
/* -1 with errno, EMSGSIZE when it is less than announced. */
int	intake_end(struct intake *);
/* Removes what there is.  Not after the record was added. */
void	intake_abort(struct intake *);

#endif
