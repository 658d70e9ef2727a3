/*
 * scrub - reads a whole log while it is in use and compares everything with
 * its checksums: heads, metadata, payloads by CRC-32C and BLAKE2b, trailers,
 * footers, and files that records name.  In steps, so that the loop goes on.
 *
 *	s = scrub_new(log, &ops);
 *	each turn:	scrub_step(s, log, bytes) until it returns false
 *	scrub_free(s);
 *
 * Goes through the sealed segments and what was durable of the current one,
 * as they are when it gets there; a segment that is retired meanwhile is left
 * out, what is added after the beginning is not looked at.  Writes nothing
 * and repairs nothing.  What cannot be read is damage like any other.
 */
#ifndef DISK_SCRUB_H
#define DISK_SCRUB_H

#include "common/disk/frame.h"
#include "common/disk/reclog.h"

enum scrub_part {
	SCRUB_HEAD,		/* of a segment, either copy */
	SCRUB_FRAME,		/* head of a frame, or what it sums up */
	SCRUB_RECORD,		/* head or metadata of a record */
	SCRUB_PAYLOAD,
	SCRUB_FILE,		/* that a record names */
	SCRUB_TRAILER,		/* the table of a frame */
	SCRUB_FOOTER,		/* or there is none */
	SCRUB_TAIL,		/* of the footer */
	SCRUB_UNREADABLE	/* the rest of a segment */
};

struct scrub_damage {
	enum scrub_part	part;
	struct recpos	pos;		/* of the record, or of the part */
	uint8_t		type;		/* of the record; 0: of none */
	uint64_t	id;
};

struct scrub_counts {
	uint64_t	segments, frames, records, files;
	uint64_t	bytes;		/* read and compared */
	uint64_t	damaged;	/* calls of `damage` */
};

/* A file that a record names. */
struct scrub_file {
	int		dirfd;		/* borrowed for the scrub's life */
	char		name[64];
	uint64_t	size;
	bool		has_hash;
	unsigned char	hash[HASH_LEN];
};

struct scrub_ops {
	void	(*damage)(void *arg, const struct scrub_damage *);
	/*
	 * True when the record, whose payload is not there to see, names a
	 * file that is still wanted.  May be NULL.
	 */
	bool	(*file_of)(void *arg, const struct rec *, struct recpos,
		    struct scrub_file *);
	void	*arg;
};

struct scrub;

/* The ops are copied. */
struct scrub	*scrub_new(const struct reclog *, const struct scrub_ops *);
void		 scrub_free(struct scrub *);	/* NULL is fine */
/*
 * Goes on for about that many bytes; the last piece may go over it by what
 * one record's metadata or one frame's table is.  False when all is done.
 */
bool		 scrub_step(struct scrub *, struct reclog *, uint64_t budget);
const struct scrub_counts *scrub_counts(const struct scrub *);

/* "payload" and so on. */
const char	*scrub_part_name(enum scrub_part);

#endif
