/*
 * intake - the body of a message on its way in, and bodies in files of their
 * own.
 *
 * A small body gathers in memory and becomes a record's payload.  A large
 * one is written while it arrives, into a file of the log's directory that
 * bears the id of the record to come; intake_end makes file and directory
 * durable, so that a frame may name it.  Such a file is never written again.
 */
#ifndef MAILBOXD_INTAKE_H
#define MAILBOXD_INTAKE_H

#include "common/core/buf.h"
#include "mailboxd/record.h"

struct intake {
	enum body_place	 place;
	int		 dirfd;		/* borrowed */
	int		 fd;		/* BODY_FILE; -1 */
	uint64_t	 id;
	uint64_t	 size;		/* that was announced */
	uint64_t	 got;
	struct buf	*buf;		/* BODY_INLINE; owned */
};

/* 0; -1 with errno: then there is nothing to abort. */
int	intake_begin(struct intake *, int dirfd, uint64_t id, uint64_t size,
	    uint64_t inline_max);
/* 0; -1 with errno, EMSGSIZE when it is more than announced. */
int	intake_data(struct intake *, struct str);
/* All of it, from the start of a regular file. */
int	intake_copy(struct intake *, int fd);
/* -1 with errno, EMSGSIZE when it is less than announced. */
int	intake_end(struct intake *);
/* Removes what there is.  Not after the record was added. */
void	intake_abort(struct intake *);

/* The name of such a file, at most 31 bytes. */
void	intake_name(uint64_t id, char *to, size_t n);

/* At most n bytes of a file from byte `from`, appended; -1 with errno. */
int	intake_read(int dirfd, uint64_t id, uint64_t from, size_t n,
	    struct buf *out);

/*
 * Removes each file that the function says is not kept.  How many, or -1
 * with errno.
 */
typedef bool intake_keep_fn(void *arg, uint64_t id);
int	intake_sweep(int dirfd, intake_keep_fn *, void *arg);

#endif
