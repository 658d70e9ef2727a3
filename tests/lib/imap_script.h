/*
 * imap_script - dialogues of one or two IMAP sessions over a model store.
 *
 * A script is lines, each with a mark:
 *
 *	C: a1 NOOP		the first session gets this line and CRLF
 *	c: abc			the same without CRLF (of a literal)
 *	S: a1 OK...		the next line it says; "..." stands for any end
 *	C2: c2: S2:		the second session
 *	M: add INBOX		the store: a delivery of imap_script_mail
 *	M: quota 100 | max 100 | broken 1 | broken 0
 *	X:  X2:			the session has ended
 *
 * In a line, \0 is a NUL, \r and \n are themselves, \8 is the byte 0xe9.
 * After the last line nothing may be left unsaid.
 */
#ifndef TESTS_IMAP_SCRIPT_H
#define TESTS_IMAP_SCRIPT_H

#include "imapd/imap.h"
#include "tests/lib/model_store.h"
#include "tests/lib/unit.h"

struct imap_scene {
	const char	*name;
	const char	*script;
};

/* Of a script: the first session selects INBOX, and then the second. */
#define SELECTED \
	"C: s SELECT INBOX\n" \
	"S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n" \
	"S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen " \
	    "\\Draft \\*)]...\n" \
	"S: * 3 EXISTS\n" \
	"S: * 3 RECENT\n" \
	"S: * OK [UNSEEN 1]...\n" \
	"S: * OK [UIDVALIDITY 1]...\n" \
	"S: * OK [UIDNEXT 4]...\n" \
	"S: s OK [READ-WRITE]...\n"

#define SELECTED2 \
	"C2: s SELECT INBOX\n" \
	"S2: * FLAGS...\n" \
	"S2: * OK [PERMANENTFLAGS...\n" \
	"S2: * 3 EXISTS\n" \
	"S2: * 0 RECENT\n" \
	"S2: * OK [UNSEEN 1]...\n" \
	"S2: * OK [UIDVALIDITY 1]...\n" \
	"S2: * OK [UIDNEXT 4]...\n" \
	"S2: s OK [READ-WRITE]...\n"

/* The test test_NAME of a table NAME of scenes. */
#define SCENES(table) \
	static void test_##table(void **state) \
	{ \
		(void)state; \
		imap_script_run_all(table, LENGTH(table)); \
	}

extern const char imap_script_mail[];	/* 116 octets */

/*
 * INBOX with three messages (UIDs 1 to 3: none, \Seen \Flagged, \Deleted),
 * an empty Archive, Work/2025 with one message.
 */
struct model_store	*imap_script_store(void);

/* One scene over a fresh store, in pieces of that many bytes. */
void	imap_script_run(const struct imap_scene *, size_t piece);
/* Each whole, byte by byte, and in odd pieces. */
void	imap_script_run_all(const struct imap_scene *, size_t n);

/* Until it waits for input or the store; what it said goes to `said`. */
void	imap_script_pump(struct imap *, struct str input, size_t piece,
	    struct buf *said);

#endif
