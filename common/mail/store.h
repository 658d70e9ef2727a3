/*
 * store - a mailbox as the session engines of IMAP and POP3 see it.
 *
 * The engines are pure: they reach folders only through this table of
 * functions, which mailboxd implements over log and index, and a test over
 * plain arrays.
 *
 * Everything here answers at once, but that an append may have to wait until
 * it is ready.  A change is visible to every session of
 * the mailbox as soon as the call returns, and it is the owner's duty that no
 * byte of any session's output leaves the process before the change is
 * durable: so an engine simply goes on and answers.  If the commit fails, the
 * process ends and nobody was told anything.
 *
 * Folder names are UTF-8, levels are separated by '/', INBOX is written so.
 * They are checked by the store (STORE_BAD_NAME) and never reach the file
 * system.
 */
#ifndef MAIL_STORE_H
#define MAIL_STORE_H

#include "common/core/buf.h"

enum {
	STORE_NAME_MAX = 1000,		/* bytes of a folder's name */
	STORE_DEPTH_MAX = 32,		/* levels */
	STORE_FOLDERS_MAX = 10000,	/* folders in a mailbox */
	STORE_KEYWORDS_MAX = 64,	/* keywords of a folder */
	STORE_KEYWORD_MAX = 64		/* bytes of one */
};

enum store_result {
	STORE_OK,
	STORE_NO_SUCH,		/* no such folder, message or keyword */
	STORE_EXISTS,
	STORE_BAD_NAME,
	STORE_LIMIT,		/* one of the caps above */
	STORE_FORBIDDEN,	/* INBOX cannot be deleted, and the like */
	STORE_FULL,		/* the disk */
	STORE_QUOTA,		/* what this mailbox may hold */
	STORE_ERROR		/* the log could not be read; it is logged */
};

/* System flags, RFC 3501 2.3.2.  \Recent is not one: see `recent`. */
enum {
	STORE_SEEN = 1,
	STORE_ANSWERED = 2,
	STORE_FLAGGED = 4,
	STORE_DELETED = 8,
	STORE_DRAFT = 16
};

struct store_msg {
	uint64_t	id;		/* of the message; copies share none */
	uint64_t	modseq;
	uint64_t	keywords;	/* bit i: keyword i of the folder */
	int64_t		date;		/* INTERNALDATE, seconds since 1970 */
	uint32_t	uid;
	uint32_t	size;		/* octets, RFC822.SIZE */
	int16_t		zone;		/* of INTERNALDATE, minutes east */
	uint8_t		flags;
};

/*
 * An open folder.  The struct stays where it is until closed; its contents
 * change under every mutating call, whoever makes it.  An engine keeps its
 * own list of (uid, modseq) and compares at the points where its protocol
 * lets it speak.
 */
struct store_folder {
	uint64_t	 id;
	uint64_t	 modseq;	/* rises with every change in it */
	uint32_t	 uidvalidity;
	uint32_t	 uidnext;
	uint32_t	 recent;	/* first UID not yet shown as \Recent */
	bool		 gone;		/* deleted meanwhile; then n is 0 */
	const struct store_msg *msgs;	/* ascending by UID */
	size_t		 n;
	struct str	 keywords[STORE_KEYWORDS_MAX];
	unsigned	 nkeywords;
};

/* A folder in numbers, as STATUS shows it. */
struct store_status {
	uint32_t	messages, unseen, recent;
	uint32_t	uidnext, uidvalidity;
};

/* A name as LIST shows it.  The str is borrowed until the next mutation. */
struct store_name {
	struct str	name;
	bool		exists;		/* false: a subscription only, or a
					   level that only has children */
	bool		subscribed;
	bool		has_children;
};

enum store_how {
	STORE_SET,		/* replace */
	STORE_ADD,
	STORE_REMOVE
};

/* What is costly to make of a message's octets, as the engine formats it. */
enum store_derived {
	STORE_ENVELOPE,
	STORE_STRUCTURE,	/* BODY */
	STORE_BODYSTRUCTURE,
	STORE_DERIVED		/* how many */
};

/* What becomes of a set of bits. */
uint64_t	store_combine(enum store_how, uint64_t have, uint64_t arg);
/* The first of n messages whose UID is not less than that; n if none is. */
size_t		store_place(const struct store_msg *, size_t n, uint32_t uid);

struct store_append;		/* a message on its way in */
struct store_body;		/* a message's octets, on their way out */

struct store_new {
	struct str	 folder;
	uint32_t	 size;		/* octets that will come */
	int64_t		 date;		/* seconds since 1970 UTC */
	int16_t		 zone;
	uint8_t		 flags;
	const struct str *keywords;
	unsigned	 nkeywords;
};

/* Of all folders together: octets and messages; of limits 0 is none. */
struct store_quota {
	uint64_t	size, messages;
	uint64_t	size_max, messages_max;
};

struct store_ops {
	/* The first name greater than `after` (byte order), or NO_SUCH. */
	enum store_result (*next)(void *, struct str after,
	    struct store_name *);

	/* Missing levels above are made too.  A trailing '/' is ignored. */
	enum store_result (*create)(void *, struct str name);
	/* With children: the messages go, the level stays (exists false). */
	enum store_result (*remove)(void *, struct str name);
	/*
	 * The whole tree, also of a level that only has children; from INBOX
	 * it moves the messages only.
	 */
	enum store_result (*rename)(void *, struct str from, struct str to);
	enum store_result (*subscribe)(void *, struct str name, bool on);

	/*
	 * Without opening it; but recent is filled only on demand, since to
	 * count those may take a look at the messages.
	 */
	enum store_result (*status)(void *, struct str name, bool recent,
	    struct store_status *);
	/* Counted: every open wants a close. */
	enum store_result (*open)(void *, struct str name,
	    struct store_folder **);
	void (*close)(void *, struct store_folder *);
	/* All messages up to now have been shown as recent to a session. */
	void (*seen_recent)(void *, struct store_folder *);

	/* The number of a keyword; makes it if `create`; -1 when not to be. */
	int (*keyword)(void *, struct store_folder *, struct str,
	    bool create);
	/* UIDs ascending; those that are not there are passed over. */
	enum store_result (*flags)(void *, struct store_folder *,
	    const uint32_t *uids, size_t n, enum store_how, uint8_t flags,
	    uint64_t keywords);
	/* One change, whole or not at all. */
	enum store_result (*expunge)(void *, struct store_folder *,
	    const uint32_t *uids, size_t n);
	/* All or none.  new_uids (n of them) may be NULL. */
	enum store_result (*copy)(void *, struct store_folder *,
	    const uint32_t *uids, size_t n, struct str to,
	    uint32_t *uidvalidity, uint32_t *new_uids);

	/* Refused here already: no folder, too large, over quota. */
	enum store_result (*append)(void *, const struct store_new *,
	    struct store_append **);
	enum store_result (*append_data)(void *, struct store_append *,
	    struct str);
	/*
	 * All octets have come.  It may take a while until the store can end
	 * it; nothing else waits for that.  The owner sees to it that the
	 * session goes on.
	 */
	void (*append_whole)(void *, struct store_append *);
	bool (*append_ready)(void *, const struct store_append *);
	/* Ends it, as STORE_OK or not.  The sizes must agree. */
	enum store_result (*append_end)(void *, struct store_append *,
	    uint32_t *uidvalidity, uint32_t *uid);
	void (*append_abort)(void *, struct store_append *);

	/*
	 * The octets of a message.  They can be read until they are closed,
	 * whatever becomes of the message and its folder meanwhile.
	 */
	enum store_result (*body_open)(void *, struct store_folder *,
	    uint32_t uid, struct store_body **);
	/* Octets [from, from + n), clamped, onto *out. */
	enum store_result (*body_read)(void *, struct store_body *,
	    uint32_t from, size_t n, struct buf *out);
	void (*body_close)(void *, struct store_body *);
	/*
	 * What derive was told of this body, onto *out; or NO_SUCH: it may
	 * have been forgotten.  Both may be NULL.
	 */
	enum store_result (*derived)(void *, struct store_body *,
	    enum store_derived, struct buf *out);
	void (*derive)(void *, struct store_body *, enum store_derived,
	    struct str);

	/* What the mailbox holds and may hold. */
	void (*quota)(void *, struct store_quota *);

	/*
	 * Nothing that was changed waits for its sync any longer: for CHECK,
	 * CLOSE, UNSELECT and LOGOUT.  May be NULL: then nothing ever waits.
	 */
	void (*sync)(void *);
};

struct store {
	const struct store_ops	*ops;
	void			*impl;
};

#endif
