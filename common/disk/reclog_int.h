/*
 * reclog_int - what the files of the record log share; nobody else's.
 *
 *	reclog.c	add, commit, seal, retire
 *	recover.c	open
 *	logread.c	read, replay_from
 *	footer.c	the index at the end of a sealed segment
 *	scan.c walk.c	a segment without one
 *	segment.c	names, files, descriptors
 *	io.c		system calls; frame.c crc32c.c window.c: as they say
 */
#ifndef DISK_RECLOG_INT_H
#define DISK_RECLOG_INT_H

#include "common/disk/reclog.h"
#include "common/disk/scan.h"

enum {
	SEG_NAME = 48,		/* bytes of a file's name */
	SEG_FDS = 8,		/* sealed segments open for reading */
	REC_TYPE_MAX = 239
};

/* A sealed segment. */
struct segment {
	uint64_t	id;
	uint64_t	key;		/* 0: all its heads are lost */
	bool		footed;		/* its footer is sound */
};

/* The one that is written.  fd is -1 until its first frame. */
struct current {
	int		fd;
	uint64_t	id;
	uint64_t	key;
	uint64_t	end;		/* where the next frame goes */
	uint64_t	size;		/* of the file */
	uint64_t	durable;	/* all before this is */
	bool		recycled;
};

/* A piece of the frame: bytes of `ctl`, then a payload of the caller's. */
struct piece {
	size_t		from, n;
	struct str	payload;
};

struct seg_fd {
	uint64_t	id;		/* 0: unused */
	int		fd;
	uint64_t	used;
};

/* Which payloads this process has seen with the right hash. */
struct seen {
	struct recpos	*slots;		/* open addressing; segment 0: free */
	size_t		 n, cap;
};

struct reclog {
	struct reclog_conf conf;
	struct segment	*segs;		/* by id */
	size_t		 n, cap;
	uint64_t	*spares;
	size_t		 nspares;
	struct current	 cur;
	struct recmark	 last;
	bool		 dead;
	bool		 unsynced;
	bool		 dir_unsynced;
	bool		 marked;	/* an end mark is at cur.end */

	/* The frame of this turn. */
	struct buf	 ctl;		/* heads and metadata */
	struct buf	 table;		/* of the trailer */
	struct piece	*pieces;
	size_t		 npieces, pieces_cap;
	size_t		 size;		/* of records and table so far */
	uint32_t	 records;
	uint32_t	 body;
	struct iovec	*iov;
	size_t		 iov_cap;

	struct seg_fd	 fds[SEG_FDS];
	uint64_t	 clock;
	struct seen	 seen;
};

/* segment.c */
void	seg_name(char *, uint64_t id);
void	seg_spare_name(char *, uint64_t id);
void	seg_torn_name(char *, uint64_t id, uint64_t offset);
/* Fills segs and spares from the directory. */
int	seg_list(struct reclog *);
struct segment *seg_find(struct reclog *, uint64_t id);
void	seg_add(struct reclog *, const struct segment *);
void	seg_forget(struct reclog *, size_t i);
/* Borrowed; -1 with errno. */
int	seg_fd(struct reclog *, uint64_t id);
void	seg_fd_close(struct reclog *, uint64_t id);
/* A fresh segment or a spare under its name, for cur; the errno says why. */
int	seg_create(struct reclog *);
/* Keeps or removes what was `name`, which was segment `id`. */
int	seg_discard(struct reclog *, uint64_t id);
void	seg_next(struct reclog *, uint64_t id);

/* footer.c: the footer's bytes into *out, to be written at s->end. */
int	footer_build(struct scan *, struct buf *out);
/*
 * The footer of fd.  0 and *out has its bytes; -1: none that is sound, errno
 * 0; or unreadable, with errno.  *key is set if just its tail is sound.
 */
int	footer_load(int fd, uint64_t id, uint64_t size, struct buf *out,
	    struct frame_head *, uint64_t *key);
/* Its head, and how many records are lost; its hash is not looked at. */
int	footer_peek(int fd, uint64_t id, uint64_t size, struct frame_head *,
	    uint64_t *lost);
int	footer_walk(const struct buf *, uint64_t after,
	    const struct visitor *, uint64_t *lost);
int	footer_write(struct scan *, int fd, uint64_t size);

/* Writes an end mark at cur.end. */
int	reclog_put_mark(struct reclog *);

bool	errno_is_full(void);

#endif
