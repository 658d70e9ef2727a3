/*
 * imap_fetch_test - dialogues with an IMAP session about what is in messages.
 */
#include "tests/lib/imap_script.h"

static const struct imap_scene fetching[] = {
	{ "fast",
	    SELECTED
	    "C: a FETCH 2 FAST\n"
	    "S: * 2 FETCH (FLAGS (\\Flagged \\Seen \\Recent) INTERNALDATE "
	    "\" 2-Jan-2026 00:00:00 +0000\" RFC822.SIZE 116)\nS: a OK...\n" },
	{ "uid fetch says the UID once",
	    SELECTED
	    "C: a UID FETCH 2 FLAGS\n"
	    "S: * 2 FETCH (UID 2 FLAGS (\\Flagged \\Seen \\Recent))\n"
	    "S: a OK...\n"
	    "C: b UID FETCH 2 (FLAGS UID)\n"
	    "S: * 2 FETCH (FLAGS (\\Flagged \\Seen \\Recent) UID 2)\n"
	    "S: b OK...\n"
	    "C: c UID FETCH 9:* UID\nS: * 3 FETCH (UID 3)\nS: c OK...\n" },
	{ "body sets seen and says so",
	    SELECTED
	    "C: a FETCH 1 BODY[TEXT]\n"
	    "S: * 1 FETCH (BODY[TEXT] {12}\nS: Hello Bob.\n"
	    "S:  FLAGS (\\Seen \\Recent))\nS: a OK...\n"
	    "C: b FETCH 1 BODY[TEXT]\n"
	    "S: * 1 FETCH (BODY[TEXT] {12}\nS: Hello Bob.\nS: )\n"
	    "S: b OK...\n" },
	{ "peek does not",
	    SELECTED
	    "C: a FETCH 1 (BODY.PEEK[TEXT] FLAGS)\n"
	    "S: * 1 FETCH (BODY[TEXT] {12}\nS: Hello Bob.\n"
	    "S:  FLAGS (\\Recent))\nS: a OK...\n"
	    "C: b FETCH 1 (RFC822.HEADER)\n"
	    "S: * 1 FETCH (RFC822.HEADER {104}\nS: From: Ann...\nS: To:...\n"
	    "S: Subject:...\nS: Date:...\nS: \nS: )\nS: b OK...\n"
	    "C: c FETCH 1 FLAGS\n"
	    "S: * 1 FETCH (FLAGS (\\Recent))\nS: c OK...\n" },
	{ "rfc822 forms",
	    SELECTED
	    "C: a FETCH 2 (RFC822.TEXT)\n"
	    "S: * 2 FETCH (RFC822.TEXT {12}\nS: Hello Bob.\nS: )\n"
	    "S: a OK...\n"
	    "C: b FETCH 2 RFC822\n"
	    "S: * 2 FETCH (RFC822 {116}\nS: From: Ann...\nS: To:...\n"
	    "S: Subject:...\nS: Date:...\nS: \nS: Hello Bob.\nS: )\n"
	    "S: b OK...\n" },
	{ "fields",
	    SELECTED
	    "C: a FETCH 2 BODY.PEEK[HEADER.FIELDS (subject to)]\n"
	    "S: * 2 FETCH (BODY[HEADER.FIELDS (subject to)] {37}\n"
	    "S: To: bob@example.org\nS: Subject: Tea\nS: \nS: )\nS: a OK...\n"
	    "C: b FETCH 2 BODY.PEEK[HEADER.FIELDS.NOT (From {4}\n"
	    "S: + go on\nC: Date)]\n"
	    "S: * 2 FETCH (BODY[HEADER.FIELDS.NOT (From Date)] {37}\n"
	    "S: To: bob@example.org\nS: Subject: Tea\nS: \nS: )\nS: b OK...\n"
	    "C: c FETCH 2 BODY.PEEK[HEADER.FIELDS (\"none\")]<0.2>\n"
	    "S: * 2 FETCH (BODY[HEADER.FIELDS (none)]<0> {2}\nS: \nS: )\n"
	    "S: c OK...\n"
	    "C: d FETCH 2 BODY.PEEK[HEADER.FIELDS ()]\nS: d BAD...\n"
	    "C: e FETCH 2 BODY.PEEK[HEADER.FIELDS (\"a b\")]\nS: e BAD...\n" },
	{ "partial, ATTACKS F-14",
	    SELECTED
	    "C: a FETCH 2 BODY[TEXT]<6.3>\n"
	    "S: * 2 FETCH (BODY[TEXT]<6> {3}\nS: Bob)\nS: a OK...\n"
	    "C: b FETCH 2 BODY[TEXT]<4294967290.20>\n"
	    "S: * 2 FETCH (BODY[TEXT]<4294967290> {0}\nS: )\nS: b OK...\n"
	    "C: c FETCH 2 BODY[TEXT]<9.4294967295>\n"
	    "S: * 2 FETCH (BODY[TEXT]<9> {3}\nS: .\nS: )\nS: c OK...\n"
	    "C: d FETCH 2 BODY[TEXT]<0.0>\nS: d BAD...\n"
	    "C: e FETCH 2 BODY[TEXT]<4294967296.1>\nS: e BAD...\n"
	    "C: f FETCH 2 BODY[TEXT]<0.1\nS: f BAD...\n"
	    "C: g FETCH 2 BODY[]<0.-1>\nS: g BAD...\n" },
	{ "envelope and structure",
	    SELECTED
	    "C: a FETCH 2 FULL\n"
	    "S: * 2 FETCH (FLAGS (\\Flagged \\Seen \\Recent) INTERNALDATE "
	    "\" 2-Jan-2026 00:00:00 +0000\" RFC822.SIZE 116 ENVELOPE "
	    "(\"Thu, 1 Jan 2026 10:00:00 +0100\" \"Tea\" "
	    "((\"Ann\" NIL \"ann\" \"example.org\")) "
	    "((\"Ann\" NIL \"ann\" \"example.org\")) "
	    "((\"Ann\" NIL \"ann\" \"example.org\")) "
	    "((NIL NIL \"bob\" \"example.org\")) NIL NIL NIL NIL) "
	    "BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
	    "\"7bit\" 12 1))\nS: a OK...\n"
	    "C: b FETCH 2 ALL\nS: * 2 FETCH (FLAGS...\nS: b OK...\n"
	    "C: c UID FETCH 1:2 (BODYSTRUCTURE)\n"
	    "S: * 1 FETCH (UID 1 BODYSTRUCTURE (\"text\"...\n"
	    "S: * 2 FETCH (UID 2 BODYSTRUCTURE (\"text\" \"plain\" "
	    "(\"charset\" \"us-ascii\") NIL NIL \"7bit\" 12 1 NIL NIL "
	    "NIL NIL))\nS: c OK...\n" },
	{ "a structure of each message",
	    SELECTED
	    "C: b APPEND INBOX {12+}\nC: a: b\nC: \nC: hi\nC: \nS: * 4 EXISTS\n"
	    "S: * 4 RECENT\nS: b OK...\n"
	    "C: c FETCH 3:4 BODY\n"
	    "S: * 3 FETCH (BODY (\"text\" \"plain\" (\"charset\" "
	    "\"us-ascii\") NIL NIL \"7bit\" 12 1))\n"
	    "S: * 4 FETCH (BODY (\"text\" \"plain\" (\"charset\" "
	    "\"us-ascii\") NIL NIL \"7bit\" 4 1))\nS: c OK...\n" },
	{ "parts",
	    SELECTED
	    "C: a FETCH 2 (BODY[1] BODY.PEEK[1]<6.3> BODY[2] BODY[1.1] "
	    "BODY[1.HEADER] BODY[1.MIME]<0.5>)\n"
	    "S: * 2 FETCH (BODY[1] {12}\nS: Hello Bob.\n"
	    "S:  BODY[1]<6> {3}\nS: Bob BODY[2] NIL BODY[1.1] NIL "
	    "BODY[1.HEADER] NIL BODY[1.MIME]<0> {5}\nS: From:)\n"
	    "S: a OK...\n"
	    "C: b FETCH 2 BODY[0]\nS: b BAD...\n"
	    "C: c FETCH 2 BODY[1.]\nS: c BAD...\n"
	    "C: d FETCH 2 BODY[MIME]\nS: d BAD...\n"
	    "C: e FETCH 2 BODY[1.2.X]\nS: e BAD...\n"
	    "C: f FETCH 2 BODY[4294967296]\nS: f BAD...\n"
	    "C: g FETCH 2 BODY[1..2]\nS: g BAD...\n" },
	{ "a message inside a message",
	    "C: a APPEND Archive {93+}\n"
	    "C: Subject: out\nC: Content-Type: message/rfc822\nC: \n"
	    "C: Subject: in\nC: From: a@b\nC: \nC: inner text 12\nC: \n"
	    "C: more\nS: a OK...\n"
	    "C: b EXAMINE Archive\nS: * FLAGS...\nS: * OK...\nS: * 1 EX...\n"
	    "S: * 1 RE...\nS: * OK...\nS: * OK...\nS: * OK...\nS: b OK...\n"
	    "C: c FETCH 1 (BODY[1.HEADER.FIELDS (subject)] BODY[1.1] "
	    "BODY[1.TEXT]<0.5>)\n"
	    "S: * 1 FETCH (BODY[1.HEADER.FIELDS (subject)] {15}\n"
	    "S: Subject: in\nS: \nS:  BODY[1.1] {21}\nS: inner text 12\n"
	    "S: \nS: more BODY[1.TEXT]<0> {5}\nS: inner)\n"
	    "S: c OK...\n" },
	{ "bad items",
	    SELECTED
	    "C: a FETCH 1 (FLAGS\nS: a BAD...\n"
	    "C: b FETCH 1 XFLAGS\nS: b BAD...\n"
	    "C: c FETCH 1 ()\nS: c BAD...\n"
	    "C: d FETCH 1 BODY[NONE]\nS: d BAD...\n"
	    "C: e FETCH 1 (FAST)\nS: e BAD...\n"
	    "C: f FETCH 1 FLAGS UID\nS: f BAD...\n"
	    "C: g FETCH 1\nS: g BAD...\n"
	    "C: h FETCH\nS: h BAD...\n" },
	{ "the store cannot read",
	    SELECTED
	    "M: broken 1\n"
	    "C: a FETCH 2 (UID BODY[])\n"
	    "S: * 2 FETCH (UID 2)\nS: a NO [UNAVAILABLE]...\n"
	    "C: b FETCH 2 BODY[HEADER]\n"
	    "S: * 2 FETCH (UID 2)\nS: b NO [UNAVAILABLE]...\n"
	    "C: c SEARCH BODY x\nS: * SEARCH\nS: c NO [UNAVAILABLE]...\n"
	    "C: d FETCH 2 BODYSTRUCTURE\nS: d NO [UNAVAILABLE]...\n"
	    "C: e FETCH 2 ENVELOPE\n"
	    "S: * 2 FETCH (UID 2)\nS: e NO [UNAVAILABLE]...\n"
	    "C: f FETCH 2 (BODY[HEADER] FLAGS ENVELOPE RFC822.SIZE)\n"
	    "S: * 2 FETCH (FLAGS (\\Flagged \\Seen \\Recent) "
	    "RFC822.SIZE 116)\nS: f NO [UNAVAILABLE]...\n"
	    "C: g UID FETCH 2 BODY[]<0.5>\n"
	    "S: * 2 FETCH (UID 2)\nS: g NO [UNAVAILABLE]...\n"
	    "M: broken 0\n"
	    "C: h FETCH 2 BODY[]<0.5>\n"
	    "S: * 2 FETCH (BODY[]<0> {5}\nS: From:)\nS: h OK...\n" },
};

SCENES(fetching)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fetching),
	};

	return cmocka_run_group_tests_name("imap_fetch", tests, NULL, NULL);
}
