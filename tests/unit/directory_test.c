/*
 * directory: what is stored, what an address leads to, lists, and that every
 * acknowledged change survives kill -9.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authd/directory.h"
#include "common/core/log.h"
#include "tests/lib/tmpdir.h"

enum { IDS = 1000, ACKS_MAX = 100000 };

static struct tmpdir	 tmp;
static struct dir	*dir;

static int
setup(void **state)
{
	(void)state;
	tmpdir_make(&tmp);
	dir = dir_open(tmp.fd, IDS);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dir_close(dir);
	dir = NULL;
	tmpdir_remove(&tmp);
	return 0;
}

static void
reopen(void)
{
	dir_close(dir);
	dir = dir_open(tmp.fd, IDS);
}

static enum dir_result
alias(const char *address, const char *target)
{
	struct str t = str_c(target);

	return dir_alias_add(dir, str_c(address), &t, 1, 1);
}

static uint64_t
user(const char *address)
{
	struct dir_account a;

	assert_int_equal(dir_user_add(dir, str_c(address), S("creds"), 77,
	    &a), DIR_OK);
	return a.mailbox;
}

/* -- names ------------------------------------------------------------ */

static void
test_canon(void **state)
{
	static const struct {
		const char	*in;
		enum dir_result	 r;
		const char	*out;
	} t[] = {
		{ "user@example.org", DIR_OK, "user@example.org" },
		{ "User@EXAMPLE.Org", DIR_OK, "user@example.org" },
		{ "\"user\"@example.org", DIR_OK, "user@example.org" },
		{ "\"a b\"@example.org", DIR_OK, "\"a b\"@example.org" },
		{ "a+t@example.org", DIR_OK, "a+t@example.org" },
		{ "@Example.org", DIR_OK, "@example.org" },
		{ "@", DIR_BAD, "" },
		{ "", DIR_BAD, "" },
		{ "user", DIR_BAD, "" },
		{ "user@", DIR_BAD, "" },
		{ "\"\"@example.org", DIR_BAD, "" },
		{ "user @example.org", DIR_BAD, "" },
		{ "user@example.org ", DIR_BAD, "" },
		{ "user@example.org.", DIR_BAD, "" },
		{ "user@[192.0.2.1]", DIR_BAD, "" },
		{ "@[192.0.2.1]", DIR_BAD, "" },
		{ "us\xc3\xa9r@example.org", DIR_NOT_ASCII, "" },
		{ "user@b\xc3\xbc" "cher.example", DIR_NOT_ASCII, "" },
		{ "@b\xc3\xbc" "cher.example", DIR_NOT_ASCII, "" },
		{ "user@XN--bcher-kva.example", DIR_OK,
		    "user@xn--bcher-kva.example" },
		{ "user\xe2\x80\x8b@example.org", DIR_NOT_ASCII, "" },
	};
	char	out[DIR_TEXT_MAX + 1];
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		out[0] = '\0';
		if (dir_canon(str_c(t[i].in), out) != t[i].r ||
		    (t[i].r == DIR_OK && strcmp(out, t[i].out) != 0))
			fail_msg("row %zu: '%s' gave '%s'", i, t[i].in, out);
	}
	assert_int_equal(dir_canon(S("a\0@example.org"), out), DIR_BAD);
}

static void
test_domains(void **state)
{
	struct dir_domain d;

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("Example.ORG"), 5), DIR_OK);
	assert_int_equal(dir_domain_add(dir, S("example.org"), 6),
	    DIR_EXISTS);
	assert_int_equal(dir_domain_add(dir, S("b\xc3\xbc" "cher.example"),
	    6), DIR_NOT_ASCII);
	assert_int_equal(dir_domain_add(dir, S("[192.0.2.1]"), 6), DIR_BAD);
	assert_int_equal(dir_domain_add(dir, S(""), 6), DIR_BAD);
	assert_int_equal(dir_domain_get(dir, S("EXAMPLE.org"), &d), DIR_OK);
	assert_string_equal(d.name, "example.org");
	assert_int_equal(d.tenant, DIR_TENANT_DEFAULT);
	assert_int_equal(d.created, 5);
	assert_int_equal(dir_domain_get(dir, S("example.or"), &d),
	    DIR_NOT_FOUND);
	assert_int_equal(dir_domain_remove(dir, S("example.com")),
	    DIR_NOT_FOUND);

	user("u@example.org");
	assert_int_equal(dir_domain_remove(dir, S("example.org")),
	    DIR_IN_USE);
	assert_int_equal(dir_user_remove(dir, S("u@example.org")), DIR_OK);
	assert_int_equal(alias("@example.org", "x@example.com"), DIR_OK);
	assert_int_equal(dir_domain_remove(dir, S("example.org")),
	    DIR_IN_USE);
	assert_int_equal(dir_alias_remove(dir, S("@example.org"), NULL, 0),
	    DIR_OK);
	/* A domain whose name only begins so is no reason to refuse. */
	assert_int_equal(dir_domain_add(dir, S("example.org.uk"), 5), DIR_OK);
	user("u@example.org.uk");
	assert_int_equal(dir_domain_remove(dir, S("example.org")), DIR_OK);
	assert_int_equal(dir_domain_get(dir, S("example.org"), &d),
	    DIR_NOT_FOUND);
}

static void
test_users(void **state)
{
	struct dir_account a;

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("example.org"), 5), DIR_OK);
	assert_int_equal(dir_user_add(dir, S("u@other.org"), S("c"), 1, &a),
	    DIR_NO_DOMAIN);
	assert_int_equal(dir_user_add(dir, S("@example.org"), S("c"), 1, &a),
	    DIR_BAD);
	assert_int_equal(user("One@example.org"), 1);
	assert_int_equal(user("two@example.org"), 2);
	assert_int_equal(dir_user_add(dir, S("ONE@example.org"), S("c"), 1,
	    &a), DIR_EXISTS);
	assert_int_equal(alias("one@example.org", "two@example.org"),
	    DIR_EXISTS);
	assert_int_equal(alias("al@example.org", "two@example.org"), DIR_OK);
	assert_int_equal(dir_user_add(dir, S("al@example.org"), S("c"), 1,
	    &a), DIR_EXISTS);

	assert_int_equal(dir_user_get(dir, S("one@Example.org"), &a), DIR_OK);
	assert_string_equal(a.address, "one@example.org");
	assert_int_equal(a.mailbox, 1);
	assert_int_equal(a.tenant, DIR_TENANT_DEFAULT);
	assert_int_equal(a.shard, 0);
	assert_int_equal(a.created, 77);
	assert_int_equal(dir_user_by_id(dir, 2, &a), DIR_OK);
	assert_string_equal(a.address, "two@example.org");
	assert_int_equal(dir_user_by_id(dir, 3, &a), DIR_NOT_FOUND);

	assert_true(str_eq(dir_user_creds(dir, 1), S("creds")));
	assert_int_equal(dir_user_set_creds(dir, S("one@example.org"),
	    S("other")), DIR_OK);
	assert_true(str_eq(dir_user_creds(dir, 1), S("other")));
	assert_true(str_eq(dir_user_creds(dir, 2), S("creds")));
	assert_int_equal(dir_user_set_creds(dir, S("no@example.org"),
	    S("x")), DIR_NOT_FOUND);
	assert_int_equal(dir_user_creds(dir, 99).n, 0);
}

/* An id is never given out twice, whatever is removed, also when reopened. */
static void
test_ids(void **state)
{
	struct dir_account	a;
	char			name[40];
	int			i;

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("example.org"), 5), DIR_OK);
	assert_int_equal(user("u@example.org"), 1);
	assert_int_equal(dir_user_remove(dir, S("u@example.org")), DIR_OK);
	assert_int_equal(dir_user_remove(dir, S("u@example.org")),
	    DIR_NOT_FOUND);
	assert_int_equal(dir_user_by_id(dir, 1, &a), DIR_NOT_FOUND);
	assert_int_equal(dir_user_creds(dir, 1).n, 0);
	reopen();
	assert_int_equal(user("u@example.org"), 2);
	for (i = 3; i < IDS; i++) {
		snprintf(name, sizeof(name), "u%d@example.org", i);
		assert_int_equal(user(name), i);
	}
	assert_int_equal(dir_user_add(dir, S("last@example.org"), S("c"), 1,
	    &a), DIR_FULL);
	assert_int_equal(dir_user_get(dir, S("last@example.org"), &a),
	    DIR_NOT_FOUND);
}

/* -- aliases ---------------------------------------------------------- */

/* The targets, each with a blank behind it. */
static const char *
targets(const char *address)
{
	static struct buf	out;
	struct dir_alias	a;
	struct str		t;

	buf_clear(&out);
	buf_init(&out, 2000);
	if (dir_alias_get(dir, str_c(address), &a) != DIR_OK)
		return "none";
	while (dir_alias_next(&a, &t)) {
		buf_add(&out, t);
		buf_addc(&out, ' ');
	}
	return buf_cstr(&out);
}

static void
test_aliases(void **state)
{
	struct str	two[] = { S("B@example.org"), S("c@Else.where") };
	struct str	bad[] = { S("d@example.org"), S("no address") };
	struct str	gone[] = { S("b@example.org"), S("z@example.org") };

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("example.org"), 5), DIR_OK);
	assert_int_equal(alias("al@other.org", "b@example.org"),
	    DIR_NO_DOMAIN);
	assert_int_equal(dir_alias_add(dir, S("Al@example.org"), two, 2, 9),
	    DIR_OK);
	assert_string_equal(targets("al@example.org"),
	    "b@example.org c@else.where ");
	/* Again, and one more. */
	assert_int_equal(alias("al@example.org", "b@EXAMPLE.org"), DIR_OK);
	assert_int_equal(alias("al@example.org", "e@example.org"), DIR_OK);
	assert_string_equal(targets("al@example.org"),
	    "b@example.org c@else.where e@example.org ");
	/* All or nothing. */
	assert_int_equal(dir_alias_add(dir, S("al@example.org"), bad, 2, 9),
	    DIR_BAD);
	assert_int_equal(alias("al@example.org", "@example.org"), DIR_BAD);
	assert_int_equal(dir_alias_remove(dir, S("al@example.org"), gone, 2),
	    DIR_NOT_FOUND);
	reopen();
	assert_string_equal(targets("al@example.org"),
	    "b@example.org c@else.where e@example.org ");

	assert_int_equal(dir_alias_remove(dir, S("al@example.org"), two, 2),
	    DIR_OK);
	assert_string_equal(targets("al@example.org"), "e@example.org ");
	two[0] = S("e@example.org");
	assert_int_equal(dir_alias_remove(dir, S("al@example.org"), two, 1),
	    DIR_OK);
	assert_string_equal(targets("al@example.org"), "none");
	assert_int_equal(dir_alias_remove(dir, S("al@example.org"), NULL, 0),
	    DIR_NOT_FOUND);
}

static void
test_targets_max(void **state)
{
	struct dir_alias	a;
	char			name[40];
	int			i;

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("example.org"), 5), DIR_OK);
	for (i = 0; i < DIR_TARGETS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d@example.org", i);
		assert_int_equal(alias("al@example.org", name), DIR_OK);
	}
	assert_int_equal(alias("al@example.org", "t0@example.org"), DIR_OK);
	assert_int_equal(alias("al@example.org", "more@example.org"),
	    DIR_FULL);
	assert_int_equal(dir_alias_get(dir, S("al@example.org"), &a), DIR_OK);
	assert_int_equal(a.n, DIR_TARGETS_MAX);
}

/* -- what an address leads to ----------------------------------------- */

static void
test_find(void **state)
{
	static const struct {
		const char	*address;
		enum dir_kind	 kind;
		const char	*what;
	} t[] = {
		{ "ann@example.org", DIR_MAILBOX, "ann@example.org" },
		{ "ANN@Example.Org", DIR_MAILBOX, "ann@example.org" },
		{ "\"ann\"@example.org", DIR_MAILBOX, "ann@example.org" },
		{ "ann+x@example.org", DIR_MAILBOX, "ann@example.org" },
		{ "ann+x+y@example.org", DIR_MAILBOX, "ann@example.org" },
		{ "ann+@example.org", DIR_MAILBOX, "ann@example.org" },
		/* Exact entries win over the form without +tag. */
		{ "ann+acc@example.org", DIR_MAILBOX, "ann+acc@example.org" },
		{ "ann+al@example.org", DIR_ALIAS, "ann+al@example.org" },
		{ "team@example.org", DIR_ALIAS, "team@example.org" },
		{ "team+x@example.org", DIR_ALIAS, "team@example.org" },
		{ "+x@example.org", DIR_UNKNOWN, "" },
		{ "bob@example.org", DIR_UNKNOWN, "" },
		{ "an@example.org", DIR_UNKNOWN, "" },
		{ "ann@example.com", DIR_MAILBOX, "ann@example.com" },
		{ "bob@example.com", DIR_ALIAS, "@example.com" },
		{ "bob+x@example.com", DIR_ALIAS, "@example.com" },
		{ "+x@example.com", DIR_ALIAS, "@example.com" },
		{ "ann@sub.example.org", DIR_FOREIGN, "" },
		{ "ann@example.net", DIR_FOREIGN, "" },
		{ "ann@[192.0.2.1]", DIR_FOREIGN, "" },
		{ "", DIR_FOREIGN, "" },
		{ "ann", DIR_FOREIGN, "" },
		{ "@example.com", DIR_FOREIGN, "" },
		{ "\"\"@example.com", DIR_UNKNOWN, "" },
	};
	struct dir_found	f;
	const char		*what;
	size_t			i;

	(void)state;
	dir_domain_add(dir, S("example.org"), 5);
	dir_domain_add(dir, S("example.com"), 5);
	user("ann@example.org");
	user("ann+acc@example.org");
	user("ann@example.com");
	assert_int_equal(alias("ann+al@example.org", "x@y.z"), DIR_OK);
	assert_int_equal(alias("team@example.org", "x@y.z"), DIR_OK);
	assert_int_equal(alias("@example.com", "x@y.z"), DIR_OK);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		what = "";
		if (dir_find(dir, str_c(t[i].address), &f) == DIR_MAILBOX)
			what = f.account.address;
		else if (f.kind == DIR_ALIAS)
			what = f.alias.address;
		if (f.kind != t[i].kind || strcmp(what, t[i].what) != 0)
			fail_msg("row %zu: %s: %d %s", i, t[i].address,
			    (int)f.kind, what);
	}
}

static void
test_may_send(void **state)
{
	static const struct {
		const char	*address;
		enum dir_kind	 kind;
	} t[] = {
		{ "ann@example.org", DIR_MAILBOX },
		{ "Ann+tag@example.org", DIR_MAILBOX },
		{ "bob@example.org", DIR_UNKNOWN },
		{ "bob+ann@example.org", DIR_UNKNOWN },
		{ "only@example.org", DIR_MAILBOX },
		{ "tagged@example.org", DIR_MAILBOX },
		{ "copy@example.org", DIR_MAILBOX },
		{ "both@example.org", DIR_UNKNOWN },
		{ "nested@example.org", DIR_UNKNOWN },
		{ "away@example.org", DIR_UNKNOWN },
		{ "nobody@example.org", DIR_UNKNOWN },
		{ "any@catch.org", DIR_MAILBOX },
		{ "ann@example.net", DIR_FOREIGN },
	};
	struct str	copy[] = { S("ann@example.org"), S("x@else.where") };
	struct str	both[] = { S("ann@example.org"),
	    S("bob@example.org") };
	uint64_t	ann;
	size_t		i;

	(void)state;
	dir_domain_add(dir, S("example.org"), 5);
	dir_domain_add(dir, S("catch.org"), 5);
	ann = user("ann@example.org");
	user("bob@example.org");
	alias("only@example.org", "ann@example.org");
	alias("tagged@example.org", "ann+list@example.org");
	dir_alias_add(dir, S("copy@example.org"), copy, 2, 1);
	dir_alias_add(dir, S("both@example.org"), both, 2, 1);
	alias("nested@example.org", "only@example.org");
	alias("away@example.org", "x@else.where");
	alias("@catch.org", "ann@example.org");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (dir_may_send(dir, ann, str_c(t[i].address)) != t[i].kind)
			fail_msg("row %zu: %s", i, t[i].address);
	}
	assert_int_equal(dir_may_send(dir, 99, S("ann@example.org")),
	    DIR_UNKNOWN);
}

/* -- lists ------------------------------------------------------------ */

static void
test_lists(void **state)
{
	struct dir_account	a = { .address = "" };
	struct dir_domain	d = { .name = "" };
	struct dir_alias	l = { .address = "" };
	struct buf		seen;

	(void)state;
	buf_init(&seen, 400);
	dir_domain_add(dir, S("b.org"), 5);
	dir_domain_add(dir, S("a.org"), 5);
	dir_domain_add(dir, S("a.org.uk"), 5);
	user("z@a.org");
	user("m@b.org");
	user("b@a.org");
	user("k@a.org.uk");
	alias("@a.org", "x@y.z");
	alias("al@a.org", "x@y.z");
	alias("al@b.org", "x@y.z");
	while (dir_domain_next(dir, str_c(d.name), &d) == DIR_OK)
		buf_addf(&seen, "%s ", d.name);
	while (dir_user_next(dir, S(""), str_c(a.address), &a) == DIR_OK)
		buf_addf(&seen, "%s ", a.address);
	buf_addz(&seen, "| ");
	a.address[0] = '\0';
	while (dir_user_next(dir, S("A.org"), str_c(a.address), &a) == DIR_OK)
		buf_addf(&seen, "%s ", a.address);
	buf_addz(&seen, "| ");
	while (dir_alias_list_next(dir, S(""), str_c(l.address), &l) ==
	    DIR_OK)
		buf_addf(&seen, "%s ", l.address);
	buf_addz(&seen, "| ");
	l.address[0] = '\0';
	while (dir_alias_list_next(dir, S("a.org"), str_c(l.address), &l) ==
	    DIR_OK)
		buf_addf(&seen, "%s ", l.address);
	assert_string_equal(buf_cstr(&seen),
	    "a.org a.org.uk b.org "
	    "b@a.org z@a.org k@a.org.uk m@b.org | b@a.org z@a.org | "
	    "@a.org al@a.org al@b.org | @a.org al@a.org ");
	buf_clear(&seen);

	/* A cursor whose row is gone goes on behind it. */
	assert_int_equal(dir_user_remove(dir, S("b@a.org")), DIR_OK);
	assert_int_equal(dir_user_next(dir, S(""), S("b@a.org"), &a), DIR_OK);
	assert_string_equal(a.address, "z@a.org");
	assert_int_equal(dir_user_next(dir, S(""), S("rubbish"), &a),
	    DIR_BAD);
	assert_int_equal(dir_user_next(dir, S("\xff"), S(""), &a), DIR_BAD);
	/* Of another domain: the list begins at its own. */
	assert_int_equal(dir_alias_list_next(dir, S("a.org"), S("z@b.org"),
	    &l), DIR_OK);
	assert_string_equal(l.address, "@a.org");
}

/* -- the file --------------------------------------------------------- */

/* Logs that recovery does not need are removed, also while it is open. */
static void
test_logs(void **state)
{
	char	name[40];
	int	i, n = 0;
	struct stat st;

	(void)state;
	for (i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		assert_int_equal(dir_domain_add(dir, str_c(name), 1), DIR_OK);
	}
	for (i = 1; i < 100; i++) {
		snprintf(name, sizeof(name), "log.%010d", i);
		if (fstatat(tmp.fd, name, &st, 0) == 0)
			n++;
		/* The first are gone; the last one is not the first. */
		if (i == 1)
			assert_int_equal(n, 0);
	}
	assert_in_range(n, 1, 3);
}

/* A process that opens the directory, as a daemon does; its exit code. */
static int
try_open(void)
{
	int	status;
	pid_t	pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		log_to(open("/dev/null", O_WRONLY));
		dir_close(dir_open(tmp.fd, IDS));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void
test_db_config(void **state)
{
	int fd;

	(void)state;
	dir_close(dir);
	assert_int_equal(try_open(), 0);
	fd = openat(tmp.fd, "DB_CONFIG", O_CREAT | O_WRONLY, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(try_open(), 1);
	assert_int_equal(unlinkat(tmp.fd, "DB_CONFIG", 0), 0);
	/* A link is in the way too, wherever it leads. */
	assert_int_equal(symlinkat("nowhere", tmp.fd, "DB_CONFIG"), 0);
	assert_int_equal(try_open(), 1);
	assert_int_equal(unlinkat(tmp.fd, "DB_CONFIG", 0), 0);
	dir = dir_open(tmp.fd, IDS);
}

/* A damaged page ends the process; it is never served. */
static void
test_damage(void **state)
{
	char	page[4096];
	off_t	at;
	int	fd;

	(void)state;
	dir_domain_add(dir, S("example.org"), 5);
	user("ann@example.org");
	dir_close(dir);
	fd = openat(tmp.fd, "directory.db", O_RDWR);
	assert_int_not_equal(fd, -1);
	at = lseek(fd, 0, SEEK_END) - 4096;
	assert_int_equal(pread(fd, page, sizeof(page), at), 4096);
	page[4000] = (char)(page[4000] ^ 1);
	assert_int_equal(pwrite(fd, page, sizeof(page), at), 4096);
	assert_int_equal(try_open(), 1);
	page[4000] = (char)(page[4000] ^ 1);
	assert_int_equal(pwrite(fd, page, sizeof(page), at), 4096);
	close(fd);
	assert_int_equal(try_open(), 0);
	dir = dir_open(tmp.fd, IDS);
}

/* Adds users from `from` on and writes each number when it is durable. */
static _Noreturn void
add_for_ever(int out, uint32_t from)
{
	struct dir	*d = dir_open(tmp.fd, 1000000);
	char		 name[40];
	uint32_t	 i;

	for (i = from;; i++) {
		snprintf(name, sizeof(name), "u%u@example.org", i);
		if (dir_user_add(d, str_c(name), S("creds"), i, NULL) !=
		    DIR_OK || write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

/* Until `least` were acknowledged and it was killed; the next free number. */
static uint32_t
one_life(uint32_t from, int least, bool *acked)
{
	uint32_t	got = from, next = from;
	int		fds[2], n, status;
	pid_t		pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(fds[0]);
		add_for_ever(fds[1], from);
	}
	close(fds[1]);
	for (n = 0; read(fds[0], &got, sizeof(got)) == sizeof(got); n++) {
		assert_in_range(got, from, ACKS_MAX - 1);
		acked[got] = true;
		next = got + 1;
		if (n == least)
			kill(pid, SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && n > least);
	close(fds[0]);
	/* The one that was under way may be there: its number is not used. */
	return next + 1;
}

static void
test_kill(void **state)
{
	static bool		acked[ACKS_MAX];
	struct dir_account	a;
	char			name[40];
	uint32_t		i, next = 0;
	int			round;

	(void)state;
	dir_domain_add(dir, S("example.org"), 5);
	dir_close(dir);
	for (round = 0; round < 12; round++)
		next = one_life(next, 5 + round * 13, acked);
	dir = dir_open(tmp.fd, 1000000);
	for (i = 0; i < next; i++) {
		if (!acked[i])
			continue;
		snprintf(name, sizeof(name), "u%u@example.org", i);
		if (dir_user_get(dir, str_c(name), &a) != DIR_OK)
			fail_msg("lost %s", name);
		assert_int_equal(a.created, i);
		assert_true(str_eq(dir_user_creds(dir, a.mailbox),
		    S("creds")));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_canon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_domains, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_aliases, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_targets_max, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_may_send, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_logs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_db_config, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
	};

	log_level(LOG_ERROR);
	return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
