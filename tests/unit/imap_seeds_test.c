/*
 * imap_seeds_test - the seeds of imap_fuzz reach each command, and SEARCH
 * with each key: in some seed it is answered OK.
 */
#include "tests/lib/imap_script.h"
#include "tests/lib/seeds.h"

static const char *const commands[] = {
	"APPEND", "CAPABILITY", "CHECK", "CLOSE", "COPY", "CREATE", "DELETE",
	"EXAMINE", "EXPUNGE", "FETCH", "GETQUOTA", "GETQUOTAROOT", "ID",
	"IDLE", "LIST", "LOGOUT", "LSUB",
	"NAMESPACE", "NOOP", "RENAME", "SEARCH", "SELECT", "STATUS", "STORE",
	"SUBSCRIBE", "UID COPY", "UID EXPUNGE", "UID FETCH", "UID SEARCH",
	"UID STORE", "UNSELECT", "UNSUBSCRIBE",
};

static const char *const keys[] = {
	"ALL", "ANSWERED", "BCC", "BEFORE", "BODY", "CC", "DELETED", "DRAFT",
	"FLAGGED", "FROM", "HEADER", "KEYWORD", "LARGER", "NEW", "NOT", "OLD",
	"ON", "OR", "RECENT", "SEEN", "SENTBEFORE", "SENTON", "SENTSINCE",
	"SINCE", "SMALLER", "SUBJECT", "TEXT", "TO", "UID", "UNANSWERED",
	"UNDELETED", "UNDRAFT", "UNFLAGGED", "UNKEYWORD", "UNSEEN",
};

static bool reached[SEEDS_STATES], searched[SEEDS_STATES];

static const char *
command_name(unsigned i)
{
	return i < LENGTH(commands) ? commands[i] : NULL;
}

static const char *
key_name(unsigned i)
{
	return i < LENGTH(keys) ? keys[i] : NULL;
}

/* Behind "x SEARCH". */
static void
note_keys(struct str line)
{
	char		word[64];
	unsigned	i;

	line = str_from(line, (size_t)str_find(line, S(" SEARCH")) + 7);
	for (i = 0; i < LENGTH(keys); i++) {
		snprintf(word, sizeof(word), " %s ", keys[i]);
		if (str_find(line, str_c(word)) != -1)
			searched[i] = true;
		/* The last one. */
		snprintf(word, sizeof(word), " %s\r", keys[i]);
		if (str_find(line, str_c(word)) != -1)
			searched[i] = true;
	}
}

/* "x COMMAND ..." in the seed, "x OK" in the answer. */
static void
note(struct str seed, struct str said)
{
	struct str	line;
	char		ok[16], head[64];
	unsigned	i;

	while (str_cut(&seed, '\n', &line)) {
		if (line.n < 3)
			continue;
		snprintf(ok, sizeof(ok), "\r\n%c OK", line.p[0]);
		if (str_find(said, str_c(ok)) == -1)
			continue;
		for (i = 0; i < LENGTH(commands); i++) {
			snprintf(head, sizeof(head), "%c %s", line.p[0],
			    commands[i]);
			if (!str_starts(line, str_c(head)))
				continue;
			reached[i] = true;
			if (str_find(str_c(head), S(" SEARCH")) != -1)
				note_keys(line);
		}
	}
}

/* Without its marks for the other session: one plays both. */
static void
play(struct str seed)
{
	struct model_store	*m = imap_script_store();
	struct imap		*s = imap_new(&m->store, 4096);
	struct buf		 said, in;
	size_t			 i;

	buf_init(&said, 4 << 20);
	buf_init(&in, seed.n);
	buf_add(&said, S("\r\n"));
	for (i = 1; i < seed.n; i++) {
		if (seed.p[i] != 1 && seed.p[i] != 2)
			buf_addc(&in, seed.p[i]);
	}
	imap_script_pump(s, buf_str(&in), seed.n, &said);
	note(buf_str(&in), buf_str(&said));
	imap_free(s);
	model_store_free(m);
	buf_clear(&said);
	buf_clear(&in);
}

static void
test_reach(void **state)
{
	(void)state;
	seeds_play("imap", play);
	seeds_need("imap", command_name, reached);
	seeds_need("imap", key_name, searched);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach),
	};

	return cmocka_run_group_tests_name("imap_seeds", tests, NULL, NULL);
}
