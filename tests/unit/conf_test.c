/*
 * conf: every mistake is told with file, line, key and remedy, all in one
 * run; what is right is taken; a slice holds what its daemon may see.
 */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/conf.h"
#include "common/core/conf_value.h"
#include "common/core/log.h"

#define L(lit)	STR_INIT(lit)

/* One text, one mistake: the whole line that must be told. */
static const struct {
	struct str	 text;
	const char	*want;
} mistakes[] = {
	{ L("smtp.sise_max = 1M\n"),
	    "f:1: smtp.sise_max: there is no such setting; did you mean "
	    "smtp.size_max? postern.conf(5) lists all settings\n" },
	{ L("xyz = 1\n"),
	    "f:1: xyz: there is no such setting; "
	    "postern.conf(5) lists all settings\n" },
	{ L("= 1\n"),
	    "f:1: there is no such setting; "
	    "postern.conf(5) lists all settings\n" },
	{ L("\x1b[2J = 1\n"),
	    "f:1: \"\\x1b[2J\": there is no such setting; "
	    "postern.conf(5) lists all settings\n" },
	{ L("hostname = a.b\n\nhostname = c.d\n"),
	    "f:3: hostname: set twice; it was set on line 1; "
	    "keep one of the two\n" },
	{ L("# one\nhostname a.b\n"),
	    "f:2: \"hostname a.b\": this line has no \"=\"; "
	    "write name = value, or # for a comment\n" },
	{ L("directory = \"/srv\n"),
	    "f:1: directory: the quote is not closed; "
	    "end the value with \"\n" },
	{ L("directory = \"/srv\" x\n"),
	    "f:1: directory: there is text behind the quotes; "
	    "put the whole value inside them\n" },
	{ L("directory = /srv\"x\n"),
	    "f:1: directory: a quote inside the value; "
	    "quotes stand around the whole value\n" },
	{ L("operators = 1 2\n"),
	    "f:1: operators: a value with blanks needs quotes; "
	    "write name = \"value\"\n" },
	{ L("directory = /srv/a#b\n"),
	    "f:1: directory: a value with \"#\" needs quotes; "
	    "write name = \"value\", or a blank before a comment\n" },
	{ L("smtp.rcpt_max = 99\n"),
	    "f:1: smtp.rcpt_max: too small; "
	    "give a number from 100 to 10000\n" },
	{ L("smtp.rcpt_max = 10001\n"),
	    "f:1: smtp.rcpt_max: too large; "
	    "give a number from 100 to 10000\n" },
	{ L("smtp.rcpt_max = many\n"),
	    "f:1: smtp.rcpt_max: not a number of this kind; "
	    "give a number from 100 to 10000\n" },
	{ L("smtp.rcpt_max =\n"),
	    "f:1: smtp.rcpt_max: not a number of this kind; "
	    "give a number from 100 to 10000\n" },
	{ L("smtp.rcpt_max = 1K\n"),
	    "f:1: smtp.rcpt_max: not a number of this kind; "
	    "give a number from 100 to 10000\n" },
	{ L("smtp.command_time = 5M\n"),
	    "f:1: smtp.command_time: not a number of this kind; "
	    "give seconds from 1 to 3600; m, h and d may follow\n" },
	{ L("smtp.command_max = 1m\n"),
	    "f:1: smtp.command_max: not a number of this kind; "
	    "give bytes from 512 to 65536; K, M and G may follow\n" },
	{ L("queue.segment = 18446744073709551615G\n"),
	    "f:1: queue.segment: not a number of this kind; "
	    "give bytes from 65536 to 1073741824; K, M and G may follow\n" },
	{ L("log.level = loud\n"),
	    "f:1: log.level: not one of the words for this; "
	    "say one of: error warn info debug\n" },
	{ L("listen.mx = 25\n"),
	    "f:1: listen.mx: not an address with a port; "
	    "write 127.0.0.1:25 or [::1]:25\n" },
	{ L("hostname = -a.b\n"),
	    "f:1: hostname: not a host name; "
	    "write a name such as mail.example.org\n" },
	{ L("directory = \"a\tb\"\n"),
	    "f:1: directory: has unprintable characters; "
	    "give printable text of 0 to 4000 characters\n" },
	{ L("hostname = a.b\nlog.level = d\xe9" "bug\n"),
	    "f:2: log.level: not text in UTF-8; "
	    "is this the right file, and saved as UTF-8?\n" },
	{ L("hostname = a\0b\n"),
	    "f:1: hostname: not text in UTF-8; "
	    "is this the right file, and saved as UTF-8?\n" },
	{ L("hostname = a.b\r\nlog.level = info\r\n"),
	    "f:1: the line ends in CR LF; "
	    "save the file with plain line ends\n" },
	{ L("uid.smtpd = 5000\nuid.authd = 5000\n"),
	    "f:2: uid.authd: another daemon has this user id; "
	    "each daemon needs one of its own\n" },
	{ L("\nuid.smtpd = 1912602633\n"),
	    "f:2: uid.smtpd: another daemon has this user id; "
	    "each daemon needs one of its own\n" },
	{ L("uid.smtpd = 1879048192\n"),
	    "f:1: uid.smtpd: lies in the range of mailboxes; "
	    "take one outside of mailbox.uid_base\n" },
	{ L("uid.smtpd = 1895825407\n"),
	    "f:1: uid.smtpd: lies in the range of mailboxes; "
	    "take one outside of mailbox.uid_base\n" },
	{ L("uid.smtpd = 1895825408\n"),
	    "f:1: uid.smtpd: lies in the range of tenants' groups; "
	    "take one outside of tenant.gid_base\n" },
	{ L("mailbox.uid_count = 16777215\n"),
	    "f:1: mailbox.uid_count: not a power of two; "
	    "take 65536, 131072 and so on\n" },
	{ L("\nmailbox.uid_base = 1879048193\n"),
	    "f:2: mailbox.uid_base: not a multiple of the count of ids; "
	    "take a multiple of it, so that a mask can check ids\n" },
	{ L("tenant.gid_base = 1895825409\n"),
	    "f:1: tenant.gid_base: not a multiple of the count of ids; "
	    "take a multiple of it, so that a mask can check ids\n" },
	/* The base is the default: the line is that of the count. */
	{ L("\nmailbox.uid_base = 1912602624\nmailbox.uid_count = 67108864\n"
	    "uid.smtpd = 1\nuid.queued = 2\nuid.route = 3\nuid.local = 4\n"
	    "uid.imapd = 5\nuid.pop3d = 6\nuid.mailboxd = 7\nuid.zygote = 8\n"
	    "uid.authd = 9\n"),
	    "f:2: mailbox.uid_base: not a multiple of the count of ids; "
	    "take a multiple of it, so that a mask can check ids\n" },
	{ L("\ntenant.gid_count = 16777216\nuid.smtpd = 1\n"
	    "tenant.gid_base = 4278190080\n"),
	    "f:4: tenant.gid_base: the range reaches 4294967295; "
	    "take a lower one: that number is no id\n" },
};

static void
test_mistakes(void **state)
{
	struct buf	errors;
	unsigned	n;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(mistakes); i++) {
		buf_init(&errors, 65536);
		n = conf_parse("f", mistakes[i].text, &errors);
		assert_string_equal(buf_cstr(&errors), mistakes[i].want);
		assert_int_equal(n, 1);
		buf_clear(&errors);
	}
}

/* A default that stands in the way is told at the line that was written. */
static void
test_default_in_the_way(void **state)
{
	struct buf errors;

	(void)state;
	buf_init(&errors, 65536);
	conf_parse("f", S("\n\nmailbox.uid_count = 268435456\n"), &errors);
	assert_null(strstr(buf_cstr(&errors), "f:0:"));
	assert_non_null(strstr(buf_cstr(&errors), "f:3: uid.smtpd: lies in"));
	buf_clear(&errors);
}

/* Whatever comes together is told together; a wrong one also counts once. */
static void
test_all_at_once(void **state)
{
	struct buf	errors;
	unsigned	n;

	(void)state;
	buf_init(&errors, 65536);
	n = conf_parse("dir/f", S("bad\nlog.level = loud\n"
	    "log.level = info\nnothing = 1\nuid.smtpd = 7\nuid.imapd = 7\n"),
	    &errors);
	assert_string_equal(buf_cstr(&errors),
	    "dir/f:1: bad: this line has no \"=\"; "
	    "write name = value, or # for a comment\n"
	    "dir/f:2: log.level: not one of the words for this; "
	    "say one of: error warn info debug\n"
	    "dir/f:3: log.level: set twice; it was set on line 2; "
	    "keep one of the two\n"
	    "dir/f:4: nothing: there is no such setting; "
	    "postern.conf(5) lists all settings\n"
	    "dir/f:6: uid.imapd: another daemon has this user id; "
	    "each daemon needs one of its own\n");
	assert_int_equal(n, 5);
	buf_clear(&errors);
}

/* More mistakes than there is room for: the rest is counted, not lost. */
static void
test_many(void **state)
{
	static char	text[200001];
	struct buf	errors;
	const char	*s, *tail;
	size_t		i;

	(void)state;
	for (i = 0; i < 200000; i += 2)
		memcpy(text + i, "x\n", 2);
	buf_init(&errors, 20000);
	assert_int_equal(conf_parse("f", str_of(text, 200000), &errors),
	    100000);
	assert_true(buf_ok(&errors));
	s = buf_cstr(&errors);
	assert_memory_equal(s, "f:1: x: this line", 17);
	tail = strstr(s, "more mistakes");
	assert_non_null(tail);
	assert_string_equal(tail, "more mistakes\n");
	buf_clear(&errors);
}

static void
test_size(void **state)
{
	struct buf	errors;
	size_t		max = 1024 * 1024;
	char		*text = malloc(max + 1);

	(void)state;
	memset(text, '\n', max + 1);
	buf_init(&errors, 65536);
	assert_int_equal(conf_parse("f", str_of(text, max), &errors), 0);
	assert_int_equal(conf_parse("f", str_of(text, max + 1), &errors), 1);
	assert_string_equal(buf_cstr(&errors),
	    "f:1: the file is over 1 MiB; is it the right one?\n");
	buf_clear(&errors);
	free(text);
}

static void
test_right(void **state)
{
	struct buf errors;

	(void)state;
	buf_init(&errors, 65536);
	assert_int_equal(conf_parse("f", S("# comment\n\n  \t\n"
	    " hostname=mx.example.org # why\n"
	    "\toperators = \"1 2 # 3\"  # two\n"
	    "directory = \"/srv/a b#c\"\n"
	    "smtp.size_max = 1G\nqueue.life = 30d\nsmtp.rate_min=0\n"
	    "mailbox.linger = 1m\nlisten.mx = [::1]:25\n"
	    "sandbox = required\nauth.memory = 8192"), &errors), 0);
	assert_string_equal(buf_cstr(&errors), "");
	assert_string_equal(conf_text(C_HOSTNAME), "mx.example.org");
	assert_string_equal(conf_text(C_OPERATORS), "1 2 # 3");
	assert_string_equal(conf_text(C_DIRECTORY), "/srv/a b#c");
	assert_true(conf_num(C_SMTP_SIZE_MAX) == 1073741824);
	assert_true(conf_num(C_QUEUE_LIFE) == 2592000);
	assert_true(conf_num(C_SMTP_RATE_MIN) == 0);
	assert_true(conf_num(C_MAILBOX_LINGER) == 60);
	assert_true(conf_num(C_SANDBOX) == 1);
	assert_true(conf_num(C_AUTH_MEMORY) == 8192);
	assert_string_equal(conf_text(C_LISTEN_MX), "[::1]:25");
	/* A second text starts from the defaults again. */
	assert_int_equal(conf_parse("f", S(""), &errors), 0);
	assert_string_equal(conf_text(C_HOSTNAME), "localhost");
	buf_clear(&errors);
}

static void
test_addr(void **state)
{
	static const struct {
		struct str	 s;
		const char	*host;
		int		 port;
	} t[] = {
		{ L("127.0.0.1:25"), "127.0.0.1", 25 },
		{ L("0.0.0.0:1"), "0.0.0.0", 1 },
		{ L("[::]:65535"), "::", 65535 },
		{ L("[2001:db8::1]:587"), "2001:db8::1", 587 },
		{ L(""), NULL, 0 }, { L(":25"), NULL, 0 },
		{ L("127.0.0.1"), NULL, 0 }, { L("127.0.0.1:"), NULL, 0 },
		{ L("127.0.0.1:0"), NULL, 0 },
		{ L("127.0.0.1:65536"), NULL, 0 },
		{ L("127.0.0.1:-1"), NULL, 0 }, { L("127.1:25"), NULL, 0 },
		{ L("::1:25"), NULL, 0 }, { L("[::1:25"), NULL, 0 },
		{ L("[127.0.0.1]:25"), NULL, 0 }, { L("[]:25"), NULL, 0 },
		{ L("mail.example.org:25"), NULL, 0 },
		{ L("256.0.0.1:25"), NULL, 0 },
		{ L("127.0.0.1\0x:25"), NULL, 0 },
	};
	struct str	host;
	uint16_t	port;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		assert_int_equal(conf_addr(t[i].s, &host, &port),
		    t[i].host == NULL ? -1 : 0);
		if (t[i].host == NULL)
			continue;
		assert_str(host, t[i].host);
		assert_int_equal(port, t[i].port);
	}
}

static void
test_host(void **state)
{
	static const struct {
		const char *s;
		bool ok;
	} t[] = {
		{ "a", true }, { "a.b", true }, { "4.example", true },
		{ "xn--bcher-kva.example", true }, { "", false },
		{ ".", false }, { "a.", false }, { ".a", false },
		{ "a..b", false }, { "a-.b", false }, { "a_b", false },
		{ "a b", false }, { "b\xc3\xbc" "cher", false },
	};
	char		name[300];
	uint64_t	num;
	size_t		i, n;

	(void)state;
	for (i = 0; i < LENGTH(t); i++)
		assert_int_equal(conf_value(conf_info(C_HOSTNAME),
		    str_c(t[i].s), &num) == NULL, t[i].ok);
	memset(name, 'a', sizeof(name));
	for (n = 62; n <= 64; n++)
		assert_int_equal(conf_value(conf_info(C_HOSTNAME),
		    str_of(name, n), &num) == NULL, n <= 63);
	for (i = 63; i < sizeof(name); i += 64)
		name[i] = '.';
	for (n = 252; n <= 254; n++)
		assert_int_equal(conf_value(conf_info(C_HOSTNAME),
		    str_of(name, n), &num) == NULL, n <= 253);
}

static const unsigned daemons[] = { W_SMTPD, W_QUEUED, W_ROUTE, W_LOCAL,
    W_IMAPD, W_POP3D, W_MAILBOXD, W_AUTHD, W_STARTER };

/* Each setting stands in the slices that its row names, and no others. */
static void
test_slices(void **state)
{
	struct buf	b;
	char		want[200];
	size_t		i, s;

	(void)state;
	conf_defaults();
	for (i = 0; i < LENGTH(daemons); i++) {
		buf_init(&b, 65536);
		buf_addc(&b, '\n');
		conf_slice(daemons[i], &b);
		for (s = 0; s < C_COUNT; s++) {
			snprintf(want, sizeof(want), "\n%s=",
			    conf_info((enum setting)s)->name);
			assert_int_equal(strstr(buf_cstr(&b), want) != NULL,
			    (conf_info((enum setting)s)->who &
			    daemons[i]) != 0);
		}
		buf_clear(&b);
	}
	/* What a front must not learn, by name. */
	buf_init(&b, 65536);
	conf_slice(W_SMTPD | W_IMAPD | W_POP3D | W_QUEUED | W_ROUTE | W_LOCAL,
	    &b);
	assert_null(strstr(buf_cstr(&b), "uid"));
	assert_null(strstr(buf_cstr(&b), "auth.memory"));
	assert_null(strstr(buf_cstr(&b), "directory="));
	buf_clear(&b);
}

static int
file_of(struct str s)
{
	int fd = memfd_create("slice", MFD_CLOEXEC);

	assert_int_equal(write(fd, s.p, s.n), s.n);
	return fd;
}

/* In a child: 0 when the slice loads, 1 when it is refused, else it died. */
static int
load(struct str s)
{
	int fd = file_of(s), status, null;

	if (fork() == 0) {
		null = open("/dev/null", O_WRONLY);
		log_to(null);
		conf_load(fd);
		exit(0);
	}
	close(fd);
	wait(&status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
test_load(void **state)
{
	static const struct {
		struct str s;
		int rc;
	} t[] = {
		{ L(""), 0 }, { L("hostname=a.b\n"), 0 },
		{ L("hostname=a.b"), 0 }, { L("operators=\n"), 0 },
		{ L("hostname\n"), 1 }, { L("nothing=1\n"), 1 },
		{ L("hostname=a b\n"), 1 }, { L("log.level=loud\n"), 1 },
		{ L("listen.mx=127.0.0.1\0x:25\n"), 1 },
		{ L("operators=1\0" "2\n"), 1 }, { L("hostname=a\0b\n"), 1 },
		{ L("smtp.rcpt_max=100\0\n"), 1 },
		{ L("log.level=info\0\n"), 1 },
	};
	struct buf	b, errors;
	size_t		i;
	int		fd;

	(void)state;
	for (i = 0; i < LENGTH(t); i++)
		assert_int_equal(load(t[i].s), t[i].rc);
	/* What was written is what is read, from the start, at any offset. */
	buf_init(&b, 65536);
	buf_init(&errors, 65536);
	conf_parse("f", S("operators = \" 1 2 \"\nsmtp.size_max = 7M\n"),
	    &errors);
	conf_slice(W_SMTPD, &b);
	conf_defaults();
	fd = file_of(buf_str(&b));
	conf_load(fd);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_string_equal(conf_text(C_OPERATORS), " 1 2 ");
	assert_true(conf_num(C_SMTP_SIZE_MAX) == 7340032);
	buf_clear(&b);
	buf_clear(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_default_in_the_way),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
