/*
 * model_store - store.h over plain arrays in memory, for tests of the session
 * engines.  Slow, obvious and right; the daemons never link it.
 *
 * Beyond the interface a test may set the limits below at any time, put
 * messages in as a delivery would, and ask for what is stored.
 */
#ifndef TESTS_MODEL_STORE_H
#define TESTS_MODEL_STORE_H

#include "common/mail/store.h"

struct model_folder;
struct model_entry;

struct model_store {
	struct store		 store;		/* give this to an engine */

	/* Knobs. */
	uint32_t		 append_max;	/* octets; more: STORE_LIMIT */
	uint64_t		 quota;		/* octets; more: STORE_QUOTA */
	uint64_t		 messages_max;	/* told, but not kept to */
	bool			 broken;	/* body_read, append_end:
						   STORE_ERROR */
	bool			 slow;		/* no append gets ready */
	uint32_t		 torn;		/* body_read: no octets from
						   here on; 0: all */
	unsigned		 reads;		/* calls of body_read */
	unsigned		 syncs;		/* the same of sync */
	unsigned		 opens;		/* opens less closes */
	unsigned		 bodies;	/* the same of bodies */
	unsigned		 appends;	/* begun less ended */

	/* Its own. */
	struct model_entry	*entries;	/* sorted by name */
	size_t			 nentries;
	uint64_t		 used;		/* octets of all messages */
	uint64_t		 next_id;
	uint32_t		 next_validity;
};

/* With an empty INBOX, UIDVALIDITY 1 and counting up, large limits. */
struct model_store	*model_store_new(void);
void			 model_store_free(struct model_store *);

/* Makes the folder if need be.  The UID. */
uint32_t	model_store_add(struct model_store *, const char *folder,
		    struct str text, uint8_t flags, int64_t date);
/* NULL when there is none; borrowed. */
const struct store_folder *model_store_folder(const struct model_store *,
		    const char *name);
/* The octets of message number i (from 0) of a folder; borrowed. */
struct str	model_store_text(const struct model_store *,
		    const char *folder, size_t i);

#endif
