/*
 * imap_seeds_test - the seeds of imap_fuzz reach each command: in some seed
 * it is answered OK.
 */
#include <dirent.h>

#include "tests/lib/imap_script.h"

static const char *const commands[] = {
	"APPEND", "CAPABILITY", "CHECK", "CLOSE", "COPY", "CREATE", "DELETE",
	"EXAMINE", "EXPUNGE", "FETCH", "GETQUOTA", "GETQUOTAROOT", "ID",
	"IDLE", "LIST", "LOGOUT", "LSUB",
	"NAMESPACE", "NOOP", "RENAME", "SEARCH", "SELECT", "STATUS", "STORE",
	"SUBSCRIBE", "UID COPY", "UID EXPUNGE", "UID FETCH", "UID SEARCH",
	"UID STORE", "UNSELECT", "UNSUBSCRIBE",
};

enum { NCOMMANDS = sizeof(commands) / sizeof(commands[0]) };

static bool reached[NCOMMANDS];

/* "x COMMAND ..." in the seed, "x OK" in the answer. */
static void
note(struct str seed, struct str said)
{
	struct str	line;
	char		ok[16], head[64];
	size_t		i;

	while (str_cut(&seed, '\n', &line)) {
		if (line.n < 3)
			continue;
		snprintf(ok, sizeof(ok), "\r\n%c OK", line.p[0]);
		if (str_find(said, str_c(ok)) == -1)
			continue;
		for (i = 0; i < NCOMMANDS; i++) {
			snprintf(head, sizeof(head), "%c %s", line.p[0],
			    commands[i]);
			if (str_starts(line, str_c(head)))
				reached[i] = true;
		}
	}
}

/* Without its marks for the other session: one plays both. */
static void
run(const char *path)
{
	struct model_store	*m = imap_script_store();
	struct imap		*s = imap_new(&m->store, 4096);
	struct buf		 said, in;
	char			 bytes[65536];
	FILE			*f = fopen(path, "rb");
	size_t			 n, i;

	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	buf_init(&said, 4 << 20);
	buf_init(&in, sizeof(bytes));
	buf_add(&said, S("\r\n"));
	for (i = 1; i < n; i++) {
		if (bytes[i] != 1 && bytes[i] != 2)
			buf_addc(&in, bytes[i]);
	}
	imap_script_pump(s, buf_str(&in), n, &said);
	note(buf_str(&in), buf_str(&said));
	imap_free(s);
	model_store_free(m);
	buf_clear(&said);
	buf_clear(&in);
}

static void
test_reach(void **state)
{
	static const char	dir[] = "tests/fuzz/seeds/imap";
	struct dirent		*e;
	DIR			*d = opendir(dir);
	char			 path[512];
	size_t			 i;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		run(path);
	}
	closedir(d);
	for (i = 0; i < NCOMMANDS; i++) {
		if (!reached[i])
			fail_msg("no seed reaches %s", commands[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach),
	};

	return cmocka_run_group_tests_name("imap_seeds", tests, NULL, NULL);
}
