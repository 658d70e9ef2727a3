/*
 * imap_test - dialogues with one IMAP session: what it answers to commands
 * and to what is none, folders, flags, copies, appended messages.
 */
#include "tests/lib/imap_script.h"

static const struct imap_scene any[] = {
	{ "capability",
	    "C: a CAPABILITY\n"
	    "S: * CAPABILITY IMAP4rev1 LITERAL+ CHILDREN ID IDLE NAMESPACE "
	    "QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE UIDPLUS UNSELECT\n"
	    "S: a OK...\n" },
	{ "noop, letters of either case", "C: a nOOp\nS: a OK...\n" },
	{ "logout",
	    "C: a LOGOUT\nS: * BYE...\nS: a OK...\nX:\n" },
	{ "a second login",
	    "C: a LOGIN u p\nS: a BAD logged in already\n"
	    "C: b AUTHENTICATE PLAIN\nS: b BAD logged in already\n" },
	{ "id",
	    "C: a ID NIL\nS: * ID (\"name\" \"Postern\")\nS: a OK...\n"
	    "C: b ID (\"name\" \"x\" \"os\" NIL)\nS: * ID...\nS: b OK...\n"
	    "C: c ID (\"name\")\nS: c BAD...\n"
	    "C: d ID ()\nS: * ID...\nS: d OK...\n" },
	{ "namespace",
	    "C: a NAMESPACE\nS: * NAMESPACE ((\"\" \"/\")) NIL NIL\n"
	    "S: a OK...\n" },
	{ "quota, RFC 9208",
	    "C: a GETQUOTA \"\"\nS: * QUOTA \"\" ()\nS: a OK...\n"
	    "M: quota 2048\n"
	    "C: b GETQUOTAROOT INBOX\nS: * QUOTAROOT \"INBOX\" \"\"\n"
	    "S: * QUOTA \"\" (STORAGE 1 2)\nS: b OK...\n"
	    "M: messages 9\n"
	    "C: c getquota \"\"\n"
	    "S: * QUOTA \"\" (STORAGE 1 2 MESSAGE 4 9)\nS: c OK...\n"
	    "M: quota 2049\n"
	    "C: d GETQUOTAROOT not/yet\nS: * QUOTAROOT \"not/yet\" \"\"\n"
	    "S: * QUOTA \"\" (STORAGE 1 3 MESSAGE 4 9)\nS: d OK...\n"
	    "C: e GETQUOTA {0}\nS: + go on\nC: \n"
	    "S: * QUOTA...\nS: e OK...\n"
	    "C: f GETQUOTA other\nS: f NO [NONEXISTENT]...\n"
	    "C: g GETQUOTA\nS: g BAD...\nC: h GETQUOTA \"\" x\nS: h BAD...\n"
	    "C: i GETQUOTAROOT\nS: i BAD...\n"
	    "C: j GETQUOTAROOT INBOX x\nS: j BAD...\n"
	    "C: k SETQUOTA \"\" (STORAGE 1)\nS: k BAD...\n" },
	{ "no such command", "C: a XYZZY\nS: a BAD no such command\n" },
	{ "uid of what has none", "C: a UID NOOP\nS: a BAD...\n" },
	{ "nothing selected",
	    "C: a FETCH 1 FLAGS\nS: a BAD no folder is selected\n"
	    "C: b UNSELECT\nS: b BAD...\nC: c CLOSE\nS: c BAD...\n"
	    "C: d IDLE\nS: + idling\nC: DONE\nS: d OK...\n" },
	{ "too many arguments", "C: a NOOP x\nS: a BAD...\n" },
};

SCENES(any)

/* ATTACKS F-11, F-12, F-01. */
static const struct imap_scene hostile[] = {
	{ "tag *", "C: * NOOP\nS: * BAD...\n" },
	{ "tag +", "C: + NOOP\nS: * BAD...\n" },
	{ "tag with +", "C: a+b NOOP\nS: * BAD...\n" },
	{ "tag with {", "C: a{3 NOOP\nS: * BAD...\n" },
	{ "tag with 8 bits", "C: a\\8 NOOP\nS: * BAD...\n" },
	{ "empty line", "C: \nS: * BAD...\n" },
	{ "tag alone", "C: abc\nS: abc BAD...\n" },
	{ "bare LF is no end", "C: a NOOP\\nb NOOP\nS: a BAD...\n" },
	{ "bare CR is no end", "C: a NOOP\\rb NOOP\nS: a BAD...\n" },
	{ "NUL", "C: a NO\\0OP\nS: a BAD...\n" },
	{ "NUL in a string", "C: a SELECT \"x\\0y\"\nS: a BAD...\n" },
	{ "NUL in a literal",
	    "C: a SELECT {3}\nS: + go on\nC: a\\0b\nS: a BAD...\n" },
	{ "quotes in a word", "C: a NOOP EE\"FY\nS: a BAD...\n" },
	{ "bytes behind a command",
	    "C: a NOOP \\8\nS: a BAD...\nC: b NOOP\nS: b OK...\n" },
	{ "open parentheses", "C: a NOOP ((((((((\nS: a BAD...\n" },
	{ "literal in quotes",
	    "C: a SELECT \"x{3}\nS: a BAD...\nC: b NOOP\nS: b OK...\n" },
	{ "literal that is no number",
	    "C: a SELECT {-1}\nS: a BAD...\n"
	    "C: b SELECT {}\nS: b BAD...\n"
	    "C: c SELECT {x}\nS: c BAD...\n" },
	{ "literal of 4 GiB",
	    "C: a SELECT {4294967295}\nS: a BAD [TOOBIG]...\n"
	    "C: b SELECT {18446744073709551615}\nS: b BAD [TOOBIG]...\n"
	    "C: c SELECT {99999999999999999999999}\nS: c BAD [TOOBIG]...\n" },
	{ "literal of 4 GiB, unasked",
	    "C: a SELECT {4294967295+}\nS: * BYE [TOOBIG]...\nX:\n" },
	{ "literal over the limit",
	    "C: a SELECT {1048577}\nS: a BAD [TOOBIG]...\n"
	    "C: b NOOP\nS: b OK...\n" },
	{ "refused with a literal to come, unasked",
	    "C: a XYZZY {6+}\nC: b NOOPC: c NOOP\nS: a BAD...\n"
	    "C: d NOOP\nS: d OK...\n" },
	{ "refused with a literal to come, asking",
	    "C: a XYZZY {6}\nS: a BAD...\nC: d NOOP\nS: d OK...\n" },
	{ "refused, several literals",
	    "C: a XYZZY {3+}\nc: x\\r\\n\nC:  {2+}\nc: ab\nC:  tail\n"
	    "S: a BAD...\nC: d NOOP\nS: d OK...\n" },
	{ "literal of nothing",
	    "C: a SELECT {0}\nS: + go on\nC: \nS: a NO...\n" },
};

SCENES(hostile)

static const struct imap_scene folders[] = {
	{ "create, delete",
	    "C: a CREATE x/y\nS: a OK...\n"
	    "C: b CREATE x/y\nS: b NO [ALREADYEXISTS]...\n"
	    "C: c DELETE x/y\nS: c OK...\n"
	    "C: d DELETE x/y\nS: d NO [NONEXISTENT]...\n"
	    "C: e CREATE x/y/\nS: e OK...\n"
	    "C: f DELETE INBOX\nS: f NO [CANNOT]...\n"
	    "C: g CREATE inbox\nS: g NO [ALREADYEXISTS]...\n" },
	{ "rename",
	    "C: a RENAME Work Play\nS: a OK...\n"
	    "C: b STATUS Play/2025 (MESSAGES)\n"
	    "S: * STATUS \"Play/2025\" (MESSAGES 1)\nS: b OK...\n"
	    "C: c RENAME none other\nS: c NO [NONEXISTENT]...\n"
	    "C: d RENAME Play Archive\nS: d NO [ALREADYEXISTS]...\n" },
	{ "rename of a level that is no folder",
	    "C: a DELETE Work\nS: a OK...\n"
	    "C: b RENAME Work Play\nS: b OK...\n"
	    "C: c LIST \"\" Play*\n"
	    "S: * LIST (\\Noselect \\HasChildren) \"/\" \"Play\"\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"Play/2025\"\nS: c OK...\n"
	    "C: d LIST \"\" Work*\nS: d OK...\n" },
	{ "rename of INBOX moves the messages",
	    "C: a RENAME INBOX old\nS: a OK...\n"
	    "C: b STATUS old (MESSAGES)\nS: * STATUS \"old\" (MESSAGES 3)\n"
	    "S: b OK...\n"
	    "C: c STATUS INBOX (MESSAGES)\n"
	    "S: * STATUS \"INBOX\" (MESSAGES 0)\nS: c OK...\n" },
	{ "status",
	    "C: a STATUS iNbOx (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)\n"
	    "S: * STATUS \"INBOX\" (MESSAGES 3 RECENT 3 UIDNEXT 4 "
	    "UIDVALIDITY 1 UNSEEN 2)\nS: a OK...\n"
	    "C: b STATUS INBOX ()\nS: b BAD...\n"
	    "C: c STATUS INBOX (SIZE)\nS: c BAD...\n"
	    "C: d STATUS none (UNSEEN)\nS: d NO [NONEXISTENT]...\n"
	    "C: f STATUS INBOX (DELETED DELETED-STORAGE)\n"
	    "S: * STATUS \"INBOX\" (DELETED 1 DELETED-STORAGE 116)\n"
	    "S: f OK...\n"
	    "C: e STATUS {5}\nS: + go on\nC: INBOX (UNSEEN)\n"
	    "S: * STATUS \"INBOX\" (UNSEEN 2)\nS: e OK...\n" },
	{ "names, ATTACKS F-07",
	    "C: a CREATE ../bob/INBOX\nS: a NO...\n"
	    "C: b CREATE /etc/passwd\nS: b NO...\n"
	    "C: c CREATE a//b\nS: c NO...\n"
	    "C: d CREATE .\nS: d NO...\n"
	    "C: e CREATE \"\"\nS: e NO...\n"
	    "C: f CREATE &AAA-\nS: f NO...\n"
	    "C: g CREATE &\nS: g NO...\n"
	    "C: h CREATE {3+}\nC: a\\r\\n\nS: h NO...\n"
	    "C: i CREATE {1+}\nC: \\8\nS: i NO...\n"
	    "C: j CREATE \"a*b\"\nS: j NO...\n"
	    "C: k CREATE Entw&APw-rfe\nS: k OK...\n"
	    "C: l STATUS Entw&APw-rfe (UNSEEN)\n"
	    "S: * STATUS \"Entw&APw-rfe\" (UNSEEN 0)\nS: l OK...\n"
	    "C: m CREATE inbox/x\nS: m OK...\n"
	    "C: n STATUS INBOX/x (UNSEEN)\n"
	    "S: * STATUS \"INBOX/x\" (UNSEEN 0)\nS: n OK...\n" },
	{ "name in quotes",
	    "C: a CREATE \"q\\\"\\\\uote\"\nS: a OK...\n"
	    "C: b STATUS \"q\\\"\\\\uote\" (UNSEEN)\n"
	    "S: * STATUS \"q\\\"\\\\uote\" (UNSEEN 0)\nS: b OK...\n" },
	{ "subscriptions",
	    "C: a SUBSCRIBE Archive\nS: a OK...\n"
	    "C: b LSUB \"\" *\nS: * LSUB () \"/\" \"Archive\"\nS: b OK...\n"
	    "C: c UNSUBSCRIBE Archive\nS: c OK...\n"
	    "C: d UNSUBSCRIBE Archive\nS: d OK...\n"
	    "C: e LSUB \"\" *\nS: e OK...\n" },
};

SCENES(folders)

static const struct imap_scene selecting[] = {
	{ "select", SELECTED },
	{ "examine",
	    "C: s EXAMINE INBOX\n"
	    "S: * FLAGS...\nS: * OK [PERMANENTFLAGS ()]...\n"
	    "S: * 3 EXISTS\nS: * 3 RECENT\nS: * OK [UNSEEN 1]...\n"
	    "S: * OK [UIDVALIDITY 1]...\nS: * OK [UIDNEXT 4]...\n"
	    "S: s OK [READ-ONLY]...\n"
	    "C: a STORE 1 FLAGS (\\Seen)\nS: a NO [READ-ONLY]...\n"
	    "C: b EXPUNGE\nS: b NO [READ-ONLY]...\n"
	    "C: c FETCH 1 (BODY[TEXT] FLAGS)\n"
	    "S: * 1 FETCH (BODY[TEXT] {12}\nS: Hello Bob.\n"
	    "S:  FLAGS (\\Recent))\nS: c OK...\n"
	    "C: d CLOSE\nS: d OK...\n"
	    "C: e STATUS INBOX (MESSAGES RECENT)\n"
	    "S: * STATUS \"INBOX\" (MESSAGES 3 RECENT 3)\nS: e OK...\n" },
	{ "select of what is not there leaves none",
	    SELECTED
	    "C: a SELECT none\nS: a NO [NONEXISTENT]...\n"
	    "C: b CHECK\nS: b BAD...\n" },
	{ "close expunges, says nothing",
	    SELECTED
	    "C: a CLOSE\nS: a OK...\n"
	    "C: b STATUS INBOX (MESSAGES)\n"
	    "S: * STATUS \"INBOX\" (MESSAGES 2)\nS: b OK...\n" },
	{ "unselect does not",
	    SELECTED
	    "C: a UNSELECT\nS: a OK...\n"
	    "C: b STATUS INBOX (MESSAGES)\n"
	    "S: * STATUS \"INBOX\" (MESSAGES 3)\nS: b OK...\n" },
	{ "expunge",
	    SELECTED
	    "C: a STORE 1 +FLAGS.SILENT (\\Deleted)\nS: a OK...\n"
	    "C: b EXPUNGE\nS: * 1 EXPUNGE\nS: * 2 EXPUNGE\n"
	    "S: * 1 RECENT\nS: b OK...\n" },
	{ "uid expunge",
	    SELECTED
	    "C: a STORE 1 +FLAGS.SILENT \\Deleted\nS: a OK...\n"
	    "C: b UID EXPUNGE 2:9\nS: * 3 EXPUNGE\nS: * 2 RECENT\n"
	    "S: b OK...\n"
	    "C: c UID EXPUNGE\nS: c BAD...\n" },
	{ "check", SELECTED "C: a CHECK\nS: a OK...\n" },
};

SCENES(selecting)

static const struct imap_scene storing[] = {
	{ "store",
	    SELECTED
	    "C: a STORE 1 FLAGS (\\Seen \\Draft)\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Seen \\Draft \\Recent))\n"
	    "S: a OK...\n"
	    "C: b STORE 1:2 +FLAGS \\Answered\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Answered \\Seen \\Draft \\Recent))\n"
	    "S: * 2 FETCH (UID 2 FLAGS (\\Answered \\Flagged \\Seen "
	    "\\Recent))\n"
	    "S: b OK...\n"
	    "C: c UID STORE 1 -FLAGS (\\Seen)\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Answered \\Draft \\Recent))\n"
	    "S: c OK...\n"
	    "C: d STORE 1 FLAGS ()\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Recent))\nS: d OK...\n" },
	{ "keywords",
	    SELECTED
	    "C: a STORE 1 +FLAGS ($Work work)\n"
	    "S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work "
	    "work)\n"
	    "S: * OK [PERMANENTFLAGS...\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Recent $Work work))\nS: a OK...\n"
	    "C: b STORE 1 -FLAGS ($WORK none)\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Recent work))\nS: b OK...\n" },
	{ "bad flags",
	    SELECTED
	    "C: a STORE 1 FLAGS (\\Recent)\nS: a BAD...\n"
	    "C: b STORE 1 FLAGS (\\Foo)\nS: b BAD...\n"
	    "C: c STORE 1 FLAGS (a b\nS: c BAD...\n"
	    "C: d STORE 1 FLOGS (a)\nS: d BAD...\n"
	    "C: e STORE 1 FLAGS\nS: e BAD...\n"
	    "C: f STORE 1 FLAGS (01234567890123456789012345678901234567890"
	    "123456789012345678901234)\nS: f NO [LIMIT]...\n" },
	{ "sets, ATTACKS F-06",
	    SELECTED
	    "C: a STORE 0 FLAGS ()\nS: a BAD...\n"
	    "C: b STORE 4 FLAGS ()\nS: b BAD...\n"
	    "C: c STORE 1:4294967295 FLAGS ()\nS: c BAD...\n"
	    "C: d STORE 4294967296 FLAGS ()\nS: d BAD...\n"
	    "C: e UID STORE 1:4294967295 FLAGS.SILENT ()\nS: e OK...\n"
	    "C: f UID STORE 77 FLAGS ()\nS: f OK...\n"
	    "C: g STORE 1,,2 FLAGS ()\nS: g BAD...\n"
	    "C: h UID STORE *:1 FLAGS.SILENT (\\Seen)\nS: h OK...\n" },
	{ "copy",
	    SELECTED
	    "C: a COPY 1:2 Archive\nS: a OK [COPYUID 2 1:2 1:2]...\n"
	    "C: b UID COPY 3 Archive\nS: b OK [COPYUID 2 3 3]...\n"
	    "C: c COPY 1 none\nS: c NO [TRYCREATE]...\n"
	    "C: d UID COPY 99 Archive\nS: d OK no such message\n"
	    "C: e COPY 1:2 INBOX\nS: * 5 EXISTS\nS: * 5 RECENT\n"
	    "S: e OK [COPYUID 1 1:2 4:5]...\n"
	    "C: f FETCH 5 FLAGS\n"
	    "S: * 5 FETCH (FLAGS (\\Flagged \\Seen \\Recent))\nS: f OK...\n" },
	{ "copy over quota",
	    SELECTED
	    "M: quota 500\n"
	    "C: a COPY 1 Archive\nS: a NO [OVERQUOTA]...\n" },
};

SCENES(storing)

static const struct imap_scene appending[] = {
	{ "append",
	    "C: a APPEND Archive {5}\nS: + go on\nC: hello\n"
	    "S: a OK [APPENDUID 2 1]...\n"
	    "C: b APPEND Archive (\\Seen $x) \" 1-Feb-2020 10:00:00 +0130\" "
	    "{5+}\nC: world\nS: b OK [APPENDUID 2 2]...\n"
	    "C: c EXAMINE Archive\n"
	    "S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $x)\n"
	    "S: * OK [PERM...\nS: * 2 EXISTS\nS: * 2 RECENT\n"
	    "S: * OK [UNSEEN 1]...\nS: * OK [UIDV...\nS: * OK [UIDN...\n"
	    "S: c OK...\n"
	    "C: d FETCH 1:2 (FLAGS INTERNALDATE RFC822.SIZE BODY[])\n"
	    "S: * 1 FETCH (FLAGS (\\Recent) INTERNALDATE "
	    "\"21-Sep-2026 14:13:20 +0000\" RFC822.SIZE 5 BODY[] {5}\n"
	    "S: hello)\n"
	    "S: * 2 FETCH (FLAGS (\\Seen \\Recent $x) INTERNALDATE "
	    "\" 1-Feb-2020 10:00:00 +0130\" RFC822.SIZE 5 BODY[] {5}\n"
	    "S: world)\nS: d OK...\n" },
	{ "append to the selected folder",
	    SELECTED
	    "C: a APPEND INBOX {5}\nS: + go on\nC: hello\n"
	    "S: * 4 EXISTS\nS: * 4 RECENT\nS: a OK [APPENDUID 1 4]...\n" },
	{ "name by literal",
	    "C: a APPEND {7}\nS: + go on\nC: Archive {5}\nS: + go on\n"
	    "C: hello\nS: a OK [APPENDUID 2 1]...\n"
	    "C: b APPEND {7+}\nC: Archive (\\Seen) {5+}\nC: hello\n"
	    "S: b OK [APPENDUID 2 2]...\n" },
	{ "refused before it is sent, ATTACKS F-03",
	    "C: a APPEND none {5}\nS: a NO [TRYCREATE]...\n"
	    "C: b APPEND Archive {1001}\nS: b NO [TOOBIG]...\n"
	    "C: c APPEND Archive (\\Foo) {5}\nS: c BAD...\n"
	    "C: d APPEND Archive \"yesterday\" {5}\nS: d BAD...\n"
	    "C: e APPEND Archive {0}\nS: e NO [CANNOT]...\n"
	    "M: quota 10\n"
	    "C: f APPEND Archive {5}\nS: f NO [OVERQUOTA]...\n"
	    "M: max 4\n"
	    "C: g APPEND Archive {5}\nS: g NO [LIMIT]...\n"
	    "C: h APPEND &a {5}\nS: h NO [CANNOT]...\n"
	    "C: i APPEND Archive\nS: i BAD...\n"
	    "C: j APPEND Archive hello\nS: j BAD...\n" },
	{ "the same, unasked: what is sent is no command",
	    "C: a APPEND none {6+}\nC: x NOOP\nS: a NO [TRYCREATE]...\n"
	    "C: b APPEND Archive (\\Foo) {6+}\nC: x NOOP\nS: b BAD...\n"
	    "M: quota 10\n"
	    "C: c APPEND Archive {6+}\nC: x NOOP\nS: c NO [OVERQUOTA]...\n"
	    "C: d NOOP\nS: d OK...\n" },
	{ "too large, unasked",
	    "C: a APPEND Archive {1001+}\nS: * BYE [TOOBIG]...\nX:\n" },
	{ "at the limit",
	    "C: a APPEND Archive {1000}\nS: + go on\n" },
	{ "several messages",
	    "C: a APPEND Archive {1+}\nC: x {1+}\nC: y\nS: a BAD...\n"
	    "C: b APPEND Archive {1+}\nC: x {1}\nS: b BAD...\n"
	    "C: c APPEND Archive {1+}\nC: x y\nS: c BAD...\n"
	    "C: d STATUS Archive (MESSAGES)\n"
	    "S: * STATUS \"Archive\" (MESSAGES 0)\nS: d OK...\n" },
	{ "NUL in a message",
	    "C: a APPEND Archive {3}\nS: + go on\nC: a\\0b\nS: a BAD...\n"
	    "C: d STATUS Archive (MESSAGES)\n"
	    "S: * STATUS \"Archive\" (MESSAGES 0)\nS: d OK...\n" },
	{ "folder deleted meanwhile",
	    "C: a APPEND Archive {5}\nS: + go on\nc: hel\n"
	    "C2: b DELETE Archive\nS2: b OK...\n"
	    "C: lo\nS: a NO [TRYCREATE]...\n" },
	{ "disconnect in the middle",
	    "C: a APPEND Archive {5}\nS: + go on\nc: hel\n" },
};

SCENES(appending)

/* Deferred flags wait no longer than these commands, nor any less. */
static void
test_sync(void **state)
{
	static const struct {
		const char	*command;
		unsigned	 syncs;
	} rows[] = {
		{ "a CHECK\r\n", 1 },
		{ "a CLOSE\r\n", 1 },
		{ "a UNSELECT\r\n", 1 },
		{ "a LOGOUT\r\n", 1 },
		{ "a EXAMINE INBOX\r\nb CLOSE\r\n", 1 },
		{ "a CHECK x\r\nb CLOSE x\r\nc UNSELECT x\r\n"
		    "d LOGOUT x\r\n", 0 },
		{ "a STORE 1 +FLAGS (\\Seen)\r\nb NOOP\r\n", 0 },
	};
	struct model_store	*m;
	struct imap		*s;
	struct buf		 said;
	size_t			 i;

	(void)state;
	buf_init(&said, 1 << 20);
	for (i = 0; i < LENGTH(rows); i++) {
		m = imap_script_store();
		s = imap_new(&m->store, 1000);
		imap_script_pump(s, S("s SELECT INBOX\r\n"), 100, &said);
		imap_script_pump(s, str_c(rows[i].command), 100, &said);
		assert_int_equal(m->syncs, rows[i].syncs);
		imap_free(s);
		model_store_free(m);
	}
	buf_clear(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_selecting),
		cmocka_unit_test(test_storing),
		cmocka_unit_test(test_appending),
		cmocka_unit_test(test_sync),
	};

	return cmocka_run_group_tests_name("imap", tests, NULL, NULL);
}
