/*
 * imap_script - see imap_script.h.
 */
#include "tests/lib/imap_script.h"

enum { NOW = 1790000000 };	/* 21-Sep-2026 14:13:20 +0000 */

const char imap_script_mail[] =
    "From: Ann <ann@example.org>\r\n"
    "To: bob@example.org\r\n"
    "Subject: Tea\r\n"
    "Date: Thu, 1 Jan 2026 10:00:00 +0100\r\n"
    "\r\n"
    "Hello Bob.\r\n";

struct player {
	const struct imap_scene	*scene;
	struct model_store	*m;
	struct imap		*s[2];
	struct buf		 said[2];
	size_t			 piece;
};

struct model_store *
imap_script_store(void)
{
	static const uint8_t	flags[] = { 0, STORE_SEEN | STORE_FLAGGED,
	    STORE_DELETED };
	struct model_store	*m = model_store_new();
	size_t			 i;

	for (i = 0; i < 3; i++)
		model_store_add(m, "INBOX", str_c(imap_script_mail), flags[i],
		    1767225600 + 86400 * (int64_t)i);
	m->store.ops->create(m, S("Archive"));
	model_store_add(m, "Work/2025", str_c(imap_script_mail), 0, 0);
	return m;
}

void
imap_script_pump(struct imap *s, struct str input, size_t piece,
    struct buf *said)
{
	enum imap_want	want;
	size_t		steps = 0, took;

	for (;;) {
		want = imap_wants(s);
		if (want == IMAP_WANT_ROOM || imap_out(s)->n > 0) {
			buf_add(said, buf_str(imap_out(s)));
			buf_reset(imap_out(s));
			continue;
		}
		if (want == IMAP_WANT_END || want == IMAP_WANT_STORE)
			break;
		if (want == IMAP_WANT_STEP) {
			assert_true(++steps < 10000000);
			imap_step(s, NOW);
			continue;
		}
		if (input.n == 0)
			break;
		took = imap_feed(s, str_sub(input, 0, piece));
		assert_true(took > 0 || imap_wants(s) != IMAP_WANT_INPUT);
		input = str_from(input, took);
	}
}

static void
unescape(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] != '\\' || i + 1 == s.n ||
		    strchr("0rn8", s.p[i + 1]) == NULL) {
			buf_addc(out, s.p[i]);
			continue;
		}
		i++;
		buf_addc(out, s.p[i] == '0' ? '\0' : s.p[i] == 'r' ? '\r' :
		    s.p[i] == 'n' ? '\n' : (char)0xe9);
	}
}

static void
play_client(struct player *p, int who, struct str text, bool crlf)
{
	struct buf line;

	buf_init(&line, 1 << 20);
	unescape(&line, text);
	if (crlf)
		buf_add(&line, S("\r\n"));
	imap_script_pump(p->s[who], buf_str(&line), p->piece, &p->said[who]);
	buf_clear(&line);
	/* The other one is told, as after a commit. */
	if (imap_changed(p->s[!who]))
		imap_script_pump(p->s[!who], S(""), 1, &p->said[!who]);
}

static void
play_server(struct player *p, int who, struct str want, size_t line)
{
	struct str	said = buf_str(&p->said[who]), got;
	ptrdiff_t	end = str_find(said, S("\r\n"));
	struct buf	w;
	bool		same;

	got = end == -1 ? said : str_sub(said, 0, (size_t)end);
	buf_init(&w, 1 << 20);
	unescape(&w, want);
	if (w.n >= 3 && str_eq(str_from(buf_str(&w), w.n - 3), S("..."))) {
		buf_trunc(&w, w.n - 3);
		same = str_starts(got, buf_str(&w));
	} else {
		same = str_eq(got, buf_str(&w));
	}
	if (!same || end == -1)
		fail_msg("%s (pieces of %zu), line %zu:\nwant %.*s\n"
		    "got  %.*s%s", p->scene->name, p->piece, line,
		    (int)want.n, want.p, (int)got.n, got.p,
		    end == -1 ? " (no line)" : "");
	buf_drop(&p->said[who], (size_t)end + 2);
	buf_clear(&w);
}

static void
play_store(struct player *p, struct str text)
{
	struct str	word, rest = text;
	char		arg[256];
	int		i;

	str_cut(&rest, ' ', &word);
	snprintf(arg, sizeof(arg), "%.*s", (int)rest.n, rest.p);
	if (str_eq(word, S("add")))
		model_store_add(p->m, arg, str_c(imap_script_mail), 0, 0);
	else if (str_eq(word, S("quota")))
		p->m->quota = strtoull(arg, NULL, 10);
	else if (str_eq(word, S("messages")))
		p->m->messages_max = strtoull(arg, NULL, 10);
	else if (str_eq(word, S("max")))
		p->m->append_max = (uint32_t)strtoull(arg, NULL, 10);
	else if (str_eq(word, S("broken")))
		p->m->broken = arg[0] == '1';
	else
		fail_msg("%s: M: %.*s", p->scene->name, (int)text.n, text.p);
	for (i = 0; i < 2; i++)
		imap_script_pump(p->s[i], S(""), 1, &p->said[i]);
}

static void
play_line(struct player *p, struct str line, size_t number)
{
	struct str	mark, text = line;
	int		who;

	if (line.n == 0)
		return;
	str_cut(&text, ':', &mark);
	text = str_from(text, 1);
	who = mark.n == 2;
	switch (mark.p[0]) {
	case 'C':
	case 'c':
		play_client(p, who, text, mark.p[0] == 'C');
		break;
	case 'S':
		play_server(p, who, text, number);
		break;
	case 'M':
		play_store(p, text);
		break;
	case 'X':
		if (imap_wants(p->s[who]) != IMAP_WANT_END)
			fail_msg("%s: line %zu: not ended", p->scene->name,
			    number);
		break;
	default:
		fail_msg("%s: line %zu: no mark", p->scene->name, number);
	}
}

void
imap_script_run(const struct imap_scene *scene, size_t piece)
{
	struct player	p = { .scene = scene, .piece = piece };
	struct str	rest = str_c(scene->script), line;
	size_t		number = 0;
	int		i;

	p.m = imap_script_store();
	for (i = 0; i < 2; i++) {
		p.s[i] = imap_new(&p.m->store, 1000);
		buf_init(&p.said[i], 64 << 20);
	}
	while (str_cut(&rest, '\n', &line))
		play_line(&p, line, ++number);
	for (i = 0; i < 2; i++) {
		if (p.said[i].n > 0)
			fail_msg("%s (pieces of %zu): left over:\n%s",
			    scene->name, piece, buf_cstr(&p.said[i]));
		imap_free(p.s[i]);
		buf_clear(&p.said[i]);
	}
	assert_int_equal(p.m->opens, 0);
	assert_int_equal(p.m->appends, 0);
	assert_int_equal(p.m->bodies, 0);
	model_store_free(p.m);
}

void
imap_script_run_all(const struct imap_scene *scenes, size_t n)
{
	static const size_t	pieces[] = { SIZE_MAX, 1, 7, 3 };
	size_t			i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++)
			imap_script_run(&scenes[i], pieces[k]);
	}
}
