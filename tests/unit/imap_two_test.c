/*
 * imap_two_test - dialogues with two IMAP sessions of one mailbox: what one
 * is told of the other's doings, and when.
 */
#include "tests/lib/imap_script.h"

static const struct imap_scene two[] = {
	{ "an expunge is told by NOOP, not by FETCH, STORE, SEARCH",
	    SELECTED SELECTED2
	    "C2: a EXPUNGE\nS2: * 3 EXPUNGE\nS2: a OK...\n"
	    "C: a FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS (\\Recent))\nS: a OK...\n"
	    "C: b FETCH 3 FLAGS\nS: b OK [EXPUNGEISSUED]...\n"
	    "C: c STORE 3 FLAGS ()\nS: c OK [EXPUNGEISSUED]...\n"
	    "C: d SEARCH ALL\nS: * SEARCH 1 2\nS: d OK...\n"
	    "C: e COPY 3 Archive\nS: * 3 EXPUNGE\nS: * 2 RECENT\n"
	    "S: e NO [EXPUNGEISSUED]...\n"
	    "C: f NOOP\nS: f OK...\n" },
	{ "a UID command tells it",
	    SELECTED SELECTED2
	    "C2: a EXPUNGE\nS2: * 3 EXPUNGE\nS2: a OK...\n"
	    "C: a UID SEARCH ALL\nS: * SEARCH 1 2\nS: * 3 EXPUNGE\n"
	    "S: * 2 RECENT\nS: a OK...\n" },
	{ "flags of others",
	    SELECTED SELECTED2
	    "C2: a STORE 1 +FLAGS (\\Answered)\n"
	    "S2: * 1 FETCH (UID 1 FLAGS (\\Answered))\nS2: a OK...\n"
	    "C: a NOOP\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Answered \\Recent))\nS: a OK...\n"
	    "C: b NOOP\nS: b OK...\n"
	    "C2: b NOOP\nS2: b OK...\n" },
	{ "silent hides only one's own",
	    SELECTED SELECTED2
	    "C2: a STORE 1 +FLAGS.SILENT (\\Answered)\nS2: a OK...\n"
	    "C: a STORE 1 +FLAGS.SILENT (\\Draft)\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Answered \\Draft \\Recent))\n"
	    "S: a OK...\n"
	    "C2: b NOOP\n"
	    "S2: * 1 FETCH (UID 1 FLAGS (\\Answered \\Draft))\n"
	    "S2: b OK...\n" },
	{ "keywords of others",
	    SELECTED SELECTED2
	    "C2: a STORE 1 +FLAGS.SILENT ($x)\nS2: * FLAGS...\n"
	    "S2: * OK [PERM...\nS2: a OK...\n"
	    "C: a NOOP\nS: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	    "\\Draft $x)\nS: * OK [PERM...\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Recent $x))\nS: a OK...\n" },
	{ "idle",
	    SELECTED SELECTED2
	    "C: a IDLE\nS: + idling\n"
	    "M: add INBOX\nS: * 4 EXISTS\nS: * 4 RECENT\n"
	    "C2: a NOOP\nS2: * 4 EXISTS\nS2: a OK...\n"
	    "C2: b STORE 4 +FLAGS.SILENT (\\Deleted)\nS2: b OK...\n"
	    "S: * 4 FETCH (UID 4 FLAGS (\\Deleted \\Recent))\n"
	    "C2: c EXPUNGE\nS2: * 3 EXPUNGE\nS2: * 3 EXPUNGE\nS2: c OK...\n"
	    "S: * 3 EXPUNGE\nS: * 3 EXPUNGE\nS: * 2 RECENT\n"
	    "C: DONE\nS: a OK...\n"
	    "M: add INBOX\n"
	    "C: b NOOP\nS: * 3 EXISTS\nS: * 3 RECENT\nS: b OK...\n" },
	{ "idle ended by something else",
	    SELECTED
	    "C: a IDLE\nS: + idling\nC: b NOOP\nS: a BAD...\n"
	    "C: c NOOP\nS: c OK...\n"
	    "C: d IDLE\nS: + idling\nC: {3}\nS: d BAD...\n"
	    "C: e IDLE\nS: + idling\nC: {3+}\nS: * BYE...\nX:\n" },
	{ "folder deleted under a session",
	    "C: a CREATE x\nS: a OK...\n"
	    "C: b SELECT Work/2025\nS: * FLAGS...\nS: * OK [PERM...\n"
	    "S: * 1 EXISTS\nS: * 1 RECENT\nS: * OK [UNSEEN...\n"
	    "S: * OK [UIDV...\nS: * OK [UIDN...\nS: b OK...\n"
	    "C2: a DELETE Work/2025\nS2: a OK...\n"
	    "C: c FETCH 1 BODY[]\nS: c OK [EXPUNGEISSUED]...\n"
	    "C: d NOOP\nS: * 1 EXPUNGE\nS: * 0 RECENT\nS: d OK...\n"
	    "C: e STORE 1 FLAGS (\\Seen)\nS: e BAD...\n"
	    "C: f UID SEARCH ALL\nS: * SEARCH\nS: f OK...\n" },
	{ "folder deleted under an idle session",
	    "C: b SELECT Work/2025\nS: * FLAGS...\nS: * OK [PERM...\n"
	    "S: * 1 EXISTS\nS: * 1 RECENT\nS: * OK [UNSEEN...\n"
	    "S: * OK [UIDV...\nS: * OK [UIDN...\nS: b OK...\n"
	    "C: c IDLE\nS: + idling\n"
	    "C2: a DELETE Work/2025\nS2: a OK...\n"
	    "S: * 1 EXPUNGE\nS: * 0 RECENT\n"
	    "C: DONE\nS: c OK...\n" },
	{ "recent is for one session",
	    SELECTED
	    "C: a IDLE\nS: + idling\n"
	    "M: add INBOX\nS: * 4 EXISTS\nS: * 4 RECENT\n"
	    "C: DONE\nS: a OK...\n"
	    "C2: a STATUS INBOX (RECENT)\n"
	    "S2: * STATUS \"INBOX\" (RECENT 0)\nS2: a OK...\n" },
};

SCENES(two)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two),
	};

	return cmocka_run_group_tests_name("imap_two", tests, NULL, NULL);
}
