/*
 * scrub_int - what scrub.c (segments and frames) and scrubrec.c (records)
 * share; nobody else's.
 */
#ifndef DISK_SCRUB_INT_H
#define DISK_SCRUB_INT_H

#include <sodium.h>

#include "common/disk/scrub.h"
#include "common/disk/window.h"

enum scrub_phase {
	PH_SEGMENT,		/* the next one, if there is one */
	PH_HEAD,
	PH_FRAME,		/* what is at `at` */
	PH_RECORD,		/* the i-th of the frame */
	PH_PAYLOAD,
	PH_FILE,
	PH_SEARCH,		/* for a head behind damage */
	PH_FOOTER,
	PH_DONE
};

/* Bytes that are summed up in pieces: a payload, a file, a footer. */
struct scrub_sum {
	crypto_generichash_state st;	/* first: wants its alignment */
	uint64_t	at, end;
	uint32_t	crc;
};

struct scrub {
	struct scrub_sum sum;
	struct scrub_ops ops;
	struct scrub_counts counts;
	enum scrub_phase phase;
	int64_t		 left;		/* of this step's budget */
	uint64_t	 until;		/* the last segment */

	/* The segment. */
	struct window	 w;
	int		 fd;		/* -1: none */
	uint64_t	 id, key;
	bool		 is_sealed;
	uint64_t	 end;		/* of the frames */
	uint64_t	 footer;	/* where it begins; 0: not known */
	uint64_t	 sequence;	/* of the last frame */
	uint64_t	 at;		/* behind it */
	uint64_t	 search;

	/* The frame. */
	struct frame_head f;
	char		*table;		/* NULL: damaged */
	uint32_t	 i, body;
	bool		 is_whole;	/* so far */
	uint64_t	 rec_at;

	/* The record. */
	struct rec_head	 h;
	struct scrub_file file;
	int		 file_fd;	/* -1: none */
	char		*piece;		/* of that file */
};

enum { SCRUB_PIECE = 128 * 1024 };

/* Bytes of the segment, counted; NULL: not there, or see w.error. */
const char *scrub_get(struct scrub *, uint64_t offset, size_t n);
void	scrub_found(struct scrub *, enum scrub_part, uint64_t offset);
void	scrub_found_record(struct scrub *, enum scrub_part, uint64_t offset,
	    uint8_t type, uint64_t id);

void	scrub_sum_begin(struct scrub *, uint64_t from, uint64_t n);
/* False when the hash is not that. */
bool	scrub_sum_is(struct scrub *, const char *hash);

/* scrubrec.c: a piece of work each. */
void	scrub_record(struct scrub *);
void	scrub_payload(struct scrub *);
void	scrub_file(struct scrub *);

#endif
