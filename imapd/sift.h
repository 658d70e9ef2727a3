/*
 * sift - the text of one message on its way to the keys of a SEARCH.
 *
 * Each field of a header is decoded and folded at most once, and only when a
 * key is left that wants it; then one key after the other gets it, a slice
 * at a time.  So a long header and many keys are much work, but work that
 * can stop anywhere.  A text is looked for in each field by itself, and in
 * the body of each part.  Pure.
 */
#ifndef IMAPD_SIFT_H
#define IMAPD_SIFT_H

#include "imapd/searchkey.h"

enum sift_which {
	SIFT_NAMED,		/* fields of the message that a key names */
	SIFT_OTHERS,		/* the rest of its header */
	SIFT_PART		/* the header of a part: for BODY and TEXT */
};

/* A text and the keys that are to get it. */
struct sift_load {
	struct str		 text;
	struct search_key	**keys;
	unsigned		 n;
};

struct sift {
	struct search_tree	*tree;		/* borrowed */
	struct str		 header;	/* fields to come; borrowed */
	enum sift_which		 which;
	struct buf		 text;		/* folded */
	struct sift_load	 loads[2];
	unsigned		 nloads, load;	/* the one under way */
	size_t			 at;		/* in its text */
	unsigned		 key;		/* the next that gets it */
	bool			 fresh;		/* no text goes on in it */
};

void	sift_init(struct sift *, struct search_tree *);
void	sift_clear(struct sift *);
/* Another message: drops what was under way. */
void	sift_reset(struct sift *);

/* The header is borrowed until sift_step has done with it. */
void	sift_header(struct sift *, struct str header, enum sift_which);
/*
 * Where a piece of a body is to be appended, folded, before sift_body.  Each
 * header and each body that is not SIFT_NAMED ends what was before it.
 */
struct buf *sift_room(struct sift *);
void	sift_body(struct sift *, bool first);
/*
 * Goes on until all is fed (true), or until *work is used up: it falls by
 * about the bytes that were looked at.
 */
bool	sift_step(struct sift *, int64_t *work);

#endif
